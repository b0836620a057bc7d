"""What the charts of a review show, as numbers; the templates draw them and put the same numbers in a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from coach.lexicon import tentativeness
from coach.schema import Conversation, Finding

FEWEST_TURNS = 4
"""Below this a line over the meeting would be an anecdote."""
WINDOW = 5
"""Turns in the moving average of the line."""


@dataclass(frozen=True)
class Moment:
    """A turn on the line: ``at`` is its place in the meeting and ``room`` its moving average, both in per cent."""

    at: float
    room: float
    own: int
    speaker: str
    words: str
    findings: tuple[Finding, ...]

    @property
    def down(self) -> float:
        """Per cent of the picture from its top; it shows the middle half of the scale, in which meetings stay."""
        return round(100 - min(max((self.room - 25) * 2, 0), 100), 1)


@dataclass(frozen=True)
class Voice:
    """How much someone spoke: ``share`` in per cent of all words, and what of theirs went unheard, now and before."""

    name: str
    words: int
    share: int
    unheard: int
    came_back: int


def moments(conversation: Conversation, findings: Sequence[Finding]) -> tuple[Moment, ...]:
    """The tentativeness line (see :func:`coach.lexicon.tentativeness`); empty when too little was said."""
    said = [u for u in conversation.utterances if u.role in ("speech", "narration") and conversation.words(u).strip()]
    if len(said) < FEWEST_TURNS:
        return ()
    rooms = [tentativeness(conversation.words(u)) for u in said]
    lengths = [len(conversation.words(u).split()) for u in said]
    made = []
    for n, utterance in enumerate(said):
        near = range(max(0, n - WINDOW // 2), min(len(said), n + WINDOW // 2 + 1))
        # Long turns say more about the tone than an "Okay."
        smooth = sum(rooms[i] * lengths[i] for i in near) / sum(lengths[i] for i in near)
        words = " ".join(conversation.words(utterance).split())
        made.append(
            Moment(
                at=round(100 * n / (len(said) - 1), 2),
                room=round(100 * smooth, 1),
                own=round(100 * rooms[n]),
                speaker=utterance.speaker or "",
                words=words if len(words) <= 80 else words[:79].rstrip() + "…",
                findings=tuple(f for f in findings if utterance.start <= f.start < utterance.end),
            )
        )
    return tuple(made)


def voices(conversation: Conversation, findings: Sequence[Finding]) -> tuple[Voice, ...]:
    """Everybody who speaks, the one with most words first; empty when fewer than two do."""
    counted = dict.fromkeys(conversation.speakers, 0)
    for utterance in conversation.utterances:
        if utterance.speaker in counted and utterance.role in ("speech", "narration"):
            counted[utterance.speaker] += len(conversation.words(utterance).split())
    total = sum(counted.values())
    if len(counted) < 2 or total == 0:
        return ()
    concerns = [f for f in findings if f.kind != "categorical_phrasing" and f.tier == "finding"]
    made = [
        Voice(
            name,
            words,
            round(100 * words / total),
            sum(f.speaker == name for f in concerns),
            sum(f.speaker == name and bool(f.evidence) for f in concerns),
        )
        for name, words in counted.items()
    ]
    return tuple(sorted(made, key=lambda v: -v.words))
