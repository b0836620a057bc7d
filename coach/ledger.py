"""The ledger: every objection and need, followed from meeting to meeting until the one who raised it has been heard.

It stores facts only: who raised what in which meeting, and what the user said about it since. Where a concern stands is
worked out from them by :func:`coach.concerns.follow`, so that meetings may arrive in any order. Quotes and names are
pseudonyms. Facts hang on meetings of the library: erase a meeting, and what was raised there alone is gone, too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import cached_property
from typing import TYPE_CHECKING, get_args
from uuid import uuid4

from coach.concerns import (
    CLOSED,
    RIGHT,
    Concern,
    Facts,
    Feedback,
    Mark,
    Meeting,
    Said,
    Sighting,
    follow,
    is_followed,
)
from coach.errors import InputError, LibraryError
from coach.schema import Finding, Review

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

    from coach.identities import Identities, IdentityLedger
    from coach.retrieval.embedders import Embedder
    from coach.retrieval.tables import Tables
    from coach.settings import Settings

__all__ = ["Ledger"]


class Ledger:
    """The ledger of the library under ``settings``. Names may be given as they are; answers hold pseudonyms.

    ``embedder`` decides what the same concern in other words is; the default is that of the settings.
    """

    def __init__(
        self,
        settings: Settings,
        identities: IdentityLedger | None = None,
        embedder: Embedder | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        from coach.identities import IdentityLedger

        self._settings = settings
        self._identities = identities or IdentityLedger(settings)
        self._given = embedder
        self._clock = clock

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def record(self, review: Review, meeting: str) -> tuple[Concern, ...]:
        """The concerns that this review adds to; ``meeting`` is the id of its notes in the library.

        A finding joins an earlier concern of the same speaker that means the same, or else starts one. Recording a
        meeting again replaces what it said before, except where the user has marked a concern since. Raises
        :class:`LibraryError` when the notes are not in the library.
        """
        identities = self._identities.load()
        found: dict[str, tuple[str, Finding, str]] = {}
        for finding in review.findings:
            if finding.tier == "finding":
                speaker, quote = self._said(finding, identities)
                if is_followed(finding.kind, speaker):
                    found[_sighting_id(meeting, finding.kind, quote)] = (speaker, finding, quote)
        with self._begin() as connection:
            self._wait(connection)
            self._require(connection, meeting)
            self._withdraw(connection, meeting, set(found))
            for key, (speaker_, finding, quote) in found.items():
                known = self._sightings(connection)
                if key not in {one.id for one in known}:
                    concern = self._same(connection, known, speaker_, quote, identities)
                    self._insert(connection, key, concern, meeting, speaker_, finding, quote)
            touched = dict.fromkeys(one.concern for one in self._sightings(connection) if one.id in found)
        return tuple(concern for concern in self.all() if concern.id in touched)

    def open(self, attendee: str | None = None) -> tuple[Concern, ...]:
        """What is not yet heard, of everybody or of one person; the most often raised first, then the latest."""
        waiting = [concern for concern in self.all(attendee) if concern.open]
        return tuple(sorted(waiting, key=lambda c: (c.times, c.steps[-1].date or ""), reverse=True))

    def all(self, attendee: str | None = None) -> tuple[Concern, ...]:
        """Every concern with its history, in the order in which they were first raised."""
        from coach.retrieval.names import pseudonyms

        identities = self._identities.load()
        names = pseudonyms(attendee, identities) if attendee else None
        with self._begin() as connection:
            meetings = self._meetings(connection)
            marks = self._marks(connection)
            kept = {meeting.id for meeting in meetings}
            sightings = [one for one in self._sightings(connection) if one.meeting in kept]
            rows = connection.execute(self._tables.concern.select()).all()
        found = []
        for row in rows:
            own = [one for one in sightings if one.concern == row.id]
            speaker = identities.canonical(row.speaker)
            if not own or not is_followed(row.kind, row.speaker) or (names is not None and speaker not in names):
                continue
            steps = follow(speaker, own, marks.get(row.id, []), meetings)
            quotes = [step.quote for step in steps if step.quote]
            found.append(
                Concern(
                    id=row.id,
                    speaker=speaker,
                    kind=row.kind,
                    need=row.need,
                    status=steps[-1].status,
                    open=steps[-1].status not in CLOSED,
                    times=len({one.meeting for one in own}),
                    quote=quotes[-1],
                    steps=steps,
                )
            )
        return tuple(sorted(found, key=lambda c: next(s.date for s in c.steps if s.sighting) or ""))

    def history(self, concern: str) -> Concern:
        """The concern with that id, or the only one whose id starts like that; :class:`LibraryError` otherwise."""
        found = [one for one in self.all() if one.id == concern or (len(concern) >= 4 and one.id.startswith(concern))]
        if len(found) == 1:
            return found[0]
        problem = "is the start of several ids: give more of it" if found else "is no concern here: see coach ledger"
        raise LibraryError(f"{concern[:40]!r} {problem}")

    def mark(self, concern: str, status: Mark, *, note: str | None = None, date: str | None = None) -> Concern:
        """The concern after the user said how far it came (*acknowledged*, *explored*, *confirmed*, *integrated*), that
        it is settled (*handled*) or none (*not_an_objection*), or that it is open again (*reopened*). ``date`` is today
        unless given."""
        from coach.anonymise import leak_check
        from coach.retrieval.catalogue import checked_date
        from coach.retrieval.names import pseudonymised

        if status not in get_args(Mark):
            raise InputError(f"no such mark: choose from {', '.join(get_args(Mark))}")
        key, identities = self.history(concern).id, self._identities.load()
        safe = leak_check(pseudonymised(note, identities), identities, "ledger") if note else None
        day = checked_date(date, "date") or _day(self._clock())
        with self._begin() as connection:
            connection.execute(
                self._tables.mark.insert().values(concern=key, status=status, date=day, at=self._clock(), note=safe)
            )
        return self.history(key)

    def merge(self, one: str, other: str) -> Concern:
        """The first concern with all that happened to the second: they are the same thing in other words."""
        kept, gone = self.history(one), self.history(other)
        if kept.id == gone.id:
            return kept
        if kept.speaker != gone.speaker:
            raise InputError("these concerns are of two people: each has to be heard, so they stay apart")
        sighting, mark, concern = self._tables.sighting, self._tables.mark, self._tables.concern
        with self._begin() as connection:
            connection.execute(sighting.update().where(sighting.c.concern == gone.id).values(concern=kept.id))
            connection.execute(mark.update().where(mark.c.concern == gone.id).values(concern=kept.id))
            connection.execute(concern.delete().where(concern.c.id == gone.id))
        return self.history(kept.id)

    def split(self, concern: str, *sightings: str) -> Concern:
        """A new concern made of these sightings (ids from the steps of a history): they are another thing after all."""
        source = self.history(concern)
        own = {step.sighting for step in source.steps if step.sighting}
        if not sightings or not own.issuperset(sightings) or own == set(sightings):
            raise InputError("nothing to split: name some, but not all, of the sightings in the concern's history")
        with self._begin() as connection:
            key = self._part(connection, source.id, sightings)
        return self.history(key)

    def judge(self, finding: Finding, meeting: str, mark: Mark | None) -> Concern | None:
        """The concern of a finding in kept notes after the user marked it, as for :meth:`mark`; None takes the last
        mark back.

        Any finding can be marked, also one that is not followed: of categorical phrasing, or of nobody in particular.
        That has no concern, so None comes back, and the mark is there for :meth:`feedback`. A finding that is wrong
        leaves the concern it had joined, which stays as it was. Raises :class:`LibraryError` when the notes are not in
        the library.
        """
        identities = self._identities.load()
        speaker, quote = self._said(finding, identities)
        key = _sighting_id(meeting, finding.kind, quote)
        with self._begin() as connection:
            self._wait(connection)
            self._require(connection, meeting)
            known = {one.id: one for one in self._sightings(connection)}
            if key in known:
                concern = known[key].concern
                if mark == "not_an_objection" and sum(one.concern == concern for one in known.values()) > 1:
                    concern = self._part(connection, concern, [key])
            elif mark is None:
                return None
            else:
                joins = mark != "not_an_objection" and is_followed(finding.kind, speaker)
                same = self._same(connection, list(known.values()), speaker, quote, identities) if joins else None
                concern = self._insert(connection, key, same, meeting, speaker, finding, quote)
            if mark is None:
                recorded = finding.tier == "finding" and is_followed(finding.kind, speaker)
                self._take_back(connection, concern, None if recorded else key)
            else:
                day = _day(self._clock())
                connection.execute(
                    self._tables.mark.insert().values(concern=concern, status=mark, date=day, at=self._clock())
                )
        return next((one for one in self.all() if one.id == concern), None)

    def feedback(self) -> tuple[Feedback, ...]:
        """Every finding that the user marked as right or as wrong, with what produced it."""
        with self._begin() as connection:
            marks = {concern: said[-1] for concern, said in self._marks(connection).items()}
            kept = {meeting.id for meeting in self._meetings(connection)}
            sightings = [one for one in self._sightings(connection) if one.meeting in kept]
        found = []
        for one in sightings:
            said = marks.get(one.concern)
            if said is not None and said.status in (*RIGHT, "not_an_objection"):
                about = one.model_dump(
                    include={"concern", "meeting", "kind", "subtype", "need", "quote", "source", "confidence"}
                )
                verdict = "right" if said.status in RIGHT else "wrong"
                found.append(Feedback.model_validate({**about, "verdict": verdict, "note": said.note}))
        return tuple(found)

    def facts(self) -> tuple[Facts, ...]:
        """Everything that is stored about the concerns of kept meetings, for an export; pseudonyms only."""
        with self._begin() as connection:
            kept = {meeting.id for meeting in self._meetings(connection)}
            sightings = [one for one in self._sightings(connection) if one.meeting in kept]
            marks = self._marks(connection)
            rows = connection.execute(self._tables.concern.select()).all()
        return tuple(
            Facts(id=row.id, speaker=row.speaker, kind=row.kind, need=row.need, raised=own, said=marks.get(row.id, ()))
            for row in rows
            if (own := tuple(one for one in sightings if one.concern == row.id))
        )

    def take(self, facts: Sequence[Facts], meetings: Mapping[str, str]) -> int:
        """How many concerns of an export were taken in; ``meetings`` has the id of each meeting here by its id there.

        Names may be given as they are. What was raised in meetings without an id here is left out, and so is whatever
        this ledger has heard of already.
        """
        from coach.anonymise import leak_check
        from coach.retrieval.names import pseudonymised, pseudonyms

        identities, taken = self._identities.load(), 0

        def safe(text: str) -> str:
            return leak_check(pseudonymised(text, identities), identities, "ledger")

        with self._begin() as connection:
            self._wait(connection)
            there = {one.id for one in self._sightings(connection)}
            for one in facts:
                speaker, new = pseudonyms(one.speaker, identities) if one.speaker else (), []
                for sighting in one.raised:
                    meeting, quote = meetings.get(sighting.meeting), safe(sighting.quote)
                    key = _sighting_id(meeting or "", sighting.kind, quote)
                    if meeting and key not in there:
                        there.add(key)
                        new.append(sighting.model_copy(update={"id": key, "meeting": meeting, "quote": quote}))
                if not new or not (speaker or not one.speaker):
                    continue
                concern, taken = uuid4().hex[:12], taken + 1
                about = {"id": concern, "speaker": next(iter(speaker), ""), "kind": one.kind, "need": one.need}
                connection.execute(self._tables.concern.insert().values(**about, created=self._clock()))
                for sighting in new:
                    row = sighting.model_copy(update={"concern": concern})
                    connection.execute(self._tables.sighting.insert().values(**row.model_dump()))
                for said in one.said:
                    note = safe(said.note) if said.note else None
                    row_ = {**said.model_dump(), "concern": concern, "note": note}
                    connection.execute(self._tables.mark.insert().values(**row_))
        return taken

    def close(self) -> None:
        """Lets go of the database; the next call opens it again."""
        opened = self.__dict__.pop("_database", None)
        if opened is not None:
            opened[0].dispose()

    # Inside

    @cached_property
    def _database(self) -> tuple[Engine, Tables]:
        from coach.retrieval.tables import open_tables

        return open_tables(self._settings)

    @property
    def _tables(self) -> Tables:
        return self._database[1]

    @cached_property
    def _embedder(self) -> Embedder:
        from coach.retrieval.embedders import load_embedder

        return self._given or load_embedder(self._settings)

    def _begin(self) -> AbstractContextManager[Connection]:
        from coach.retrieval.tables import transaction

        return transaction(self._database[0])

    def _wait(self, connection: Connection) -> None:
        """Whoever records waits for the others: two reviews of the same notes may come at the same moment."""
        library = self._tables.library
        connection.execute(library.update().values(revision=library.c.revision))

    def _said(self, finding: Finding, identities: Identities) -> tuple[str, str]:
        """Who said it, as a pseudonym or empty, and the quote in one line with pseudonyms."""
        from coach.anonymise import leak_check
        from coach.retrieval.names import pseudonymised, pseudonyms

        speaker = next(iter(pseudonyms(finding.speaker or "", identities)), "")
        return speaker, leak_check(pseudonymised(" ".join(finding.quote.split()), identities), identities, "ledger")

    def _part(self, connection: Connection, concern: str, sightings: Sequence[str]) -> str:
        """A new concern, like the given one, that takes these sightings from it."""
        tables, key = self._tables, uuid4().hex[:12]
        row = connection.execute(tables.concern.select().where(tables.concern.c.id == concern)).one()
        connection.execute(tables.concern.insert().values(**dict(row._mapping) | {"id": key, "created": self._clock()}))
        connection.execute(tables.sighting.update().where(tables.sighting.c.id.in_(sightings)).values(concern=key))
        return key

    def _take_back(self, connection: Connection, concern: str, sighting: str | None) -> None:
        """Removes the last mark of a concern, and a sighting that was there for its mark alone."""
        marks, sightings, concerns = self._tables.mark, self._tables.sighting, self._tables.concern
        ids = connection.scalars(marks.select().with_only_columns(marks.c.id).where(marks.c.concern == concern)).all()
        connection.execute(marks.delete().where(marks.c.id == max(ids, default=0)))
        if sighting is not None:
            connection.execute(sightings.delete().where(sightings.c.id == sighting))
            left = sightings.select().with_only_columns(sightings.c.concern)
            connection.execute(concerns.delete().where(concerns.c.id == concern, concerns.c.id.not_in(left)))

    def _require(self, connection: Connection, meeting: str) -> None:
        if meeting not in {known.id for known in self._meetings(connection)}:
            raise LibraryError(
                "these notes are not in the library: add them first, then record what was raised in them"
            )

    def _meetings(self, connection: Connection) -> list[Meeting]:
        table = self._tables.meeting
        columns = [table.c[name] for name in ("id", "title", "date", "added", "attendees")]
        return [
            Meeting(
                id=row.id,
                title=row.title,
                date=row.date or _day(row.added),
                added=row.added,
                people=tuple(row.attendees),
            )
            for row in connection.execute(table.select().with_only_columns(*columns).where(table.c.state == "kept"))
        ]

    def _sightings(self, connection: Connection) -> list[Sighting]:
        return [
            Sighting.model_validate(dict(row._mapping)) for row in connection.execute(self._tables.sighting.select())
        ]

    def _marks(self, connection: Connection) -> dict[str, list[Said]]:
        table = self._tables.mark
        marks: dict[str, list[Said]] = {}
        for row in connection.execute(table.select().order_by(table.c.id)):
            marks.setdefault(row.concern, []).append(Said(status=row.status, date=row.date, at=row.at, note=row.note))
        return marks

    def _withdraw(self, connection: Connection, meeting: str, stay: set[str]) -> None:
        """Takes back what an earlier review of this meeting said and this one does not, unless the user marked it."""
        sighting, concern = self._tables.sighting, self._tables.concern
        marked = set(self._marks(connection))
        gone = [
            one.id
            for one in self._sightings(connection)
            if one.meeting == meeting and one.id not in stay and one.concern not in marked
        ]
        connection.execute(sighting.delete().where(sighting.c.id.in_(gone)))
        connection.execute(
            concern.delete().where(concern.c.id.not_in(sighting.select().with_only_columns(sighting.c.concern)))
        )

    def _same(
        self, connection: Connection, known: Sequence[Sighting], speaker: str, quote: str, identities: Identities
    ) -> str | None:
        """The concern of that speaker which means the same as the quote, if there is one that was not rejected."""
        marks = self._marks(connection)
        rejected = {key for key, said in marks.items() if said[-1].status == "not_an_objection"}
        own = {
            row.id
            for row in connection.execute(self._tables.concern.select())
            if is_followed(row.kind, row.speaker)
            and identities.canonical(row.speaker) == speaker
            and row.id not in rejected
        }
        candidates = [one for one in known if one.concern in own]
        if not candidates:
            return None
        cosines = self._embedder([one.quote for one in candidates]) @ self._embedder([quote])[0]
        best = int(cosines.argmax())
        return candidates[best].concern if cosines[best] >= self._embedder.alike else None

    def _insert(
        self,
        connection: Connection,
        key: str,
        concern: str | None,
        meeting: str,
        speaker: str,
        finding: Finding,
        quote: str,
    ) -> str:
        """The concern to which the sighting was added: the given one, or a new one."""
        tables = self._tables
        if concern is None:
            concern = uuid4().hex[:12]
            connection.execute(
                tables.concern.insert().values(
                    id=concern, speaker=speaker, kind=finding.kind, need=finding.need, created=self._clock()
                )
            )
        connection.execute(
            tables.sighting.insert().values(
                id=key,
                concern=concern,
                meeting=meeting,
                quote=quote,
                kind=finding.kind,
                subtype=finding.subtype,
                need=finding.need,
                confidence=finding.confidence,
                source=finding.source,
                place=finding.start,
            )
        )
        return concern


def _sighting_id(meeting: str, kind: str, quote: str) -> str:
    from hashlib import blake2b

    return blake2b(f"{meeting}\n{kind}\n{quote}".encode(), digest_size=8).hexdigest()


def _day(moment: float) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(moment, UTC).date().isoformat()
