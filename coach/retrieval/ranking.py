"""Hybrid ranking: BM25 and cosine, each as z-scores over the candidates, summed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from coach.retrieval.bm25 import query_terms
from coach.retrieval.catalogue import Catalogue

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from coach.retrieval.chroma import Generation
    from coach.retrieval.vectors import VectorTable

CANDIDATES = 100
"""How many passages each of the two proposes."""

MANY = 25_000
"""Up to so many allowed passages, vectors in memory are compared one by one; beyond, Chroma's graph is faster."""

ALL = 10_000
"""Likewise without a filter. Of hundreds of equal passages the graph keeps links among themselves, and from there some
other passages can't be reached; comparing misses none."""

FEW = 5_000
"""Without vectors in memory: up to so many allowed passages, Chroma is given their ids; beyond, it is asked for more
and the rest is thrown away, because its own metadata filter takes 45 to 160 ms at 100,000 passages."""

FEWEST = 300
"""Likewise: up to so many, their vectors are fetched and compared, as walking through the graph takes longer."""


@dataclass(frozen=True)
class Hit:
    """A row of the catalogue and the parts of its score: z-scores, their sum, and the raw cosine."""

    row: int
    bm25: float
    dense: float
    fused: float
    cosine: float


def hybrid(
    catalogue: Catalogue,
    generation: Generation,
    table: VectorTable,
    query: str,
    vector: NDArray[np.float32],
    *,
    visible: NDArray[np.bool_] | None,
    k: int,
) -> list[Hit]:
    """The ``k`` best rows, best first."""
    import numpy as np

    words = catalogue.index.scores(query_terms(query))
    if visible is not None:
        words[~visible] = 0
    by_words = _top(words, CANDIDATES)
    ready = table.ready(catalogue, len(vector))
    near, cosines = nearest(catalogue, generation, vector, visible, CANDIDATES, table if ready else None)
    rows = np.union1d(by_words, near)
    if not len(rows):
        return []
    if ready:
        cosine = table.cosines(rows, vector)
    else:
        known = dict(zip(near.tolist(), cosines.tolist(), strict=True))
        missing = [row for row in rows.tolist() if row not in known]
        if vector.any() and missing:
            vectors = generation.vectors(catalogue.ids(missing))
            known |= {row: float(vectors[key] @ vector) for row in missing if (key := catalogue.id(row)) in vectors}
        cosine = np.array([known.get(row, 0.0) for row in rows.tolist()], dtype=np.float32)
    lexical, dense = _z(words[rows]), _z(cosine)
    fused = lexical + dense
    return [
        Hit(int(rows[i]), float(lexical[i]), float(dense[i]), float(fused[i]), float(cosine[i]))
        for i in np.argsort(-fused, kind="stable")[:k]
    ]


def nearest(
    catalogue: Catalogue,
    generation: Generation,
    vector: NDArray[np.float32],
    visible: NDArray[np.bool_] | None,
    n: int,
    table: VectorTable | None = None,
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """About ``n`` rows nearest to a vector among the visible ones, best first, and their cosines; ``table`` holds the
    vectors, if they are in memory."""
    import numpy as np

    total = len(catalogue.index)
    allowed = total if visible is None else int(visible.sum())
    if not allowed or not vector.any():
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.float32)
    if table is not None and allowed <= (ALL if visible is None else MANY):
        rows = np.arange(total) if visible is None else np.flatnonzero(visible)
        cosines = table.cosines(rows, vector)
        best = _top(cosines + 2, n)
        best = best[np.argsort(-cosines[best], kind="stable")]
        return rows[best], cosines[best]
    if visible is None:
        return _rows(catalogue, *generation.nearest(vector, min(n, total)))
    if allowed > FEW:
        rows, cosines = _rows(catalogue, *generation.nearest(vector, min(total, int(1.5 * n * total / allowed))))
        kept = visible[rows]
        if kept.sum() >= n // 4:
            return rows[kept][:n], cosines[kept][:n]
    among = catalogue.ids(np.flatnonzero(visible))
    if allowed <= FEWEST:
        vectors = generation.vectors(among)
        cosines = np.array([vectors[id_] @ vector for id_ in vectors], dtype=np.float32)
        best = np.argsort(-cosines, kind="stable")[:n]
        return _rows(catalogue, np.array(list(vectors))[best].tolist(), cosines[best])
    return _rows(catalogue, *generation.nearest(vector, min(n, allowed), among))


def _rows(
    catalogue: Catalogue, ids: Sequence[str], cosines: NDArray[np.float32]
) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    import numpy as np

    # A passage that this view does not know belongs to a meeting that another process is adding, or has deleted.
    pairs = [(row, cosine) for key, cosine in zip(ids, cosines, strict=True) if (row := catalogue.row(key)) is not None]
    return np.array([row for row, _ in pairs], dtype=np.int64), np.array([c for _, c in pairs], dtype=np.float32)


def _top(scores: NDArray[np.float32], n: int) -> NDArray[np.int64]:
    import numpy as np

    positive = np.flatnonzero(scores > 0)
    if len(positive) <= n:
        return positive
    best = positive[np.argpartition(-scores[positive], n)[:n]]
    return np.asarray(best, dtype=np.int64)


def _z(values: NDArray[np.float32]) -> NDArray[np.float32]:
    spread = float(values.std())
    return (values - values.mean()) / spread if spread > 1e-9 else values * 0
