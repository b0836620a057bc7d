"""Where each attendee stands, from what a model answered: no quote of their own words, no judgement."""

from __future__ import annotations

from collections.abc import Sequence

from coach.answers import Stand
from coach.llm_engine.parts import Part
from coach.llm_engine.sifting import Notes
from coach.schema import Participant, Quote


def standing(answers: Sequence[tuple[Part, Sequence[Stand]]], notes: Notes) -> tuple[Participant, ...]:
    """Everybody, with what the last part to say something about them says.

    Someone about whom the answers hold nothing that stands in the notes, in that person's words, stays ``unknown``.
    """
    found = {person.name: person for person in notes.people}
    for part, stands in answers:
        for stand in stands:
            label = notes.canonical(stand.name) or ""
            person = found.get(notes.asked_about.get(label, ""))
            if person is None or (stand.alignment, stand.buy_in) == ("unknown", "unknown"):
                continue
            if evidence := _evidence(stand, label, notes, part):
                found[person.name] = Participant(
                    name=person.name,
                    alignment=stand.alignment,
                    buy_in=stand.buy_in,
                    spoke=person.spoke,
                    ask=notes.named(stand.ask) or person.ask,
                    evidence=evidence,
                )
    return tuple(found.values())


def _evidence(stand: Stand, label: str, notes: Notes, part: Part) -> tuple[Quote, ...]:
    places = (notes.place(words.quote, words.line, label, part) for words in stand.evidence[:2])
    return tuple(notes.to_text(*place) for place in places if not isinstance(place, str))
