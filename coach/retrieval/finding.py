"""Finding passages in a store: by words and meaning, like a passage, and what one person said to the same effect."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from coach.errors import LibraryError
from coach.retrieval.names import pseudonymised
from coach.retrieval.passages import SIZE, STEP, lines, read, windows
from coach.retrieval.ranking import Hit, hybrid, nearest
from coach.schema import Conversation, Evidence, Passage

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from coach.identities import Identities
    from coach.retrieval.catalogue import Catalogue
    from coach.retrieval.store import Store

STRICTER = 0.08
"""What a line of an earlier meeting has to be more alike than two concerns, as it may be about the subject alone."""


class Finder:
    """Answers questions to a store as it is now. Questions may hold names as they are; answers hold pseudonyms.

    See :class:`coach.library.Library` for what the methods of the same names promise.
    """

    def __init__(self, store: Store, identities: Identities) -> None:
        self._store = store
        self._identities = identities

    def search(
        self,
        query: str,
        k: int,
        *,
        names: Sequence[str] | None = None,
        since: str | None = None,
        until: str | None = None,
        meeting: str | None = None,
        tag: str | None = None,
    ) -> tuple[Passage, ...]:
        """The ``k`` passages that answer best; ``names`` are the pseudonyms of one attendee, ``meeting`` a whole id."""
        store = self._store
        with store.guard:
            view = store.view()
            visible = view.visible(names=names, since=since, until=until, meeting=meeting, tag=tag)
            if query.strip():
                return self._passages(view, _apart(view, self._ranked(view, query, visible, 3 * k))[:k])
            return self._passages(view, [Hit(row, 0.0, 0.0, 0.0, 0.0) for row in view.newest(visible, k)])

    def similar(self, text: str, k: int, without: str | None) -> tuple[Passage, ...]:
        """The ``k`` passages nearest to a text or a passage. Raises :class:`LibraryError` for an id there is not."""
        store = self._store
        with store.guard:
            view = store.view()
            if view.row(text) is None and re.fullmatch(r"[0-9a-f]{16}-[0-9]{4,9}", text):
                raise LibraryError(f"{text} is no passage here: coach library search shows the ids of passages")
            own = view.row(text)
            vector = self._vector(text) if own is None else store.generation.vectors([text])[text]
            table = store.table if store.table.ready(view, len(vector)) else None
            shown = view.visible(without=without)
            rows, cosines = nearest(view, store.generation, vector, shown, 3 * (k + 1), table)
            pairs = zip(rows.tolist(), cosines.tolist(), strict=True)
            hits = _apart(view, [Hit(row, 0.0, cosine, cosine, cosine) for row, cosine in pairs if row != own], own)
            return self._passages(view, hits[:k])

    def said_before(
        self, text: str, names: Sequence[str], k: int, *, before: str | None, without: str | None
    ) -> tuple[Evidence, ...]:
        """What the person with these pseudonyms said to the same effect, oldest first."""
        store = self._store
        with store.guard:
            view = store.view()
            hits = self._ranked(view, text, view.visible(names=names, before=before, without=without), 12)
            records = store.generation.get([view.id(hit.row) for hit in hits])
            said = dict.fromkeys(
                (record.meeting, line)
                for record in records.values()
                for line in read(record.text, record.speakers)
                if line.speaker in names and len(line.text.split()) > 2
            )
            if not said:
                return ()
            cosines = store.embedder([line.text for _, line in said]) @ self._vector(text)
        best = np.argsort(-cosines, kind="stable")[:k]
        chosen = [
            (view.entries[meeting], line)
            for i in best
            if cosines[i] >= store.embedder.alike + STRICTER
            for meeting, line in [list(said)[i]]
        ]
        return tuple(
            Evidence(meeting=entry.title or entry.id, date=entry.date, quote=line.text, speaker=line.speaker)
            for entry, line in sorted(chosen, key=lambda pair: pair[0].date or "")
        )

    def earlier(self, conversation: Conversation, k: int, *, without: str) -> tuple[Passage, ...]:
        """The ``k`` passages of other meetings that a conversation calls to mind."""
        parts = windows(lines(conversation))
        asked = parts[:: max(1, len(parts) // 10)]
        store, best = self._store, dict[int, Hit]()
        with store.guard:
            view = store.view()
            visible = view.visible(before=conversation.date, without=without)
            for part in asked:
                for hit in self._ranked(view, part.text, visible, 3):
                    if hit.row not in best or best[hit.row].cosine < hit.cosine:
                        best[hit.row] = hit
            return self._passages(view, sorted(best.values(), key=lambda hit: -hit.cosine)[:k])

    def _vector(self, text: str) -> NDArray[np.float32]:
        """The vector of a question. What an embedder elsewhere gets to see has passed the leak check."""
        from coach.anonymise import leak_check

        safe, embedder = pseudonymised(text, self._identities), self._store.embedder
        return embedder.query(leak_check(safe, self._identities, "library") if embedder.remote else safe)

    def _ranked(self, view: Catalogue, text: str, visible: NDArray[np.bool_] | None, k: int) -> Sequence[Hit]:
        safe = pseudonymised(text, self._identities)
        return hybrid(view, self._store.generation, self._store.table, safe, self._vector(text), visible=visible, k=k)

    def _passages(self, view: Catalogue, hits: Sequence[Hit]) -> tuple[Passage, ...]:
        """The hits with their text, and with the lines before and after them."""
        near = {view.id(hit.row): view.neighbours(hit.row) for hit in hits}
        records = self._store.generation.get(
            list(dict.fromkeys([*near, *(key for ids in near.values() for key in ids if key)]))
        )
        identities = self._identities
        found = []
        for hit, (key, (previous, following)) in zip(hits, near.items(), strict=True):
            if key not in records:
                continue
            record = records[key]
            entry = view.entries[record.meeting]
            before = records[previous].text.split("\n")[:STEP] if previous in records else []
            after = records[following].text.split("\n")[SIZE - STEP :] if following in records else []
            found.append(
                Passage(
                    id=key,
                    meeting=entry.id,
                    title=entry.title,
                    date=entry.date,
                    speakers=tuple(dict.fromkeys(identities.canonical(name) for name in record.speakers)),
                    text=record.text,
                    before="\n".join(before),
                    after="\n".join(after),
                    scores={part: round(getattr(hit, part), 4) for part in ("bm25", "dense", "fused", "cosine")},
                )
            )
        return tuple(found)


def _apart(view: Catalogue, hits: Sequence[Hit], own: int | None = None) -> list[Hit]:
    """The hits without those that overlap a better one, or the row ``own``: its surroundings show the same lines."""
    kept: dict[int, Hit] = {}
    for hit in hits:
        near = [row for row in (hit.row - 1, hit.row + 1) if row in kept or row == own]
        if not any(view.block_of[row] == view.block_of[hit.row] for row in near):
            kept[hit.row] = hit
    return list(kept.values())
