"""Fit the move classifier: ``python -m training.moves`` (needs training/requirements.txt).

Reads the hand-written table ``tests/data/moves.yaml``, prints macro-F1 and the confusion matrix by ten-fold
cross-validation and on the tables it is never fitted on, and writes ``coach/data/moves.json``. The model sees the
states of the encoder: run this again when the encoder was trained anew.
"""

from __future__ import annotations

import json
import pathlib
from collections import Counter
from typing import Any

import numpy as np
import yaml
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold

from coach.acts import states
from coach.rehearsal.aim import nameless
from coach.rehearsal.moves import Move, features

ROOT = pathlib.Path(__file__).resolve().parent.parent
STRENGTH = 10.0
CUE_SCALE = 0.1
"""How much cues weigh beside the encoder's states, which have length one on average. With more, the model learns its
author's cues by heart: blind macro-F1 falls from 0.75 to 0.57 at 0.3."""
HELD_OUT = ("moves_unseen", "moves_unseen_2")

Table = list[dict[str, Any]]


def table(name: str) -> Table:
    """The rows of a table: ``say`` and ``moves``."""
    rows: Table = yaml.safe_load((ROOT / f"tests/data/{name}.yaml").read_text(encoding="utf-8"))
    return rows


def truth_of(rows: Table) -> np.ndarray:
    """Which moves each row makes: (rows, moves), 0 or 1."""
    return np.array([[move.value in row["moves"] for move in Move] for row in rows], dtype=int)


class Seen:
    """What the model sees of sentences, fitted to the scale of the first ones it gets."""

    def __init__(self, rows: Table) -> None:
        vectors = self._states(rows)
        self.mean, self.scale = vectors.mean(axis=0), (vectors.std(axis=0) + 1e-6) * vectors.shape[1] ** 0.5
        self.names = DictVectorizer().fit([dict.fromkeys(f, CUE_SCALE) for f in self._features(rows)])

    def __call__(self, rows: Table) -> csr_matrix:
        """(rows, cues and states)."""
        cues = self.names.transform([dict.fromkeys(f, CUE_SCALE) for f in self._features(rows)])
        return csr_matrix(hstack([cues, csr_matrix((self._states(rows) - self.mean) / self.scale)]))

    @staticmethod
    def _features(rows: Table) -> list[frozenset[str]]:
        return [features(nameless(row["say"])) for row in rows]

    @staticmethod
    def _states(rows: Table) -> np.ndarray:
        return np.array([states(nameless(row["say"])) for row in rows])


def fit(seen: csr_matrix, truth: np.ndarray) -> list[LogisticRegression]:
    """One logistic model per move."""
    return [
        LogisticRegression(C=STRENGTH, class_weight="balanced", solver="liblinear", random_state=7).fit(seen, column)
        for column in truth.T
    ]


def guessed(models: list[LogisticRegression], seen: csr_matrix) -> np.ndarray:
    """Probabilities: (rows, moves)."""
    return np.stack([model.predict_proba(seen)[:, 1] for model in models], axis=1)


def main() -> None:
    """Fit on everything and write; then cross-validate and print."""
    rows = table("moves")
    truth, guess = truth_of(rows), np.zeros((len(rows), len(Move)))
    seen = Seen(rows)
    models = fit(seen(rows), truth)
    write(seen, models)
    for name in HELD_OUT:
        print(f"\nThe sentences of {name}.yaml, never fitted on:")
        others = table(name)
        report(others, truth_of(others), guessed(models, seen(others)))
    print("\nTen-fold:", flush=True)
    for train, test in KFold(10, shuffle=True, random_state=7).split(rows):
        known = [rows[i] for i in train]
        seen = Seen(known)
        guess[test] = guessed(fit(seen(known), truth[train]), seen([rows[i] for i in test]))
    report(rows, truth, guess)
    confusion(truth, guess)


def write(seen: Seen, models: list[LogisticRegression]) -> None:
    """``coach/data/moves.json``: per move a bias, the weights of cues, and those of the encoder's states."""
    names = seen.names.get_feature_names_out()
    out = {}
    for move, model in zip(Move, models, strict=True):
        cues, inner = model.coef_[0][: len(names)] * CUE_SCALE, model.coef_[0][len(names) :] / seen.scale
        out[move.value] = {
            "bias": round(float(model.intercept_[0] - inner @ seen.mean), 4),
            "cues": {name: round(float(w), 4) for name, w in zip(names, cues, strict=True) if abs(w) > 0.002},
            "states": [float(f"{w:.4g}") for w in inner],
        }
    path = ROOT / "coach/data/moves.json"
    path.write_text(json.dumps(out, sort_keys=True, separators=(",", ":")).replace("},", "},\n") + "\n", "utf-8")
    print(f"wrote {path.relative_to(ROOT)}: {path.stat().st_size / 1024:.0f} kB")


def report(rows: Table, truth: np.ndarray, guess: np.ndarray) -> None:
    """Print F1 per move, macro-F1, and what each move is taken for."""
    said = guess >= 0.5
    scores = []
    for k, move in enumerate(Move):
        hit = int((said[:, k] & (truth[:, k] == 1)).sum())
        f1 = 2 * hit / max(1, int(said[:, k].sum() + truth[:, k].sum()))
        scores.append(f1)
        others = Counter(
            m.value for i in np.flatnonzero((truth[:, k] == 1) & ~said[:, k]) for j, m in enumerate(Move) if said[i, j]
        )
        false = int(said[:, k].sum()) - hit
        print(f"{move:17} F1 {f1:.2f}  of {truth[:, k].sum()} found {hit}, false {false}; taken for {dict(others)}")
    print(f"macro-F1 {np.mean(scores):.3f} over {len(rows)} sentences")


def confusion(truth: np.ndarray, guess: np.ndarray) -> None:
    """Print, for sentences of a single move, what the likeliest guess is: a Markdown table, rows are the truth."""
    short = [move.value[:6] for move in Move]
    print("\n| | " + " | ".join([*short, "none"]) + " |\n" + "| --- " * (len(short) + 2) + "|")
    for k, move in enumerate(Move):
        rows = np.flatnonzero((truth[:, k] == 1) & (truth.sum(axis=1) == 1))
        best = Counter(int(guess[i].argmax()) if guess[i].max() >= 0.5 else len(short) for i in rows)
        print(f"| {move.value} | " + " | ".join(str(best[j] or "") for j in range(len(short) + 1)) + " |")


if __name__ == "__main__":
    main()
