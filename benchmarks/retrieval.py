"""How well the library finds what was asked for: BM25 alone, dense alone, both; real names and pseudonyms.

``python -m benchmarks.retrieval`` prints nDCG@10 and recall@5 on benchmarks/retrieval.yaml, with 95 % intervals
(bootstrap over questions), and what fusion by reciprocal rank would have given.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray

from coach import notes
from coach.anonymise import anonymise
from coach.identities import Identities
from coach.retrieval.bm25 import Bm25Index, Postings, query_terms, terms
from coach.retrieval.embedders import Embedder, load_embedder
from coach.retrieval.names import pseudonymised
from coach.retrieval.passages import lines, windows
from coach.settings import load_settings

FILE = Path(__file__).with_suffix(".yaml")
_MARKS = re.compile(r" \[(q\d+)\]")
Scores = NDArray[np.float32]


@dataclass(frozen=True)
class Task:
    """Passages, questions, and ``gains[question][passage]``: how many lines that answer it a passage holds."""

    passages: list[str]
    questions: list[str]
    gains: NDArray[np.float64]


def load(pseudonyms: bool, size: int = 4, step: int = 2) -> Task:
    """The task, with real names or with pseudonyms as the library would store and ask it."""
    from coach.retrieval import passages as cutting

    document = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    asked: dict[str, str] = document["questions"]
    identities = Identities()
    texts: list[str] = []
    answered: list[list[str]] = []
    before = cutting.SIZE, cutting.STEP
    cutting.SIZE, cutting.STEP = size, step
    try:
        for meeting in document["meetings"]:
            marks = [_MARKS.findall(line) for line in meeting["text"].strip().split("\n")]
            conversation = notes.parse(_MARKS.sub("", meeting["text"]))
            if pseudonyms:
                done = anonymise(conversation, identities)
                conversation, identities = done.conversation, done.identities
            said = lines(conversation)
            assert len(said) == len(marks), meeting["title"]
            for window in windows(said):
                texts.append(window.text)
                answered.append([q for n in range(len(window.lines)) for q in marks[window.first + n]])
    finally:
        cutting.SIZE, cutting.STEP = before
    gains = np.array([[found.count(q) for found in answered] for q in asked], dtype=float)
    assert (gains.sum(axis=1) > 0).all(), [q for q, g in zip(asked, gains, strict=True) if not g.sum()]
    questions = [pseudonymised(q, identities) if pseudonyms else q for q in asked.values()]
    return Task(texts, questions, gains)


def bm25_scores(task: Task, *, strip: bool = True) -> list[Scores]:
    """BM25 of every passage for every question."""
    index = Bm25Index.empty().add([Postings.of(task.passages)])
    return [index.scores(query_terms(q) if strip else list(dict.fromkeys(terms([q])[0]))) for q in task.questions]


def dense_scores(task: Task, embedder: Embedder) -> list[Scores]:
    """Cosines of every passage for every question."""
    vectors = embedder(task.passages)
    return [vectors @ embedder.query(q) for q in task.questions]


def by_z(words: Scores, cosines: Scores, candidates: int = 100) -> Scores:
    """The library's fusion: z-scores over the best of either, summed."""
    top = np.union1d(
        np.argsort(-words)[:candidates][words[np.argsort(-words)[:candidates]] > 0], np.argsort(-cosines)[:candidates]
    )
    fused = np.full(len(words), -np.inf, dtype=np.float32)
    fused[top] = sum((s[top] - s[top].mean()) / (s[top].std() or 1) for s in (words, cosines))
    return fused


def by_rank(words: Scores, cosines: Scores) -> Scores:
    """Reciprocal rank fusion with k = 60."""
    return sum(1 / (60 + np.argsort(np.argsort(-s, kind="stable"), kind="stable")) for s in (words, cosines))  # type: ignore[return-value]


def ndcg(scores: Scores, gains: NDArray[np.float64], k: int = 10) -> float:
    """nDCG with the number of answering lines as gain."""
    discounts = 1 / np.log2(np.arange(2, k + 2))
    order = np.argsort(-scores, kind="stable")[:k]
    best = np.sort(gains)[::-1][:k]
    return float((gains[order] * discounts[: len(order)]).sum() / (best * discounts[: len(best)]).sum())


def recall(scores: Scores, gains: NDArray[np.float64], k: int = 5) -> float:
    """Whether a passage that answers is among the first ``k``."""
    return float(gains[np.argsort(-scores, kind="stable")[:k]].max() > 0)


def measure(name: str, task: Task, scores: Sequence[Scores]) -> NDArray[np.float64]:
    """Prints one line and gives nDCG by question."""
    each = np.array([ndcg(s, g) for s, g in zip(scores, task.gains, strict=True)])
    found = np.mean([recall(s, g) for s, g in zip(scores, task.gains, strict=True)])
    draws = np.random.default_rng(0).choice(each, (2000, len(each))).mean(axis=1)
    low, high = np.percentile(draws, [2.5, 97.5])
    print(f"{name:34} nDCG@10 {each.mean():.3f} [{low:.3f}, {high:.3f}]   answered in the first 5 {found:.2f}")
    return each


def main() -> None:
    """Prints the table."""
    embedder = load_embedder(load_settings({}))
    results: dict[str, NDArray[np.float64]] = {}
    for name, pseudonyms in (("real names", False), ("pseudonyms", True)):
        task = load(pseudonyms)
        words, cosines = bm25_scores(task), dense_scores(task, embedder)
        pairs = list(zip(words, cosines, strict=True))
        print(f"{name}: {len(task.passages)} passages, {len(task.questions)} questions, {embedder.name}")
        measure("  BM25, boilerplate kept", task, bm25_scores(task, strip=False))
        measure("  BM25", task, words)
        measure("  dense", task, cosines)
        measure("  hybrid, reciprocal rank", task, [by_rank(*pair) for pair in pairs])
        results[name] = measure("  hybrid, z-scores (the library)", task, [by_z(*pair) for pair in pairs])
    print(f"pseudonyms cost {results['real names'].mean() - results['pseudonyms'].mean():+.4f} nDCG")


if __name__ == "__main__":
    main()
