"""Opinions, predictions, judgements and demands put as beyond question."""

from __future__ import annotations

from typing import TYPE_CHECKING

from coach.detectors.base import Candidate
from coach.detectors.decision import (
    SENTENCE_FEATURES,
    Passage,
    candidate,
    decisions,
    findings,
    passages,
    sentence_features,
)
from coach.detectors.uptake import Record
from coach.schema import CATEGORICAL_SUBTYPES, Conversation, Finding

if TYPE_CHECKING:
    from coach.acts import Reading

KIND = "categorical_phrasing"
FAINT, CLOSE = 0.003, 0.05
CUES = ("cues", "free cues", "excused cues")
FEATURES = (*SENTENCE_FEATURES, *CUES, *(f"subtype {s}" for s in CATEGORICAL_SUBTYPES))


class CategoricalPhrasing:
    """Weighs what the encoder says against the scope of each strong word: hedged, quoted, literal, a promise."""

    kind = KIND
    source = f"local:{KIND}@1"

    def detect(self, conversation: Conversation, reading: Reading) -> tuple[Finding, ...]:
        """Findings of this kind, surest first; empty when there is nothing to raise."""
        record, model = Record(conversation, reading), decisions()[KIND]
        return findings(record, candidates(record), model, self.source)


def candidates(record: Record) -> tuple[Candidate, ...]:
    """Every sentence that may be too categorical, with its confidence."""
    model = decisions()[KIND]
    return tuple(
        candidate(record, p, KIND, subtype(record, p.seed), None, model.confidence(features(record, p.seed)))
        for p in seeds(record)
    )


def seeds(record: Record) -> tuple[Passage, ...]:
    """The sentences that are looked at closely."""
    score = record.probabilities["raise_categorical"].copy()
    for index in range(len(score)):
        # A strong word that nothing excuses deserves a close look even where the encoder hears little.
        if FAINT < score[index] < CLOSE and _free_cues(record, index):
            score[index] += CLOSE
    return passages(record, score, None)


def features(record: Record, index: int) -> tuple[float, ...]:
    """Numbers in the order of ``FEATURES``."""
    from coach.lexicon import cues

    strong = sum(cue.kind == "categorical" for cue in cues(record.sentences[index].text))
    free = len(_free_cues(record, index))
    shares = record.probabilities["categorical_subtype"][index]
    return (
        *sentence_features(record, index, "raise_categorical"),
        float(strong > 0),
        float(free),
        float(strong - free),
        *map(float, shares),
    )


def subtype(record: Record, index: int) -> str:
    """The likeliest subtype; a cue that nothing excuses counts for the subtype it belongs to."""
    share = dict(zip(CATEGORICAL_SUBTYPES, record.probabilities["categorical_subtype"][index].tolist(), strict=True))
    for name in _free_cues(record, index):
        if name in share:
            share[name] += 0.25
    return max(share, key=lambda s: share[s])


def _free_cues(record: Record, index: int) -> tuple[str, ...]:
    """Subtypes of the strong words that nothing in the sentence excuses."""
    from coach.lexicon import cues, scope

    text = record.sentences[index].text
    return tuple(cue.subtype for cue in cues(text) if cue.kind == "categorical" and scope(text, cue) is None)
