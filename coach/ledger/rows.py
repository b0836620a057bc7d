"""The facts of the ledger as rows: what was raised in which meeting, and what the user said about it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from coach.concerns import Meeting, Said, Sighting
from coach.errors import LibraryError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Row

    from coach.retrieval.tables import Tables


class Rows:
    """The rows of one library inside one transaction; whoever opened ``connection`` keeps or drops the changes."""

    def __init__(self, connection: Connection, tables: Tables, clock: Callable[[], float]) -> None:
        self._connection, self._tables, self._clock = connection, tables, clock

    # Reading

    def meetings(self) -> list[Meeting]:
        """Every kept meeting; one without a date counts as held on the day it was added."""
        table = self._tables.meeting
        columns = [table.c[name] for name in ("id", "title", "date", "added", "attendees")]
        kept = table.select().with_only_columns(*columns).where(table.c.state == "kept")
        return [
            Meeting(
                id=row.id,
                title=row.title,
                date=row.date or day(row.added),
                added=row.added,
                people=tuple(row.attendees),
            )
            for row in self._connection.execute(kept)
        ]

    def sightings(self) -> list[Sighting]:
        """Everything that was raised, in meetings that are kept or about to go."""
        found = self._connection.execute(self._tables.sighting.select())
        return [Sighting.model_validate(dict(row._mapping)) for row in found]

    def kept(self) -> list[Sighting]:
        """What was raised in kept meetings."""
        meetings = {meeting.id for meeting in self.meetings()}
        return [one for one in self.sightings() if one.meeting in meetings]

    def marks(self) -> dict[str, list[Said]]:
        """What the user said, by concern, in the order in which it was said."""
        table = self._tables.mark
        marks: dict[str, list[Said]] = {}
        for row in self._connection.execute(table.select().order_by(table.c.id)):
            marks.setdefault(row.concern, []).append(Said(status=row.status, date=row.date, at=row.at, note=row.note))
        return marks

    def embedder(self) -> str | None:
        """What the library was last embedded with."""
        return self._connection.scalar(self._tables.library.select().with_only_columns(self._tables.library.c.embedder))

    def concerns(self) -> Sequence[Row[Any]]:
        """The concerns: id, speaker, kind, need, created."""
        return self._connection.execute(self._tables.concern.select()).all()

    def apart(self) -> set[frozenset[str]]:
        """Pairs of concerns that the user called two."""
        return {frozenset((row.one, row.other)) for row in self._connection.execute(self._tables.apart.select())}

    def require(self, meeting: str) -> None:
        """Raises :class:`LibraryError` unless the meeting is kept."""
        if meeting not in {known.id for known in self.meetings()}:
            raise LibraryError(
                "these notes are not in the library: add them first, then record what was raised in them"
            )

    # Writing

    def wait(self) -> None:
        """Whoever records waits for the others: two reviews of the same notes may come at the same moment."""
        library = self._tables.library
        self._connection.execute(library.update().values(revision=library.c.revision))

    def begin(self, speaker: str, kind: str, need: str | None) -> str:
        """The id of a new concern."""
        key = uuid4().hex[:12]
        row = {"id": key, "speaker": speaker, "kind": kind, "need": need, "created": self._clock()}
        self._connection.execute(self._tables.concern.insert().values(**row))
        return key

    def add(self, sighting: Sighting) -> None:
        """One more sighting of the concern that it names."""
        self._connection.execute(self._tables.sighting.insert().values(**sighting.model_dump()))

    def correct(self, sighting: Sighting) -> None:
        """What a newer review says of a sighting that is there; it stays with its concern."""
        table = self._tables.sighting
        values = sighting.model_dump(exclude={"id", "concern"})
        self._connection.execute(table.update().where(table.c.id == sighting.id).values(**values))

    def mark(self, concern: str, said: Said) -> None:
        """One more mark on a concern."""
        self._connection.execute(self._tables.mark.insert().values(concern=concern, **said.model_dump()))

    def take_back(self, concern: str, sighting: str | None) -> None:
        """Removes the last mark of a concern, and a sighting that was there for its mark alone."""
        marks, sightings, concerns = self._tables.mark, self._tables.sighting, self._tables.concern
        own = marks.select().with_only_columns(marks.c.id).where(marks.c.concern == concern)
        last = max(self._connection.scalars(own).all(), default=0)
        self._connection.execute(marks.delete().where(marks.c.id == last))
        if sighting is not None:
            self._connection.execute(sightings.delete().where(sightings.c.id == sighting))
            left = sightings.select().with_only_columns(sightings.c.concern)
            self._connection.execute(concerns.delete().where(concerns.c.id == concern, concerns.c.id.not_in(left)))

    def part(self, concern: str, sightings: Sequence[str]) -> str:
        """A new concern, like the given one, that takes these sightings from it."""
        concerns, table = self._tables.concern, self._tables.sighting
        row = self._connection.execute(concerns.select().where(concerns.c.id == concern)).one()
        key = self.begin(row.speaker, row.kind, row.need)
        self._connection.execute(table.update().where(table.c.id.in_(sightings)).values(concern=key))
        return key

    def keep_apart(self, one: str, other: str) -> None:
        """Remembers that two concerns are two."""
        if frozenset((one, other)) not in self.apart():
            first, second = sorted((one, other))
            self._connection.execute(self._tables.apart.insert().values(one=first, other=second))

    def join(self, kept: str, gone: str) -> None:
        """Gives one concern all that happened to another, which ends."""
        sighting, mark, concern = self._tables.sighting, self._tables.mark, self._tables.concern
        for other in {other for pair in self.apart() if gone in pair for other in pair} - {kept, gone}:
            self.keep_apart(kept, other)
        self._connection.execute(sighting.update().where(sighting.c.concern == gone).values(concern=kept))
        self._connection.execute(mark.update().where(mark.c.concern == gone).values(concern=kept))
        self._connection.execute(concern.delete().where(concern.c.id == gone))

    def withdraw(self, meeting: str, stay: Collection[str]) -> None:
        """Takes back what an earlier review of this meeting said and this one does not, unless the user marked it."""
        sighting, concern = self._tables.sighting, self._tables.concern
        marked = set(self.marks())
        gone = [
            one.id
            for one in self.sightings()
            if one.meeting == meeting and one.id not in stay and one.concern not in marked
        ]
        self._connection.execute(sighting.delete().where(sighting.c.id.in_(gone)))
        left = sighting.select().with_only_columns(sighting.c.concern)
        self._connection.execute(concern.delete().where(concern.c.id.not_in(left)))


def day(moment: float) -> str:
    """The date of a moment in seconds since 1970."""
    from datetime import UTC, datetime

    return datetime.fromtimestamp(moment, UTC).date().isoformat()
