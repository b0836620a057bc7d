"""One relational store for identities, meetings and the ledger of objections: SQLite by default, or PostgreSQL.

Every table of the project hangs on :data:`metadata`; :func:`open_database` creates what is missing. The format is kept
in the table ``about``: an older one is brought up to date (:mod:`coach.migrations`), a later one is refused.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from functools import lru_cache, wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from coach.errors import ConfigError, LibraryError
from coach.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, MetaData, Table

SCHEMA_VERSION = 3
"""The format that this release reads and writes."""

Declare = Callable[["MetaData"], "Sequence[Table]"]


_DECLARING = threading.RLock()

P = ParamSpec("P")
T = TypeVar("T")


def declared(function: Callable[P, T]) -> Callable[P, T]:
    """A decorator for what declares tables: it runs once, however many threads are the first to ask."""
    cached = lru_cache(maxsize=1)(function)

    @wraps(function)
    def once(*args: P.args, **kwargs: P.kwargs) -> T:
        with _DECLARING:
            return cached(*args, **kwargs)  # type: ignore[arg-type]

    return once


@declared
def metadata() -> MetaData:
    """The table definitions that all modules share; declare yours in a :func:`declared` function."""
    from sqlalchemy import Column, Integer, MetaData, String, Table

    shared = MetaData()
    Table("about", shared, Column("name", String(64), primary_key=True), Column("value", Integer, nullable=False))
    return shared


def open_database(settings: Settings, file: str, *declarations: Declare) -> Engine:
    """An engine on ``settings.database_url``, or on the SQLite file ``file`` under ``settings.home``.

    ``declarations`` are functions that add a module's tables to :func:`metadata` and give them back; missing ones are
    created. A database of an older format is migrated, in one transaction and after a backup beside it. A new SQLite
    file is readable by its owner only, in a folder of which the same holds. SQLite runs in WAL mode, waits up to 10
    seconds for another writer, and overwrites what it deletes. Raises :class:`LibraryError` when the store cannot be
    opened or was written by a later release, :class:`ConfigError` when the address makes no sense.
    """
    from sqlalchemy.exc import DBAPIError

    path = None if settings.database_url else private_folder(settings.home) / file
    engine = _engine(settings, path)
    try:
        _prepare(engine, [table for declare in declarations for table in declare(metadata())], path)
    except DBAPIError:
        engine.dispose()
        raise LibraryError(
            "the database can't be opened. Check that it runs and that you may write to it; if the disk was full or "
            "the file is damaged, run coach doctor --repair."
        ) from None
    except BaseException:
        engine.dispose()
        raise
    return engine


def compact(engine: Engine) -> None:
    """Leaves no deleted byte in the pages or the log of the database, if it is SQLite."""
    from sqlalchemy.exc import DBAPIError

    if engine.dialect.name != "sqlite":
        return
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("VACUUM")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    except DBAPIError:
        raise LibraryError(
            "what was erased is hidden, but its bytes could not be overwritten: make room on the disk, close other "
            "programs that use the library, and run coach doctor --repair."
        ) from None


def _engine(settings: Settings, path: Path | None) -> Engine:
    from sqlalchemy import create_engine, event
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError

    if path is not None:
        private_file(path)
    try:
        if settings.database_url is None:
            engine = create_engine(f"sqlite:///{path}", hide_parameters=True)
        else:
            engine = _shared_engine(_with_driver(settings.database_url))
    except (ArgumentError, NoSuchModuleError, ImportError):
        raise ConfigError(
            "COACH_DATABASE_URL: not a usable database address. "
            "Write postgresql://USER@HOST/NAME and install unheard[postgres]."
        ) from None
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _tune_sqlite)
    if settings.database_schema:
        if engine.dialect.name != "postgresql":
            raise ConfigError("COACH_DATABASE_SCHEMA is for PostgreSQL: set COACH_DATABASE_URL to one, or unset it.")
        schema = settings.database_schema.replace('"', "")
        # One pool for all schemas: PostgreSQL allows a hundred connections, and a page has more users than that.
        engine = engine.execution_options(coach_schema=schema)
        event.listen(
            engine, "begin", lambda connection: connection.exec_driver_sql(f'SET LOCAL search_path TO "{schema}"')
        )
    return engine


@lru_cache(maxsize=4)
def _shared_engine(url: str) -> Engine:
    """One pool of connections for each server: libraries of many users in one process share it."""
    from sqlalchemy import create_engine

    return create_engine(url, hide_parameters=True, **({} if url.startswith("sqlite") else {"pool_pre_ping": True}))


def drop_backups(home: Path) -> None:
    """Removes the copies that migrations and repairs made: they hold what is about to be erased."""
    for path in (*home.glob(f"*.db{_BACKUP}*"), *home.glob("*.db.damaged")):
        path.unlink(missing_ok=True)


def fresh_database(path: Path, tables: Sequence[Table]) -> None:
    """Makes a new SQLite file with these tables, of the format of this release."""
    from sqlalchemy import create_engine

    private_file(path)
    engine = create_engine(f"sqlite:///{path}")
    about = metadata().tables["about"]
    with engine.begin() as connection:
        metadata().create_all(connection, tables=[about, *tables])
        connection.execute(about.insert().values(name="schema", value=SCHEMA_VERSION))
    engine.dispose()


def private_folder(folder: Path) -> Path:
    """The folder, created if missing, with access for its owner only (0700)."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if folder.stat().st_mode & 0o077:
            folder.chmod(0o700)
    except OSError as error:
        raise LibraryError(f"{folder}: {error.strerror}. Set COACH_HOME to a folder you may write to.") from None
    return folder


def private_file(path: Path) -> None:
    """Creates the file if missing and takes away access from everyone but its owner (0600)."""
    try:
        os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
    except OSError as error:
        raise LibraryError(f"{path}: {error.strerror}. Check who owns the file and whether the disk is full.") from None


def _with_driver(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    return f"postgresql+psycopg{separator}{rest}" if scheme in ("postgres", "postgresql") else url


def _tune_sqlite(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "busy_timeout=10000",
        "secure_delete=ON",
        "trusted_schema=OFF",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _prepare(engine: Engine, own: Sequence[Table], path: Path | None) -> None:
    """Makes what is missing and migrates what is old, both at once or, after an error, neither."""
    from sqlalchemy import inspect
    from sqlalchemy.exc import SQLAlchemyError

    from coach.migrations import migrate

    about = metadata().tables["about"]
    schema = engine.get_execution_options().get("coach_schema")
    with engine.begin() as connection:
        present = set(inspect(connection).get_table_names())
        found = _format(connection, present)
    if found == SCHEMA_VERSION and present.issuperset(table.name for table in own):
        return
    with _alone(engine) as connection:
        if schema:
            connection.exec_driver_sql(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
        # Another process may have been quicker.
        present = set(inspect(connection).get_table_names())
        found = _format(connection, present)
        if found > SCHEMA_VERSION:
            raise LibraryError(_too_new(found, path))
        if 0 < found < SCHEMA_VERSION:
            if path is not None:
                _back_up(path, found)
            try:
                migrate(connection, found, SCHEMA_VERSION)
            except SQLAlchemyError as error:
                raise LibraryError(
                    f"the database could not be brought from format {found} to {SCHEMA_VERSION} "
                    f"({type(error).__name__}) and was left as it was: check the disk, or use the release before."
                ) from None
        metadata().create_all(connection, tables=[about, *own], checkfirst=True)
        connection.execute(about.delete().where(about.c.name == "schema"))
        connection.execute(about.insert().values(name="schema", value=SCHEMA_VERSION))


def _format(connection: Connection, present: set[str]) -> int:
    """The format of a database: 0 for an empty one, 1 for tables of the first release that never got to say so."""
    about = metadata().tables["about"]
    if "about" not in present:
        return 1 if "meeting" in present or "identity" in present else 0
    found = connection.scalar(about.select().with_only_columns(about.c.value).where(about.c.name == "schema"))
    return found if found is not None else int(len(present) > 1)


@contextmanager
def _alone(engine: Engine) -> Iterator[Connection]:
    """A transaction that no other process can be in at the same time, schema changes included."""
    if engine.dialect.name != "sqlite":
        with engine.begin() as connection:
            if engine.dialect.name == "postgresql":
                connection.exec_driver_sql("SELECT pg_advisory_xact_lock(85726503)")
            yield connection
        return
    # Python's driver begins a transaction for rows only, not for tables.
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        try:
            yield connection
        except BaseException:
            connection.exec_driver_sql("ROLLBACK")
            raise
        connection.exec_driver_sql("COMMIT")


_BACKUP = ".format-"


def _back_up(path: Path, found: int) -> None:
    """Copies a SQLite file, its log included, to ``NAME.format-N`` beside it, whole or not at all."""
    import sqlite3

    backup = path.with_name(f"{path.name}{_BACKUP}{found}")
    waiting = backup.with_name(f"{backup.name}.part")
    try:
        private_file(waiting)
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(waiting)) as target:
            source.backup(target)
        waiting.replace(backup)
    except (OSError, sqlite3.Error, LibraryError):
        waiting.unlink(missing_ok=True)
        raise LibraryError(
            f"{path.name} has to be brought to a new format, and the backup before that failed: nothing was changed. "
            "Make room on the disk and try again."
        ) from None


def _too_new(found: int, path: Path | None) -> str:
    message = (
        f"the database was written by a later release (format {found}; this one reads up to {SCHEMA_VERSION}): "
        "upgrade unheard"
    )
    backup = path.with_name(f"{path.name}{_BACKUP}{SCHEMA_VERSION}") if path else None
    if backup is not None and backup.exists():
        message += f", or put {backup.name} in place of {backup.name.partition(_BACKUP)[0]}: it lacks what came since"
    return message + "."
