"""Transcripts and chats in which every turn carries a time."""

from __future__ import annotations

import re
from collections.abc import Callable

from coach.notes.dates import find_date
from coach.notes.lines import Piece, seconds, split_lines, utterances
from coach.notes.people import People, looks_like_handle, looks_like_name
from coach.notes.rosters import read_roster, roster_kind
from coach.schema import Conversation

NAMES = ("zoom", "google-meet", "teams", "otter", "chat")

_STAMP = r"\d{1,2}:\d{2}(?::\d{2})?(?:[.,]\d{1,3})?(?:\s?[APap]\.?[Mm]\.?)?"
_DAY = r"(?:\d{1,4}[./-]\d{1,2}[./-]\d{1,4},?\s+|(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6}[.,]?\s+)?"
_BEFORE = re.compile(rf"[\[(]?{_DAY}({_STAMP})[\])]?\s*(?:[-–]\s+)?(?=\S)", re.I)
_AFTER = re.compile(rf"([^\d\W_][^\n:\[\]]{{0,59}}?)(\s*\(?[\[(]?)\s({_STAMP})[\])]?$")
_BESIDE = re.compile(rf"[*_]{{0,2}}([^\d\W_][^\n:\[\]*]{{0,39}}?)[*_]{{0,2}}\s+[\[(]?({_STAMP})[\])]?:?\s+(?=\S)")
_ANGLES = re.compile(r"<([^<>\s]{1,24})>\s+(?=\S)")
_ALONE = re.compile(rf"[\[(]?({_STAMP})[\])]?$")


def sniff(text: str, name: str) -> float:
    """How much a text looks like the timed format of that name, 0 to 1."""
    lines = [line.text for line in split_lines(text[:8_000]) if line.text][:120]
    if not lines:
        return 0.0
    before = [line for line in lines if (m := _BEFORE.match(line)) and _name_at(line, m.end())]
    after = [
        line
        for line in lines
        if len(line) < 90 and (m := _AFTER.match(line)) and looks_like_name(m.group(1).strip(" *"))
    ]
    beside = [line for line in lines if _beside(line)]
    nicks = [line for line in lines if _ANGLES.match(line)]
    alone = [line for line in lines if _ALONE.match(line)]
    elapsed = bool(before) and _elapsed([m.group(1) for line in before if (m := _BEFORE.match(line))])
    if name == "zoom":
        return 0.92 if len(before) >= max(2, 0.3 * len(lines)) and elapsed else 0.0
    if name == "chat":
        return 0.9 if len(before) + len(beside) + len(nicks) >= max(2, 0.3 * len(lines)) else 0.0
    if name == "google-meet":
        said = "\n".join(lines)
        own = "This editable transcript was computer generated" in said or "Meeting ended after" in said
        return 0.95 if own else 0.85 if len(alone) >= 2 and len(before) < 2 and len(after) < 2 else 0.0
    enough = len(after) >= max(2, 0.2 * len(lines))
    if name == "teams":
        marked = re.search(r"(?:started|stopped) transcription|\b\d+m \d+s\b", text[:3000])
        return (
            0.95
            if enough and marked
            else 0.84
            if enough and any(re.search(r"(?<!\s)\s{3,}\d|[AaPp]\.?[Mm]\.?\W?$", line) for line in after)
            else 0.8 * enough
        )
    return 0.83 * enough + (0.13 if "otter.ai" in text[:3000] + text[-500:] and enough else 0.0)


def read_timed(text: str, name: str) -> Conversation:
    """One utterance per turn; times are seconds from the first stamp when the stamps are times of day."""
    people = People()
    lines = split_lines(text)
    clock = _clock([stamp for line in lines if (stamp := _stamp(line.text))])
    pieces: list[Piece] = []
    speaker: str | None = None
    time: float | None = None
    waiting: int | None = None
    for number, line in enumerate(lines):
        if not line.text:
            continue
        before = _BEFORE.match(line.text)
        beside = None if before else _beside(line.text)
        after = None if before or beside or len(line.text) > 90 else _AFTER.match(line.text)
        if before and (found := _name_at(line.text, before.end())):
            time, speaker = clock(before.group(1)), people.speaker(found[0])
            pieces.append(Piece(line.start, line.start + found[1], line.end, "speech", speaker, time))
            waiting = None
        elif beside:
            time, speaker = clock(beside.group(2)), people.speaker(beside.group(1).strip())
            pieces.append(Piece(line.start, line.start + beside.end(), line.end, "speech", speaker, time))
            waiting = None
        elif _ALONE.match(line.text):
            time = clock(_ALONE.match(line.text).group(1))  # type: ignore[union-attr]
            pieces.append(Piece(line.start, line.end, line.end, "markup", None, time))
        elif before:
            time = clock(before.group(1))
            pieces.append(Piece(line.start, line.start + before.end(), line.end, "narration", None, time))
            speaker = None
        elif after and looks_like_name(after.group(1).strip(" *")):
            time, speaker, waiting = clock(after.group(3)), people.speaker(after.group(1).strip(" *")), line.start
        elif waiting is not None:
            pieces.append(Piece(waiting, line.start, line.end, "speech", speaker, time))
            waiting = None
        elif (found := _name_at(line.text, 0)) and not roster_kind(found[0]):
            speaker = people.speaker(found[0])
            pieces.append(Piece(line.start, line.start + found[1], line.end, "speech", speaker, time))
        elif speaker is None:
            colon = line.text.find(":", 0, 40)
            kind = roster_kind(line.text[:colon]) if colon > 0 else None
            listed = read_roster(line.text[colon + 1 :], kind) if kind else ()
            people.list(listed)
            pieces.append(
                Piece(
                    line.start,
                    line.start,
                    line.end,
                    "roster" if listed else "heading" if number < 3 and len(line.text) < 120 else "narration",
                )
            )
        else:
            pieces.append(Piece(line.start, line.start, line.end, "speech", speaker, time))
    found_utterances = utterances(text, pieces)
    title = next((text[u.said : u.end] for u in found_utterances[:3] if u.role == "heading"), None)
    return Conversation.model_construct(
        text=text,
        format=name,
        title=title,
        date=find_date(text),
        attendees=people.attendees(u.speaker for u in found_utterances if u.speaker),
        utterances=found_utterances,
    )


def _stamp(line: str) -> str | None:
    before = _BEFORE.match(line) or _ALONE.match(line)
    if before:
        return before.group(1)
    if beside := _beside(line):
        return beside.group(2)
    after = _AFTER.match(line) if len(line) <= 90 else None
    return after.group(3) if after and looks_like_name(after.group(1).strip(" *")) else None


def _beside(line: str) -> re.Match[str] | None:
    """Name, time and words on one line: ``**Ana** 9:03 AM fine by me``."""
    match = _BESIDE.match(line)
    if match is None:
        return None
    name = match.group(1).strip()
    return match if looks_like_name(name) or looks_like_handle(name) else None


def _name_at(line: str, at: int) -> tuple[str, int] | None:
    if nick := _ANGLES.match(line, at):
        return nick.group(1), nick.end()
    colon = line.find(":", at, at + 64)
    if colon < 0 or (colon + 1 < len(line) and not line[colon + 1].isspace()):
        return None
    written = re.sub(r"\s*\([^)]{0,40}\)$", "", line[at:colon].strip(" *_<>"))
    return (written, colon + 1) if looks_like_name(written) or looks_like_handle(written) else None


def _elapsed(stamps: list[str]) -> bool:
    """Whether stamps count from the start of the recording, rather than tell the time of day."""
    first = stamps[0]
    if re.search(r"[ap]\.?m", first, re.I):
        return False
    return int(first.split(":")[0]) < 5 and (first.count(":") == 2 or int(first.split(":")[0]) == 0)


def _clock(stamps: list[str]) -> Callable[[str], float | None]:
    if not stamps or _elapsed(stamps):
        return seconds

    def day(stamp: str) -> float | None:
        short = stamp.count(":") == 1 and not re.search(r"[ap]\.?m", stamp, re.I)
        return seconds(stamp + ":00" if short else stamp)

    first = day(stamps[0]) or 0.0

    def since(stamp: str) -> float | None:
        value = day(stamp)
        return None if value is None else value - first if value >= first else value - first + 86_400

    return since
