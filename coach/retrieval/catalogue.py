"""What a library holds, in memory: its meetings, and where the passages of each are in the BM25 index."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

from coach.errors import InputError
from coach.retrieval.bm25 import Bm25Index, Postings, name_term
from coach.schema import Value

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Entry(Value):
    """A meeting in the library; names are pseudonyms.

    ``lines`` counts utterances (long ones in parts), ``passages`` the windows over them. ``added`` and ``deleted`` are
    seconds since 1970; a deleted meeting can be brought back until its grace period is over. ``new`` is false when
    ``add`` found the same notes there already.
    """

    id: str
    title: str | None = None
    date: str | None = None
    format: str
    attendees: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    lines: int
    passages: int
    added: float
    deleted: float | None = None
    new: bool = False


@dataclass(frozen=True)
class Catalogue:
    """A consistent view of the library at one revision. Rows are passages, in blocks of one meeting each."""

    revision: int
    entries: Mapping[str, Entry]
    blocks: tuple[str, ...]
    starts: NDArray[np.int64]
    block_of: NDArray[np.int32]
    index: Bm25Index

    @classmethod
    def empty(cls) -> Catalogue:
        """A view of nothing, older than any revision."""
        import numpy as np

        return cls(-1, {}, (), np.zeros(1, dtype=np.int64), np.zeros(0, dtype=np.int32), Bm25Index.empty())

    def updated(self, revision: int, entries: Mapping[str, Entry], fresh: Mapping[str, Postings]) -> Catalogue:
        """The view at a later revision: ``entries`` are all meetings there are, ``fresh`` the postings of unknown ones.

        Rows of meetings that are gone stay behind, nameless; the caller starts from :meth:`empty` when they are many.
        """
        import numpy as np

        added = {key: postings for key, postings in fresh.items() if key not in self.block_numbers}
        sizes = [len(postings.lengths) for postings in added.values()]
        return Catalogue(
            revision=revision,
            entries=dict(entries),
            blocks=(*(key if key in entries else "" for key in self.blocks), *added),
            starts=np.append(self.starts, self.starts[-1] + np.cumsum(sizes, dtype=np.int64)),
            block_of=np.concatenate(
                [self.block_of, np.repeat(np.arange(len(self.blocks), len(self.blocks) + len(sizes)), sizes)]
            ).astype(np.int32),
            index=self.index.add(list(added.values())),
        )

    @property
    def dead(self) -> int:
        """Rows of meetings that are gone."""
        return len(self.index) - sum(self.entries[key].passages for key in self.blocks if key in self.entries)

    def id(self, row: int) -> str:
        """The id of the passage in a row."""
        block = int(self.block_of[row])
        return passage_id(self.blocks[block], row - int(self.starts[block]))

    def ids(self, rows: Sequence[int] | NDArray[np.int64]) -> list[str]:
        """The ids of the passages in these rows."""
        return [self.id(int(row)) for row in rows]

    def neighbours(self, row: int) -> tuple[str | None, str | None]:
        """The ids of the passages before and after one, within its meeting."""
        block = int(self.block_of[row])
        return (
            self.id(row - 1) if row > self.starts[block] else None,
            self.id(row + 1) if row + 1 < self.starts[block + 1] else None,
        )

    def newest(self, visible: NDArray[np.bool_] | None, k: int) -> list[int]:
        """The last ``k`` visible rows by date of the meeting, newest meeting first, in order within it."""
        import numpy as np

        shown = np.ones(len(self.index), dtype=bool) if visible is None else visible
        found: list[int] = []
        for key in sorted(self.block_numbers, key=lambda key: (self.entries[key].date or "", self.entries[key].added))[
            ::-1
        ]:
            block = self.block_numbers[key]
            start, end = int(self.starts[block]), int(self.starts[block + 1])
            found += (start + np.flatnonzero(shown[start:end])).tolist()
            if len(found) >= k:
                break
        return found[:k]

    def row(self, key: str) -> int | None:
        """The row of a passage, or ``None`` when this view does not know it."""
        meeting, _, number = key.rpartition("-")
        block = self.block_numbers.get(meeting)
        if block is None or not re.fullmatch(r"[0-9]{4,9}", number):
            return None
        row = int(self.starts[block]) + int(number)
        return row if row < self.starts[block + 1] else None

    def visible(
        self,
        *,
        names: Sequence[str] | None = None,
        since: str | None = None,
        until: str | None = None,
        before: str | None = None,
        meeting: str | None = None,
        without: str | None = None,
        tag: str | None = None,
    ) -> NDArray[np.bool_] | None:
        """Which rows may be shown, or ``None`` for all of them. ``names`` are the pseudonyms of one attendee.

        ``since`` and ``until`` are inclusive and may be just a year or month; ``before`` is exclusive.
        """
        import numpy as np

        asked = (names, since, until, before, meeting, without, tag)
        if not self._hidden and all(part is None for part in asked):
            return None
        wanted = None if tag is None else tag.casefold()
        dated = not (since is None and until is None and before is None)
        chosen = np.array(
            [
                tags is not None
                and (meeting is None or key == meeting)
                and (without is None or key != without)
                and (wanted is None or wanted in tags)
                and (not dated or _within(self.entries[key].date, since, until, before))
                for key, tags in zip(self.blocks, self._tags, strict=True)
            ],
            dtype=bool,
        )
        rows: NDArray[np.bool_] = chosen[self.block_of]
        if names is None:
            return rows
        named = np.zeros(len(self.index), dtype=bool)
        for term in {name_term(name) for name in names} - {None}:
            named[self.index.rows_with(str(term))] = True
        return named & rows

    @cached_property
    def _tags(self) -> list[frozenset[str] | None]:
        """The tags of each block's meeting, casefolded; ``None`` for those that are gone or deleted."""
        found = [self.entries.get(key) for key in self.blocks]
        return [None if e is None or e.deleted is not None else frozenset(t.casefold() for t in e.tags) for e in found]

    @cached_property
    def _hidden(self) -> bool:
        return any(key not in self.entries or self.entries[key].deleted is not None for key in self.blocks)

    @cached_property
    def block_numbers(self) -> dict[str, int]:
        """The number of each meeting's block."""
        return {key: number for number, key in enumerate(self.blocks) if key}


def passage_id(meeting: str, number: int) -> str:
    """The id of a window of a meeting, counted from 0."""
    return f"{meeting}-{number:04d}"


def checked_date(text: str | None, what: str) -> str | None:
    """The date as given; raises :class:`InputError` unless it is a year, a month or a day in ISO form."""
    if text is None:
        return None
    if re.fullmatch(r"[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?", text):
        with suppress(ValueError):
            date.fromisoformat(text + "-01-01"[len(text) - 4 :])
            return text
    raise InputError(f"{what}: not a date. Write it as 2026-05-03, 2026-05 or 2026.")


def _within(date: str | None, since: str | None, until: str | None, before: str | None) -> bool:
    if date is None:
        return since is None and until is None
    return (
        (since is None or date >= since)
        and (until is None or date[: len(until)] <= until)
        and (before is None or date < before)
    )
