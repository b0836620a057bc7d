"""How well the offline engine says what *was* heard, and the fit of the small models that say it.

    python -m training.heard folds --corpus DIR --readings DIR    # on records that no model here learned from
    python -m training.heard fit --corpus DIR --readings DIR      # writes coach/data/heard.json

Readings come from `python -m training.encoder --cross-validate`. Intervals are 95 %, by bootstrap over documents. A
claim is right when its passage overlaps an objection or need that is marked as heard. Its answer is right when that
sentence, or one of the same turn, is marked as taking it up; its stage, when the marks of what took it up go as far
(changes or takes on, asks or puts in other words, answers).
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from coach.detectors.decision import Passage
from coach.detectors.heard import (
    ANSWER_FEATURES,
    RAISED_FEATURES,
    Replies,
    believed,
    confirmed_at,
    doubt,
    seeds,
    stage_of,
)
from coach.detectors.uptake import Record as Read
from coach.schema import HeardStage
from coach.wording import is_name
from training.corpus import Record
from training.decision import Fit, fit, load
from training.folds import group_of, world_of

OUT = Path("coach/data/heard.json")
RIDGE = 30.0
STAGE_OF: dict[str, HeardStage] = {
    "answer": "acknowledged",
    "ask": "explored",
    "paraphrase": "explored",
    "own": "integrated",
    "change": "integrated",
}
STAGES: tuple[HeardStage, ...] = ("acknowledged", "explored", "integrated")
LIMITS = {
    "raised": 0.62,
    "doubt": 0.4,
    "answers": 0.35,
    "plain": 0.8,
    "doubt_answered_plainly": 0.2,
    "explored": 0.5,
    "integrated": 0.75,
    "confirmed": 0.5,
}
"""From which probability each is believed. ``raised`` and ``doubt`` keep three of four claims right on workplace notes
and on short records; ``integrated`` is high because "the plan changed" is the worse mistake."""
WORLDS = (
    ("workplace notes", "workplace"),
    ("real minutes and talk", "real"),
    ("short records of this project", "own"),
)


@dataclass(frozen=True)
class Marked:
    """What annotators say of one record: each sentence's objections and needs (the sentence that begins it, heard or
    not), and for each of those what takes it up (sentence, how)."""

    raised: dict[int, list[tuple[int, bool]]]
    takes: dict[int, list[tuple[int, str | None]]]

    @classmethod
    def of(cls, record: Record) -> Marked:
        raised: dict[int, list[tuple[int, bool]]] = {}
        takes: dict[int, list[tuple[int, str | None]]] = {}
        for at, labels in enumerate(record.labels):
            for label in labels:
                if label.act in ("objection", "need"):
                    raised.setdefault(at, []).append((at, label.status == "heard"))
                elif label.act == "uptake":
                    for of in label.of:
                        takes.setdefault(of, []).append((at, label.how))
        begun = {at: list(own) for at, own in raised.items()}
        for at, labels in enumerate(record.labels):
            for label in labels:
                if label.act == "continuation":
                    raised.setdefault(at, []).extend(own for of in label.of for own in begun.get(of, ()))
        return cls(raised, takes)

    def about(self, passage: Passage) -> set[tuple[int, bool]]:
        """The objections and needs that a passage holds."""
        return {one for at in passage.sentences for one in self.raised.get(at, ())}

    def stage(self, begun: int) -> HeardStage:
        """How far what takes it up goes."""
        found = {STAGE_OF[how] for _, how in self.takes.get(begun, ()) if how in STAGE_OF}
        return max(found, key=STAGES.index, default="acknowledged")


@dataclass(frozen=True)
class Pairs:
    """Passages of one record with a name, and what every later sentence is to each."""

    group: str
    passages: tuple[Passage, ...]
    values: tuple[np.ndarray, ...]
    said: Replies
    marked: Marked


def read(corpus: Path, readings: Path) -> tuple[list[tuple[Record, Read]], list[Pairs]]:
    """The records with a kept reading, and their passages."""
    records = load(corpus, readings)
    found = []
    for record, read_ in records:
        said = Replies(read_)
        own = tuple(p for p in seeds(read_) if said.after(p.seed))
        values = tuple(said.features(p.seed) for p in own)
        found.append(Pairs(group_of(record.source), own, values, said, Marked.of(record)))
    return records, found


@dataclass(frozen=True)
class Models:
    """The four models, fitted on some records."""

    answers: Fit
    explored: Fit
    integrated: Fit
    raised: Fit | None = None

    def moves(self, values: np.ndarray) -> dict[str, np.ndarray]:
        return {"explored": self.explored(values), "integrated": self.integrated(values)}

    def summary(self, said: Replies, index: int, values: np.ndarray) -> tuple[float, ...]:
        moves = self.moves(values)
        return said.summary(index, self.answers(values), moves["integrated"] + moves["explored"])


def fitted(records: Sequence[tuple[Record, Read]], found: Sequence[Pairs]) -> Models:
    """All models on these records."""
    rows, truth, hows = [], [], []
    for (record, _), pairs in zip(records, found, strict=True):
        for begun, _ in {one for own in pairs.marked.raised.values() for one in own}:
            after = pairs.said.after(begun)
            if not after or not is_name(record.sentences[begun].speaker or ""):
                continue
            takes = dict(pairs.marked.takes.get(begun, ()))
            rows.append(pairs.said.features(begun))
            truth += [float(j in takes) for j in after]
            hows += [STAGE_OF.get(takes.get(j) or "", "") for j in after]
    values, how = np.vstack(rows), np.array(hows)
    known = how != ""
    even = np.ones(len(values))
    answers = fit(values, np.array(truth), even, RIDGE)
    moves = {
        stage: fit(values[known], (how[known] == stage).astype(float), even[known], RIDGE)
        for stage in ("explored", "integrated")
    }
    first = Models(answers, moves["explored"], moves["integrated"])
    summaries, heard = [], []
    for pairs in found:
        for passage, own in zip(pairs.passages, pairs.values, strict=True):
            summaries.append(first.summary(pairs.said, passage.seed, own))
            about = pairs.marked.about(passage)
            heard.append(float(bool(about) and all(was for _, was in about)))
    raised = fit(np.array(summaries), np.array(heard), np.ones(len(heard)), RIDGE)
    return Models(answers, moves["explored"], moves["integrated"], raised)


@dataclass(frozen=True)
class Claim:
    """One passage and what would be said of it, beside what is marked."""

    document: int
    confidence: float
    doubt: float
    answered: float
    about: frozenset[tuple[int, bool]]
    stage: HeardStage
    right_answer: bool
    right_turn: bool
    marked_stage: HeardStage
    confirmed: bool
    marked_assent: bool

    @property
    def right(self) -> bool:
        return bool(self.about) and all(was for _, was in self.about)


def claims(
    models: Models,
    numbers: Sequence[int],
    records: Sequence[tuple[Record, Read]],
    found: Sequence[Pairs],
    limits: dict[str, float],
) -> list[Claim]:
    """A claim for every passage of these records, however unsure."""
    assert models.raised is not None
    out = []
    for number in numbers:
        record, pairs = records[number][0], found[number]
        for passage, values in zip(pairs.passages, pairs.values, strict=True):
            index, after = passage.seed, pairs.said.after(passage.seed)
            answers, about = models.answers(values), pairs.marked.about(passage)
            stage, best = stage_of(answers, models.moves(values), limits)
            takes = {j for begun, _ in about for j, _ in pairs.marked.takes.get(begun, ())}
            agrees = confirmed_at(pairs.said.record, index, after[best], limits["confirmed"])
            out.append(
                Claim(
                    document=number,
                    confidence=float(models.raised(np.array([models.summary(pairs.said, index, values)]))[0]),
                    doubt=doubt(pairs.said.record, passage),
                    answered=float(answers.max()),
                    about=frozenset(about),
                    stage=stage,
                    right_answer=after[best] in takes,
                    right_turn=bool(takes & set(pairs.said.record.turn(after[best]))),
                    marked_stage=max(
                        (pairs.marked.stage(begun) for begun, _ in about), key=STAGES.index, default="acknowledged"
                    ),
                    confirmed=agrees is not None,
                    marked_assent=agrees is not None and any(x.act == "assent" for x in record.labels[agrees]),
                )
            )
    return out


def folds(corpus: Path, readings: Path, limits: dict[str, float]) -> None:
    """Prints what would be claimed on sources that none of the models saw, at the limits in force and around."""
    records, found = read(corpus, readings)
    every: list[Claim] = []
    for left in sorted({pairs.group for pairs in found}):
        seen = [n for n, pairs in enumerate(found) if pairs.group != left]
        models = fitted([records[n] for n in seen], [found[n] for n in seen])
        inside = [n for n, pairs in enumerate(found) if pairs.group == left]
        every += claims(models, inside, records, found, limits)
    for title, world in WORLDS:
        inside = [n for n, (r, _) in enumerate(records) if world_of(r.source) == world]
        mine = [c for c in every if c.document in set(inside)]
        wanted = {
            (n, begun)
            for n in inside
            for own in found[n].marked.raised.values()
            for begun, was in own
            if was and is_name(records[n][0].sentences[begun].speaker or "")
        }
        unheard = {
            (n, begun) for n in inside for own in found[n].marked.raised.values() for begun, was in own if not was
        }
        print(f"\n{title} ({len(inside)} records, {len(wanted)} heard and {len(unheard)} unheard)")
        for raised in sorted({0.4, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, limits["raised"]}):
            mark = "  <- in force" if raised == limits["raised"] else ""
            print(_line(mine, inside, wanted, unheard, {**limits, "raised": raised}) + mark)
        shown = _shown(mine, limits)
        _details(shown)


def _shown(mine: Sequence[Claim], limits: dict[str, float]) -> list[Claim]:
    return [c for c in mine if believed(c.confidence, c.doubt, c.answered, limits)]


def _line(
    mine: Sequence[Claim],
    inside: Sequence[int],
    wanted: set[tuple[int, int]],
    unheard: set[tuple[int, int]],
    limits: dict[str, float],
) -> str:
    shown = _shown(mine, limits)
    hit = {(c.document, begun) for c in shown for begun, was in c.about if was} & wanted
    false = {(c.document, begun) for c in shown for begun, was in c.about if not was} & unheard
    right = np.array(
        [[sum(c.right for c in shown if c.document == n), sum(c.document == n for c in shown)] for n in inside]
    )
    picks = np.random.default_rng(1).integers(0, len(inside), (1000, len(inside)))
    sums = right[picks].sum(1)
    low, high = np.percentile(sums[:, 0] / np.maximum(sums[:, 1], 1), (2.5, 97.5))
    return (
        f"  from {limits['raised']:.2f}: {len(shown)} claims, precision "
        f"{sum(c.right for c in shown) / max(1, len(shown)):.2f} [{low:.2f}, {high:.2f}], recall "
        f"{len(hit) / max(1, len(wanted)):.2f}, unheard called heard {len(false)} of {len(unheard)}"
    )


def _details(shown: Sequence[Claim]) -> None:
    right = [c for c in shown if c.right]
    if not right:
        return
    table = {s: [sum(c.marked_stage == m and c.stage == s for c in right) for m in STAGES] for s in STAGES}
    agreed = [c for c in right if c.confirmed]
    print(
        f"  of {len(right)} right ones: answer quoted right {sum(c.right_answer for c in right) / len(right):.2f}, "
        f"or its turn {sum(c.right_answer or c.right_turn for c in right) / len(right):.2f}; stage right "
        f"{sum(c.stage == c.marked_stage for c in right) / len(right):.2f}, not overstated "
        f"{sum(STAGES.index(c.stage) <= STAGES.index(c.marked_stage) for c in right) / len(right):.2f}; "
        f"confirmed {len(agreed)}, of which marked as assent {sum(c.marked_assent for c in agreed)}"
    )
    for stage, row in table.items():
        print(f"    called {stage:12s} marked " + ", ".join(f"{m} {n}" for m, n in zip(STAGES, row, strict=True)))


def write(corpus: Path, readings: Path, out: Path) -> None:
    """Fits on everything and writes what the coach loads."""
    records, found = read(corpus, readings)
    models = fitted(records, found)
    assert models.raised is not None
    kept: dict[str, Any] = {
        "what": "logistic models of what takes an objection or need up, how, and whether it was heard",
        "licence": "Apache-2.0",
        "data": "the records of encoder/card.json, read by encoders that did not see them",
        "date": time.strftime("%Y-%m-%d"),
        "limits": LIMITS,
        "models": {
            "answers": models.answers.kept(ANSWER_FEATURES),
            "explored": models.explored.kept(ANSWER_FEATURES),
            "integrated": models.integrated.kept(ANSWER_FEATURES),
            "raised": models.raised.kept(RAISED_FEATURES),
        },
    }
    out.write_text(json.dumps(kept, indent=1) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("folds", "fit"))
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--readings", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=OUT)
    options = parser.parse_args()
    if options.what == "fit":
        write(options.corpus, options.readings, options.out)
    else:
        folds(options.corpus, options.readings, LIMITS)


if __name__ == "__main__":
    main()
