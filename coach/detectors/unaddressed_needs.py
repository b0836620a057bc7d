"""Feelings and needs that the work leaves unmet and that nobody picked up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coach.detectors.base import Candidate
from coach.detectors.decision import (
    SENTENCE_FEATURES,
    Passage,
    candidate,
    decisions,
    findings,
    need_of,
    passages,
    sentence_features,
)
from coach.detectors.uptake import UPTAKE_FEATURES, Record
from coach.schema import Conversation, Finding

if TYPE_CHECKING:
    from coach.acts import Reading

KIND = "unaddressed_need"
FEATURES = (*SENTENCE_FEATURES, *UPTAKE_FEATURES)


class UnaddressedNeeds:
    """Judges a need by whether anybody asked, acknowledged or acted."""

    kind = KIND
    source = f"local:{KIND}@1"

    def detect(self, conversation: Conversation, reading: Reading) -> tuple[Finding, ...]:
        """Findings of this kind, surest first; empty when there is nothing to raise."""
        record, model = Record(conversation, reading), decisions()[KIND]
        return findings(record, candidates(record), model, self.source)


def candidates(record: Record) -> tuple[Candidate, ...]:
    """Everything that may be an unaddressed need, with its confidence."""
    model = decisions()[KIND]
    return tuple(
        candidate(record, p, KIND, None, need_of(record, p.seed), model.confidence(features(record, p.seed)))
        for p in seeds(record)
    )


def seeds(record: Record) -> tuple[Passage, ...]:
    """The passages that are looked at closely."""
    p = record.probabilities
    score = p["raise_need"] + 0.5 * p["need"] * p["unheard"]
    return passages(record, score, p["need"] + p["continuation"])


def features(record: Record, index: int) -> tuple[float, ...]:
    """Numbers in the order of ``FEATURES``."""
    return (*sentence_features(record, index, "raise_need"), *record.uptake(index))
