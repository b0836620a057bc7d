"""Note text as data in a prompt: one marked line per utterance between delimiters that nobody can guess.

Whatever stands in the notes, it reaches a model only behind a line mark: every line break of the notes is folded away,
characters that cannot be seen are dropped, and the delimiters hold a random word made for this call, after the notes
were written.
"""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Iterable, Sequence
from string import ascii_lowercase

from coach.schema import Conversation, Passage, Utterance


def new_nonce(*texts: str) -> str:
    """Ten random letters that occur in none of the texts; no digits, which could look like a telephone number."""
    while True:
        nonce = "".join(secrets.choice(ascii_lowercase) for _ in range(10))
        if not any(nonce in text for text in texts):
            return nonce


def fence(kind: str, lines: Iterable[str], nonce: str) -> str:
    """Lines between ``<<<KIND nonce`` and ``KIND nonce>>>``; each must come from :func:`marked`."""
    return "\n".join((f"<<<{kind} {nonce}", *lines, f"{kind} {nonce}>>>"))


def marked(mark: str | int, text: str) -> str:
    """One line: the mark, a bar, and the text with all white space folded and nothing hidden in it."""
    return f"{mark}| {visible(text)}"


def visible(text: str) -> str:
    """The text as a person would see it, on one line: no control, format, private or unassigned characters."""
    if text.isascii():
        return " ".join(_CONTROLS.sub("", text).split())
    shown = "".join(c if c.isspace() or unicodedata.category(c)[0] != "C" else "" for c in text)
    # Variation selectors and fillers are marks or letters by category, yet nothing is seen of them.
    return " ".join(shown.translate(_FILLERS).split())


_CONTROLS = re.compile("[\x00-\x08\x0e-\x1b\x7f]")
_FILLERS = dict.fromkeys(
    (0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0, *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)), None
)


def note_lines(conversation: Conversation, utterances: Sequence[int]) -> tuple[str, ...]:
    """A marked line for each of these utterances (by index) that holds words, numbered from 1 over all the notes."""
    said = ((index, conversation.utterances[index]) for index in utterances)
    return tuple(marked(index + 1, _line(conversation, u)) for index, u in said if u.role not in ("markup", "roster"))


def passage_lines(passages: Sequence[Passage]) -> tuple[str, ...]:
    """A marked line for each line of earlier passages: number and date, then the text."""
    return tuple(
        marked(f"E{number} {passage.date or 'no date'}", line)
        for number, passage in enumerate(passages, 1)
        for line in passage.text.splitlines()
        if line.strip()
    )


def _line(conversation: Conversation, utterance: Utterance) -> str:
    words = conversation.words(utterance)
    if utterance.role == "heading":
        return f"[topic] {words}"
    return f"{utterance.speaker}: {words}" if utterance.speaker else words
