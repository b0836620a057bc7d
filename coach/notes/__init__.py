"""Text to conversation: what people paste, read as utterances with speaker, time, section and exact offsets."""

from __future__ import annotations

import re

from coach.errors import InputError
from coach.notes import formats as _formats  # noqa: F401  files the formats that ship here
from coach.notes.base import FORMATS, NoteFormat
from coach.notes.files import SUFFIXES, decode, is_note, read_file
from coach.notes.splitting import sentences
from coach.schema import Conversation

__all__ = [
    "FORMATS",
    "LONGEST",
    "SUFFIXES",
    "NoteFormat",
    "decode",
    "detect",
    "is_note",
    "parse",
    "read_file",
    "sentences",
]

LONGEST = 2_000_000
"""Characters; a longer text is refused."""
_HALF = re.compile(r"[\ud800-\udfff]")


def parse(text: str, format: str | None = None) -> Conversation:
    """The conversation in a text: every non-blank character belongs to one utterance, in order.

    ``format`` names one of ``FORMATS``; without it the format is detected by content. Raises :class:`InputError` for
    text that is empty, binary, no valid Unicode or longer than ``LONGEST`` characters, and for an unknown format.
    """
    if not text.strip("\ufeff\u200b \t\r\n") or text.isspace():
        raise InputError("There is nothing to read: paste the notes of a meeting or a draft.")
    if len(text) > LONGEST:
        raise InputError(
            f"The text has {len(text):,} characters, the limit is {LONGEST:,}: give the notes of one meeting."
        )
    if "\x00" in text:
        raise InputError("This is not text: paste notes as plain text, or give a .docx or .pdf file.")
    if _HALF.search(text):
        raise InputError("The text holds half a character, as a broken copy leaves it: copy or save it again as UTF-8.")
    name = format or detect(text)
    if name not in set(FORMATS):
        raise InputError(f"There is no note format {name[:40]!r}: choose from {', '.join(FORMATS)}.")
    try:
        return Conversation.model_validate(FORMATS[name].read(text))
    except Exception as error:
        if name not in FORMATS.plugins:
            raise
        if format is None:
            return FORMATS[_likest(text, without=FORMATS.plugins)].read(text)
        raise InputError(f"The note format {name!r} of a plug-in failed ({type(error).__name__}): report it.") from None


def detect(text: str) -> str:
    """The name of the format that a text looks most like."""
    return _likest(text)


def _likest(text: str, without: frozenset[str] = frozenset()) -> str:
    scores = []
    for rank, (name, known) in enumerate(FORMATS.items()):
        if name in without:
            continue
        try:
            scores.append((float(known.sniff(text)), -rank, name))
        except Exception:  # a plug-in that can't tell leaves the text to the others
            if name not in FORMATS.plugins:
                raise
    return max(scores)[2]
