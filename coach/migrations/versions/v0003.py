"""Adds what was heard to what was raised: how far it went, the words that took it up, and those that agreed.

Pairs of concerns that the user called two have a table of their own, which is made like any that is missing.
"""

from alembic import op
from sqlalchemy import Column, String, Text, inspect

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """The third format."""
    if "sighting" in inspect(op.get_bind()).get_table_names():
        op.add_column("sighting", Column("stage", String(20)))
        op.add_column("sighting", Column("answer", Text))
        op.add_column("sighting", Column("answerer", String(64)))
        op.add_column("sighting", Column("confirmation", Text))
