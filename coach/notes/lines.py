"""The lines of a text with exact offsets, and the pieces that the readers turn into utterances."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from coach.schema import Role, Utterance

BLANK = " \t\r\n\v\f\x1c\x1d\x1e\x85\xa0\u2028\u2029\ufeff\u200b\u200e\u200f\u202a\u202c\u2060"
_END_OF_LINE = re.compile(r"\r\n|[\n\r\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class Line:
    """A line without its end: ``text[start:end]`` has no blank at either side; ``indent`` counts those before it."""

    start: int
    end: int
    indent: int
    text: str


@dataclass(frozen=True, slots=True)
class Piece:
    """An utterance in the making; the same fields, without validation."""

    start: int
    said: int
    end: int
    role: Role = "speech"
    speaker: str | None = None
    seconds: float | None = None
    section: str | None = None


def split_lines(text: str) -> list[Line]:
    """Every line of the text, in order, blank ones with an empty ``text``."""
    found, at = [], 0
    for match in _END_OF_LINE.finditer(text):
        found.append(_line(text, at, match.start()))
        at = match.end()
    found.append(_line(text, at, len(text)))
    return found


def _line(text: str, start: int, end: int) -> Line:
    raw = text[start:end]
    body = raw.lstrip(BLANK)
    indent = len(raw) - len(body)
    body = body.rstrip(BLANK)
    return Line(start + indent, start + indent + len(body), indent, body)


def utterances(text: str, pieces: Iterable[Piece]) -> tuple[Utterance, ...]:
    """The pieces as utterances: trimmed, in order, and with mark-up utterances for whatever no piece covers."""
    found: list[Utterance] = []
    at = 0
    for piece in sorted(pieces, key=lambda p: (p.start, p.end)):
        start, end = _trim(text, max(piece.start, at), piece.end)
        if start >= end:
            continue
        found.extend(_gap(text, at, start))
        said = min(max(piece.said, start), end)
        while said < end and text[said] in BLANK:
            said += 1
        found.append(
            Utterance.model_construct(
                speaker=piece.speaker,
                start=start,
                said=said,
                end=end,
                role=piece.role,
                seconds=piece.seconds,
                section=piece.section,
            )
        )
        at = end
    found.extend(_gap(text, at, len(text)))
    return tuple(found)


def _gap(text: str, start: int, end: int) -> Iterator[Utterance]:
    start, end = _trim(text, start, end)
    if start < end:
        yield Utterance.model_construct(
            speaker=None, start=start, said=start, end=end, role="markup", seconds=None, section=None
        )


def _trim(text: str, start: int, end: int) -> tuple[int, int]:
    while start < end and text[start] in BLANK:
        start += 1
    while end > start and text[end - 1] in BLANK:
        end -= 1
    return start, end


def seconds(stamp: str) -> float | None:
    """Seconds of a time such as ``01:02:03.5``, ``12:05`` or ``9:05 pm`` (as a time of day), else ``None``."""
    match = re.fullmatch(r"\s*(?:(\d{1,3}):)?(\d{1,2}):(\d{1,2})(?:[.,](\d{1,3}))?\s*+([ap])?\.?m?\.?\s*", stamp, re.I)
    if not match:
        return None
    hours, minutes, secs, fraction, half = match.groups()
    if half:
        hour, minute, second = (hours, minutes, secs) if hours else (minutes, secs, "0")
        day = int(hour) % 12 + (12 if half.lower() == "p" else 0)
        return float(day * 3600 + int(minute) * 60 + int(second))
    whole = int(hours or 0) * 3600 + int(minutes) * 60 + int(secs)
    return whole + (float(f"0.{fraction}") if fraction else 0.0)
