"""Sealed files beside the ledger, such as practices, when the key changes: each is the old or the new one, whole.

A rotation writes what a file will be next to it, changes the key in the database, then puts the new files in place.
Killed in between, the key in force tells which of the two counts.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from coach.database import private_file, private_folder
from coach.errors import KeyMissingError, LibraryError
from coach.identities.keys import Cipher

FOLDER = "practices"
SUFFIX = ".practice"
WAITING = ".resealed"


@contextlib.contextmanager
def alone(home: Path) -> Iterator[None]:
    """Nobody else changes the key, or sealed files, at the same time; raises :class:`LibraryError` after a minute."""
    from filelock import FileLock, Timeout

    lock = FileLock(private_folder(home) / "identities.lock", timeout=60, mode=0o600)
    try:
        lock.acquire()
    except Timeout:
        raise LibraryError("another process is changing the key of the names: try again when it is done.") from None
    except OSError as error:
        raise LibraryError(f"{home}: {error.strerror}. Set COACH_HOME to a folder you may write to.") from None
    try:
        yield
    finally:
        lock.release()


def write_whole(path: Path, content: bytes) -> None:
    """Replaces a file in one step and durably; after a crash it is the old or the new one, whole."""
    import os

    waiting = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        private_file(waiting)
        with waiting.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        waiting.replace(path)
    except OSError as error:
        waiting.unlink(missing_ok=True)
        raise LibraryError(
            f"{path.name} can't be written ({error.strerror}): check that the disk is not full."
        ) from None


def reseal(home: Path, old: Cipher, new: Cipher) -> None:
    """Writes every sealed file anew beside itself. What the old key does not open stays as it is."""
    for path in (home / FOLDER).glob(f"*{SUFFIX}"):
        with contextlib.suppress(KeyMissingError):
            write_whole(path.with_suffix(WAITING), new.encrypt(old.decrypt(path.read_bytes())))


def settle(home: Path, cipher: Cipher) -> None:
    """Puts the files of a finished rotation in place, and removes those of one that never came to its end."""
    for waiting in (home / FOLDER).glob(f"*{WAITING}"):
        try:
            cipher.decrypt(waiting.read_bytes())
        except KeyMissingError:
            waiting.unlink()
        else:
            waiting.replace(waiting.with_suffix(SUFFIX))
