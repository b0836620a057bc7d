"""Notes for the eye: the text as it was pasted, cut into turns and into marked passages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from coach.schema import Conversation, Finding


@dataclass(frozen=True)
class Passage:
    """A run of text under the same findings (none for plain text); ``opens`` are those whose first run this is."""

    text: str
    findings: tuple[Finding, ...] = ()
    opens: tuple[Finding, ...] = ()

    @property
    def ids(self) -> str:
        """The findings that cover it, for a data attribute."""
        return " ".join(f.id for f in self.findings)


@dataclass(frozen=True)
class Turn:
    """One utterance, or text between two: ``label`` is its speaker, time or mark-up, ``words`` what was said."""

    role: str
    label: tuple[Passage, ...]
    words: tuple[Passage, ...]


def turns(conversation: Conversation, findings: Sequence[Finding]) -> tuple[Turn, ...]:
    """Every turn in order. Joined, they hold every character of the text but the blanks between turns."""
    text, made, at = conversation.text, [], 0
    for utterance in sorted(conversation.utterances, key=lambda u: u.start):
        if utterance.end <= at:
            continue
        start = max(utterance.start, at)
        said = min(max(utterance.said, start), utterance.end)
        if text[at:start].strip():
            made.append(Turn("between", (), _passages(text, at, start, findings)))
        made.append(
            Turn(utterance.role, _passages(text, start, said, findings), _passages(text, said, utterance.end, findings))
        )
        at = utterance.end
    if text[at:].strip():
        made.append(Turn("between", (), _passages(text, at, len(text), findings)))
    return tuple(made)


def _passages(text: str, start: int, end: int, findings: Sequence[Finding]) -> tuple[Passage, ...]:
    """``text[start:end]`` cut wherever a finding begins or ends."""
    near = [f for f in findings if f.start < end and f.end > start]
    cuts = sorted({start, end, *(c for f in near for c in (f.start, f.end) if start < c < end)})
    made = []
    for left, right in pairwise(cuts):
        over = tuple(f for f in near if f.start <= left and right <= f.end)
        # A passage that starts in the blanks between two turns opens in the first run that shows.
        opens = tuple(f for f in over if f.start == left or (left == start and not text[f.start : start].strip()))
        made.append(Passage(text[left:right], over, opens))
    return tuple(made)
