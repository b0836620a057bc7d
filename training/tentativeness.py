"""Fit the six weights of `coach.lexicon.tentativeness` and print how well they follow people's ratings.

    python training/tentativeness.py CORPUS [--write]

CORPUS holds ``certainty/{train,dev}.jsonl`` (sentences with ``text`` and ``y``, certainty 1 to 6: Pei & Jurgens 2021,
"Measuring sentence-level and aspect-level (un)certainty in science communications", MIT) and
``receptive/{train,dev}.jsonl`` (replies in a disagreement with a receptiveness rating: Yeomans et al. 2020, R package
politeness, MIT). Both rate the same thing from two sides: ridge regression on the standardised ratings, certainty
turned round, each corpus with the same total weight. ``dev`` is not fitted on. ``--write``
saves data/tentativeness.json.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from coach.lexicon import DATA, MARKERS, markers, tentativeness

RIDGE = 0.02
SPREAD = 2.0  # stretches the fitted score so that sentences use the range between 0 and 1


def load(corpus: Path, name: str, part: str) -> tuple[list[str], np.ndarray]:
    rows = [json.loads(line) for line in (corpus / name / f"{part}.jsonl").read_text(encoding="utf-8").splitlines()]
    return [row["text"] for row in rows], np.array([row["y"] for row in rows], dtype=float)


def fit(corpus: Path) -> dict[str, object]:
    inputs, targets, weights = [], [], []
    for name, sign in (("certainty", -1.0), ("receptive", 1.0)):
        texts, y = load(corpus, name, "train")
        rates = np.array([markers(t) for t in texts])
        inputs.append(rates - rates.mean(axis=0))
        targets.append(sign * (y - y.mean()) / y.std())
        weights.append(np.full(len(y), 1 / len(y)))
    x, y, w = np.vstack(inputs), np.concatenate(targets), np.concatenate(weights)
    solved = np.linalg.solve((x * w[:, None]).T @ x + RIDGE * np.eye(x.shape[1]), (x * w[:, None]).T @ y) * SPREAD
    sentences = np.array([markers(t) for t in load(corpus, "certainty", "train")[0]])
    return {
        "weights": {name: round(float(value), 4) for name, value in zip(MARKERS, solved, strict=True)},
        "offset": round(float(-(sentences @ solved).mean()), 4),
    }


def report(corpus: Path) -> None:
    for name in ("certainty", "receptive"):
        for part in ("train", "dev"):
            texts, y = load(corpus, name, part)
            rho, p = spearmanr([tentativeness(t) for t in texts], y)
            hedges, _ = spearmanr([markers(t)[0] for t in texts], y)
            print(f"{name:10} {part:6} n={len(y):5}  Spearman rho {rho:+.3f}  p={p:.1e}  (hedges alone {hedges:+.3f})")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("corpus", type=Path)
    parser.add_argument("--write", action="store_true", help="save the weights into the package")
    chosen = parser.parse_args()
    fitted = fit(chosen.corpus)
    print(json.dumps(fitted, indent=2))
    if chosen.write:
        (DATA / "tentativeness.json").write_text(json.dumps(fitted, indent=2) + "\n", encoding="utf-8")
    report(chosen.corpus)


if __name__ == "__main__":
    main()
