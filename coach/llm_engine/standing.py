"""Where each attendee stands, from what a model answered: no quote of their own words, no judgement."""

from __future__ import annotations

from collections.abc import Sequence

from coach.answers import Stand
from coach.llm_engine.parts import Part
from coach.llm_engine.sifting import Notes
from coach.participants import participants
from coach.schema import Participant, Quote


def people(notes: Notes) -> dict[str, Participant]:
    """Everybody whose stand is asked for, by pseudonym, in the order of the notes; nobody's stand is known yet."""
    local = participants(notes.original)
    forms = {a.name: {a.name, *a.aliases} for a in notes.original.attendees}
    labels: dict[str, str] = {}
    for label, name in notes.real_names.items():
        person = next((p.name for p in local if name in forms.get(p.name, {p.name})), None)
        if person is not None:
            labels.setdefault(person, label)
    return {labels[p.name]: Participant(name=p.name, spoke=p.spoke, ask=p.ask) for p in local if p.name in labels}


def standing(answers: Sequence[tuple[Part, Sequence[Stand]]], notes: Notes) -> tuple[Participant, ...]:
    """Everybody, with what the last part to say something about them says.

    Someone about whom the answers hold nothing that stands in the notes, in that person's words, stays ``unknown``.
    """
    found = people(notes)
    for part, stands in answers:
        for stand in stands:
            label = notes.canonical(stand.name) or ""
            if label not in found or (stand.alignment, stand.buy_in) == ("unknown", "unknown"):
                continue
            if evidence := _evidence(stand, label, notes, part):
                found[label] = Participant(
                    name=found[label].name,
                    alignment=stand.alignment,
                    buy_in=stand.buy_in,
                    spoke=found[label].spoke,
                    ask=notes.named(stand.ask) or found[label].ask,
                    evidence=evidence,
                )
    return tuple(found.values())


def _evidence(stand: Stand, label: str, notes: Notes, part: Part) -> tuple[Quote, ...]:
    places = (notes.place(words.quote, words.line, label, part) for words in stand.evidence[:2])
    return tuple(notes.to_text(*place) for place in places if not isinstance(place, str))
