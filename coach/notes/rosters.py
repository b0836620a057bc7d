"""Lists of people: who was there, who sent apologies, who ran the meeting and who took the notes."""

from __future__ import annotations

import re

from coach.notes.people import ROLES, TITLES, initials, looks_like_handle, looks_like_name, words
from coach.schema import Attendee

_ABSENT = re.compile(
    r"apolog\w*|apols?|regrets?|absent|absences?|sorry|excused|not present|unable to attend|sent apologies|out|away",
    re.I,
)
_ROSTER = re.compile(
    r"(?:members?\s+|also\s+|those\s+|who\s+(?:is|was)\s+)?(?:present|attendees?|attending|attendance|"
    r"in attendance|here|"
    r"participants?|apolog(?:ies|y)(?: for absence)?|apols?|regrets|absent|absences|sorry|sent apologies|"
    r"excused|invited|guests?|"
    r"observers?|members|delegates|governors|officers|partners|roles|council|facilitat(?:or|ors|ed by|ion)|"
    r"chair(?:ed by|person|man|"
    r"woman|s)?|moderat(?:or|ion|ed by)|minutes?(?: taken)?(?: by)?|notes?(?: taken)? by|note-?taker|"
    r"scribe|secretary|clerk|editor|"
    r"presenters?|dean|host|zoom|remote(?:ly)?|online|in the room|in|out|others|also here|staff|team|"
    r"who(?: was there)?|with|von|"
    r"council members|project directors|foundation project directors|project staff|foundation staff|"
    r"for the [\w ]{3,30}|for management|"
    r"observers and guests|quorum)(?:\s+(?:by phone|online|remotely|members|present|from|today))?",
    re.I,
)
_SINGLE_ROLE = re.compile(
    r"facilitat|chair|moderat|minutes?$|minutes? (?:taken )?by|notes?|note-?taker|scribe|secretary|clerk|"
    r"editor|presenter|dean|host",
    re.I,
)
_ENTRY = re.compile(r"^([^()\[\]]{1,60}?)\s*+(?:[(\[]([^()\[\]]{0,80})[)\]]?)?\s*+[.;]?$")
_BESIDE = re.compile(r"^(?:later|and|also|the|plus|cllrs|from|by|is|was|are)\s+(?=\S)", re.I)
_TAKES_NOTES = re.compile(r"(?<!\s)\s++(?:taking|takes|took|wrote|writing) (?:the )?(?:notes|minutes).{0,80}$", re.I)
_DUTIES = (
    ("facilit", "facilitator"),
    ("moder", "moderator"),
    ("minut", "minutes"),
    ("note", "minutes"),
    ("scribe", "minutes"),
    ("chair", "chair"),
    ("present", "presenter"),
)
_DOES = re.compile(r"(?<!\s)\s++(facilitat|chair|moderat|present|host)(?:e|s|es|ed|ing)\b.{0,40}$", re.I)
_NEVER_LISTED = words("none all everyone nobody tbd others various n/a - yes no quorate")


def roster_kind(label: str) -> str | None:
    """``absent``, a role (``facilitator``), or ``present`` when a label opens a list of people; else ``None``."""
    label = label.strip(" *_#.:").strip()
    if len(label) > 48 or not _ROSTER.fullmatch(label):
        return None
    if _ABSENT.fullmatch(label) or _ABSENT.match(label):
        return "absent"
    if _SINGLE_ROLE.match(label):
        word = label.split()[0].casefold()
        return next((role for stem, role in _DUTIES if word.startswith(stem)), word)
    return "present"


def read_roster(names: str, kind: str) -> tuple[Attendee, ...]:
    """The attendees of a comma- or semicolon-separated list; brackets hold roles (``Mr D. Hale (Treasurer)``)."""
    found: list[Attendee] = []
    role_of_list = kind if kind not in ("present", "absent") else None
    parts = [part for part in _split_names(names[:4000]) if part.strip()]
    lower = len(parts) > 1 and any(p.strip()[0].islower() and not p.strip().startswith(("me", "and ")) for p in parts)
    if role_of_list and (lower or "?" in names or "!" in names):
        return ()  # "Chair: right, um, the kitchen?" is somebody speaking, not a list of chairs
    for part in parts:
        match = _ENTRY.match(part.strip(" */_\t\r\n-•"))
        if not match:
            continue
        name, inner = match.group(1).strip(" .*_"), match.group(2)
        name = _BESIDE.sub("", name)
        notes = _TAKES_NOTES.search(name)
        if notes:
            name, inner = name[: notes.start()], "minutes"
        does = _DOES.search(name)
        if does:
            name, inner = (
                name[: does.start()],
                next((role for stem, role in _DUTIES if does.group(1).lower().startswith(stem)), "host"),
            )
        if name.casefold() == "me" and inner:
            name, inner = inner.strip(), None
        if name.casefold() in _NEVER_LISTED or len(name.split()) > 4:
            continue
        if not (looks_like_name(name, listed=True) or looks_like_handle(name)):
            continue
        alias: tuple[str, ...] = ()
        role = inner.strip() if inner else None
        if role and initials(role) and role.casefold() not in ROLES and _could_abbreviate(role, name):
            alias, role = (role,), None
        elif (
            initials(name)
            and inner
            and looks_like_name(inner)
            and len(inner.split()) > 1
            and _could_abbreviate(name, inner)
        ):
            alias, name, role = (name,), inner.strip(), None
        roles = ", ".join(r for r in (role_of_list, role) if r) or None
        found.append(Attendee(name=name, present=kind != "absent", role=roles, aliases=alias))
    return tuple(found)


def _could_abbreviate(short: str, name: str) -> bool:
    parts = [word for word in name.split() if word.strip(".").casefold() not in TITLES]
    if not parts or parts[0][0].casefold() != short[0].casefold():
        return False
    letters = iter(re.sub(r"[^\w]", "", "".join(parts)).casefold())
    return all(letter in letters for letter in short.replace(".", "").casefold())


_FULL_STOP = re.compile(r"\b(\w++)\)?\.(?=\s|$)")
_BRACKETS = re.compile(r"[(\[][^()\[\]]{0,120}[)\]]")


def _split_names(names: str) -> list[str]:
    """The parts of a list, cut at commas, semicolons, bars, "and" and full stops that end no title or initial."""
    marked = list(names)
    closed = _BRACKETS.sub(lambda m: "_" * len(m.group()), names)
    for at, char in enumerate(closed):
        if char in ",;\n|":
            marked[at] = "\0"
    for match in _FULL_STOP.finditer(closed):
        if len(match.group(1)) > 1 and match.group(1).casefold() not in TITLES:
            marked[match.end() - 1] = "\0"
    for match in re.finditer(r"\s(?:and|&|\+)\s", closed):
        marked[match.start() : match.end()] = ["\0"] * (match.end() - match.start())
    return [part for part in "".join(marked).split("\0") if part.strip()]


_SEGMENT = re.compile(
    r"(?:^|(?<=[.;,)*\]}/])\s++|(?<=\*\*)|(?<!\s)\s{2,}+|"
    r"^\W{1,4})[*_]{0,2}([^\W\d_][\w ]{0,30}?)\s?[*_]{0,2}[:：]\s?[*_]{0,2}(?=\s)"
)
_BARE = re.compile(
    r"(?:^|(?<=[.;])\s++|(?<!\s)\s{2,}+|//\s*+)((?i:present|here|attending|attendees|apols?|apologies|absent)|IN|OUT)\s+(?=[A-Z])"
)


def roster_line(body: str, listing: str | None, seen: int) -> tuple[Attendee, ...]:
    """The attendees that a line lists, if listing them is what the line does."""
    head = body[:3000]
    marks = [
        (m.start(), m.end(), kind)
        for m in _SEGMENT.finditer(head)
        if (kind := roster_kind(m.group(1))) and (m.start() == 0 or not m.group(1).lower().startswith("for "))
    ]
    if marks and marks[0][0] > 0 and seen > 10:
        marks = []
    first = marks[0][0] if marks else -1
    if seen > 25 and not listing:
        return ()
    if not marks or (first > 0 and first > 100):
        bare = [(m.start(), m.end(), roster_kind(m.group(1)) or "present") for m in _BARE.finditer(head)]
        if bare and bare[0][0] == 0 and seen <= 8:
            marks = bare
    if not marks:
        if listing:
            return read_roster(head, listing)
        if seen <= 6:
            tail = head.rsplit(". ", 1)[-1] if not head.endswith(".") else head
            people = read_roster(tail, "present")
            parts = [p for p in re.split(r"[,;]", re.sub(r"\([^)]{0,400}\)", "", tail)) if p.strip()]
            alike = len({p.name[0].islower() for p in people}) == 1  # "so, um, the kitchen. Shared." lists nobody
            if len(people) >= 3 and len(people) >= 0.75 * len(parts) and len(tail) < 400 and alike:
                return people
        return ()
    found: list[Attendee] = []
    for at, (_, begin, kind) in enumerate(marks):
        stop = marks[at + 1][0] if at + 1 < len(marks) else len(head)
        part = head[begin:stop]
        for inner in _BARE.finditer(part):
            found.extend(read_roster(part[inner.end() :], roster_kind(inner.group(1)) or "present"))
            part = part[: inner.start()]
            break
        found.extend(read_roster(part, kind))
    return tuple(found) if head[marks[0][0] : marks[0][1]].rstrip(" *_").endswith((":", "：")) or len(found) > 1 else ()
