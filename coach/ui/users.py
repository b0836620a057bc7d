"""Who may sign in: a file with a name and a salted hash on each line.

``python -m coach.ui.users FILE NAME`` adds a user, or changes the password.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import secrets
import sys
import time
from collections.abc import Callable
from pathlib import Path
from threading import BoundedSemaphore, Lock

from coach.errors import ConfigError, InputError

# The interactive parameters of RFC 7914, doubled twice since; about 60 ms and 32 MB for each attempt.
_N, _R, _P = 2**15, 8, 1
FREE_ATTEMPTS = 5
LONGEST_WAIT = 300.0


class Users:
    """Checks names and passwords. After five wrong ones a name has to wait: 1 s, 2 s, 4 s ... up to five minutes.

    Raises :class:`ConfigError` when the file is missing, empty, readable by others or malformed.
    """

    def __init__(self, path: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._hashes = _read(path)
        self._clock = clock
        self._failed: dict[str, tuple[int, float]] = {}
        self._lock = Lock()
        # Each check takes 32 MB; a crowd of guesses waits in line instead of taking all memory.
        self._few = BoundedSemaphore(4)
        # Somebody unknown costs as much time as somebody known.
        self._nobody = hashed(secrets.token_hex(16))

    def allow(self, name: str, password: str) -> bool:
        """Whether this is the user's password."""
        with self._lock:
            count, last = self._failed.get(name, (0, 0.0))
            wait = min(2.0 ** (count - FREE_ATTEMPTS), LONGEST_WAIT) if count >= FREE_ATTEMPTS else 0.0
            if self._clock() - last < wait:
                return False
            # Names that nobody has are not remembered without end; those of users are.
            if len(self._failed) > 10_000:
                self._failed = {known: tries for known, tries in self._failed.items() if known in self._hashes}
            # Counted before it is checked, so that many guesses at one moment are not all the sixth.
            self._failed[name] = (count + 1, self._clock())
        with self._few:
            right = matches(password, self._hashes.get(name, self._nobody)) and name in self._hashes
        if right:
            with self._lock:
                self._failed.pop(name, None)
        return right


def hashed(password: str) -> str:
    """``scrypt$salt$hash``, in hexadecimal."""
    salt = os.urandom(16)
    return f"scrypt${salt.hex()}${_scrypt(password, salt).hex()}"


def matches(password: str, stored: str) -> bool:
    """Whether a password is the one that was hashed; takes the same time either way."""
    _, salt, digest = stored.split("$")
    return hmac.compare_digest(_scrypt(password, bytes.fromhex(salt)), bytes.fromhex(digest))


def add_user(path: Path, name: str, password: str) -> None:
    """Adds a user or changes the password; the file is made for you alone. Raises :class:`InputError`."""
    if not re.fullmatch(r"[\w.@-]{1,64}", name) or name in (".", ".."):
        raise InputError("a user name has letters, digits, '.', '_', '-' or '@', up to 64 of them")
    if len(password) < 10:
        raise InputError("a password needs at least ten characters")
    users = _read(path) if path.exists() else {}
    users[name] = hashed(password)
    new = path.with_name(path.name + ".new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.writelines(f"{user}:{stored}\n" for user, stored in users.items())
    new.replace(path)


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=_N, r=_R, p=_P, maxmem=64 * 2**20)


def _read(path: Path) -> dict[str, str]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        mode = path.stat().st_mode
    except (OSError, UnicodeDecodeError):
        raise ConfigError(f"{path} can't be read: make it with python -m coach.ui.users {path} NAME") from None
    if os.name == "posix" and mode & 0o077:
        raise ConfigError(f"{path} can be read by others: chmod 600 {path}")
    users = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        found = re.fullmatch(r"([\w.@-]{1,64}):(scrypt\$[0-9a-f]{32}\$[0-9a-f]{128})", line.strip())
        if not found:
            raise ConfigError(f"{path}, line {number}: expected name:scrypt$salt$hash")
        users[found[1]] = found[2]
    if not users:
        raise ConfigError(f"{path} names nobody: add someone with python -m coach.ui.users {path} NAME")
    return users


def _main() -> None:
    from getpass import getpass

    if len(sys.argv) != 3:
        sys.exit("usage: python -m coach.ui.users FILE NAME")
    try:
        add_user(
            Path(sys.argv[1]),
            sys.argv[2],
            getpass("Password: ") if sys.stdin.isatty() else sys.stdin.readline().strip(),
        )
    except (ConfigError, InputError) as error:
        sys.exit(f"coach: {error}")


if __name__ == "__main__":
    _main()
