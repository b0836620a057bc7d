"""Practices kept between visits: one encrypted file each under ``home/practices``, readable by its owner only.

A practice holds what the user said with real names, so it is sealed with the key of the identities (AES-256-GCM), and
sealed anew when that key is rotated.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from coach.database import private_folder
from coach.errors import LibraryError
from coach.identities import IdentityLedger
from coach.identities.resealing import FOLDER, SUFFIX, WAITING, alone, settle, write_whole
from coach.rehearsal.session import Session

if TYPE_CHECKING:
    from coach.identities.keys import Cipher
    from coach.settings import Settings

_ID = re.compile(r"[0-9a-f]{4,32}")


class Practices:
    """The kept practices of one data folder. Nothing is made on disk before the first :meth:`save`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def save(self, session: Session) -> None:
        """Keeps the practice as it is now, in one step: after a crash the file is the old or the new one, whole."""
        home = private_folder(self._settings.home)
        with alone(home):
            path = private_folder(home / FOLDER) / f"{session.id}{SUFFIX}"
            write_whole(path, self._cipher().encrypt(session.model_dump_json()))

    def load(self, practice: str) -> Session:
        """The practice with that id, or the only one whose id starts like that; raises :class:`LibraryError`."""
        return self._read(self._path(practice))

    def all(self) -> tuple[Session, ...]:
        """Every practice that can be opened, the newest last."""
        sessions = []
        for path in self._files():
            try:
                sessions.append(self._read(path))
            except LibraryError:
                continue
        return tuple(sorted(sessions, key=lambda s: (s.started, s.id)))

    def paused(self) -> tuple[Session, ...]:
        """Those that have not ended, the newest last."""
        return tuple(session for session in self.all() if not session.ended)

    def opened(self) -> dict[str, Session | None]:
        """Every practice by id; ``None`` for one that can't be opened."""
        found: dict[str, Session | None] = {}
        for path in self._files():
            try:
                found[path.stem] = self._read(path)
            except LibraryError:
                found[path.stem] = None
        return found

    def delete(self, practice: str) -> None:
        """Erases a practice, also one that can't be opened."""
        self._path(practice).unlink(missing_ok=True)

    def _path(self, practice: str) -> Path:
        found = [p for p in self._files() if _ID.fullmatch(practice) and p.stem.startswith(practice)]
        if len(found) != 1:
            problem = "is the start of several" if found else "is none of the kept practices"
            raise LibraryError(f"{practice[:40]!r} {problem}: see coach rehearse --list")
        return found[0]

    def _files(self) -> list[Path]:
        folder = self._settings.home / FOLDER
        if not folder.is_dir():
            return []
        if any(folder.glob(f"*{WAITING}")):
            with alone(self._settings.home):
                settle(self._settings.home, self._cipher())
        return sorted(folder.glob(f"*{SUFFIX}"))

    def _read(self, path: Path) -> Session:
        try:
            return Session.model_validate_json(self._cipher().decrypt(path.read_bytes()))
        except (OSError, ValidationError):
            raise LibraryError(f"the practice {path.stem} can't be read: delete {path.name}, or start anew.") from None

    def _cipher(self) -> Cipher:
        # By the ledger, which knows the key in force also after a rotation that was interrupted.
        ledger = IdentityLedger(self._settings)
        try:
            return ledger.cipher()
        finally:
            ledger.close()
