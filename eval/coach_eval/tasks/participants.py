"""Where each attendee stands: alignment and buy-in as far as the record says, and "unknown" where it says nothing."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import Field

from coach.schema import Alignment, BuyIn
from coach_eval.schema import Case, Score, Strict, Suite
from coach_eval.tasks.base import Problem, Subject, Task


class Standing(Strict):
    """What may be said of one attendee: any of the listed answers is right."""

    alignment: tuple[Alignment, ...] = Field(min_length=1)
    buy_in: tuple[BuyIn, ...] = Field(min_length=1)


class ParticipantsCase(Case):
    """Notes, and where their attendees stand. Whoever is ``silent`` said nothing: nothing may be claimed of them."""

    notes: str = Field(min_length=1)
    format: str | None = None
    people: dict[str, Standing] = Field(default_factory=dict)
    silent: tuple[str, ...] = ()


class Stance(Strict):
    """What the review says of one attendee."""

    name: str
    alignment: Alignment
    buy_in: BuyIn


class Seen(Strict):
    """What the review says of everyone; ``ungrounded`` counts evidence that is not in the notes, letter for letter."""

    people: tuple[Stance, ...] = ()
    ungrounded: int = 0


def problems(case: ParticipantsCase) -> Iterator[Problem]:
    """People whom the notes do not name, and a case that asks about nobody."""
    if not case.people and not case.silent:
        yield (), "say where someone stands under `people`, or who was `silent`"
    for name in case.people:
        if name not in case.notes:
            yield ("people", name), f"{name!r} is not in the notes"
        if name in case.silent:
            yield ("people", name), f"{name!r} cannot both stand somewhere and be silent"
    for index, name in enumerate(case.silent):
        if name not in case.notes:
            yield ("silent", index), f"{name!r} is not in the notes"


def run(case: ParticipantsCase, _suite: Suite, subject: Subject) -> Seen:
    """Review the notes and keep what is said of people."""
    review = subject.review(case.notes, case.format)
    people = review.participants
    return Seen(
        people=tuple(Stance(name=p.name, alignment=p.alignment, buy_in=p.buy_in) for p in people),
        ungrounded=sum(case.notes[e.start : e.end] != e.quote for p in people for e in p.evidence),
    )


def standing(case: ParticipantsCase, _suite: Suite, seen: Seen) -> Score:
    """How many attendees are placed rightly, and of how many silent ones nothing is claimed (``not_presumed``).

    Somebody missing from the review counts as placed wrongly.
    """
    people = {name: _named(name, seen.people) for name in (*case.people, *case.silent)}
    said = {name: person for name, person in people.items() if person is not None}
    metrics: dict[str, float] = {}
    if case.people:
        pairs = [(expected, said.get(name)) for name, expected in case.people.items()]
        metrics["alignment"] = sum(p is not None and p.alignment in e.alignment for e, p in pairs) / len(pairs)
        metrics["buy_in"] = sum(p is not None and p.buy_in in e.buy_in for e, p in pairs) / len(pairs)
    if case.silent:
        free = [
            n for n in case.silent if n not in said or (said[n].alignment, said[n].buy_in) == ("unknown", "unknown")
        ]
        metrics["not_presumed"] = len(free) / len(case.silent)
    return Score(metrics=metrics, passed=all(value == 1 for value in metrics.values()))


def grounding(_case: ParticipantsCase, _suite: Suite, seen: Seen) -> Score:
    """The invariant: evidence is quoted from the notes, letter for letter."""
    if not seen.ungrounded:
        return Score()
    return Score(
        broken=(f"{seen.ungrounded} pieces of evidence are not in the notes where they say they are",), passed=False
    )


def items(_case: ParticipantsCase, seen: Seen) -> tuple[str, ...]:
    """One line per attendee."""
    return tuple(f"{person.name}: {person.alignment}, {person.buy_in}" for person in seen.people)


def _named(name: str, people: tuple[Stance, ...]) -> Stance | None:
    """The one of that name; a title or first name in front, or left out, does not matter."""
    return next((p for p in people if p.name == name), None) or next(
        (p for p in people if p.name.endswith(f" {name}") or name.endswith(f" {p.name}")), None
    )


TASK = Task(
    name="participants",
    case=ParticipantsCase,
    seen=Seen,
    problems=problems,
    run=run,
    scorers={"standing": standing, "grounding": grounding},
    items=items,
)
