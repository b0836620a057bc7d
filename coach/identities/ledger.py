"""The ledger of identities: one encrypted row for each entity, in SQLite or PostgreSQL."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from coach.database import compact, declared, drop_backups, metadata, open_database, private_folder
from coach.errors import ConfigError, InputError, KeyMissingError, LibraryError
from coach.identities import keys
from coach.identities.index import EntityType
from coach.identities.resealing import alone, reseal, settle
from coach.identities.spellings import words_of
from coach.identities.value import Entity, Identities, Register
from coach.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, MetaData, Table

DATABASE_FILE = "identities.db"
SAME_MOMENT = "someone else changed the identities at the same moment. Nothing was saved; try again."


@declared
def tables(shared: MetaData) -> tuple[Table, Table]:
    """The definitions, on the metadata that all modules share: sealed entities, and the key they were sealed with."""
    from sqlalchemy import Column, Integer, LargeBinary, String, Table

    rows = Table(
        "identity",
        shared,
        Column("id", Integer, primary_key=True, autoincrement=False),
        Column("sealed", LargeBinary, nullable=False),
    )
    about = Table(
        "identity_key",
        shared,
        Column("id", Integer, primary_key=True, autoincrement=False),
        Column("fingerprint", String(64), nullable=False),
        Column("version", Integer, nullable=False),
    )
    return rows, about


class _Base(NamedTuple):
    """What is stored, by row, and the version that this was: a change of it holds only while it is still so."""

    documents: dict[int, str]
    version: int


class IdentityLedger:
    """Loads and saves :class:`Identities`; every name is encrypted before it reaches the database.

    The database and the key are opened on first use. When the key is wrong or gone, both methods raise
    :class:`KeyMissingError` and leave everything as it is.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._engine: Engine | None = None
        self._base = _Base({}, 0)

    def load(self) -> Identities:
        """Everyone known so far, with the glossary file of the settings merged in."""
        try:
            identities, self._base = self._read()
        except LibraryError as error:
            if str(error) != SAME_MOMENT:
                raise
            # Another process was the first to use these identities, a moment before: its key is there by now.
            identities, self._base = self._read()
        return identities

    def stamp(self) -> int:
        """A number that differs whenever the stored identities do: cheap to ask for, unlike :meth:`load`."""
        _, about = tables(metadata())
        with self._begin() as connection:
            return connection.scalar(about.select().with_only_columns(about.c.version)) or 0

    def save(self, identities: Identities) -> None:
        """Stores the value in one transaction; only rows that changed since ``load`` or ``save`` are written.

        Raises :class:`LibraryError` when another process saved in between; :meth:`update` then starts over by itself.
        """
        self._base = self._write(identities, self._base)

    def update(self, change: Callable[[Identities], Identities]) -> Identities:
        """Loads, changes and saves; starts over when another process got in between. Returns what was saved."""
        for _ in range(20):
            try:
                # Other threads load and save through this very object, so what this change began with is kept apart.
                known, base = self._read()
                changed = change(known)
                self._base = self._write(changed, base)
            except LibraryError as error:
                if isinstance(error, KeyMissingError) or str(error) != SAME_MOMENT:
                    raise
            else:
                return changed
        raise LibraryError("the identities are too busy to change. Try again in a minute.")

    def rotate(self, new_key: str | None = None) -> None:
        """Encrypts everything, practices included, under a new key in one step.

        The new key is stored where the old one was. Under ``COACH_KEY`` it has to be given, as only you can keep it;
        raises :class:`ConfigError` otherwise. Killed at any moment, everything opens with the old key or the new one.
        """
        rows, about = tables(metadata())
        managed = self._settings.key is None
        if not managed and new_key is None:
            raise ConfigError(
                "COACH_KEY is set, so only you can keep the new key: make one with coach doctor --new-key, "
                "keep it, and give it as COACH_NEW_KEY"
            )
        key = new_key or keys.new_key()
        cipher, home = keys.cipher_from(key), self._settings.home
        with alone(home):
            with self._begin() as connection:
                old = self._cipher(connection, locked=True)
                if managed:
                    private_folder(home)
                    keys.write_durably(self._pending, key + "\n")
                reseal(home, old, cipher)
                for row in connection.execute(rows.select()).all():
                    sealed = cipher.encrypt(old.decrypt(row.sealed))
                    connection.execute(rows.update().where(rows.c.id == row.id).values(sealed=sealed))
                connection.execute(about.update().values(fingerprint=cipher.fingerprint, version=about.c.version + 1))
            if managed:
                keys.store_key(self._settings, key)
                self._pending.unlink(missing_ok=True)
            settle(home, cipher)

    def is_lost(self) -> bool:
        """Whether the ledger is empty although the library beside it is not: then its file was lost, and is not new."""
        known = self.fingerprint()
        self.close()
        return known is None and _has_meetings(self._settings)

    def fingerprint(self) -> str | None:
        """Of the key that everything here was encrypted with; ``None`` when there is nothing yet."""
        _, about = tables(metadata())
        with self._begin() as connection:
            return connection.scalar(about.select().with_only_columns(about.c.fingerprint))

    def opened(self, sealed: Sequence[bytes]) -> list[str]:
        """What the key opens of these rows, from a damaged ledger; raises :class:`KeyMissingError` when the key is gone
        or opens none of them."""
        found = keys.find_cipher(self._settings)
        if found is None and not sealed:
            return []
        if found is None:
            raise KeyMissingError(keys.NO_KEY)
        cipher, plain = found[0], list[str]()
        for row in sealed:
            with contextlib.suppress(KeyMissingError):
                plain.append(cipher.decrypt(row))
        if sealed and not plain:
            raise KeyMissingError(keys.WRONG_KEY)
        return plain

    def recover(self, plain: Sequence[str], pseudonyms: Iterable[str]) -> None:
        """Replaces everything by what :meth:`opened` gave. ``pseudonyms`` are in use in texts: those of people who were
        lost are never given to anybody else."""
        rows, about = tables(metadata())
        found = keys.find_cipher(self._settings)
        cipher = found[0] if found else keys.create_cipher(self._settings)[0]
        heads = [text for text in plain if "reserved" in json.loads(text)]
        entities = [text for text in plain if text not in heads]
        known = _identities([*(heads[:1] or [json.dumps({"exempt": [], "reserved": []})]), *entities])
        lost = sorted(set(pseudonyms) - set(known.owners))
        register = Register(known)
        for pseudonym in lost:
            register.reserve(pseudonym)
        with self._begin() as connection:
            connection.execute(rows.delete())
            connection.execute(about.delete())
            connection.execute(about.insert().values(id=1, fingerprint=cipher.fingerprint, version=1))
            for number, document in enumerate(_documents(register.identities())):
                connection.execute(rows.insert().values(id=number, sealed=cipher.encrypt(document)))

    def cipher(self) -> keys.Cipher:
        """The cipher in force, made when there is none yet, for what is sealed beside the ledger."""
        with self._begin() as connection:
            return self._cipher(connection)

    def erase(self, entities: Sequence[Entity]) -> Identities:
        """Everyone known without these; no file holds even their ciphertext afterwards. Their pseudonyms are not given
        out again, and words exempted for their sake are no longer."""

        def left(known: Identities) -> Identities:
            spellings = Identities(entities=tuple(entities)).index.spellings
            for entity in entities:
                if entity.label in known.owners:
                    known = known.without(entity.label)
            return known.exempting(word for word in known.exempt if words_of(word) not in spellings)

        identities = self.update(left)
        assert self._engine is not None
        drop_backups(self._settings.home)
        compact(self._engine)
        return identities

    def export(self) -> dict[str, Any]:
        """Everything in plain text, as ``coach.identities/1``: for a backup that you keep as safe as the notes."""
        identities = self.load()
        return {"schema": "coach.identities/1", **identities.model_dump(mode="json", exclude={"glossary"})}

    def import_(self, document: dict[str, Any]) -> Identities:
        """Replaces everything by what :meth:`export` wrote, and returns it."""
        from pydantic import ValidationError

        body = {name: value for name, value in document.items() if name != "schema"}
        try:
            identities = Identities.model_validate(body)
        except ValidationError:
            raise InputError("not an export of identities (coach.identities/1). Nothing was changed.") from None
        self.save(identities)
        return self.load()

    def close(self) -> None:
        """Lets go of the database; the next call opens it again."""
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None

    def _read(self) -> tuple[Identities, _Base]:
        rows, about = tables(metadata())
        with self._begin() as connection:
            cipher = self._cipher(connection)
            # The version first: should somebody save just now, it is too old for the rows, and a save on it fails.
            version = connection.scalar(about.select().with_only_columns(about.c.version)) or 0
            sealed = connection.execute(rows.select().order_by(rows.c.id)).all()
        plain = {row.id: cipher.decrypt(row.sealed) for row in sealed}
        identities = _identities(list(plain.values())).with_glossary(read_glossary(self._settings.glossary))
        return identities, _Base(plain, version)

    def _write(self, identities: Identities, base: _Base) -> _Base:
        rows, about = tables(metadata())
        wanted = dict(enumerate(_documents(identities)))
        with self._begin() as connection:
            cipher = self._cipher(connection)
            claimed = connection.execute(
                about.update().where(about.c.version == base.version).values(version=base.version + 1)
            )
            if claimed.rowcount != 1:
                raise LibraryError(SAME_MOMENT)
            for index, document in wanted.items():
                if index not in base.documents:
                    connection.execute(rows.insert().values(id=index, sealed=cipher.encrypt(document)))
                elif base.documents[index] != document:
                    connection.execute(rows.update().where(rows.c.id == index).values(sealed=cipher.encrypt(document)))
            connection.execute(rows.delete().where(rows.c.id >= len(wanted)))
        return _Base(wanted, base.version + 1)

    @contextmanager
    def _begin(self) -> Iterator[Connection]:
        from sqlalchemy.exc import DBAPIError, IntegrityError

        if self._engine is None:
            self._engine = open_database(self._settings, DATABASE_FILE, tables)
        try:
            with self._engine.begin() as connection:
                yield connection
        except IntegrityError:
            raise LibraryError(SAME_MOMENT) from None
        except DBAPIError:
            raise LibraryError(
                "the identities can't be read or written. Nothing changed; check the disk and try again."
            ) from None

    def _cipher(self, connection: Connection, *, locked: bool = False) -> keys.Cipher:
        """The cipher whose key this ledger was written with; a new key only for a ledger that never had one."""
        _, about = tables(metadata())
        expected = connection.scalar(about.select().with_only_columns(about.c.fingerprint))
        if expected is not None and self._settings.key is None:
            self._settle_pending(expected, locked)
        found = keys.find_cipher(self._settings)
        if expected is None and _has_meetings(self._settings):
            raise LibraryError(
                "who is who is empty, but the library is not: put identities.db back from a backup, or run "
                "coach doctor --repair, which keeps the texts with their pseudonyms."
            )
        if expected is None:
            fresh = None if found else keys.new_key()
            cipher = found[0] if found else keys.cipher_from(str(fresh))
            # Of two processes at the same moment one fails here, before it puts its key in the place of the other's.
            connection.execute(about.insert().values(id=1, fingerprint=cipher.fingerprint, version=0))
            if fresh is not None:
                keys.store_key(self._settings, fresh)
            return cipher
        if found is None:
            raise KeyMissingError(keys.NO_KEY)
        if found[0].fingerprint != expected:
            raise KeyMissingError(keys.WRONG_KEY)
        return found[0]

    @property
    def _pending(self) -> Path:
        return self._settings.home / f"{keys.KEY_FILE}.next"

    def _settle_pending(self, expected: str, locked: bool) -> None:
        """After a rotation that was interrupted: the waiting key becomes the key if the ledger was written with it.

        It is thrown away only by who holds the lock, as another process may be about to write the ledger with it.
        """
        try:
            waiting = self._pending.read_text(encoding="ascii").strip()
        except FileNotFoundError:
            return
        if waiting and keys.cipher_from(waiting).fingerprint == expected:
            keys.store_key(self._settings, waiting)
        elif locked:
            self._pending.unlink(missing_ok=True)


def _has_meetings(settings: Settings) -> bool:
    """Whether the library beside an empty ledger holds meetings: then the ledger was lost, and is not new."""
    import sqlite3

    path = settings.home / "library.db"
    if settings.database_url or not path.exists():
        return False
    try:
        with contextlib.closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as database:
            return database.execute("SELECT 1 FROM meeting WHERE state <> 'adding' LIMIT 1").fetchone() is not None
    except sqlite3.DatabaseError:
        return False


def read_glossary(path: Path | None) -> tuple[tuple[str, EntityType], ...]:
    """The terms of a glossary file with their types.

    One term a line; ``customer: Name`` (or company, project, place, person) gives its type, company if none is given.
    Lines that start with ``#`` are comments.
    """
    if path is None:
        return ()
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeError):
        raise InputError(
            f"{path}: the glossary can't be read as UTF-8 text. Correct COACH_GLOSSARY or unset it."
        ) from None
    found: list[tuple[str, EntityType]] = []
    for line in lines:
        kind, colon, rest = line.partition(":")
        known = kind.strip().lower()
        if colon and known in ("company", "customer", "project", "place", "person"):
            term, type_ = rest.strip(), known
        else:
            term, type_ = line.strip(), "company"
        if term and not term.startswith("#"):
            found.append((term, type_))  # type: ignore[arg-type]
    return tuple(found)


def _documents(identities: Identities) -> list[str]:
    """One JSON text for what belongs to nobody, then one for each entity."""
    head = json.dumps({"exempt": identities.exempt, "reserved": identities.reserved}, ensure_ascii=False)
    return [head, *(entity.model_dump_json() for entity in identities.entities)]


def _identities(documents: list[str]) -> Identities:
    if not documents:
        return Identities()
    head = json.loads(documents[0])
    entities = tuple(Entity.model_validate_json(document) for document in documents[1:])
    return Identities(entities=entities, exempt=tuple(head["exempt"]), reserved=tuple(head["reserved"]))
