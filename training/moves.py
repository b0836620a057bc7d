"""Fit the move classifier: ``python -m training.moves`` (needs training/requirements.txt).

Reads the hand-written table ``tests/data/moves.yaml``, prints macro-F1 and the confusion matrix by ten-fold
cross-validation, and writes ``coach/data/moves.json``: per move a bias and the weights of the features that matter.
"""

from __future__ import annotations

import json
import pathlib
from collections import Counter

import numpy as np
import yaml
from sklearn.feature_extraction import DictVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold

from coach.rehearsal.aim import nameless
from coach.rehearsal.moves import Move, features

ROOT = pathlib.Path(__file__).resolve().parent.parent
STRENGTH = 4.0
CUE_SCALE = 2.0  # cues are prior knowledge: regularise their weights less than those of single words
WORD_SCALE = 0.6


def scaled(sentence: str) -> dict[str, float]:
    """Features with the scale that says how much we trust their kind beforehand."""
    return {
        f: CUE_SCALE if f.startswith(("cue:", "any:", "ends:")) else WORD_SCALE for f in features(nameless(sentence))
    }


def fit(rows: list[dict[str, float]], truth: np.ndarray) -> tuple[DictVectorizer, list[LogisticRegression]]:
    """One logistic model per move over shared features."""
    vectorizer = DictVectorizer()
    seen = vectorizer.fit_transform(rows)
    return vectorizer, [
        LogisticRegression(C=STRENGTH, class_weight="balanced", max_iter=2000).fit(seen, truth[:, k])
        for k in range(truth.shape[1])
    ]


def main() -> None:
    """Cross-validate, print, fit on everything and write."""
    table = yaml.safe_load((ROOT / "tests/data/moves.yaml").read_text(encoding="utf-8"))
    rows = [scaled(item["say"]) for item in table]
    truth = np.array([[move.value in item["moves"] for move in Move] for item in table], dtype=int)
    guess = np.zeros(truth.shape)
    for train, test in KFold(10, shuffle=True, random_state=7).split(rows):
        vectorizer, models = fit([rows[i] for i in train], truth[train])
        seen = vectorizer.transform([rows[i] for i in test])
        for k, model in enumerate(models):
            guess[test, k] = model.predict_proba(seen)[:, 1]
    report(table, truth, guess)
    confusion(truth, guess)
    vectorizer, models = fit(rows, truth)
    unseen = yaml.safe_load((ROOT / "tests/data/moves_unseen.yaml").read_text(encoding="utf-8"))
    seen = vectorizer.transform([scaled(item["say"]) for item in unseen])
    print("\nThe sentences of moves_unseen.yaml, never fitted on:")
    guess = np.stack([model.predict_proba(seen)[:, 1] for model in models], axis=1)
    report(unseen, np.array([[move.value in item["moves"] for move in Move] for item in unseen], dtype=int), guess)
    names = vectorizer.get_feature_names_out()
    out = {
        move.value: {
            "bias": round(float(model.intercept_[0]), 4),
            "weights": {
                name: round(float(w) * (CUE_SCALE if name.startswith(("cue:", "any:", "ends:")) else WORD_SCALE), 4)
                for name, w in zip(names, model.coef_[0], strict=True)
                if abs(w) > 0.02
            },
        }
        for move, model in zip(Move, models, strict=True)
    }
    path = ROOT / "coach/data/moves.json"
    path.write_text(json.dumps(out, sort_keys=True, indent=0) + "\n", encoding="utf-8")
    print(f"wrote {path.relative_to(ROOT)}: {path.stat().st_size / 1024:.0f} kB")


def report(table: list[dict[str, object]], truth: np.ndarray, guess: np.ndarray) -> None:
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
    print(f"macro-F1 {np.mean(scores):.3f} over {len(table)} sentences")


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
