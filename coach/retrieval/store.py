"""Keeping meetings safely: one order of writes that survives being killed, and one way to forget for good.

A row says *adding*, then Chroma gets the passages, then the row says *kept*: what was acknowledged is complete, and
what was not is taken back when the library is next opened. To erase, the survivors are copied into a new generation,
the pointer to it and the removal of the rows are one transaction, and the old generation's files go.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from coach.database import compact, drop_backups
from coach.errors import LibraryError
from coach.retrieval.bm25 import Postings
from coach.retrieval.catalogue import Catalogue, Entry, passage_id
from coach.retrieval.chroma import BATCH, BrokenIndexError, ChromaStore, Generation, Record
from coach.retrieval.embedders import Embedder, load_embedder
from coach.retrieval.passages import Line, Window, read, unwound, windows
from coach.retrieval.tables import Tables, open_tables, transaction
from coach.retrieval.vectors import VectorTable

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from coach.settings import Settings

Rewritten = tuple[Entry, Sequence[Line]] | None
"""A meeting as it is to be from now on, or ``None`` when nothing of it is left."""

ABANDONED = 900.0
"""On a shared server, seconds after which another process's unfinished add is taken back."""


class Store:
    """Meetings as lines, in Chroma and the database, kept in step. Opening it takes the folder's lock.

    Hold ``guard`` over several reads that have to see the same generation.
    ``embedder`` is used instead of the one that the library remembers; its vectors have to be of the same kind, unless
    ``reindex_as`` names it as the library's embedder from now on, which embeds everything anew.
    """

    def __init__(self, settings: Settings, embedder: Embedder | None = None, *, reindex_as: str | None = None) -> None:
        self._settings = settings
        self._reindex_as = reindex_as
        self._given = embedder
        self._chroma = ChromaStore(settings)
        self.guard = self._chroma.guard
        try:
            self._engine, self._tables = open_tables(settings)
            self._open()
        except BaseException:
            self._chroma.close()
            raise

    # Reading

    @property
    def key(self) -> str:
        """What marks ids as belonging to this library."""
        return self._key

    @property
    def generation(self) -> Generation:
        """The index in force."""
        return self._generation

    @property
    def table(self) -> VectorTable:
        """The vectors of the index in force."""
        return self._table

    def view(self) -> Catalogue:
        """What there is now, also after another process changed it."""
        library, meeting = self._tables.library, self._tables.meeting
        with self.guard, self._begin() as connection:
            now = connection.execute(library.select()).one()
            if now.revision == self._view.revision:
                return self._view
            if now.generation != self._generation_name:
                self._use(now)
                self._view = Catalogue.empty()  # A new generation may hold other passages under the same ids.
            light = [column for column in meeting.c if column.name != "terms"]
            shown = meeting.c.state.in_(("kept", "deleted"))
            entries = {
                row.id: _entry(row)
                for row in connection.execute(
                    meeting.select().with_only_columns(*light).where(shown).order_by(meeting.c.revision)
                )
            }
            view = self._view if self._view.dead <= len(self._view.index) // 5 else Catalogue.empty()
            unknown = [key for key in entries if key not in view.block_numbers]
            self._view = view.updated(now.revision, entries, self._postings(connection, unknown))
            return self._view

    def lines(self, meeting: str) -> tuple[Line, ...]:
        """All lines of a meeting, in order."""
        found = self._generation.of_meeting(meeting)
        return unwound([Window(record.first, read(record.text, record.speakers)) for record in found])

    def problems(self) -> list[str]:
        """What does not agree between the database and Chroma, in sentences; empty when all is well."""
        view = self.view()
        stored = self._generation.ids()
        expected = {passage_id(e.id, n) for e in view.entries.values() for n in range(e.passages)}
        said = []
        if missing := expected - stored:
            said.append(
                f"{len(missing)} passages are missing from Chroma: import an export, or run coach doctor --repair."
            )
        if stray := stored - expected:
            said.append(f"{len(stray)} passages in Chroma belong to no meeting: run coach doctor --repair.")
        if any(len(p.lengths) != view.entries[key].passages for key, p in self._all_postings(view)):
            said.append("Term counts do not match the passages: run coach library reindex.")
        return said

    # Changing

    def keep(self, meetings: Sequence[tuple[Entry, Sequence[Line]]]) -> list[Entry]:
        """The entries as kept, complete with their passages. All of it is stored or, after an error, nothing.

        Those that another process kept a moment ago are left out.
        """
        table = self._tables.meeting
        with self.guard:
            with self._begin() as connection:
                # Whoever writes takes a revision first, and so waits for the others.
                self._next(connection)
                ids = [entry.id for entry, _ in meetings]
                there = (
                    table.select().with_only_columns(table.c.id).where(table.c.id.in_(ids), table.c.state != "adding")
                )
                known = set(connection.scalars(there))
                meetings = [(entry, lines) for entry, lines in meetings if entry.id not in known]
                ids = [entry.id for entry, _ in meetings]
                if not ids:
                    return []
                connection.execute(table.delete().where(table.c.id.in_(ids)))
                connection.execute(
                    table.insert(), [{**_row(entry), "state": "adding", "revision": 0} for entry, _ in meetings]
                )
            try:
                kept, terms, records = [], [], []
                for entry, lines in meetings:
                    own = [_record(entry.id, number, window) for number, window in enumerate(windows(lines))]
                    kept.append(entry.model_copy(update={"passages": len(own), "lines": len(lines)}))
                    terms.append(Postings.of([record.text for record in own]).to_bytes())
                    records += own
                self._generation.upsert(records, self.embedder([record.text for record in records]))
                with self._begin() as connection:
                    revision = self._next(connection)
                    for entry, counted in zip(kept, terms, strict=True):
                        values = {**_row(entry), "state": "kept", "terms": counted, "revision": revision}
                        connection.execute(table.update().where(table.c.id == entry.id).values(**values))
            except BaseException:
                self._take_back(ids)
                raise
            return kept

    def describe(self, key: str, **values: Any) -> None:
        """Changes title, date, attendees, tags or ``deleted`` of a kept meeting."""
        meeting = self._tables.meeting
        if "deleted" in values:
            values["state"] = "kept" if values["deleted"] is None else "deleted"
        with self.guard, self._begin() as connection:
            connection.execute(
                meeting.update()
                .where(meeting.c.id == key, meeting.c.state.in_(("kept", "deleted")))
                .values(**values, revision=self._next(connection))
            )

    def erase(self, ids: Sequence[str]) -> None:
        """Forgets these meetings so that no file of the library holds them any more; what hangs on them goes too."""
        if not ids:
            return
        meeting = self._tables.meeting
        with self.guard:
            with self._begin() as connection:
                connection.execute(
                    meeting.update()
                    .where(meeting.c.id.in_(ids))
                    .values(state="erasing", revision=self._next(connection))
                )
            self._finish_erasing()
            self.view()

    def adopt(self, entry: Entry, lines: Sequence[Line]) -> None:
        """Takes in a meeting whose passages are in the index already, but that the database does not know."""
        table = self._tables.meeting
        own = windows(lines)
        with self.guard:
            found = [record.id for record in self._generation.of_meeting(entry.id)]
            records = [_record(entry.id, number, window) for number, window in enumerate(own)]
            self._generation.upsert(records, self.embedder([record.text for record in records]))
            self._generation.delete(sorted(set(found) - {record.id for record in records}))
            kept = entry.model_copy(update={"passages": len(own), "lines": len(lines)})
            with self._begin() as connection:
                terms = Postings.of([record.text for record in records]).to_bytes()
                revision = self._next(connection)
                connection.execute(
                    table.insert().values(**{**_row(kept), "state": "kept", "terms": terms, "revision": revision})
                )

    def count_anew(self) -> None:
        """Makes the term counts of all meetings anew from their texts."""
        with self.guard:
            with self._begin() as connection:
                connection.execute(self._tables.meeting.update().values(terms=None))
                self._next(connection)
            self._view = Catalogue.empty()
            self.view()

    def rewrite(self, meetings: Mapping[str, Rewritten]) -> None:
        """Replaces what is said in these meetings, or erases them where nothing is left (``None``), so that no file of
        the library holds what they were. All of it happens or, after an error or a kill, nothing."""
        if not meetings:
            return
        with self.guard:
            drop_backups(self._settings.home)
            self._rebuild(self.embedder, rewritten=meetings)
            self.view()

    def close(self) -> None:
        """Lets go of files, server and lock."""
        with self.guard:
            self._generation.close()
            self._engine.dispose()
            self._chroma.close()

    # Opening and recovery

    def _open(self) -> None:
        from sqlalchemy import not_, true

        now = time.time()
        library, meeting = self._tables.library, self._tables.meeting
        with self._begin() as connection:
            row = connection.execute(library.select()).one_or_none()
        if row is None and self._chroma.any_text():
            raise LibraryError(
                "the database of this library is empty, but its texts are there: put library.db back from a "
                "backup, or run coach doctor --repair"
            )
        if row is None:
            self._found()
            with self._begin() as connection:
                row = connection.execute(library.select()).one()
        self._key = row.key
        self._view = Catalogue.empty()
        self._use(row)
        broken = self._is_broken()
        if broken and self.embedder.remote and not self._reindex_as:
            # Embedding again may cost money: that is for the user to say.
            raise BrokenIndexError("the vector index was damaged: run coach library reindex to embed everything again")
        if broken:
            self._generation.close()
            self._chroma.drop_vectors(row.generation)
            self._use(row)
        if broken or self._reindex_as:
            self._rebuild(self.embedder, spec=self._reindex_as, reuse=False)
        leftover = self._chroma.embedded and self._chroma.remove_all_but(self._key, self._generation_name)
        with self._begin() as connection:
            # Embedded, nobody else can be adding; a clock that was put back must not hide what was left behind.
            own = self._chroma.embedded
            stale = true() if own else not_(meeting.c.added.between(now - ABANDONED, now + ABANDONED))
            unfinished = connection.scalars(
                meeting.select().with_only_columns(meeting.c.id).where(meeting.c.state == "adding", stale)
            ).all()
        self._take_back(unfinished)
        self._finish_erasing()
        if leftover:
            self._compact()

    def _found(self) -> None:
        """Begins a library, unless another process does so at this very moment."""
        from sqlalchemy.exc import IntegrityError

        embedder = self._given or load_embedder(self._settings)
        row = {
            "id": 1,
            "key": uuid4().hex[:16],
            "generation": new_generation(),
            "embedder": embedder.name if self._given else self._settings.embedder,
            "vectors": embedder.name,
            "revision": 0,
        }
        with suppress(IntegrityError), self._engine.begin() as connection:
            connection.execute(self._tables.library.insert().values(**row))

    def _is_broken(self) -> bool:
        """Whether Chroma can't read its vectors, as after a kill while it wrote them; the texts are intact."""
        try:
            self._generation.check()
        except BrokenIndexError:
            return True
        return False

    def _use(self, row: Any) -> None:
        """Turns to the generation that the row names, with the embedder that made its vectors."""
        embedder = self._given or load_embedder(self._settings, row.embedder)
        if embedder.name != row.vectors and not self._reindex_as:
            raise LibraryError(
                f"this library was embedded with {row.vectors}, not with {embedder.name}: run coach library reindex"
            )
        self.embedder = embedder
        self._generation_name = row.generation
        self._generation = self._chroma.open(self._key, row.generation, embedder)
        self._table = VectorTable(self._generation)

    def _take_back(self, ids: Sequence[str]) -> None:
        meeting = self._tables.meeting
        with self._begin() as connection:
            waiting = meeting.select().with_only_columns(meeting.c.id)
            # What another process has completed meanwhile is its own.
            ids = connection.scalars(waiting.where(meeting.c.id.in_(ids), meeting.c.state == "adding")).all()
        for key in ids:
            self._generation.delete([record.id for record in self._generation.of_meeting(key)])
            with self._begin() as connection:
                connection.execute(meeting.delete().where(meeting.c.id == key, meeting.c.state == "adding"))

    def _finish_erasing(self) -> None:
        meeting = self._tables.meeting
        with self._begin() as connection:
            gone = set(
                connection.scalars(meeting.select().with_only_columns(meeting.c.id).where(meeting.c.state == "erasing"))
            )
        if not gone:
            return
        drop_backups(self._settings.home)
        if self._chroma.embedded:
            self._rebuild(self.embedder, without=gone)
            return
        self._blank(self._generation, sorted(gone))
        with self._begin() as connection:
            self._next(connection)
            self._forget(connection, gone)
        self._compact()

    def _rebuild(
        self,
        embedder: Embedder,
        *,
        spec: str | None = None,
        without: set[str] | None = None,
        rewritten: Mapping[str, Rewritten] | None = None,
        reuse: bool = True,
    ) -> None:
        """Copies everything but some meetings into a new generation and turns to it; ``reuse`` keeps the vectors."""
        library, meeting = self._tables.library, self._tables.meeting
        anew = {key: value for key, value in (rewritten or {}).items() if value is not None}
        gone = (without or set()) | (set(rewritten or {}) - set(anew))
        name, old = new_generation(), self._generation
        cut = self._chroma.cut(old, name, embedder, [*gone, *anew]) if reuse else None
        fresh = cut or self._chroma.open(self._key, name, embedder)
        rows: list[dict[str, Any]] = []
        try:
            for records, vectors in old.all(embeddings=reuse) if cut is None else ():
                stay = [
                    n for n, record in enumerate(records) if record.meeting not in gone and record.meeting not in anew
                ]
                kept = [records[n] for n in stay]
                if kept:
                    fresh.upsert(kept, vectors[stay] if vectors is not None else embedder([r.text for r in kept]))
            for entry, lines in anew.values():
                own = [_record(entry.id, number, window) for number, window in enumerate(windows(lines))]
                fresh.upsert(own, embedder([record.text for record in own]))
                counted = entry.model_copy(update={"passages": len(own), "lines": len(lines)})
                rows.append({**_row(counted), "terms": Postings.of([record.text for record in own]).to_bytes()})
            with self._begin() as connection:
                values = {"generation": name, "vectors": embedder.name} | ({"embedder": spec} if spec else {})
                connection.execute(library.update().values(**values))
                revision = self._next(connection)
                for row in rows:
                    connection.execute(
                        meeting.update().where(meeting.c.id == row["id"]).values(**row, revision=revision)
                    )
                self._forget(connection, gone)
        except BaseException:
            fresh.close()
            self._chroma.remove(self._key, name)
            raise
        if not self._chroma.embedded:
            self._blank(old, [*gone, *anew])
        old.close()
        self._generation_name, self._generation = name, fresh
        self._table = VectorTable(fresh)
        if rewritten:
            self._view = Catalogue.empty()
        self._chroma.remove_all_but(self._key, name)
        self._compact()

    def _blank(self, generation: Generation, meetings: Sequence[str]) -> None:
        """Overwrites and deletes passages where the files are not ours, so that nothing is left but numbers."""
        for key in meetings:
            records = generation.of_meeting(key)
            blank = [Record(r.id, r.meeting, r.first, (), "") for r in records]
            if blank:
                generation.upsert(blank, self.embedder(["" for _ in blank]))
                generation.delete([record.id for record in blank])

    def _forget(self, connection: Connection, gone: set[str]) -> None:
        """Removes the rows of these meetings, and concerns that were raised nowhere else."""
        meeting, concern, sighting = self._tables.meeting, self._tables.concern, self._tables.sighting
        if gone:
            connection.execute(meeting.delete().where(meeting.c.id.in_(gone)))
            connection.execute(
                concern.delete().where(concern.c.id.not_in(sighting.select().with_only_columns(sighting.c.concern)))
            )

    def _compact(self) -> None:
        compact(self._engine)

    # Term counts

    def _postings(self, connection: Connection, ids: Sequence[str]) -> dict[str, Postings]:
        """Stored term counts, in the order asked for; made anew from Chroma where missing or outdated."""
        meeting = self._tables.meeting
        found: dict[str, Postings] = {}
        for start in range(0, len(ids), BATCH):
            some = ids[start : start + BATCH]
            raw = {
                row.id: row.terms
                for row in connection.execute(
                    meeting.select().with_only_columns(meeting.c.id, meeting.c.terms).where(meeting.c.id.in_(some))
                )
            }
            for key in some:
                try:
                    found[key] = Postings.from_bytes(raw[key] or b"")
                except LibraryError:
                    found[key] = Postings.of([record.text for record in self._generation.of_meeting(key)])
                    connection.execute(meeting.update().where(meeting.c.id == key).values(terms=found[key].to_bytes()))
        return found

    def _all_postings(self, view: Catalogue) -> Iterator[tuple[str, Postings]]:
        with self._begin() as connection:
            yield from self._postings(connection, list(view.entries)).items()

    # The database

    def _next(self, connection: Connection) -> int:
        library = self._tables.library
        connection.execute(library.update().values(revision=library.c.revision + 1))
        return int(connection.execute(library.select()).one().revision)

    def _begin(self) -> AbstractContextManager[Connection]:
        return transaction(self._engine)

    _engine: Engine
    _tables: Tables
    _key: str
    _view: Catalogue
    embedder: Embedder


def new_generation() -> str:
    """A name that no generation had before."""
    return f"g{uuid4().hex[:12]}"


def _record(meeting: str, number: int, window: Window) -> Record:
    return Record(passage_id(meeting, number), meeting, window.first, window.speakers, window.text)


def _row(entry: Entry) -> dict[str, Any]:
    values = entry.model_dump(exclude={"new"})
    return {**values, "attendees": list(entry.attendees), "tags": list(entry.tags)}


def _entry(row: Any) -> Entry:
    return Entry(
        id=row.id,
        title=row.title,
        date=row.date,
        format=row.format,
        attendees=tuple(row.attendees),
        tags=tuple(row.tags),
        lines=row.lines,
        passages=row.passages,
        added=row.added,
        deleted=row.deleted,
    )
