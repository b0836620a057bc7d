"""A conversation as numbered lines, and those lines cut by topic into parts that fit a model's context.

Each line belongs to the core of exactly one part. A part also shows some lines before and after its core, so that what
was said earlier and who answered later are in sight; findings count only where their core is, hence never twice.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from coach.fencing import marked
from coach.llm.base import estimate_tokens
from coach.schema import Conversation, Utterance

LONGEST_LINE = 1_200
"""Characters; a longer turn is shown on several lines of the same number."""
OVERLAP = 0.12
"""Share of a part's tokens that shows what was said before its core, and the same again for after."""
TINY = 4
"""Topics of fewer lines are read together with the next one."""
_BREAK = re.compile(r"(?<=[.!?…])\s+|\n+")


@dataclass(frozen=True)
class Line:
    """One line of a prompt: ``text`` with its mark, where its words start in the notes, what it costs, its topic."""

    utterance: int
    start: int
    text: str
    tokens: int
    topic: int


@dataclass(frozen=True)
class Part:
    """Indexes of lines: ``core`` is what findings of this part are about, ``shown`` what the model sees."""

    core: range
    shown: range


def lines_of(conversation: Conversation) -> tuple[Line, ...]:
    """A marked line for every utterance that holds words; the number is that of the utterance, from 1."""
    lines: list[Line] = []
    topic = 0
    section: str | None = None
    for index, utterance in enumerate(conversation.utterances):
        if utterance.role in ("markup", "roster") or utterance.said >= utterance.end:
            continue
        if utterance.role == "heading" or utterance.section != section:
            topic += 1
            section = utterance.section
        for start, end in _pieces(conversation.text, utterance.said, utterance.end):
            text = marked(index + 1, _label(utterance) + conversation.text[start:end])
            lines.append(Line(index, start, text, estimate_tokens(text) + 1, topic))
    return tuple(lines)


def cut(lines: Sequence[Line], budget: int, *, by_topic: bool = False) -> tuple[Part, ...]:
    """Parts of at most ``budget`` tokens each, core and overlap together; one part if everything fits.

    Cuts fall between topics where they can. ``by_topic`` gives every topic of some size a part of its own.
    """
    if not lines:
        return ()
    if not by_topic and sum(line.tokens for line in lines) <= budget:
        return (Part(range(len(lines)), range(len(lines))),)
    room = int(budget * (1 - 2 * OVERLAP))
    cores: list[range] = []
    for topic in _topics(lines):
        size = sum(lines[at].tokens for at in topic)
        last = sum(lines[at].tokens for at in cores[-1]) if cores else room
        if cores and last + size <= room and (not by_topic or len(cores[-1]) < TINY or len(topic) < TINY):
            cores[-1] = range(cores[-1].start, topic.stop)
        else:
            cores.extend(_runs(lines, topic, room))
    return tuple(Part(core, _widened(lines, core, int(budget * OVERLAP))) for core in cores)


def line_of(lines: Sequence[Line], start: int) -> int:
    """Index of the line in which the character at ``start`` of the notes is shown."""
    return max(0, bisect_right(lines, start, key=lambda line: line.start) - 1)


def _label(utterance: Utterance) -> str:
    if utterance.role == "heading":
        return "[topic] "
    return f"{utterance.speaker}: " if utterance.speaker else ""


def _pieces(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """``start:end`` cut at sentences, and if need be at spaces, into pieces of at most ``LONGEST_LINE`` characters."""
    pieces: list[tuple[int, int]] = []
    while end - start > LONGEST_LINE:
        window = text[start : start + LONGEST_LINE]
        breaks = [match.end() for match in _BREAK.finditer(window)]
        at = breaks[-1] if breaks else window.rfind(" ") + 1 or LONGEST_LINE
        pieces.append((start, start + at))
        start += at
    return [*pieces, (start, end)]


def _topics(lines: Sequence[Line]) -> list[range]:
    starts = [at for at, line in enumerate(lines) if at == 0 or line.topic != lines[at - 1].topic]
    return [range(start, stop) for start, stop in zip(starts, [*starts[1:], len(lines)], strict=True)]


def _runs(lines: Sequence[Line], topic: range, room: int) -> list[range]:
    runs: list[range] = []
    start, used = topic.start, 0
    for at in topic:
        if used and used + lines[at].tokens > room:
            runs.append(range(start, at))
            start, used = at, 0
        used += lines[at].tokens
    return [*runs, range(start, topic.stop)]


def _widened(lines: Sequence[Line], core: range, extra: int) -> range:
    start, left = core.start, extra
    while start > 0 and lines[start - 1].tokens <= left:
        start -= 1
        left -= lines[start].tokens
    stop, left = core.stop, extra
    while stop < len(lines) and lines[stop].tokens <= left:
        left -= lines[stop].tokens
        stop += 1
    return range(start, stop)
