"""Practices kept between visits: one encrypted file each under ``home/practices``, readable by its owner only.

A practice holds what the user said with real names, so it is sealed with the key of the identities (AES-256-GCM). After
that key was rotated, older practices stay sealed and are left out.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import ValidationError

from coach.database import private_file, private_folder
from coach.errors import KeyMissingError, LibraryError
from coach.rehearsal.session import Session

if TYPE_CHECKING:
    from coach.identities.keys import Cipher
    from coach.settings import Settings

FOLDER = "practices"
SUFFIX = ".practice"
_ID = re.compile(r"[0-9a-f]{4,32}")


class Practices:
    """The kept practices of one data folder. Nothing is made on disk before the first :meth:`save`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def save(self, session: Session) -> None:
        """Keeps the practice as it is now, in one step: after a crash the file is the old or the new one, whole."""
        cipher = self._cipher(make=True)
        path = private_folder(private_folder(self._settings.home) / FOLDER) / f"{session.id}{SUFFIX}"
        waiting = path.with_suffix(f".{os.getpid()}")
        private_file(waiting)
        try:
            waiting.write_bytes(cipher.encrypt(session.model_dump_json()))
            waiting.replace(path)
        except OSError as error:
            waiting.unlink(missing_ok=True)
            raise LibraryError(
                f"the practice can't be kept ({error.strerror}): check that the disk is not full."
            ) from None

    def load(self, practice: str) -> Session:
        """The practice with that id, or the only one whose id starts like that; raises :class:`LibraryError`."""
        found = [p for p in self._files() if _ID.fullmatch(practice) and p.stem.startswith(practice)]
        if len(found) != 1:
            problem = "is the start of several" if found else "is none of the kept practices"
            raise LibraryError(f"{practice[:40]!r} {problem}: see coach rehearse --list")
        return self._read(found[0])

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

    def delete(self, practice: str) -> None:
        """Erases a practice."""
        session = self.load(practice)
        (self._settings.home / FOLDER / f"{session.id}{SUFFIX}").unlink(missing_ok=True)

    def _files(self) -> list[Path]:
        folder = self._settings.home / FOLDER
        return sorted(folder.glob(f"*{SUFFIX}")) if folder.is_dir() else []

    def _read(self, path: Path) -> Session:
        try:
            return Session.model_validate_json(self._cipher().decrypt(path.read_bytes()))
        except (OSError, ValidationError):
            raise LibraryError(f"the practice {path.stem} can't be read: delete {path.name}, or start anew.") from None

    def _cipher(self, *, make: bool = False) -> Cipher:
        from coach.identities import keys

        found = keys.find_cipher(self._settings)
        if found is None and make:
            found = keys.create_cipher(self._settings)
        if found is None:
            raise KeyMissingError(keys.NO_KEY)
        return found[0]
