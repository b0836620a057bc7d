"""Vectors in memory, so that a process which answers many questions does not fetch them from Chroma for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from coach.errors import LibraryError
from coach.retrieval.catalogue import Catalogue

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from coach.retrieval.chroma import Generation

SOME = 200
"""Up to so many vectors are fetched by their ids; for more, all of them are read in one go."""


SMALL = 2_000
"""Up to so many vectors are read for the first question already: that takes 50 ms."""

WORTH = 10_000
"""A question asked before is reason enough to read so many vectors: at 100,000 passages, the tenth one does."""


class VectorTable:
    """The vectors of an embedded generation by row of the catalogue, 1 KB a passage with the default embedder.

    Reading them all takes about 25 µs a passage, so the first questions of a process go without, the more of them the
    more passages there are.
    """

    def __init__(self, generation: Generation) -> None:
        self._generation = generation
        self._questions = 0
        self._blocks: Sequence[str] = ()
        self._matrix: NDArray[np.float32] | None = None

    def ready(self, catalogue: Catalogue, dimensions: int) -> bool:
        """Whether to take vectors from here for this question."""
        self._questions += 1
        count = len(catalogue.index)
        early = count > SMALL and (self._questions < 2 or self._questions * WORTH < count)
        if self._generation.folder is None or early:
            return False
        self._matrix = self._followed(catalogue, dimensions)
        self._blocks = catalogue.blocks
        return True

    def cosines(self, rows: NDArray[np.int64], vector: NDArray[np.float32]) -> NDArray[np.float32]:
        """The cosine of each of these rows with a unit vector; 0 for a passage that Chroma has lost."""
        import numpy as np

        assert self._matrix is not None
        # On one core: a matrix product would wake as many threads as there are, which wait for each other when busy.
        found: NDArray[np.float32] = np.einsum("ij,j->i", self._matrix[rows], vector)
        return found

    def _followed(self, catalogue: Catalogue, dimensions: int) -> NDArray[np.float32]:
        """The vectors of all rows now. Rows keep their numbers until the catalogue is made anew."""
        import numpy as np

        total = len(catalogue.index)
        pairs = zip(catalogue.blocks, self._blocks, strict=False)
        same = len(self._blocks) <= len(catalogue.blocks) and all(new in ("", old) for new, old in pairs)
        old = self._matrix if same and self._matrix is not None else np.zeros((0, dimensions), dtype=np.float32)
        _fitting(old.shape[1], dimensions)
        if len(old) == total:
            return old
        matrix = np.zeros((total, dimensions), dtype=np.float32)
        matrix[: len(old)] = old
        # Rows of meetings that are gone have no passages any more, and no ids of their own.
        lacking = [row for row in range(len(old), total) if catalogue.blocks[catalogue.block_of[row]]]
        few = len(lacking) <= SOME
        for found in [self._generation.vectors(catalogue.ids(lacking))] if few else self._generation.all_vectors():
            for key, vector in found.items():
                _fitting(len(vector), dimensions)
                if (row := catalogue.row(key)) is not None:
                    matrix[row] = vector
        return matrix


def _fitting(stored: int, asked: int) -> None:
    if stored != asked:
        raise LibraryError(
            f"the vectors of this library have {stored} numbers, but the embedder now gives {asked}: see that it is "
            "the model that was used, or run coach library reindex"
        )
