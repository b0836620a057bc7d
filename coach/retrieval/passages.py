"""A conversation as lines and overlapping windows of lines, which is what the library stores and finds."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from coach.schema import Conversation

SIZE, STEP = 4, 2
"""Lines in a window, and from the start of one window to the start of the next. See docs/design/library.md."""

LONG, PART = 90, 60
"""Turns of more than LONG words become lines of about PART words, cut between sentences where there are any."""


@dataclass(frozen=True)
class Line:
    """One utterance on one line, or a part of a long one."""

    speaker: str | None
    text: str

    def __str__(self) -> str:
        return f"{self.speaker}: {self.text}" if self.speaker else self.text

    @classmethod
    def read(cls, line: str, speakers: Iterable[str]) -> Line:
        """The line that ``str`` wrote."""
        speaker = next((name for name in speakers if line.startswith(f"{name}: ")), None)
        return cls(speaker, line[len(speaker) + 2 :] if speaker else line)


@dataclass(frozen=True)
class Window:
    """Consecutive lines; ``first`` is the number of the first one within its meeting, from 0."""

    first: int
    lines: tuple[Line, ...]

    @property
    def text(self) -> str:
        return "\n".join(str(line) for line in self.lines)

    @property
    def speakers(self) -> tuple[str, ...]:
        """Those who speak in it, in order of appearance."""
        return tuple(dict.fromkeys(line.speaker for line in self.lines if line.speaker))


def lines(conversation: Conversation) -> tuple[Line, ...]:
    """What was said and narrated, in order, without headings, attendee lists and mark-up."""
    return tuple(
        Line(utterance.speaker, part)
        for utterance in conversation.utterances
        if utterance.role in ("speech", "narration")
        for part in _parts(" ".join(conversation.words(utterance).split()))
    )


def windows(of: Sequence[Line]) -> tuple[Window, ...]:
    """Windows of :data:`SIZE` lines every :data:`STEP` lines; together they cover every line."""
    return tuple(
        Window(start, tuple(of[start : start + SIZE])) for start in range(0, max(len(of) - STEP, 1), STEP) if of
    )


def read(text: str, speakers: Iterable[str]) -> tuple[Line, ...]:
    """The lines of a window's text."""
    known = tuple(speakers)
    return tuple(Line.read(line, known) for line in text.split("\n"))


def unwound(of: Sequence[Window]) -> tuple[Line, ...]:
    """The lines that these windows, in order and complete, were made of."""
    return tuple(line for window in of for line in (window.lines if window.first == 0 else window.lines[SIZE - STEP :]))


def _parts(text: str) -> Iterator[str]:
    if not text:
        return
    if len(text.split()) <= LONG:
        yield text
        return
    part: list[str] = []
    for piece in _pieces(text):
        if part and len(part) + len(piece) > PART:
            yield " ".join(part)
            part = []
        part += piece
    yield " ".join(part)


def _pieces(text: str) -> Iterator[list[str]]:
    for sentence in re.split(r"(?<=[.!?…])\s+", text):
        words = sentence.split()
        for start in range(0, len(words), PART):
            yield words[start : start + PART]
