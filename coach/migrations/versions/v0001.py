"""The first format: identities, meetings, concerns. Nothing to do, it is where the first release began."""

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Nothing came before."""
