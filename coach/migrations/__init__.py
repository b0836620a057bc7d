"""Steps from one format of the database to the next, run by alembic inside the caller's transaction.

Each step is a file in ``versions/`` whose ``revision`` is the format that it makes. There are no steps back: a library
of a later release is refused by :func:`coach.database.open_database`, which also makes the backup.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Connection

STEPS = Path(__file__).parent


def migrate(connection: Connection, found: int, wanted: int, steps: Path = STEPS) -> None:
    """Brings the database from one format to a later one. The caller commits, or rolls back after any exception.

    ``steps`` is a folder in which ``versions/`` holds alembic revisions named 0001, 0002 and so on.
    """
    from alembic.migration import MigrationContext
    from alembic.operations import Operations
    from alembic.script import ScriptDirectory

    path = ScriptDirectory(str(steps)).iterate_revisions(f"{wanted:04d}", f"{found:04d}")
    with Operations.context(MigrationContext.configure(connection)):
        for step in reversed(list(path)):
            step.module.upgrade()
