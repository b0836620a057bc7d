"""Adds the record of erasures, and a way to find the concerns of one person without reading all.

The first release could also leave empty tables of the library in the file of identities, and the other way round, since
it created whatever the process had declared by then. In SQLite, where the two are separate files, they go.
"""

from alembic import op
from sqlalchemy import Column, Float, Integer, String, inspect

revision = "0002"
down_revision = "0001"

IDENTITIES = ("identity", "identity_key")
LIBRARY = ("mark", "sighting", "concern", "meeting", "library")


def upgrade() -> None:
    """The second format."""
    connection = op.get_bind()
    present = set(inspect(connection).get_table_names())
    if connection.dialect.name == "sqlite":
        for own, strays in ((LIBRARY, IDENTITIES), (IDENTITIES, LIBRARY)):
            if present.issuperset(own) and all(_is_empty(name) for name in strays if name in present):
                for name in strays:
                    if name in present:
                        op.drop_table(name)
                        present.discard(name)
                break
    if "concern" in present:
        op.create_index("ix_concern_speaker", "concern", ["speaker"])
        op.create_table(
            "erasure",
            Column("id", Integer, primary_key=True),
            Column("at", Float, nullable=False),
            Column("what", String(20), nullable=False),
            Column("meetings", Integer, nullable=False),
            Column("lines", Integer, nullable=False),
            Column("mentions", Integer, nullable=False),
            Column("concerns", Integer, nullable=False),
            Column("practices", Integer, nullable=False),
        )


def _is_empty(table: str) -> bool:
    return op.get_bind().exec_driver_sql(f"SELECT 1 FROM {table} LIMIT 1").first() is None
