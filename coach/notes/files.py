"""A file of notes as text, whatever its encoding."""

from __future__ import annotations

import re
from pathlib import Path

from coach.errors import InputError
from coach.notes import documents

MOST_BYTES = 10_000_000
"""Larger files are refused: a whole day of talk is less than a tenth of it."""

SUFFIXES = (".txt", ".md", ".vtt", ".srt", ".eml", *documents.SUFFIXES)
"""How files of notes end, for whoever looks through a folder; a named file may end as it likes."""
_HEAD = 20_000
_ENCODED = re.compile(rb"^Content-(?:Type:\s*multipart|Transfer-Encoding:\s*(?:quoted|base64))", re.I | re.M)
_BINARY_STARTS = (
    b"%PDF",
    b"PK\x03\x04",
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"\x1f\x8b",
    b"\x7fELF",
    b"\xd0\xcf\x11\xe0",
    b"ID3",
    b"OggS",
    b"RIFF",
)


def is_note(path: str | Path) -> bool:
    """Whether a file in a folder is taken for notes: by its ending, or as a chat export by the beginning of its JSON.

    Other JSON (the ``users.json`` of an export, settings of an editor), and what can't be read, is no note.
    """
    file = Path(path)
    if file.suffix.lower() != ".json":
        return file.suffix.lower() in SUFFIXES
    from coach.notes.exports import sniff

    try:
        with file.open("rb") as opened:
            return sniff(opened.read(_HEAD).decode("utf-8-sig", errors="ignore")) > 0
    except OSError:
        return False


def read_file(path: str | Path) -> str:
    """The text of a file: UTF-8, UTF-16 or a legacy encoding, without byte order mark; .docx, .pdf by extra ``docs``.

    A chat export (.json of Slack or Teams) is written out as a plain chat.

    Raises :class:`InputError` for what is missing, no file, unreadable, empty, larger than 10 MB or not text.
    """
    file = Path(path)
    try:
        if file.is_dir():
            raise InputError(f"{file} is a folder: name one file of notes.")
        if not file.exists():
            raise InputError(f"{file} does not exist: check the name, or use - to read from standard input.")
        if not file.is_file():
            raise InputError(f"{file} is not a regular file: use - to read from standard input.")
        size = file.stat().st_size
        if size > MOST_BYTES:
            raise InputError(
                f"{file} has {size / 1e6:.0f} MB, the limit is {MOST_BYTES / 1e6:.0f} MB: give notes of one meeting."
            )
        if file.suffix.lower() in documents.SUFFIXES:
            return _checked(documents.convert(file), str(file))
        data = file.read_bytes()
        if file.suffix.lower() == ".eml" and _ENCODED.search(data[:20_000]):
            return _checked(_letter(data), str(file))
    except OSError as error:
        raise InputError(
            f"{file} can't be read ({error.strerror or type(error).__name__}): check the file and its rights."
        ) from None
    text = decode(data, str(file))
    if file.suffix.lower() == ".json":
        from coach.notes.exports import as_chat

        return as_chat(text) or text
    return text


def _letter(data: bytes) -> str:
    """A raw message as people read it: the four headers that matter, then its text without transfer encoding."""
    from email import message_from_bytes, policy

    try:
        message = message_from_bytes(data, policy=policy.default)
        body = message.get_body(preferencelist=("plain",))
        words = body.get_content() if body else ""
        headers = [f"{name}: {message[name]}" for name in ("From", "To", "Cc", "Date", "Subject") if message[name]]
    except Exception as error:  # noqa: BLE001  the parser raises whatever a damaged header makes it stumble over
        raise InputError(
            f"the message can't be read ({type(error).__name__}): copy its text into a .txt file."
        ) from None
    return "\n".join(headers) + "\n\n" + words if words.strip() else ""


def decode(data: bytes, name: str) -> str:
    """The text in some bytes; ``name`` is for messages. Raises :class:`InputError` when they are empty or no text."""
    if not data.strip(b" \t\r\n\x00\xef\xbb\xbf"):
        raise InputError(f"{name} is empty: give it some notes.")
    for mark, encoding in ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16")):
        if data.startswith(mark):
            try:
                return _checked(data.decode(encoding), name)
            except UnicodeDecodeError:
                break
    if data.startswith(_BINARY_STARTS):
        raise InputError(f"{name} is not text: give a .txt, .md, .vtt, .srt, .eml, .docx or .pdf file.")
    try:
        return _checked(data.decode("utf-8"), name)
    except UnicodeDecodeError:
        pass
    from charset_normalizer import from_bytes

    guesses = list(from_bytes(data[:200_000]))
    if not guesses:
        raise InputError(f"{name} is not text in any encoding the coach knows: save it as UTF-8 and try again.")
    # Among guesses that fit equally well, the encoding of Western Windows is by far the most common.
    alike = [guess.encoding for guess in guesses if guess.chaos <= guesses[0].chaos]
    encoding = "cp1252" if "cp1252" in alike else guesses[0].encoding
    return _checked(data.decode(encoding, errors="replace"), name)


def _checked(text: str, name: str) -> str:
    if "\x00" in text:
        raise InputError(f"{name} is not text: give a .txt, .md, .vtt, .srt, .eml, .docx or .pdf file.")
    if not text.strip():
        raise InputError(f"{name} is empty: give it some notes.")
    return text
