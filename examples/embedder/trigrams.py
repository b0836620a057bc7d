"""Letter trigrams, hashed into 512 dimensions: an embedder for any language with no weights at all."""

from __future__ import annotations

import zlib

import numpy as np

from coach.retrieval.embedders import Embedder
from coach.settings import Settings

SIZE = 512


def encode(texts: list[str]) -> np.ndarray:
    """Counts of trigrams, shape (texts, 512); the coach makes unit vectors of them."""
    vectors = np.zeros((len(texts), SIZE), dtype=np.float32)
    for row, text in zip(vectors, texts, strict=True):
        letters = f"  {' '.join(text.casefold().split())} "
        for at in range(len(letters) - 2):
            row[zlib.crc32(letters[at : at + 3].encode()) % SIZE] += 1
    return vectors


def trigrams(settings: Settings) -> Embedder:
    """``COACH_EMBEDDER=trigrams``; ``alike`` would have to be measured before it follows objections well."""
    return Embedder(name="trigrams-512", encode=encode, alike=0.6)
