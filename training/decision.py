"""Fit the decision layer on readings of records that the encoder never saw, and write coach/data/decision.json.

    python -m training.decision --corpus DIR --readings build/training/run

A logistic model per kind, its ridge strength and thresholds chosen by leaving whole sources out again. Prints
precision, recall and F1 of tier ``finding`` on the sources left out.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from coach.acts import Reading
from coach.detectors import categorical_phrasing, unaddressed_needs, unheard_objections
from coach.detectors.decision import Passage
from coach.detectors.uptake import Record as Read
from training.corpus import Record, records
from training.folds import group_of
from training.matching import overlaps, spans_of

KINDS = {m.KIND: m for m in (unheard_objections, unaddressed_needs, categorical_phrasing)}
MOST = 6


@dataclass(frozen=True)
class Sample:
    """One passage: its document, features, and whether gold has it (1), has it softly (strength 1: 0.5) or not (0)."""

    document: int
    passage: Passage
    values: np.ndarray
    truth: float


def load(corpus: Path, folder: Path) -> list[tuple[Record, Read]]:
    """Records with a kept reading."""
    found = []
    for record in records(corpus):
        path = folder / f"{record.name}.npz"
        if path.exists():
            kept = np.load(path)
            if len(kept["logits"]) == len(record.sentences):
                found.append(
                    (
                        record,
                        Read(
                            record.conversation, Reading(record.sentences, kept["logits"], kept["query"], kept["key"])
                        ),
                    )
                )
    return found


def samples(pairs: Sequence[tuple[Record, Read]], kind: str) -> list[Sample]:
    """Every passage the detector of this kind would look at closely."""
    module, found = KINDS[kind], []
    for number, (record, read) in enumerate(pairs):
        gold = [f for f in record.gold["findings"] if f["kind"] == kind]
        for passage in module.seeds(read):
            hits = [f for f in gold if any(overlaps(passage.start, passage.end, a, b) for a, b in spans_of(f))]
            truth = max((0.5 if f["strength"] == 1 else 1.0 for f in hits), default=0.0)
            found.append(Sample(number, passage, np.array(module.features(read, passage.seed)), truth))
    return found


@dataclass(frozen=True)
class Fit:
    """Standardisation and weights of a logistic model; called with values it gives probabilities."""

    mean: np.ndarray
    scale: np.ndarray
    weights: np.ndarray
    bias: float

    def logit(self, values: np.ndarray) -> np.ndarray:
        """Log odds."""
        return np.asarray(np.clip((values - self.mean) / self.scale, -4, 4) @ self.weights + self.bias)

    def __call__(self, values: np.ndarray) -> np.ndarray:
        return np.asarray(1 / (1 + np.exp(-self.logit(values))))

    def kept(self, features: Sequence[str]) -> dict[str, object]:
        """As the coach loads it."""
        return {
            "features": list(features),
            "mean": _round(self.mean),
            "scale": _round(self.scale),
            "weights": _round(self.weights),
            "bias": round(self.bias, 4),
        }


def fit(values: np.ndarray, truth: np.ndarray, weight: np.ndarray, ridge: float) -> Fit:
    """Weighted logistic regression by Newton steps; ``ridge`` counts in samples, the bias is free; truths 0 to 1."""
    mean, scale = values.mean(0), values.std(0) + 1e-3
    z = np.hstack([np.clip((values - mean) / scale, -4, 4), np.ones((len(values), 1))])
    penalty = np.full(z.shape[1], ridge)
    penalty[-1] = 1e-6
    w = np.zeros(z.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-(z @ w)))
        gradient = z.T @ (weight * (p - truth)) + penalty * w
        hessian = (z * (weight * p * (1 - p) + 1e-9)[:, None]).T @ z + np.diag(penalty)
        step = np.linalg.solve(hessian, gradient)
        w -= step
        if np.abs(step).max() < 1e-6:
            break
    return Fit(mean, scale, w[:-1], float(w[-1]))


def weights(found: Sequence[Sample], sources: Sequence[str]) -> np.ndarray:
    """Every source counts by the root of its size, so that the largest does not decide alone."""
    names, counts = np.unique([sources[s.document] for s in found], return_counts=True)
    size = dict(zip(names, counts, strict=True))
    w = np.array([size[sources[s.document]] ** -0.5 for s in found])
    return np.asarray(w / w.mean())


@dataclass
class Tally:
    """Counts of one kind: shown, right (any strength), required, hit (required)."""

    shown: int = 0
    right: int = 0
    required: int = 0
    hit: int = 0

    @property
    def precision(self) -> float:
        return self.right / self.shown if self.shown else 0.0

    @property
    def recall(self) -> float:
        return self.hit / self.required if self.required else 0.0

    @property
    def f1(self) -> float:
        p, r = self.precision, self.recall
        return 2 * p * r / (p + r) if p + r else 0.0

    def __add__(self, other: Tally) -> Tally:
        return Tally(
            self.shown + other.shown, self.right + other.right, self.required + other.required, self.hit + other.hit
        )


def tally(record: Record, kind: str, shown: Sequence[Passage]) -> Tally:
    """Greedy one-to-one matching against gold: strength 2 and 3 required, 1 acceptable."""
    gold = [f for f in record.gold["findings"] if f["kind"] == kind]
    required, soft = [f for f in gold if f["strength"] >= 2], [f for f in gold if f["strength"] < 2]
    used: set[int] = set()
    rest = []
    hit = 0
    for p in shown:
        at = next(
            (
                i
                for i, f in enumerate(required)
                if i not in used and any(overlaps(p.start, p.end, a, b) for a, b in spans_of(f))
            ),
            None,
        )
        if at is None:
            rest.append(p)
        else:
            used.add(at)
            hit += 1
    used_soft: set[int] = set()
    for p in rest:
        at = next(
            (
                i
                for i, f in enumerate(soft)
                if i not in used_soft and any(overlaps(p.start, p.end, a, b) for a, b in spans_of(f))
            ),
            None,
        )
        if at is not None:
            used_soft.add(at)
    return Tally(len(shown), hit + len(used_soft), len(required), hit)


def shown(
    found: Sequence[Sample], confidence: np.ndarray, threshold: float, most: int = MOST
) -> dict[int, list[Passage]]:
    """What tier ``finding`` shows of each document, surest first."""
    kept: dict[int, list[Passage]] = {}
    for k in np.argsort(-confidence, kind="stable"):
        s = found[int(k)]
        if confidence[k] >= threshold and len(kept.setdefault(s.document, [])) < most:
            kept[s.document].append(s.passage)
    return kept


def total(
    pairs: Sequence[tuple[Record, Read]], kind: str, kept: dict[int, list[Passage]], documents: Sequence[int]
) -> Tally:
    """Counts over some documents."""
    result = Tally()
    for d in documents:
        result += tally(pairs[d][0], kind, kept.get(d, []))
    return result


def best_threshold(
    pairs: Sequence[tuple[Record, Read]],
    kind: str,
    found: Sequence[Sample],
    confidence: np.ndarray,
    documents: Sequence[int],
) -> float:
    """The threshold of best F1 over some documents."""
    grid = np.arange(0.08, 0.7, 0.01)
    score = [total(pairs, kind, shown(found, confidence, t), documents).f1 for t in grid]
    smooth = np.convolve(score, np.ones(3) / 3, "same")
    return float(grid[int(np.argmax(smooth))])


def nested(
    pairs: Sequence[tuple[Record, Read]],
    kind: str,
    ridge: float,
    keep: Callable[[np.ndarray], np.ndarray] = lambda v: v,
) -> tuple[list[Sample], np.ndarray, dict[str, tuple[Tally, float]]]:
    """Confidence of every passage from models that never saw its source, and per source counts and threshold.

    The threshold of a source is chosen on the others. ``keep`` selects columns of the features.
    """
    found = samples(pairs, kind)
    sources = [r.source for r, _ in pairs]
    groups = [group_of(s) for s in sources]
    own = np.array([groups[s.document] for s in found])
    values = keep(np.stack([s.values for s in found]))
    truth, weight = np.array([s.truth for s in found]), weights(found, sources)
    confidence = np.zeros(len(found))
    for left in sorted(set(own)):
        seen = own != left
        confidence[~seen] = fit(values[seen], truth[seen], weight[seen], ridge)(values[~seen])
    result = {}
    for left in sorted(set(own)):
        inside = [d for d, g in enumerate(groups) if g == left]
        outside = [d for d, g in enumerate(groups) if g != left]
        threshold = best_threshold(pairs, kind, found, confidence, outside or inside)
        result[left] = total(pairs, kind, shown(found, confidence, threshold), inside), threshold
    return found, confidence, result


def likelihood(found: Sequence[Sample], confidence: np.ndarray) -> float:
    """Log likelihood of the truths under the confidences."""
    truth = np.array([s.truth for s in found])
    return float((truth * np.log(confidence + 1e-9) + (1 - truth) * np.log(1 - confidence + 1e-9)).sum())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--readings", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("coach/data/decision.json"))
    options = parser.parse_args()
    pairs = load(options.corpus, options.readings)
    sources = [r.source for r, _ in pairs]
    kept, card = {}, {}
    everything: dict[str, Tally] = {}
    for kind, module in KINDS.items():
        tried = {ridge: nested(pairs, kind, ridge) for ridge in (10.0, 30.0, 100.0, 300.0)}

        ridge = max((likelihood(*result[:2]), r) for r, result in tried.items())[1]
        found, confidence, result = tried[ridge]
        truth = np.array([s.truth for s in found])
        model = fit(np.stack([s.values for s in found]), truth, weights(found, sources), ridge)
        threshold = best_threshold(pairs, kind, found, confidence, range(len(pairs)))
        print(f"{kind}: {len(found)} passages, {truth.sum():.0f} right, ridge {ridge}, threshold {threshold:.2f}")
        for left, (t, chosen) in result.items():
            print(
                f"  {left:12s} P {t.precision:.2f} R {t.recall:.2f} F1 {t.f1:.2f}  "
                f"shown {t.shown} required {t.required} at {chosen:.2f}"
            )
            everything[left] = everything.get(left, Tally()) + t
        kept[kind] = {
            "model": model.kept(module.FEATURES),
            "finding": round(threshold, 3),
            "look": round(threshold / 2, 3),
            "most": MOST,
        }
        card[kind] = {
            left: {
                "precision": round(t.precision, 3),
                "recall": round(t.recall, 3),
                "f1": round(t.f1, 3),
                "shown": t.shown,
                "required": t.required,
            }
            for left, (t, _) in result.items()
        }
    for left, t in everything.items():
        print(
            f"all {left:12s} P {t.precision:.2f} R {t.recall:.2f} F1 {t.f1:.2f}  shown {t.shown} required {t.required}"
        )
    work = sum((t for left, t in everything.items() if left.startswith("authored")), Tally())
    print(f"all authored     P {work.precision:.2f} R {work.recall:.2f} F1 {work.f1:.2f}")
    written = {
        "date": time.strftime("%Y-%m-%d"),
        "left_out": card,
        "kinds": kept,
    }
    options.out.write_text(json.dumps(written, indent=1) + "\n")


def _round(values: np.ndarray) -> list[float]:
    return [round(float(v), 4) for v in values]


if __name__ == "__main__":
    main()
