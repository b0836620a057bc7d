"""Many notes at once: read by several processes, written by this one, which alone holds the library.

Reading, that is the name model and the review, is nearly all of the work and needs nothing of the library.
Pseudonyms, passages and concerns are written here, one note after the other, in the order in which readers finish.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from coach.errors import InputError
from coach.schema import Review
from coach.workers import spread

if TYPE_CHECKING:
    from coach.anonymise.model import Readings
    from coach.library import Entry
    from coach.wiring import Coach


class Readout(NamedTuple):
    """What reading notes brings: what the name model says, and the review."""

    number: int
    names: Readings
    review: Review


class Refused(NamedTuple):
    """Notes that can't be read, and why."""

    number: int
    reason: str


def keep_all(
    coach: Coach, texts: Iterable[tuple[int, str]], jobs: int, *, format: str | None = None, **about: Any
) -> Iterator[tuple[int, Entry | InputError]]:
    """The number of each text with its entry, or with why it was not kept, as they are done.

    ``about`` is said of every text, as for :meth:`coach.wiring.Coach.keep`. An entry that was given is in the library
    whole, whatever happens next. See :func:`coach.workers.spread` for errors that end it.
    """
    known: dict[int, str] = {}

    def calls() -> Iterator[tuple[int, str, str | None]]:
        for number, text in texts:
            known[number] = text
            yield number, text, format

    for done in spread(read_out, calls(), jobs=jobs, scheduler=coach.settings.dask):
        number, text = done.number, known.pop(done.number)
        if isinstance(done, Refused):
            yield number, InputError(done.reason)
            continue
        try:
            yield number, coach.keep(text, review=done.review, names_read=done.names, format=format, **about)
        except InputError as error:
            yield number, error


def read_out(number: int, text: str, format: str | None) -> Readout | Refused:
    """What the reading of these notes brings; in any process, with nothing but what is installed there."""
    from coach.anonymise.model import read_for_names
    from coach.local_engine import LocalEngine
    from coach.review import review

    try:
        found = review(text, local=LocalEngine(), engine="local", format=format)
        return Readout(number, read_for_names(text), found)
    except InputError as error:
        return Refused(number, str(error))
