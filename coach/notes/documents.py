"""Word and PDF files as text, read by a process of their own that may take only so much time and memory.

The readers (markitdown, over mammoth and pdfminer) are large, and what they are given was made by others: a file of a
few kilobytes can unpack to gigabytes or send them in circles. ``python -m coach.notes.documents FILE`` is that process.
"""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
import zipfile
from pathlib import Path

from coach.errors import InputError

SUFFIXES = (".docx", ".pdf")
MEMORY = 1_000_000_000
"""Bytes that the process may take."""
SECONDS, SECONDS_PER_MB = 10, 5
"""Of processor time, for any file and for each megabyte of it: several times what a long real document takes."""
MOST_UNPACKED = 60_000_000
MOST_XML = 20_000_000
"""Bytes of a .docx when unpacked, in all and of its text; more is refused before anything is unpacked."""
MOST_PARTS = 5_000
MOST_TEXT = 10_000_000
"""Characters read from a document."""


def convert(file: Path) -> str:
    """The text of a .docx or .pdf file. Raises :class:`InputError` for one that is damaged, too large or hostile."""
    from importlib.util import find_spec

    if find_spec("markitdown") is None:
        raise InputError(f"{file.name} needs the extra for documents: pip install 'unheard[docs]'")
    if file.suffix.lower() == ".docx":
        _refuse_bombs(file)
    seconds = SECONDS + SECONDS_PER_MB * file.stat().st_size // 1_000_000
    command = [sys.executable, "-m", "coach.notes.documents", str(file.absolute()), str(seconds)]
    try:
        # Wall time is only for a reader that waits for something; processor time is limited inside.
        done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=10 * seconds)
    except subprocess.TimeoutExpired:
        raise InputError(f"{file} takes too long to read: save it as text and try again.") from None
    if done.returncode < 0:
        raise InputError(f"{file} takes too long or too much memory to read: save it as text and try again.")
    if done.returncode:
        kind = (done.stderr.decode("ascii", "replace").split() or ["error"])[-1]
        raise InputError(f"{file} can't be converted ({kind}): save it as text and try again.")
    return done.stdout.decode("utf-8")


def text_of(path: Path) -> str:
    """The same in this process and without limits; raises whatever the readers raise."""
    from markitdown import StreamInfo
    from markitdown.converters import DocxConverter, PdfConverter

    # These two by name: the library would first load a model to guess what the file is, and read a damaged one as text.
    suffix = path.suffix.lower()
    reader = DocxConverter() if suffix == ".docx" else PdfConverter()
    with path.open("rb") as file:
        text = str(reader.convert(file, StreamInfo(extension=suffix)).markdown)
    lines = "\n".join(line.rstrip() for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", lines)[:MOST_TEXT]


def _refuse_bombs(file: Path) -> None:
    """Return quietly for a .docx of a sensible size by its own list of contents; raise :class:`InputError` if not."""
    try:
        with zipfile.ZipFile(file) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, RuntimeError, EOFError) as error:
        raise InputError(
            f"{file} can't be converted ({type(error).__name__}): save it as text and try again."
        ) from None
    unpacked = sum(part.file_size for part in parts)
    xml = sum(part.file_size for part in parts if part.filename.lower().endswith((".xml", ".rels")))
    if unpacked > MOST_UNPACKED or xml > MOST_XML or len(parts) > MOST_PARTS:
        raise InputError(
            f"{file} unpacks to {unpacked / 1e6:.0f} MB in {len(parts):,} parts, which no notes need: "
            "save it as text and try again."
        )


def _limit(seconds: int) -> None:
    with contextlib.suppress(ImportError):  # no such limits on Windows; there the wall clock ends it
        import resource

        resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))


def _main() -> None:
    path, seconds = Path(sys.argv[1]), int(sys.argv[2])
    _limit(seconds)
    import logging

    logging.disable(logging.CRITICAL)
    out = sys.stdout.buffer
    try:
        with contextlib.redirect_stdout(sys.stderr), contextlib.redirect_stderr(None):
            text = text_of(path)
        out.write(text.encode("utf-8", "replace"))
    except BaseException as error:  # noqa: BLE001  the converters raise whatever their libraries raise
        # Its message may quote the document, so only its kind is told.
        sys.stderr.write(f"\n{type(error).__name__}\n")
        sys.exit(1)


if __name__ == "__main__":
    _main()
