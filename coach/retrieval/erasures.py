"""A person taken out of the ledger's tables, and the record that this was done, which does not say who it was."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from coach.database import compact
from coach.retrieval.tables import open_tables, transaction
from coach.schema import Value

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from coach.retrieval.tables import Tables
    from coach.settings import Settings

WORDS = ("quote", "answer", "confirmation")
"""Columns of a sighting that hold words of the notes."""
COUNTED = ("meetings", "lines", "mentions", "concerns", "practices")


class Erasure(Value):
    """That somebody was forgotten: ``at`` in seconds since 1970, and how much went. Nothing says who it was."""

    at: float
    meetings: int
    lines: int
    mentions: int
    concerns: int
    practices: int


class Named(NamedTuple):
    """Where a person is in the ledger: ids of their concerns; sightings of others whose words mention them, or in which
    they gave the answer; and remarks on others that mention them."""

    concerns: frozenset[str]
    quotes: Mapping[str, Mapping[str, str | None]]
    notes: Mapping[int, str]


def find_in_ledger(settings: Settings, pseudonyms: Collection[str], mentions: Callable[[str], bool]) -> Named:
    """What the ledger holds about the person with these pseudonyms."""
    engine, tables = open_tables(settings)
    try:
        with transaction(engine) as connection:
            return _find(connection, tables, pseudonyms, mentions)
    finally:
        engine.dispose()


def forget_in_ledger(
    settings: Settings,
    pseudonyms: Collection[str],
    out_of: Callable[[str], str],
    at: float,
    counts: Mapping[str, int],
) -> None:
    """Removes the concerns of a person with all that hangs on them, and their name out of what others said; writes down
    that somebody was forgotten. All of it happens, or nothing; afterwards no file holds what went."""
    engine, tables = open_tables(settings)
    concern, sighting, mark = tables.concern, tables.sighting, tables.mark
    try:
        with transaction(engine) as connection:
            named = _find(connection, tables, pseudonyms, lambda text: out_of(text) != text)
            connection.execute(concern.delete().where(concern.c.id.in_(named.concerns)))
            for quoted, words in named.quotes.items():
                left = {name: out_of(text) if text else None for name, text in words.items()}
                connection.execute(sighting.update().where(sighting.c.id == quoted).values(**left))
            for noted, text in named.notes.items():
                connection.execute(mark.update().where(mark.c.id == noted).values(note=out_of(text)))
            kept = {name: counts.get(name, 0) for name in COUNTED}
            connection.execute(tables.erasure.insert().values(at=at, what="person", **kept))
        compact(engine)
    finally:
        engine.dispose()


def erasures(settings: Settings) -> tuple[Erasure, ...]:
    """When somebody was forgotten and how much went, the oldest first."""
    engine, tables = open_tables(settings)
    try:
        with transaction(engine) as connection:
            rows = connection.execute(tables.erasure.select().order_by(tables.erasure.c.id)).all()
    finally:
        engine.dispose()
    return tuple(Erasure(at=row.at, **{name: getattr(row, name) for name in COUNTED}) for row in rows)


def _find(
    connection: Connection, tables: Tables, pseudonyms: Collection[str], mentions: Callable[[str], bool]
) -> Named:
    concern = tables.concern
    own = concern.select().with_only_columns(concern.c.id).where(concern.c.speaker.in_(pseudonyms))
    theirs = frozenset(connection.scalars(own))
    said = [row for row in connection.execute(tables.sighting.select()) if row.concern not in theirs]
    noted = [row for row in connection.execute(tables.mark.select()) if row.concern not in theirs]

    def words(row: Any) -> dict[str, str | None]:
        """What has to change in a sighting: words that mention them, and an answer that they gave, which goes."""
        own = row.answerer in pseudonyms
        found = {name: text for name in WORDS if (text := getattr(row, name)) and mentions(text)}
        return {**found, "answer": None, "answerer": None} if own else found

    return Named(
        theirs,
        {row.id: changes for row in said if (changes := words(row))},
        {row.id: row.note for row in noted if row.note and mentions(row.note)},
    )
