"""What the library and the ledger know of the people who come, with real names: for the screen, not for a prompt."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from typing import TYPE_CHECKING, Protocol

from coach.rehearsal.values import Point
from coach.schema import Alignment, BuyIn, Evidence, Passage, Value

if TYPE_CHECKING:
    from coach.identities import Identities
    from coach.ledger import Ledger
    from coach.library import Library

RECENT = 3  # meetings that still say where somebody stands
SIMILAR = 6
UNTITLED = "untitled notes"


class Standing(Value):
    """Where somebody stood when the notes last showed it."""

    alignment: Alignment = "unknown"
    buy_in: BuyIn = "unknown"
    evidence: tuple[Evidence, ...] = ()


class Past(Protocol):
    """Everything a brief asks of earlier meetings."""

    def knows(self, name: str) -> bool: ...

    def nearest_name(self, name: str) -> str | None: ...

    def open(self, name: str) -> tuple[Point, ...]: ...

    def standing(self, name: str) -> Standing: ...

    def said_on(self, subject: str, name: str) -> tuple[Evidence, ...]: ...

    def passages(self, subject: str) -> tuple[Passage, ...]: ...


class NoPast:
    """The past of somebody who has kept no notes."""

    def knows(self, name: str) -> bool:
        return False

    def nearest_name(self, name: str) -> str | None:
        return None

    def open(self, name: str) -> tuple[Point, ...]:
        return ()

    def standing(self, name: str) -> Standing:
        return Standing()

    def said_on(self, subject: str, name: str) -> tuple[Evidence, ...]:
        return ()

    def passages(self, subject: str) -> tuple[Passage, ...]:
        return ()


@dataclass(frozen=True)
class KeptPast:
    """The past as the library and the ledger keep it; ``identities`` puts the names back."""

    library: Library
    ledger: Ledger
    identities: Identities

    def knows(self, name: str) -> bool:
        """Whether somebody of that name took part in a meeting of the library."""
        return bool(self._labels(name) & self._people)

    def nearest_name(self, name: str) -> str | None:
        """The known person whose name is spelled most alike, to ask whether they are meant."""
        known = [f.text for e in self.identities.entities if e.label in self._people for f in e.forms]
        return next(iter(get_close_matches(name, known, n=1, cutoff=0.75)), None)

    def open(self, name: str) -> tuple[Point, ...]:
        """Their open objections and needs, the most often raised first."""
        return tuple(
            Point(
                attendee=name,
                kind=concern.kind,
                quote=self._shown(concern.quote),
                quotes=tuple(
                    Evidence(
                        meeting=self._shown(step.title or UNTITLED),
                        date=step.date,
                        quote=self._shown(step.quote),
                        speaker=name,
                    )
                    for step in concern.steps
                    if step.quote
                ),
                meeting=next((self._shown(s.title or UNTITLED) for s in concern.steps[::-1] if s.quote), None),
                date=next((s.date for s in concern.steps[::-1] if s.quote), None),
                status=concern.status,
                times=concern.times,
                need=concern.need,
            )
            for concern in self.ledger.open(name)
        )

    def standing(self, name: str) -> Standing:
        """Their last known alignment and buy-in in recent meetings, each with the words that show it."""
        from coach.participants import participants
        from coach.retrieval.transfer import conversation

        found = Standing()
        labels = self._labels(name)
        for entry in [e for e in self.library.list() if labels & set(e.attendees)][:RECENT]:
            record = conversation(self.library.show(entry.id), entry.format)
            for person in participants(record):
                if person.name not in labels:
                    continue
                quotes = tuple(
                    Evidence(
                        meeting=self._shown(entry.title or UNTITLED),
                        date=entry.date,
                        quote=self._shown(q.quote),
                        speaker=name,
                    )
                    for q in person.evidence
                )
                alignment = found.alignment if found.alignment != "unknown" else person.alignment
                buy_in = found.buy_in if found.buy_in != "unknown" else person.buy_in
                if (alignment, buy_in) != (found.alignment, found.buy_in):
                    found = Standing(alignment=alignment, buy_in=buy_in, evidence=(*found.evidence, *quotes))
        return found

    def said_on(self, subject: str, name: str) -> tuple[Evidence, ...]:
        """What they themselves said in the passages nearest to the subject, best passage first."""
        from coach.retrieval.passages import read

        labels, said = self._labels(name), dict[str, Evidence]()
        for passage in self.library.search(subject, attendee=name, k=SIMILAR):
            for line in read(passage.text, passage.speakers):
                if line.speaker and self.identities.canonical(line.speaker) in labels:
                    said.setdefault(
                        line.text,
                        Evidence(
                            meeting=self._shown(passage.title or UNTITLED),
                            date=passage.date,
                            quote=self._shown(line.text),
                            speaker=name,
                        ),
                    )
        return tuple(said.values())

    def passages(self, subject: str) -> tuple[Passage, ...]:
        """Passages nearest to the subject, with pseudonyms, for a prompt."""
        return self.library.search(subject, k=SIMILAR)

    @cached_property
    def _people(self) -> frozenset[str]:
        entries = self.library.list()
        return frozenset(self.identities.canonical(name) for e in entries for name in e.attendees)

    def _labels(self, name: str) -> frozenset[str]:
        from coach.retrieval.names import pseudonyms

        return frozenset(pseudonyms(name, self.identities))

    def _shown(self, text: str | None) -> str:
        from coach.anonymise import restore

        return restore(text or "", self.identities)
