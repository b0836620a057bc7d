"""What a note format is, and the register of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from coach.registry import Registry
from coach.schema import Conversation


@dataclass(frozen=True)
class NoteFormat:
    """One way in which people write notes.

    ``sniff(text)`` says how much a text looks like it, 0 (not at all) to 1 (certainly); it must be quick and may look
    at the beginning only. ``read(text)`` gives the :class:`Conversation` for any text, also one of another format.
    """

    name: str
    sniff: Callable[[str], float]
    read: Callable[[str], Conversation]


FORMATS: Registry[NoteFormat] = Registry("coach.note_formats", needs=("name", "sniff", "read"))
"""Note formats by name; other packages add theirs under the entry-point group ``coach.note_formats``."""


def note_format(name: str, sniff: Callable[[str], float], read: Callable[[str], Conversation]) -> None:
    """File a format that ships with the coach."""
    FORMATS.register(name)(NoteFormat(name, sniff, read))
