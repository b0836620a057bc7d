"""Six meetings that we wrote, to try the coach on. None of them took place."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files

_INDEX = (
    (
        "planning-tool.txt",
        "The planning tool",
        "A studio, speaker labels. The room goes quiet and that counts as a yes.",
    ),
    (
        "early-deliveries.md",
        "Early deliveries",
        "Bakery shops, terse bullets. Some worries are answered, some are not.",
    ),
    ("night-cover.txt", "Night cover", "A veterinary practice, a transcript with times. One listens, one presses on."),
    ("freezer-move.md", "The freezer move", "A laboratory, formal minutes with indirect speech and a table."),
    (
        "orchestra-tour.eml",
        "The October tour",
        "An ensemble, an e-mail that answers some replies and passes over others.",
    ),
    ("ferry-handover.vtt", "Winter timetable", "A ferry crew, subtitles. A healthy meeting, with nothing to raise."),
)


@dataclass(frozen=True)
class Sample:
    """A meeting to try; ``name`` is its file name, ``text`` the notes."""

    name: str
    title: str
    description: str
    text: str


def samples() -> tuple[Sample, ...]:
    """The samples, the one to show first in front."""
    here = files(__name__)
    return tuple(
        Sample(name, title, description, (here / name).read_text(encoding="utf-8"))
        for name, title, description in _INDEX
    )
