"""Damaged SQLite files: what can still be read of them, row by row, put into a fresh one."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from coach.database import fresh_database, private_file

if TYPE_CHECKING:
    from sqlalchemy import Table

DAMAGED = ".damaged"


def is_damaged(path: Path) -> bool:
    """Whether a SQLite file is there and SQLite finds something wrong in it."""
    if not path.exists():
        return False
    if path.stat().st_size == 0 or _is_short(path):
        return True
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=rw", uri=True)) as database:
            return bool(database.execute("PRAGMA quick_check(1)").fetchone() != ("ok",))
    except sqlite3.DatabaseError:
        return True


def _is_short(path: Path) -> bool:
    """Whether the file ends before its own header says; SQLite itself reads the rest as zeros, and is content.

    While there is a log, pages may still be in there, so nothing is said then. Offsets: sqlite.org/fileformat2.html.
    """
    log = path.with_name(f"{path.name}-wal")
    if log.exists() and log.stat().st_size:
        return False
    with path.open("rb") as file:
        head = file.read(100)
    page = int.from_bytes(head[16:18], "big")
    pages = int.from_bytes(head[28:32], "big") if head[24:28] == head[92:96] else 0
    size, page = path.stat().st_size, 65536 if page == 1 else page
    return page > 0 and (size % page != 0 or size < pages * page)


def rows_left(path: Path, table: str, columns: Sequence[str]) -> list[tuple[object, ...]]:
    """The rows of a table that can be read, from both ends, as a hole may be in the middle; none is there twice."""
    found: dict[int, tuple[object, ...]] = {}
    names = ", ".join(f'"{name}"' for name in columns)
    for order in ("", "DESC"):
        try:
            with closing(sqlite3.connect(f"file:{path}?mode=rw", uri=True)) as database:
                rows: Iterator[tuple[int, ...]] = database.execute(
                    f'SELECT rowid, {names} FROM "{table}" ORDER BY rowid {order}'
                )
                for row in rows:
                    if row[0] in found:
                        break
                    found[row[0]] = row[1:]
        except sqlite3.DatabaseError:
            continue
    return [found[key] for key in sorted(found)]


def salvage(path: Path, tables: Sequence[Table]) -> int:
    """How many rows were carried over into a new file in the place of a damaged one, which is kept as ``NAME.damaged``
    until something is erased. Rows that hang on lost ones are left out."""
    waiting = path.with_name(f"{path.name}.salvaged")
    _remove(waiting)
    fresh_database(waiting, tables)
    carried = 0
    with closing(sqlite3.connect(waiting)) as target:
        for table in tables:
            columns = [column.name for column in table.columns]
            names = ", ".join(f'"{name}"' for name in columns)
            marks = ", ".join("?" * len(columns))
            for row in rows_left(path, table.name, columns):
                try:
                    target.execute(f'INSERT OR IGNORE INTO "{table.name}" ({names}) VALUES ({marks})', row)
                    carried += 1
                except sqlite3.DatabaseError:
                    continue
        while orphans := target.execute("PRAGMA foreign_key_check").fetchall():
            for table_name, rowid, *_ in orphans:
                target.execute(f'DELETE FROM "{table_name}" WHERE rowid = ?', (rowid,))
        target.commit()
        target.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    damaged = path.with_name(path.name + DAMAGED)
    _remove(damaged)
    path.replace(damaged)
    private_file(damaged)
    _remove(path)
    waiting.replace(path)
    return carried


def _remove(path: Path) -> None:
    """Removes a SQLite file with its log."""
    for part in ("", "-wal", "-shm"):
        path.with_name(path.name + part).unlink(missing_ok=True)
