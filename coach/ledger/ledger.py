"""What users call: record what was raised and heard, look at what is open, mark it, merge and split it.

Stored are facts only: who raised what in which meeting, what its notes show of an answer, and what the user said about
it since. Where a concern stands is worked out from them by :func:`coach.concerns.follow`, so that meetings may arrive
in any order. Quotes and names are pseudonyms. Facts hang on meetings of the library: erase a meeting, and what was
raised there alone is gone, too.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, get_args

from coach.concerns import (
    RIGHT,
    Concern,
    Facts,
    Feedback,
    Mark,
    Said,
    Sighting,
    follow,
    is_answered,
    is_followed,
    is_open,
)
from coach.errors import InputError, LibraryError
from coach.ledger import linking
from coach.ledger.rows import Rows, day
from coach.schema import UNHEARD, Finding, Heard, Review

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from coach.identities import Identities, IdentityLedger
    from coach.retrieval.embedders import Embedder
    from coach.retrieval.tables import Tables
    from coach.settings import Settings

__all__ = ["Ledger"]

KINDS = tuple(UNHEARD.values())


class Ledger:
    """The ledger of the library under ``settings``. Names may be given as they are; answers hold pseudonyms.

    ``embedder`` decides what the same concern in other words is. The default is the sentence encoder that ships with
    the coach, or the library's own embedder where somebody chose another than the one it finds by unasked.
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
        self._loaded: dict[str, Embedder] = {}
        self._clock = clock

    def __enter__(self) -> Ledger:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def record(self, review: Review, meeting: str) -> tuple[Concern, ...]:
        """The concerns that this review adds to; ``meeting`` is the id of its notes in the library.

        What went unheard (tier ``finding``) and what was heard joins an earlier concern of the same speaker that means
        the same, or else starts one. Recording a meeting again replaces what it said before, except where the user has
        marked a concern since. Raises :class:`LibraryError` when the notes are not in the library.
        """
        identities = self._identities.load()
        told: list[Finding | Heard] = [f for f in review.findings if f.tier == "finding"]
        found: dict[str, tuple[str, Sighting]] = {}
        for one in sorted([*told, *review.heard], key=lambda one: one.start):
            speaker, sighting = self._sighting(one, meeting, identities)
            if is_followed(sighting.kind, speaker):
                found[sighting.id] = speaker, sighting
        with self._rows() as rows:
            rows.wait()
            rows.require(meeting)
            rows.withdraw(meeting, found)
            for speaker, sighting in found.values():
                known = rows.sightings()
                if sighting.id in {one.id for one in known}:
                    rows.correct(sighting)
                else:
                    self._insert(rows, sighting, self._same(rows, known, speaker, sighting.quote, identities), speaker)
            touched = dict.fromkeys(one.concern for one in rows.sightings() if one.id in found)
        return tuple(concern for concern in self.all() if concern.id in touched)

    def open(self, attendee: str | None = None) -> tuple[Concern, ...]:
        """What nobody has taken up yet, of everybody or of one person; the most often raised first, then the latest."""
        waiting = [concern for concern in self.all(attendee) if concern.open]
        return tuple(sorted(waiting, key=lambda c: (c.times, c.steps[-1].date or ""), reverse=True))

    def answered(self, attendee: str | None = None) -> tuple[Concern, ...]:
        """What once went unheard and was answered since, latest first: whether its speaker feels heard, the notes do
        not say. What was answered as soon as it was raised is not among it; :meth:`all` has that, too."""
        found = [concern for concern in self.all(attendee) if concern.answered and _waited(concern)]
        return tuple(sorted(found, key=lambda c: c.steps[-1].date or "", reverse=True))

    def all(self, attendee: str | None = None, *, guesses: bool = True) -> tuple[Concern, ...]:
        """Every concern with its history, in the order in which they were first raised; without ``guesses`` nothing is
        compared, which is quicker, and ``perhaps`` is empty."""
        from coach.retrieval.names import pseudonyms

        identities = self._identities.load()
        names = pseudonyms(attendee, identities) if attendee else None
        with self._rows() as rows:
            meetings, marks, sightings, concerns = rows.meetings(), rows.marks(), rows.kept(), rows.concerns()
            apart = rows.apart()
        found = []
        for row in concerns:
            own = [one for one in sightings if one.concern == row.id]
            speaker = identities.canonical(row.speaker)
            if not own or not is_followed(row.kind, row.speaker) or (names is not None and speaker not in names):
                continue
            steps = follow(speaker, own, marks.get(row.id, []), meetings)
            waits = is_open(steps[-1])
            found.append(
                Concern(
                    id=row.id,
                    speaker=speaker,
                    kind=_kind(row.kind, own, waits),
                    need=row.need,
                    status=steps[-1].status,
                    open=waits,
                    answered=is_answered(steps[-1]),
                    times=len({one.meeting for one in own}),
                    quote=[step.quote for step in steps if step.quote][-1],
                    steps=steps,
                )
            )
        found = self._with_guesses(found, apart) if guesses else found
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
        on = checked_date(date, "date") or day(self._clock())
        with self._rows() as rows:
            rows.mark(key, Said(status=status, date=on, at=self._clock(), note=safe))
        return self.history(key)

    def merge(self, one: str, other: str) -> Concern:
        """The first concern with all that happened to the second: they are the same thing in other words."""
        kept, gone = self.history(one), self.history(other)
        if kept.id == gone.id:
            return kept
        if kept.speaker != gone.speaker:
            raise InputError("these concerns are of two people: each has to be heard, so they stay apart")
        with self._rows() as rows:
            rows.join(kept.id, gone.id)
        return self.history(kept.id)

    def split(self, concern: str, *sightings: str) -> Concern:
        """A new concern made of these sightings (ids from the steps of a history): they are another thing after all."""
        source = self.history(concern)
        own = {step.sighting for step in source.steps if step.sighting}
        if not sightings or not own.issuperset(sightings) or own == set(sightings):
            raise InputError("nothing to split: name some, but not all, of the sightings in the concern's history")
        with self._rows() as rows:
            key = rows.part(source.id, sightings)
            rows.keep_apart(source.id, key)
        return self.history(key)

    def apart(self, one: str, other: str) -> Concern:
        """The first concern, which is not the same as the second: they are no longer offered as one."""
        first, second = self.history(one), self.history(other)
        if first.id == second.id:
            raise InputError("this is one concern: coach ledger split ID takes something out of it")
        with self._rows() as rows:
            rows.keep_apart(first.id, second.id)
        return self.history(first.id)

    def judge(self, finding: Finding, meeting: str, mark: Mark | None) -> Concern | None:
        """The concern of a finding in kept notes after the user marked it, as for :meth:`mark`; None takes the last
        mark back.

        Any finding can be marked, also one that is not followed: of categorical phrasing, or of nobody in particular.
        That has no concern, so None comes back, and the mark is there for :meth:`feedback`. A finding that is wrong
        leaves the concern it had joined, which stays as it was. Raises :class:`LibraryError` when the notes are not in
        the library.
        """
        identities = self._identities.load()
        speaker, sighting = self._sighting(finding, meeting, identities)
        with self._rows() as rows:
            rows.wait()
            rows.require(meeting)
            known = {one.id: one for one in rows.sightings()}
            if sighting.id in known:
                concern = known[sighting.id].concern
                if mark == "not_an_objection" and sum(one.concern == concern for one in known.values()) > 1:
                    concern = rows.part(concern, [sighting.id])
            elif mark is None:
                return None
            else:
                joins = mark != "not_an_objection" and is_followed(finding.kind, speaker)
                same = self._same(rows, list(known.values()), speaker, sighting.quote, identities) if joins else None
                concern = self._insert(rows, sighting, same, speaker)
            if mark is None:
                recorded = finding.tier == "finding" and is_followed(finding.kind, speaker)
                rows.take_back(concern, None if recorded else sighting.id)
            else:
                rows.mark(concern, Said(status=mark, date=day(self._clock()), at=self._clock()))
        return next((one for one in self.all() if one.id == concern), None)

    def feedback(self) -> tuple[Feedback, ...]:
        """Every finding that the user marked as right or as wrong, with what produced it.

        Of what was heard only that which is no objection is among it: nobody says whether the answer was right.
        """
        with self._rows() as rows:
            marks = {concern: said[-1] for concern, said in rows.marks().items()}
            sightings = rows.kept()
        found = []
        for one in sightings:
            said = marks.get(one.concern)
            wrong = said is not None and said.status == "not_an_objection"
            if said is not None and (wrong or (said.status in RIGHT and one.stage is None)):
                about = one.model_dump(
                    include={"concern", "meeting", "subtype", "need", "quote", "source", "confidence"}
                )
                more = {"kind": UNHEARD.get(one.kind, one.kind), "verdict": "wrong" if wrong else "right"}
                found.append(Feedback.model_validate({**about, **more, "note": said.note}))
        return tuple(found)

    def facts(self) -> tuple[Facts, ...]:
        """Everything that is stored about the concerns of kept meetings, for an export; pseudonyms only."""
        with self._rows() as rows:
            sightings, marks, concerns, apart = rows.kept(), rows.marks(), rows.concerns(), rows.apart()
        return tuple(
            Facts(
                id=row.id,
                speaker=row.speaker,
                kind=row.kind,
                need=row.need,
                raised=own,
                said=marks.get(row.id, ()),
                apart=tuple(sorted(other for pair in apart if row.id in pair for other in pair - {row.id})),
            )
            for row in concerns
            if (own := tuple(one for one in sightings if one.concern == row.id))
        )

    def take(self, facts: Sequence[Facts], meetings: Mapping[str, str]) -> int:
        """How many concerns of an export were taken in; ``meetings`` has the id of each meeting here by its id there.

        Names may be given as they are. What was raised in meetings without an id here is left out, and so is whatever
        this ledger has heard of already.
        """
        from coach.anonymise import leak_check
        from coach.retrieval.erasures import WORDS
        from coach.retrieval.names import pseudonymised, pseudonyms

        identities, taken = self._identities.load(), 0

        def safe(text: str) -> str:
            return leak_check(pseudonymised(text, identities), identities, "ledger")

        def named(name: str | None) -> str:
            return next(iter(pseudonyms(name, identities)), "") if name else ""

        with self._rows() as rows:
            rows.wait()
            there = {one.id for one in rows.sightings()}
            ids: dict[str, str] = {}
            for one in facts:
                speaker, new = named(one.speaker), []
                for sighting in one.raised:
                    meeting, quote = meetings.get(sighting.meeting), safe(sighting.quote)
                    key = _sighting_id(meeting or "", sighting.kind, quote)
                    if meeting and key not in there:
                        there.add(key)
                        said = {name: safe(text) for name in WORDS if (text := getattr(sighting, name))}
                        changes = {"id": key, "meeting": meeting, "answerer": named(sighting.answerer) or None}
                        new.append(sighting.model_copy(update={**changes, **said}))
                if not new or not (speaker or not one.speaker):
                    continue
                taken += 1
                concern = ids[one.id] = rows.begin(speaker, one.kind, one.need)
                for sighting in new:
                    rows.add(sighting.model_copy(update={"concern": concern}))
                for mark in one.said:
                    rows.mark(concern, mark.model_copy(update={"note": safe(mark.note) if mark.note else None}))
            for one in facts:
                for other in one.apart:
                    if one.id in ids and other in ids:
                        rows.keep_apart(ids[one.id], ids[other])
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

    def _embedder(self, name: str | None) -> Embedder:
        from coach.retrieval.embedders import EMBEDDERS, load_embedder

        known = name if name and name.partition(":")[0] in EMBEDDERS else self._settings.embedder
        # Static word vectors are quick over a whole library, and hear too little where a few sentences are compared.
        known = "builtin" if known == "wordllama" else known
        if known not in self._loaded:
            self._loaded[known] = self._given or load_embedder(self._settings, known)
        return self._loaded[known]

    @contextmanager
    def _rows(self) -> Iterator[Rows]:
        """The rows in a transaction: all changes are kept, or after an error none."""
        from coach.retrieval.tables import transaction

        with transaction(self._database[0]) as connection:
            yield Rows(connection, self._database[1], self._clock)

    def _sighting(self, one: Finding | Heard, meeting: str, identities: Identities) -> tuple[str, Sighting]:
        """Who said it, as a pseudonym or empty, and what would be stored of it, in pseudonyms, under no concern yet."""
        from coach.anonymise import leak_check
        from coach.retrieval.names import pseudonymised, pseudonyms

        def safe(text: str) -> str:
            return leak_check(pseudonymised(" ".join(text.split()), identities), identities, "ledger")

        quote = safe(one.quote)
        sighting = Sighting(
            id=_sighting_id(meeting, one.kind, quote),
            concern="",
            meeting=meeting,
            quote=quote,
            kind=one.kind,
            subtype=one.subtype if isinstance(one, Finding) else None,
            need=one.need,
            confidence=one.confidence,
            source=one.source,
            place=one.start,
        )
        if isinstance(one, Heard):
            answerer = next(iter(pseudonyms(one.answer.speaker or "", identities)), None)
            agreed = safe(one.confirmation.quote) if one.confirmation else None
            words = {"answer": safe(one.answer.quote), "answerer": answerer, "confirmation": agreed}
            sighting = sighting.model_copy(update={"stage": one.stage, **words})
        return next(iter(pseudonyms(one.speaker or "", identities)), ""), sighting

    def _same(
        self, rows: Rows, known: Sequence[Sighting], speaker: str, quote: str, identities: Identities
    ) -> str | None:
        """The concern of that speaker which means the same as the quote, if there is one that was not rejected."""
        rejected = {key for key, said in rows.marks().items() if said[-1].status == "not_an_objection"}
        own = {
            row.id
            for row in rows.concerns()
            if is_followed(row.kind, row.speaker)
            and identities.canonical(row.speaker) == speaker
            and row.id not in rejected
        }
        candidates = [one for one in known if one.concern in own]
        return linking.same(quote, candidates, self._embedder(rows.embedder())) if candidates else None

    def _with_guesses(self, concerns: Sequence[Concern], apart: Collection[linking.Pair]) -> list[Concern]:
        """The concerns, each with those of the same person that it may be the same as; rejected ones are left alone."""
        people: dict[str, list[Concern]] = {}
        for one in concerns:
            if one.status != "not_an_objection":
                people.setdefault(one.speaker, []).append(one)
        guesses: dict[str, tuple[str, ...]] = {}
        for own in people.values():
            waiting = [one.id for one in own if one.open]
            if waiting and len(own) > 1:
                quotes = {one.id: [step.quote for step in one.steps if step.quote] for one in own}
                guesses |= linking.perhaps(quotes, waiting, apart, self._embedder("builtin"))
        return [one.model_copy(update={"perhaps": guesses.get(one.id, ())}) for one in concerns]

    def _insert(self, rows: Rows, sighting: Sighting, concern: str | None, speaker: str) -> str:
        """The concern to which the sighting was added: the given one, or a new one."""
        concern = concern or rows.begin(speaker, sighting.kind, sighting.need)
        rows.add(sighting.model_copy(update={"concern": concern}))
        return concern


def _kind(begun_as: str, sightings: Sequence[Sighting], waits: bool) -> str:
    """What to call a concern: unheard while it waits and wherever it once was, else an objection or need."""
    unheard = [one.kind for one in sightings if one.kind in KINDS]
    return unheard[-1] if unheard else UNHEARD.get(begun_as, begun_as) if waits else begun_as


def _waited(concern: Concern) -> bool:
    """Whether a concern was ever passed over in a meeting, or raised in more than one."""
    return concern.kind in KINDS or concern.times > 1


def _sighting_id(meeting: str, kind: str, quote: str) -> str:
    from hashlib import blake2b

    return blake2b(f"{meeting}\n{kind}\n{quote}".encode(), digest_size=8).hexdigest()
