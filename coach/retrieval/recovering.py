"""A library put together again from what is left of its files: texts from Chroma's pages, rows from the texts."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

from coach.retrieval.catalogue import Entry, passage_id
from coach.retrieval.chroma import ChromaStore, Record
from coach.retrieval.embedders import load_embedder
from coach.retrieval.passages import Line, read
from coach.retrieval.salvage import is_damaged, rows_left
from coach.retrieval.store import Store, new_generation
from coach.retrieval.tables import open_tables, transaction

if TYPE_CHECKING:
    from coach.settings import Settings


def recover_library_row(settings: Settings) -> Iterator[str]:
    """Points the database at the texts there are, if it lost which they were."""
    folders = [path for path in (settings.home / "library").glob("g*") if (path / "chroma.sqlite3").exists()]
    engine, tables = open_tables(settings)
    try:
        with transaction(engine) as connection:
            if not folders or connection.execute(tables.library.select()).first() is not None:
                return
            largest = max(folders, key=lambda path: (path / "chroma.sqlite3").stat().st_size)
            connection.execute(
                tables.library.insert().values(
                    id=1,
                    key=uuid4().hex[:16],
                    generation=largest.name,
                    embedder=settings.embedder,
                    vectors=load_embedder(settings).name,
                    revision=1,
                )
            )
    finally:
        engine.dispose()
    yield "the library found its texts again; notes added before count as new when they are added once more"


def recover_generation(settings: Settings) -> Iterator[str]:
    """Copies the passages that can still be read out of a damaged index into a new one, embedding them again."""
    engine, tables = open_tables(settings)
    chroma = ChromaStore(settings)
    try:
        with transaction(engine) as connection:
            row = connection.execute(tables.library.select()).first()
        path = settings.home / "library" / (row.generation if row else "")
        if row is None or (path.exists() and not is_damaged(path / "chroma.sqlite3")):
            return
        records = _passages_left(path / "chroma.sqlite3")
        embedder, name = load_embedder(settings, row.embedder), new_generation()
        fresh = chroma.open(row.key, name, embedder)
        try:
            if records:
                fresh.upsert(records, embedder([record.text for record in records]))
        finally:
            fresh.close()
        with transaction(engine) as connection:
            values = {"generation": name, "vectors": embedder.name, "revision": row.revision + 1}
            connection.execute(tables.library.update().values(**values))
        shutil.rmtree(path, ignore_errors=True)
        yield f"the index was damaged: {len(records)} passages could be read and were embedded again"
    finally:
        chroma.close()
        engine.dispose()


def agree(settings: Settings, tag: str) -> Iterator[str]:
    """Makes database and index say the same: meetings that only the index knows come back, without title and date;
    those that lost passages keep the lines that are left, with a tag; those that lost all go."""
    store = Store(settings)
    try:
        view = store.view()
        expected = {passage_id(e.id, n) for e in view.entries.values() for n in range(e.passages)}
        stored = store.generation.ids()
        strays = {key.rpartition("-")[0] for key in stored - expected}
        torn = {key.rpartition("-")[0] for key in expected - stored}
        unknown, known = strays - set(view.entries), (strays | torn) & set(view.entries)
        for key in sorted(unknown):
            lines, whole = _lines_left(store.generation.of_meeting(key))
            about = Entry(
                id=key, format="recovered", tags=() if whole else (tag,), lines=0, passages=0, added=time.time(),
                attendees=tuple(dict.fromkeys(line.speaker for line in lines if line.speaker)),
            )  # fmt: skip
            store.adopt(about, lines)
        if unknown:
            yield f"{len(unknown)} meetings are back from their texts, without title and date: coach library describe"
        rewritten: dict[str, tuple[Entry, tuple[Line, ...]] | None] = {}
        for key in sorted(known):
            entry = view.entries[key]
            lines, _ = _lines_left(store.generation.of_meeting(key))
            tagged = entry.model_copy(update={"tags": tuple(dict.fromkeys((*entry.tags, tag)))})
            rewritten[key] = (tagged, lines) if lines else None
        store.rewrite(rewritten)
        lost = sum(value is None for value in rewritten.values())
        if lost:
            yield f"{lost} meetings are lost: nothing of their texts is left"
        if len(rewritten) > lost:
            yield f"{len(rewritten) - lost} meetings lost passages: what is left stays, with the tag {tag}"
        if any("Term counts" in problem for problem in store.problems()):
            store.count_anew()
            yield "term counts were made anew"
    finally:
        store.close()


def _lines_left(records: list[Record]) -> tuple[tuple[Line, ...], bool]:
    """The lines of a meeting in order, as far as its passages are left, and whether no number is missing in between."""
    found: dict[int, Line] = {}
    for record in records:
        for at, line in enumerate(read(record.text, record.speakers)):
            found.setdefault(record.first + at, line)
    numbers = sorted(found)
    return tuple(found[n] for n in numbers), numbers == list(range(len(numbers)))


def _passages_left(path: Path) -> list[Record]:
    """Passages out of Chroma's pages, from its tables and from its log, each once and complete."""
    about: dict[object, dict[str, object]] = {}
    for number, key, text, integer in rows_left(path, "embedding_metadata", ["id", "key", "string_value", "int_value"]):
        about.setdefault(number, {})[str(key)] = text if text is not None else integer
    found = {
        str(key): about[number]
        for number, key in rows_left(path, "embeddings", ["id", "embedding_id"])
        if number in about
    }
    for key, raw in rows_left(path, "embeddings_queue", ["id", "metadata"]):
        if isinstance(raw, str) and str(key) not in found:
            found[str(key)] = json.loads(raw)
    records = []
    for key, values in sorted(found.items()):
        text, meeting, first = (values.get(name) for name in ("chroma:document", "meeting", "first"))
        if isinstance(text, str) and text and isinstance(meeting, str) and isinstance(first, int):
            speakers = str(values.get("speakers") or "")
            records.append(Record(key, meeting, first, tuple(speakers.split("\n")) if speakers else (), text))
    return records
