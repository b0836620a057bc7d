"""Some passages cut out of a copy of an index, where building the index anew from the rest would take minutes.

This knows how Chroma 1.5 lays out its files, so it is done only where they look as expected, and never on the index in
force: what goes wrong here costs time, not texts. Building anew is the other way, and the one for other releases.
"""

from __future__ import annotations

import os
import pickle
import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coach.retrieval.segments import segments

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SMALLEST = 2_000
"""Passages of a library below which building anew is as quick."""

MOST = 0.05
"""Share of places in the vector index that may be empty: they stay in its graph, and searching passes through them."""

TABLES = {
    *("acquire_write", "collection_metadata", "collections", "databases", "embedding_metadata"),
    *("embedding_metadata_array", "embeddings", "embeddings_queue", "embeddings_queue_config", "maintenance_log"),
    *("max_seq_id", "migrations", "segment_metadata", "segments", "tenants"),
}
FULL_TEXT = "embedding_fulltext_search"
ELEMENTS, NAMES = "data_level0.bin", "index_metadata.pickle"


def can_cut(folder: Path, going: int) -> bool:
    """Whether so many passages can be cut out of a copy of this index: it is large and laid out as known, and few of
    its places will be empty."""
    found = segments(folder)
    if len(found) != 1 or not (found[0] / NAMES).exists():
        return False
    try:
        with closing(_read_only(folder)) as database:
            tables = {name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            there = int(database.execute("SELECT count(*) FROM embeddings").fetchone()[0])
        places = len(_labels(found[0]))
    except (sqlite3.Error, OSError, pickle.UnpicklingError, EOFError, KeyError, AttributeError, TypeError):
        return False
    empty = max(0, places - there) + going
    known = {name for name in tables if not name.startswith(("sqlite_", FULL_TEXT))} == TABLES and FULL_TEXT in tables
    return known and there >= SMALLEST and empty <= MOST * there


def copy(folder: Path, fresh: Path) -> None:
    """Copies an index that nobody writes to just now; the times of its files are those of the original."""
    with closing(_read_only(folder)) as source, closing(sqlite3.connect(fresh / "chroma.sqlite3")) as target:
        source.backup(target)
    for segment in segments(folder):
        shutil.copytree(segment, fresh / segment.name)


def cut(folder: Path, vectors: Mapping[str, NDArray[np.float32]]) -> None:
    """Leaves no text or vector of these passages, which Chroma has deleted and let go of: not in its log, its full-text
    index (made empty, as nothing here asks it), free pages, or the graph of its vectors.

    Raises ``ValueError``, ``KeyError``, ``OSError`` or ``sqlite3.Error`` when the files are not as expected."""
    with closing(sqlite3.connect(folder / "chroma.sqlite3", isolation_level=None)) as database:
        (made,) = database.execute("SELECT sql FROM sqlite_master WHERE name = ?", (FULL_TEXT,)).fetchone()
        database.execute("BEGIN")
        database.execute("CREATE TEMP TABLE gone (id TEXT PRIMARY KEY)")
        database.executemany("INSERT INTO gone VALUES (?)", [(key,) for key in vectors])
        database.execute("DELETE FROM embeddings_queue WHERE vector IS NOT NULL AND id IN (SELECT id FROM gone)")
        database.execute(f"DROP TABLE {FULL_TEXT}")
        database.execute(made)
        database.execute("COMMIT")
        database.execute("VACUUM")
    for segment in segments(folder):
        _blank(segment, vectors)


def _blank(segment: Path, vectors: Mapping[str, NDArray[np.float32]]) -> None:
    """Puts zeros in the place of these vectors; the file keeps its time, by which torn files are told."""
    import numpy as np

    labels, file = _labels(segment), segment / ELEMENTS
    gone = {labels[key]: vector for key, vector in vectors.items() if key in labels}
    about = file.stat()
    whole = np.memmap(file, dtype=np.uint8, mode="r+")
    elements = whole.reshape(len(labels), -1)
    # An element is its links, its vector and, in the last eight bytes, its label.
    rows = {int(label): row for row, label in enumerate(elements[:, -8:].copy().view("<u8").ravel())}
    for label, vector in gone.items():
        raw = np.frombuffer(np.ascontiguousarray(vector, dtype="<f4").tobytes(), dtype=np.uint8)
        place = elements[rows[label], -8 - len(raw) : -8]
        if not np.array_equal(place, raw):
            raise ValueError("the vectors are not where they should be")
        place[:] = 0
    whole.flush()
    os.utime(file, ns=(about.st_atime_ns, about.st_mtime_ns))


def _labels(segment: Path) -> dict[str, int]:
    """The number by which the graph knows each passage."""
    with (segment / NAMES).open("rb") as file:
        return dict(_Plain(file).load()["id_to_label"])


class _Plain(pickle.Unpickler):
    """Reads dictionaries, texts and numbers, and makes nothing else out of a pickle."""

    def find_class(self, module: str, name: str) -> Any:
        raise pickle.UnpicklingError(f"{module}.{name}")


def _read_only(folder: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{(folder / 'chroma.sqlite3').absolute().as_uri()}?mode=ro", uri=True)


__all__ = ["can_cut", "copy", "cut"]
