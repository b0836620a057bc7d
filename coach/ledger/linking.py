"""The same concern in other words: which are one for sure, and of which only their owner can tell.

Measured by ``python -m benchmarks.same_concern``; docs/design/library.md says what was chosen, and what was tried.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coach.concerns import Sighting
    from coach.retrieval.embedders import Embedder

Pair = frozenset[str]


def same(quote: str, known: Sequence[Sighting], embedder: Embedder) -> str | None:
    """The concern whose wordings come so close to the quote that it is taken for the same; ``known`` are of one
    person."""
    if not known:
        return None
    cosines = embedder([one.quote for one in known]) @ embedder([quote])[0]
    best = int(cosines.argmax())
    return known[best].concern if cosines[best] >= embedder.alike else None


def perhaps(
    quotes: Mapping[str, Sequence[str]], waiting: Collection[str], apart: Collection[Pair], embedder: Embedder
) -> dict[str, tuple[str, ...]]:
    """For each concern of one person, by id with its wordings, those it may be the same as, likeliest first.

    At least one of two is ``waiting``, and pairs of which the user said that they are two are left out.
    """
    import numpy as np

    if len(quotes) < 2 or not waiting:
        return {}
    vectors = {concern: embedder(list(said)) for concern, said in quotes.items()}
    found: list[tuple[float, str, str]] = []
    for one, other in combinations(quotes, 2):
        if Pair((one, other)) in apart or not {one, other} & set(waiting):
            continue
        closest = float(np.max(vectors[one] @ vectors[other].T))
        if closest >= embedder.perhaps:
            found += [(closest, one, other), (closest, other, one)]
    ranked = sorted(found, reverse=True)
    return {concern: tuple(other for _, one, other in ranked if one == concern) for concern in quotes}
