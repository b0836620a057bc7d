"""What notes say must not steer a terminal: control characters in what is printed show as nothing."""

from __future__ import annotations

import re
from typing import Any, TextIO

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def inert(text: str) -> str:
    """The text without control characters other than line break and tab; a leading carriage return stays."""
    head = "\r" if text.startswith("\r") else ""
    return head + _CONTROLS.sub("", text)


class Inert:
    """A terminal that takes text only, for everything that is printed without styles of our own."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Writes what is left of the text."""
        return self._stream.write(inert(text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def console() -> Any:
    """A rich console for our own styles; what it is given has to be inert."""
    import sys

    from rich.console import Console

    return Console(highlight=False, file=getattr(sys.stdout, "_stream", None))
