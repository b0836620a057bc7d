"""How it stands with the key of the names, for ``coach doctor``; nothing is opened for writing, made or changed."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from coach.errors import CoachError
from coach.identities import keys

if TYPE_CHECKING:
    from pathlib import Path

    from coach.settings import Settings

DATABASE_FILE, PENDING = "identities.db", f"{keys.KEY_FILE}.next"


def about_key(settings: Settings) -> str:
    """One line: where the key is and that it fits, or what is wrong with it and what to do. Never the key."""
    path = settings.home / keys.KEY_FILE
    mode = path.stat().st_mode & 0o777 if path.exists() else 0o600  # Looking for the key takes others' rights away.
    try:
        expected = _fingerprint(settings)
        waiting = _waiting(settings.home / PENDING)
        found = keys.find_cipher(settings)
    except CoachError as error:
        return str(error)
    where = {"COACH_KEY": "COACH_KEY", "keyring": "the keyring of this system", "file": str(path)}
    if expected and waiting == expected and not (found and found[0].fingerprint == expected):
        return "a change of the key was interrupted: the next command that needs names finishes it"
    if found is None:
        return keys.NO_KEY if expected else "none yet: it is made with the first name that is remembered"
    if expected and found[0].fingerprint != expected:
        return f"{where[found[1]]}: {keys.WRONG_KEY}"
    if found[1] == "file" and mode & 0o077:
        return (
            f"{path} was readable by others (mode {mode:o}), and is not any more: if somebody may have read it, run "
            "coach library rotate-key"
        )
    return where[found[1]] + ("" if expected else ", not used yet")


def _fingerprint(settings: Settings) -> str | None:
    """Of the key that the stored names were encrypted with; ``None`` when none are stored."""
    if settings.database_url:
        from coach.identities.ledger import IdentityLedger

        ledger = IdentityLedger(settings)
        try:
            return ledger.fingerprint()
        finally:
            ledger.close()
    path = settings.home / DATABASE_FILE
    if not path.exists():
        return None
    try:
        with closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as database:
            row = database.execute("SELECT fingerprint FROM identity_key").fetchone()
    except sqlite3.Error:
        return None  # Damage has a line of its own.
    return str(row[0]) if row else None


def _waiting(path: Path) -> str | None:
    """The fingerprint of a key that was about to be the next one."""
    try:
        return keys.cipher_from(path.read_text(encoding="ascii").strip()).fingerprint
    except (OSError, UnicodeError, CoachError):
        return None
