"""One relational store for identities, meetings and the ledger of objections: SQLite by default, or PostgreSQL.

Every table of the project hangs on :data:`metadata`; :func:`open_database` creates what is missing. The version of
the schema is kept in the table ``about`` so that a later release knows what it has to migrate.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from coach.errors import ConfigError, LibraryError
from coach.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import Engine, MetaData

SCHEMA_VERSION = 1

Declare = Callable[["MetaData"], Any]


@lru_cache(maxsize=1)
def metadata() -> MetaData:
    """The table definitions that all modules share; declare yours once, in a function that is cached."""
    from sqlalchemy import Column, Integer, MetaData, String, Table

    shared = MetaData()
    Table("about", shared, Column("name", String(64), primary_key=True), Column("value", Integer, nullable=False))
    return shared


def open_database(settings: Settings, file: str, *declarations: Declare) -> Engine:
    """An engine on ``settings.database_url``, or on the SQLite file ``file`` under ``settings.home``.

    ``declarations`` are functions that add a module's tables to :func:`metadata`; missing tables are created. A new
    SQLite file is readable by its owner only, in a folder of which the same holds. SQLite runs in WAL mode, waits up
    to 10 seconds for another writer, and overwrites what it deletes. Raises :class:`LibraryError` when the store
    cannot be opened or was written by a later release, :class:`ConfigError` when the address makes no sense.
    """
    from sqlalchemy import create_engine, event
    from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError

    url = settings.database_url
    path = None if url else private_folder(settings.home) / file
    if path is not None:
        private_file(path)
    try:
        engine = create_engine(_with_driver(url) if url else f"sqlite:///{path}", hide_parameters=True)
    except (ArgumentError, NoSuchModuleError, ImportError):
        raise ConfigError(
            "COACH_DATABASE_URL: not a usable database address. "
            "Write postgresql://USER@HOST/NAME and install unheard[postgres]."
        ) from None
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _tune_sqlite)
    for declare in declarations:
        declare(metadata())
    try:
        metadata().create_all(engine, checkfirst=True)
        _check_version(engine)
    except DBAPIError:
        engine.dispose()
        raise LibraryError(
            "the database can't be opened. Check that it runs, is not full or damaged, and that you may write to it."
        ) from None
    return engine


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


def _check_version(engine: Engine) -> None:
    from sqlalchemy import select

    about = metadata().tables["about"]
    with engine.begin() as connection:
        found = connection.scalar(select(about.c.value).where(about.c.name == "schema"))
        if found is None:
            connection.execute(about.insert().values(name="schema", value=SCHEMA_VERSION))
    if found is not None and found > SCHEMA_VERSION:
        engine.dispose()
        raise LibraryError(
            f"the database has format {found}, this release reads up to {SCHEMA_VERSION}. Upgrade unheard."
        )
