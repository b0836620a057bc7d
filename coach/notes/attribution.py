"""Who speaks in running text: ``Name:`` in the middle of a line, and "Mrs Adeyemi asked how …"."""

from __future__ import annotations

import re
from collections.abc import Iterator

from coach.notes.people import ROLES, TITLES, People, looks_like_name, words
from coach.notes.splitting import spans

REPORTING = words(
    "accepted acknowledged added admitted advised agreed agrees announced answered apologised apologized "
    "argued argues asked "
    "asks assumed assured attributed believed believes called challenged claimed clarified commented "
    "complained conceded "
    "concluded confirmed considered cautioned countered declared declined demanded denied described desired disagreed "
    "disagrees doubted doubts emphasised emphasized enquired expected explained expressed favoured feared "
    "fears feels felt "
    "finds found guessed guesses hates held highlighted hoped hopes informed inquired insisted insists "
    "interjected introduced "
    "invited joked likes maintained mentioned missed motioned moved muttered noted notes objected objects "
    "observed offered "
    "opened opposed outlined pointed preferred prefers presented proposed proposes protested questioned "
    "queried raised read "
    "recalled recommended registered relayed remarked reminded replied reported reports requested "
    "responded sees seconded "
    "shared showed signalled stated stressed suggested suggests summarised summarized supported supports "
    "talked thanked "
    "thinks thought told undertook urged volunteered voted wanted wants warned warns welcomed wished wishes withdrew "
    "wondered wonders worried worries wrote said says"
)
_LEAD = re.compile(
    r"(?:\*[^*\n]{2,40}:\*\s+|[\"“]?(?:then|and then|but|so|first|finally|later|afterwards|again|old|in \w+,?|on \w+,?|"
    r"it was proposed by)\s+)",
    re.I,
)
_PRONOUN = re.compile(r"(?:He|She|he|she)\s+(\w+)")
_SAID_AFTER = re.compile(
    r"[,?!][\"”’»]?\s+(?:said|says|asked|added|replied|told us|"
    r"thought)\s+((?:(?:Mrs?|Ms|Dr|Prof)\. )?[A-Z][\w'’\-]*(?:\s[A-Z][\w'’\-]*){0,2})"
)
_SAID_BEFORE = re.compile(
    r",\s+((?:(?:Mrs?|Ms|Dr|Prof)\. )?[A-Z][\w'’\-]*(?:\s[A-Z][\w'’\-]*){0,2}|[Hh]e|[Ss]he)\s+(?:said|says|"
    r"asked|added|replied|"
    r"told us|thought|guesses)\b"
)
_BRACKET = re.compile(r"\((?:[^()]{0,20}[,;]\s*)?([A-Z][\w'’\-]*(?:\s[A-Z][\w'’\-]*){0,2})(?:,[^()]{0,30})?\)[.!?]?$")


STRONG = REPORTING - words(
    "opened raised invited read missed held moved opened presented wrote seconded shared showed found likes hates sees "
    "welcomed registered called opposed supports registered attributed considered expected declined "
    "highlighted noted notes "
    "moved recalled presented reports favoured voted"
)
_HEARD = re.compile(
    r"(?<![\w’'])((?:The [a-z]{4,14}|(?:[A-Z]\.|(?:Mrs?|Ms|Dr|Prof|Rev|St|Hon|Cllr)\.|"
    r"[A-Z][\w'’\-]{0,40}))(?: (?:[A-Z]\.|[A-Z][\w'’\-]{0,40})){0,3}) (?:had )?(" + "|".join(sorted(STRONG)) + r")\b"
)
_GROUPS = words(
    "all audience board committee company council group house meeting members minutes notes others panel "
    "party people room rest staff team union "
    "association branch public community"
)
_OUTCOME = re.compile(
    r"(?:[Ii]t was|[Ii]t is|[Aa]greed|[Dd]iscussed|[Tt]alked|[Dd]ecided|[Ee]nded up|[Nn]oted|[Pp]arked|"
    r"[Rr]esolved|RESOLVED|[Rr]ecorded|"
    r"[Mm]arked|[Cc]onfirmed|[Mm]oved|[Cc]arried|[Pp]assed|[Aa]ccepted|[Ss]ettled|[Aa]dopted|[Aa]pproved|"
    r"[Rr]ule is|[Ss]o[:,]|Goes to|"
    r"Compromise|ACTION|DECISION|Action|Decision|Nobody|No one|No-one|No comments|Silence|Pause|Laughter|"
    r"Everybody|Everyone|We (?:agreed|decided)|"
    r"[Mm]oving on|[Nn]ext item|Consent|Thumbs|Seconded|->|→)"
)


def hear(text: str, people: People) -> None:
    """Know those whom running text lets say something ("Mirela asked", "the Chair thought")."""
    for match in _HEARD.finditer(text):
        written = match.group(1)
        if _may_report(written) and not people.resolve(written):
            people.know(written)


def turns(
    text: str, start: int, end: int, people: People, holder: str | None
) -> Iterator[tuple[int, int, int, str | None]]:
    """The turns of running text as ``(start, said, end, speaker)``: neighbouring sentences of a speaker together.

    ``holder`` is who speaks when nothing in the text says otherwise (the label of the line), or ``None``.
    """
    current: tuple[int, int, int, str | None] | None = None
    last: str | None = holder
    labelled = holder
    for a, b in spans(text, start, end):
        said, speaker, label, mentioned = _who(text, a, b, people, last)
        if speaker is None and labelled and a > start and (mentioned or _OUTCOME.match(text, a, b)):
            labelled = None
        if label:
            labelled = speaker
        elif speaker is None:
            speaker = labelled
        else:
            labelled = None if speaker != labelled else labelled
        last = mentioned or speaker or last
        if current is not None and current[3] == speaker and not label:
            current = (current[0], current[1], b, speaker)
        else:
            if current is not None:
                yield current
            current = (a, said, b, speaker)
    if current is not None:
        yield current


def _who(text: str, a: int, b: int, people: People, last: str | None) -> tuple[int, str | None, bool, str | None]:
    sentence = text[a:b]
    said, found, label = _label_at(text, a, b, people)
    if found:
        return said, found, label, found
    head = sentence[:160]
    lead = _LEAD.match(head)
    offset = lead.end() if lead else 0
    subject = _subject(head[offset:], people)
    if subject:
        speaker, mentioned = subject
        if speaker:
            return a, speaker, False, speaker
        last = mentioned or last
    else:
        mentioned = None
    after = _SAID_AFTER.search(sentence[:600])
    if after:
        name = people.resolve(after.group(1)) or (after.group(1) if looks_like_name(after.group(1)) else None)
        if name:
            return a, people.speaker(name), False, name
    before = _SAID_BEFORE.search(sentence[:600])
    if before:
        written = before.group(1)
        if written.lower() in ("he", "she"):
            if last:
                return a, last, False, last
        elif people.resolve(written) or looks_like_name(written):
            return a, people.speaker(written), False, people.speaker(written)
    pronoun = _PRONOUN.match(head)
    if (
        pronoun
        and last
        and (pronoun.group(1) in REPORTING or pronoun.group(1) in ("did", "had", "would", "was", "does", "is", "has"))
    ):
        return a, last, False, last
    bracket = _BRACKET.search(sentence[-80:])
    if bracket and people.resolve(bracket.group(1)):
        name = people.speaker(bracket.group(1))
        return a, name, False, name
    return a, None, False, mentioned


def _label_at(text: str, a: int, b: int, people: People) -> tuple[int, str | None, bool]:
    head = text[a : min(b, a + 64)]
    for match in re.finditer(r":(?=\s|$)|\s[-–—]+(?=\s)", head):
        written = head[: match.start()].strip(' *_"“')
        if people.resolve(written):
            at = a + match.end()
            while at < b and text[at] in " \t*_":
                at += 1
            return at, people.speaker(written), True
        if match.group() == ":":
            break
    return a, None, False


def _subject(head: str, people: People) -> tuple[str | None, str | None] | None:
    """``(speaker, mentioned)`` for a sentence that begins with someone, or ``None``."""
    parts = head.split(" ", 6)
    if parts[0] in ("Will", "May") and head.rstrip().endswith("?"):
        return None  # "Will the budget do?" is no question of Will's.
    for count in range(min(4, len(parts)), 0, -1):
        written = " ".join(parts[:count]).rstrip(",:;.") if count > 1 or parts[0][:1].isalpha() else ""
        if not written or any(
            w.endswith((",", ";", ".")) and w.rstrip(".,").casefold() not in TITLES and len(w) > 2
            for w in parts[: count - 1]
        ):
            continue
        comma = parts[count - 1].endswith(",")
        name = people.resolve(written)
        following = parts[count].strip(",.;:!?\"“”'") if count < len(parts) else ""
        if name and written[0].isupper() | written.islower():
            if following in ("to", "and", "&", "+", "/", "or") or not following:
                return None, name
            if comma:
                return None, people.speaker(written)
            if following[:1].islower() or following[:1] in "\"“'‘" or not following[:1].isalpha():
                return people.speaker(written), name
            return None, name
        if following in STRONG and not comma and written[0].isupper() and _may_report(written):
            return people.speaker(written), written
    return None


def _may_report(written: str) -> bool:
    parts = written.split()
    if written.rstrip(".") != written and parts[-1].rstrip(".").casefold() not in TITLES and len(parts[-1]) > 2:
        return False
    if len(parts) == 1 and parts[0].casefold() in TITLES | _GROUPS:
        return False
    if parts[0] in ("The", "A", "An"):
        if parts[0] != "The" or len(parts) != 2 or parts[1].casefold() in _GROUPS:
            return False
        return parts[1][0].isupper() or parts[1].casefold() in ROLES
    if parts[0] in (
        "I",
        "We",
        "It",
        "He",
        "She",
        "They",
        "You",
        "Nobody",
        "Everyone",
        "Everybody",
        "Somebody",
        "Someone",
        "One",
        "Two",
        "Three",
        "Four",
        "Five",
        "Six",
        "Both",
        "All",
        "Half",
        "Some",
        "Anyone",
        "Such",
        "Nothing",
        "Another",
        "Each",
        "Others",
        "Members",
        "Most",
        "Many",
        "Several",
        "None",
        "No",
        "This",
        "That",
        "Who",
        "What",
    ):
        return False
    return looks_like_name(written)
