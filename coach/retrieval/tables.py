"""The relational side of the library: which meetings are kept, and what became of the concerns raised in them.

Texts of meetings live in Chroma alone; here are titles, dates, term counts and the quotes of concerns, all with
pseudonyms. Whatever hangs on a meeting goes when its row goes.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from coach.database import declared, metadata, open_database
from coach.errors import LibraryError

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, MetaData, Table

    from coach.settings import Settings

DATABASE_FILE = "library.db"


class Tables(NamedTuple):
    """``library`` has one row: the key that marks ids as ours, and which generation of the index is in force.

    ``meeting.state``: *adding* until all of it is stored, *kept*, *deleted* within the grace period, *erasing*.
    ``meeting.revision`` grows with every change to any meeting, so that others notice what is new. ``apart`` has pairs
    of concerns that the user called two, the smaller id first. ``erasure`` says when a person was forgotten and how
    much went, never who.
    """

    library: Table
    meeting: Table
    concern: Table
    sighting: Table
    mark: Table
    apart: Table
    erasure: Table


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """A connection whose changes are kept together or, after an error, not at all."""
    from sqlalchemy.exc import DBAPIError

    try:
        with engine.begin() as connection:
            yield connection
    except DBAPIError:
        raise LibraryError(
            "the library's database can't be read or written: check that the disk is not full, then try again"
        ) from None


def open_tables(settings: Settings) -> tuple[Engine, Tables]:
    """The database of the library, with its tables."""
    return open_database(settings, DATABASE_FILE, tables), tables(metadata())


def holds_nothing(settings: Settings) -> bool:
    """Whether a library was begun in which no meeting is kept; not so when its database is lost, which is for opening.

    Raises :class:`LibraryError` when the database can't be read.
    """
    engine, known = open_tables(settings)
    try:
        with transaction(engine) as connection:
            begun = connection.execute(known.library.select()).first()
            kept = connection.execute(known.meeting.select().where(known.meeting.c.state == "kept").limit(1)).first()
    finally:
        engine.dispose()
    return begun is not None and kept is None


@declared
def tables(shared: MetaData) -> Tables:
    """The definitions, on the metadata that all modules share."""
    from sqlalchemy import JSON, Column, Float, ForeignKey, Integer, LargeBinary, String, Table, Text

    library = Table(
        "library",
        shared,
        Column("id", Integer, primary_key=True, autoincrement=False),
        Column("key", String(32), nullable=False),
        Column("generation", String(32), nullable=False),
        Column("embedder", String(200), nullable=False),
        Column("vectors", String(200), nullable=False),
        Column("revision", Integer, nullable=False),
    )
    meeting = Table(
        "meeting",
        shared,
        Column("id", String(32), primary_key=True),
        Column("state", String(10), nullable=False),
        Column("revision", Integer, nullable=False),
        Column("title", Text),
        Column("date", String(32)),
        Column("format", String(64), nullable=False),
        Column("attendees", JSON, nullable=False),
        Column("tags", JSON, nullable=False),
        Column("lines", Integer, nullable=False),
        Column("passages", Integer, nullable=False),
        Column("terms", LargeBinary),
        Column("added", Float, nullable=False),
        Column("deleted", Float),
    )
    concern = Table(
        "concern",
        shared,
        Column("id", String(32), primary_key=True),
        Column("speaker", String(64), nullable=False, index=True),
        Column("kind", String(64), nullable=False),
        Column("need", String(64)),
        Column("created", Float, nullable=False),
    )
    sighting = Table(
        "sighting",
        shared,
        Column("id", String(32), primary_key=True),
        Column("concern", ForeignKey("concern.id", ondelete="CASCADE"), nullable=False, index=True),
        Column("meeting", ForeignKey("meeting.id", ondelete="CASCADE"), nullable=False, index=True),
        Column("quote", Text, nullable=False),
        Column("kind", String(64), nullable=False),
        Column("subtype", String(64)),
        Column("need", String(64)),
        Column("confidence", Float, nullable=False),
        Column("source", String(200), nullable=False),
        Column("place", Integer, nullable=False),
        Column("stage", String(20)),
        Column("answer", Text),
        Column("answerer", String(64)),
        Column("confirmation", Text),
    )
    mark = Table(
        "mark",
        shared,
        Column("id", Integer, primary_key=True),
        Column("concern", ForeignKey("concern.id", ondelete="CASCADE"), nullable=False, index=True),
        Column("status", String(20), nullable=False),
        Column("date", String(32), nullable=False),
        Column("at", Float, nullable=False),
        Column("note", Text),
    )
    apart = Table(
        "apart",
        shared,
        Column("one", ForeignKey("concern.id", ondelete="CASCADE"), primary_key=True),
        Column("other", ForeignKey("concern.id", ondelete="CASCADE"), primary_key=True),
    )
    erasure = Table(
        "erasure",
        shared,
        Column("id", Integer, primary_key=True),
        Column("at", Float, nullable=False),
        Column("what", String(20), nullable=False),
        *(Column(n, Integer, nullable=False) for n in ("meetings", "lines", "mentions", "concerns", "practices")),
    )
    return Tables(library, meeting, concern, sighting, mark, apart, erasure)
