"""Linear models on the same folds as the encoder, to see per head which of the two is better.

    python -m training.linear --corpus DIR --readings build/training/cv

Word and word-pair weights of the sentence, the one before and the one after, with a logistic model per head. Prints the
area under the ROC curve and average precision of both, pooled per kind of source.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from coach.acts import ACTS, WORTH
from training.corpus import Record
from training.decision import load
from training.folds import FOLDS, left_out, world_of
from training.measures import area, average_precision
from training.targets import targets

HEADS = (*ACTS, *WORTH, "unheard")


def texts(record: Record) -> tuple[list[str], list[str], list[str]]:
    """Each sentence, the one before it and the one after it."""
    said = [s.text for s in record.sentences]
    return said, ["", *said[:-1]], [*said[1:], ""]


def truths(record: Record) -> np.ndarray:
    """(sentences, heads) of 0 and 1, in the order of ``HEADS``."""
    want = targets(record)
    return np.hstack([want.acts > 0, want.worth > 0.5, want.unheard[:, None] > 0.5])


def matrix(models: list[TfidfVectorizer], records: list[Record], learn: bool) -> csr_matrix:
    """Stacked features of all sentences of some records."""
    columns = [[text for r in records for text in texts(r)[part]] for part in range(3)]
    return hstack(
        [m.fit_transform(c) if learn else m.transform(c) for m, c in zip(models, columns, strict=True)]
    ).tocsr()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--readings", type=Path, required=True)
    options = parser.parse_args()
    pairs = load(options.corpus, options.readings)
    records = [r for r, _ in pairs]
    kept: list[tuple[bool, np.ndarray, np.ndarray, np.ndarray]] = []
    for fold in range(1, FOLDS + 1):
        held = {r.name for r in left_out(records, f"fold-{fold}")}
        seen = [r for r in records if r.name not in held]
        models = [TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True) for _ in range(3)]
        given = matrix(models, seen, learn=True)
        wanted = np.vstack([truths(r) for r in seen])
        fitted = [LogisticRegression(C=4.0, max_iter=400).fit(given, wanted[:, k]) for k in range(len(HEADS))]
        for record, reading in pairs:
            if record.name in held and record.sentences:
                at = matrix(models, [record], learn=False)
                linear = np.stack([m.predict_proba(at)[:, 1] for m in fitted], axis=1)
                encoder = np.stack([reading.probabilities[h] for h in HEADS], axis=1)
                kept.append((world_of(record.source), linear, encoder, truths(record)))
    print(f"{'head':18s} {'':10s} {'linear AUC':>10s} {'AP':>6s} {'encoder AUC':>12s} {'AP':>6s}")
    for title in ("workplace", "real"):
        linear, encoder, truth = (np.vstack([row[k] for row in kept if row[0] == title]) for k in (1, 2, 3))
        objections = truth[:, HEADS.index("objection")]
        for k, head in enumerate(HEADS):
            rows = objections if head == "unheard" else slice(None)
            t = truth[rows, k]
            figures = [f(s[rows, k], t) for s in (linear, encoder) for f in (area, average_precision)]
            print(f"{head:18s} {title:10s} " + " ".join(f"{v:>9.3f}" for v in figures))


if __name__ == "__main__":
    main()
