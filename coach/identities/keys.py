"""The key that encrypts names: from ``COACH_KEY``, the keyring of the operating system, or a 0600 file.

AES-256-GCM through :mod:`cryptography`. A key is 32 random bytes, written as URL-safe base64. ``COACH_KEY`` may also
be a passphrase of at least 16 characters, stretched with scrypt (n = 2^15, r = 8, p = 1; RFC 7914).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from functools import lru_cache
from pathlib import Path
from typing import Literal

from coach.database import private_file, private_folder
from coach.errors import ConfigError, KeyMissingError, LibraryError
from coach.settings import Settings

KEY_FILE = "identities.key"
_SERVICE = "unheard"
Source = Literal["COACH_KEY", "keyring", "file"]


class Cipher:
    """Encrypts and decrypts short texts; ``fingerprint`` tells keys apart without revealing them."""

    def __init__(self, key: bytes) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self._aead = AESGCM(key)
        self.fingerprint = hashlib.sha256(b"unheard key fingerprint" + key).hexdigest()[:16]

    def encrypt(self, text: str) -> bytes:
        """Twelve random bytes, then the ciphertext with its tag."""
        nonce = os.urandom(12)
        return nonce + self._aead.encrypt(nonce, text.encode("utf-8", "surrogatepass"), None)

    def decrypt(self, data: bytes) -> str:
        """The text; raises :class:`KeyMissingError` when the key is another one or the data was changed."""
        from cryptography.exceptions import InvalidTag

        try:
            return self._aead.decrypt(data[:12], data[12:], None).decode("utf-8", "surrogatepass")
        except InvalidTag:
            raise KeyMissingError(WRONG_KEY) from None


WRONG_KEY = (
    "the identity key is not the one the names were encrypted with. Nothing is lost: set COACH_KEY to the old key, "
    "or put identities.key back, and try again."
)
NO_KEY = (
    "names are stored here but their key is gone. Nothing is lost: set COACH_KEY, unlock the keyring, or put "
    "identities.key back from a backup, and try again."
)


def new_key() -> str:
    """A fresh random key, as ``COACH_KEY`` takes it."""
    return base64.urlsafe_b64encode(os.urandom(32)).decode()


def find_cipher(settings: Settings) -> tuple[Cipher, Source] | None:
    """The configured cipher and where its key came from; ``None`` when there is no key yet."""
    if settings.key is not None:
        return Cipher(_key_bytes(settings.key.get_secret_value())), "COACH_KEY"
    if stored := _from_keyring(settings):
        return Cipher(_key_bytes(stored)), "keyring"
    path = settings.home / KEY_FILE
    if path.exists():
        private_file(path)
        try:
            return Cipher(_key_bytes(path.read_text(encoding="ascii").strip())), "file"
        except (OSError, UnicodeError, ConfigError):
            raise KeyMissingError(
                f"{path}: can't be read as a key. Put it back from a backup, or set COACH_KEY."
            ) from None
    return None


def create_cipher(settings: Settings) -> tuple[Cipher, Source]:
    """A cipher with a new key, stored in the keyring if there is one, else in a 0600 file."""
    key = new_key()
    source = store_key(settings, key)
    return Cipher(_key_bytes(key)), source


def store_key(settings: Settings, key: str) -> Source:
    """Puts the key where :func:`find_cipher` looks, durably, and says where that is."""
    if settings.key is not None:
        raise ConfigError("COACH_KEY is set: it wins over any stored key. Set COACH_KEY to the new key yourself.")
    if _to_keyring(settings, key):
        return "keyring"
    path = private_folder(settings.home) / KEY_FILE
    write_durably(path, key + "\n")
    return "file"


def write_durably(path: Path, text: str) -> None:
    """Replaces the file in one step, readable by its owner only; after a crash it is the old or the new one, whole.

    Raises :class:`LibraryError` when the disk is full or may not be written to.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        private_file(temporary)
        with temporary.open("w", encoding="ascii") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise LibraryError(f"{path}: {error.strerror}. Nothing changed; make room on the disk and try again.") from None


def cipher_from(key: str) -> Cipher:
    """A cipher from a key or passphrase, as ``COACH_KEY`` takes them."""
    return Cipher(_key_bytes(key))


@lru_cache(maxsize=4)
def _key_bytes(key: str) -> bytes:
    try:
        raw = base64.urlsafe_b64decode(key + "=" * (-len(key) % 4))
        if len(raw) == 32:
            return raw
    except (binascii.Error, ValueError):
        pass
    if len(key) < 16:
        raise ConfigError(
            "COACH_KEY: too short. Use at least 16 characters, or the 44 that `coach doctor --new-key` prints."
        )
    return hashlib.scrypt(key.encode(), salt=b"unheard identities", n=2**15, r=8, p=1, maxmem=2**26, dklen=32)


def _entry(settings: Settings) -> str:
    """One keyring entry for each data folder, so that two libraries never share a key by accident."""
    return hashlib.sha256(str(settings.home.absolute()).encode()).hexdigest()[:16]


def _from_keyring(settings: Settings) -> str | None:
    if not _keyring_wanted():
        return None
    import keyring
    from keyring.errors import KeyringError

    try:
        found: str | None = keyring.get_password(_SERVICE, _entry(settings))
    except (KeyringError, OSError, RuntimeError):
        return None
    return found


def _to_keyring(settings: Settings, key: str) -> bool:
    if not _keyring_wanted():
        return False
    import keyring
    from keyring.errors import KeyringError

    try:
        keyring.set_password(_SERVICE, _entry(settings), key)
        stored: bool = keyring.get_password(_SERVICE, _entry(settings)) == key
    except (KeyringError, OSError, RuntimeError):
        return False
    return stored


def _keyring_wanted() -> bool:
    if os.environ.get("COACH_KEYRING", "").strip().lower() in ("off", "0", "false", "no"):
        return False
    import keyring

    return bool(keyring.get_keyring().priority > 0)
