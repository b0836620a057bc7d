"""From numbers to candidates: which passages might be worth raising, and how sure the coach is.

A small logistic model per kind (data/decision.json, fitted by `training.decision` on readings of records that the
encoder never saw) weighs the encoder's answers and the uptake. Its probability is the confidence of the finding.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from coach.detectors.base import Candidate
from coach.detectors.uptake import Record, log_odds, uptake_record
from coach.schema import NEEDS, Finding, Tier

QUOTE, SHORT = 320, 4
"""Longest quote in code points that two sentences may make; words that are too few to stand alone."""

STANDS_OUT, LONG, ABOUT_AS_SURE = 1.6, 125, 0.1
"""See `quieten` and `once`; ``LONG`` counts sentences."""

_LETTER = re.compile(r"[^\W\d_]")  # a thumb up says nothing that could be quoted back
# Approving an agenda or the last minutes is routine: neither silence nor presumed consent to anything contested.
_ROUTINE = re.compile(
    r"\b(?:agenda|(?:last|previous|the) minutes)\b.{0,40}\b(?:approved|stands?|adopted|accepted)\b", re.I
)
# Whoever asks for objections makes none, and needs nothing but an answer.
_INVITES = re.compile(
    r"\bany(?:one|body)?\b[^.?!]{0,30}\b(?:objects?|objections?|against|concerns?|doubts?)\b[^.?!]{0,40}\?", re.I
)

SEEDS = 16
"""Passages per kind and hundred sentences that are looked at closely; far more than are ever shown."""
NAMED = 0.4
"""Probability from which a need is named: below, it is the one that annotators chose in 28 % only (46 % above)."""


@dataclass(frozen=True)
class Logistic:
    """A logistic model over named features, standardised and clipped at four deviations."""

    features: tuple[str, ...]
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[float, ...]
    bias: float

    def logit(self, values: Sequence[float]) -> float:
        """Log odds for values in the order of ``features``."""
        total = self.bias
        for value, mean, scale, weight in zip(values, self.mean, self.scale, self.weights, strict=True):
            total += weight * max(-4.0, min(4.0, (value - mean) / scale))
        return total


@dataclass(frozen=True)
class Decision:
    """How sure the coach is of a passage, and what is shown of it.

    finding, look: lowest confidence for each tier. most: findings of a tier shown per document.
    """

    model: Logistic
    finding: float
    look: float
    most: int

    def confidence(self, values: Sequence[float], shift: float = 0.0) -> float:
        """Probability, 0 to 1, that a careful facilitator would raise it; ``shift`` is added to the log odds."""
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, self.model.logit(values) + shift))))

    def tier(self, confidence: float) -> Tier | None:
        """Where a passage of this confidence is shown, None for nowhere."""
        return "finding" if confidence >= self.finding else "look" if confidence >= self.look else None


@cache
def decisions() -> Mapping[str, Decision]:
    """The fitted decision for each kind of finding."""
    return {kind: Decision(**{**d, "model": logistic(d["model"])}) for kind, d in _kept()["kinds"].items()}


def once(ranked: Sequence[Finding]) -> tuple[Finding, ...]:
    """Surest-first findings with no passage both objection and need.

    The surer one stays; of two that are about as sure, the one that quotes more of what was said.
    """
    twins = {"unheard_objection", "unaddressed_need"}
    kept: list[Finding] = []
    for f in ranked:
        double = next((k for k in kept if {f.kind, k.kind} == twins and f.start < k.end and k.start < f.end), None)
        if double is None:
            kept.append(f)
        elif double.confidence - f.confidence < ABOUT_AS_SURE and len(f.quote) > len(double.quote):
            kept[kept.index(double)] = f
    return tuple(sorted(kept, key=lambda one: -one.confidence))


def quieten(found: Sequence[Finding], sentences: int) -> tuple[Finding, ...]:
    """The findings, all of tier ``look`` when none of them stands out in a short record.

    On records left out, a short record whose surest finding is less than ``STANDS_OUT`` times as sure as it need be has
    mostly nothing to raise (docs/design/offline-engine.md). Findings of plug-ins are left as they are.
    """
    ours = [f for f in found if f.kind in decisions() and f.source.startswith("local:")]
    if sentences >= LONG or any(f.confidence >= STANDS_OUT * decisions()[f.kind].finding for f in ours):
        return tuple(found)
    return tuple(f.model_copy(update={"tier": "look"}) if f in ours else f for f in found)


@cache
def fate() -> Logistic:
    """How much more likely than usual an objection stayed unheard, by how it was received: a shift of the log odds.

    Learned from every objection, heard or not, over ``UPTAKE_FEATURES``: far more of them than of findings.
    """
    return logistic(_kept()["fate"])


@cache
def _kept() -> dict[str, Any]:
    kept: dict[str, Any] = json.loads(files("coach").joinpath("data/decision.json").read_text("utf-8"))
    return kept


def logistic(model: Mapping[str, Any]) -> Logistic:
    """A model as data files hold it."""
    values: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in model.items()}
    return Logistic(**values)


@dataclass(frozen=True)
class Passage:
    """A clause to two sentences of one utterance: indexes of its sentences, and the one it is about."""

    seed: int
    sentences: tuple[int, ...]
    start: int
    end: int


def passages(
    record: Record, score: Sequence[float], joins: Sequence[float] | None, floor: float = 0.005
) -> tuple[Passage, ...]:
    """Passages around the best sentences by ``score``, best first, none touching another.

    With ``joins`` (how much each sentence looks like part of the same thing) a neighbour that continues it is taken in.
    """
    room = max(6, len(score) * SEEDS // 100)
    taken: set[int] = set()
    found: list[Passage] = []
    for seed in sorted(range(len(score)), key=lambda i: (-score[i], i)):
        if len(found) == room or score[seed] < floor:
            break
        words = record.sentences[seed].text
        if seed in taken or not _LETTER.search(words) or _INVITES.search(words) or _ROUTINE.search(words):
            continue
        passage = around(record, seed, joins, taken)
        found.append(passage)
        taken.update(passage.sentences)
        if joins is not None:
            taken.update(
                i
                for i in (passage.sentences[0] - 1, passage.sentences[-1] + 1)
                if 0 <= i < len(score) and record.same_voice(i, seed) and joins[i] > 0.3
            )
    return tuple(found)


def need_of(record: Record, index: int) -> str | None:
    """Which need a sentence is about, or None where that would be a guess."""
    share = record.probabilities["need_kind"][index]
    return NEEDS[int(share.argmax())] if float(share.max()) >= NAMED else None


def around(record: Record, seed: int, joins: Sequence[float] | None, taken: set[int]) -> Passage:
    """A sentence, with the neighbour that continues it by ``joins`` or, if it is too short, the one before."""
    sentences = record.sentences
    chosen: tuple[int, ...] = (seed,)
    if joins is not None:
        # "I'll try." cannot stand alone: the sentence before it says what.
        short = len(sentences[seed].text.split()) <= SHORT
        near = [
            i
            for i in (seed - 1, seed + 1)
            if 0 <= i < len(sentences)
            and i not in taken
            and sentences[i].utterance == sentences[seed].utterance
            and (joins[i] > 0.3 or (short and i < seed))
            and abs(sentences[max(i, seed)].end - sentences[min(i, seed)].start) <= QUOTE
        ]
        if near:
            best = max(near, key=lambda i: joins[i])
            chosen = (min(seed, best), max(seed, best))
    return Passage(seed, chosen, sentences[chosen[0]].start, sentences[chosen[-1]].end)


def candidate(
    record: Record, passage: Passage, kind: str, subtype: str | None, need: str | None, confidence: float
) -> Candidate:
    """The passage as a candidate, with the record of its uptake."""
    return Candidate(
        kind=kind,
        subtype=subtype,
        need=need,
        sentences=passage.sentences,
        start=passage.start,
        end=passage.end,
        quote=record.conversation.text[passage.start : passage.end],
        speaker=record.sentences[passage.seed].speaker,
        confidence=round(confidence, 3),
        record=uptake_record(record, passage.sentences),
    )


def findings(record: Record, candidates: Sequence[Candidate], model: Decision, source: str) -> tuple[Finding, ...]:
    """What is shown of the candidates, surest first, each said in words."""
    from coach.wording import explain

    shown: list[Finding] = []
    count = {"finding": 0, "look": 0}
    for c in sorted(candidates, key=lambda c: (-c.confidence, c.start)):
        tier = model.tier(c.confidence)
        if tier == "finding" and count["finding"] == model.most:
            tier = "look"
        if tier is None or count[tier] == model.most:
            continue
        count[tier] += 1
        said = explain(c, record.conversation)
        shown.append(
            Finding(
                kind=c.kind,
                subtype=c.subtype,
                need=c.need,
                quote=c.quote,
                start=c.start,
                end=c.end,
                speaker=c.speaker,
                why=said.why,
                ask=said.ask,
                rewrite=said.rewrite,
                confidence=c.confidence,
                tier=tier,
                source=source,
            )
        )
    return tuple(shown)


CUES = (
    ("assent", "lukewarm"),
    ("assent", "resistant"),
    ("assent", "disagreed"),
    ("assent", "conditional"),
    ("assent", "silence"),
    ("assent", "withdrawn"),
    ("tone", "hedge"),
    ("tone", "booster"),
    ("tone", "contradict"),
)
"""Lists of the lexicon whose presence in a sentence is weighed."""

HEADS = (
    "raise_objection",
    "raise_need",
    "raise_categorical",
    "objection",
    "unheard",
    "need",
    "continuation",
    "proposal",
    "uptake",
    "dismissal",
    "assent",
    "lukewarm",
    "silence",
    "categorical",
    "fine_strong_word",
)
"""Answers of the encoder that are weighed as they are."""

SENTENCE_FEATURES = (
    *(head.replace("_", " ") for head in HEADS),
    "neighbour",
    "rank",
    "words",
    "question",
    "sure",
    "first person",
    "record size",
    "objections around",
    "share of speaker",
    "draft",
    *(f"cue {kind} {name}" for kind, name in CUES),
)

_FIRST = re.compile(r"\b(?:i|i'm|i've|i'd|me|my|we|we're|our|us)\b", re.I)


def sentence_features(record: Record, index: int, head: str) -> tuple[float, ...]:
    """Numbers in the order of ``SENTENCE_FEATURES``; ``head`` is the one the passage was chosen by."""
    import numpy as np

    p, sentence = record.probabilities, record.sentences[index]
    around = [i for i in (index - 1, index + 1) if 0 <= i < len(record.sentences) and record.same_voice(i, index)]
    near = slice(max(0, index - 12), index + 13)
    words = len(sentence.text.split())
    return (
        *(log_odds(float(p[name][index])) for name in HEADS),
        log_odds(max((float(p[head][i]) for i in around), default=0.0)),
        float(np.log1p((p[head] > p[head][index]).sum())),
        math.log1p(words),
        float("?" in sentence.text),
        float(p[head][index] > 0.5),
        float(bool(_FIRST.search(sentence.text))),
        math.log1p(len(record.sentences)),
        float(p["objection"][near].mean()),
        record.lines_of[sentence.speaker] / len(record.sentences),
        float(record.conversation.format == "draft"),
        *(float(cue in record.cues(index)) for cue in CUES),
    )
