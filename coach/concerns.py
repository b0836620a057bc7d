"""A concern and what happens to it: the values of the ledger, and how its steps follow from what is known.

Nothing here reads or writes anything; :mod:`coach.ledger` does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from coach.schema import Value

FOLLOWED = ("unheard_objection", "unaddressed_need")

Status = Literal[
    "raised",
    "raised_again",
    "dropped",
    "acknowledged",
    "explored",
    "confirmed",
    "integrated",
    "handled",
    "not_an_objection",
]
"""How far a concern has come. *Confirmed*: the person says they feel heard. *Integrated*: the plan changed for it.
*Handled*: the user says it is settled. *Dropped*: a later meeting with that person passed without anyone coming back to
it; it is still open."""

Mark = Literal["acknowledged", "explored", "confirmed", "integrated", "handled", "not_an_objection", "reopened"]
CLOSED = ("confirmed", "integrated", "handled", "not_an_objection")
RIGHT = ("acknowledged", "explored", "confirmed", "integrated")
"""Marks which also say that the finding was right. *Handled* says nothing of it: the notes may not show it."""


class Step(Value):
    """One thing that happened to a concern. ``quote`` is set when it was raised, ``note`` when the user marked it."""

    status: Status
    date: str | None = None
    meeting: str | None = None
    title: str | None = None
    sighting: str | None = None
    quote: str | None = None
    note: str | None = None


class Concern(Value):
    """An objection or need of one person, with all that happened to it, oldest first. ``quote`` is its last wording."""

    id: str
    speaker: str
    kind: str
    need: str | None = None
    status: Status
    open: bool
    times: int
    quote: str
    steps: tuple[Step, ...]


class Feedback(Value):
    """A finding that the user says was right or wrong: material for a case of the evaluation. Pseudonyms only."""

    verdict: Literal["right", "wrong"]
    concern: str
    meeting: str
    kind: str
    subtype: str | None
    need: str | None
    quote: str
    source: str
    confidence: float
    note: str | None = None


class Sighting(Value):
    """One finding of one meeting, as stored."""

    id: str
    concern: str
    meeting: str
    quote: str
    kind: str
    subtype: str | None
    need: str | None
    confidence: float
    source: str
    place: int


class Meeting(Value):
    """What following a concern needs to know of a meeting; ``people`` took part in it."""

    id: str
    title: str | None
    date: str  # Where the notes name none, the day on which they were added.
    added: float
    people: tuple[str, ...]


class Said(Value):
    """What the user said about a concern, on a day (ISO) and at a moment (seconds since 1970)."""

    status: Mark
    date: str
    at: float
    note: str | None = None


class Facts(Value):
    """Everything that is stored about one concern, as an export of the library carries it."""

    id: str
    speaker: str
    kind: str
    need: str | None = None
    raised: tuple[Sighting, ...]
    said: tuple[Said, ...] = ()


def follow(
    speaker: str, sightings: Sequence[Sighting], marks: Sequence[Said], meetings: Sequence[Meeting]
) -> tuple[Step, ...]:
    """The steps of one concern in order of time: what each meeting with its speaker did to it, and each mark.

    An open concern counts as dropped when a later meeting with its speaker does not come back to it.
    """
    events: list[tuple[tuple[str, int, float], Meeting | Said]] = [
        *(((meeting.date, 0, meeting.added), meeting) for meeting in meetings),
        *(((said.date, 1, said.at), said) for said in marks),
    ]
    steps: list[Step] = []
    for _, event in sorted(events, key=lambda item: item[0]):
        if isinstance(event, Said):
            status: Status = "raised_again" if event.status == "reopened" else event.status
            steps.append(Step(status=status, date=event.date, note=event.note))
            continue
        here = sorted((one for one in sightings if one.meeting == event.id), key=lambda one: one.place)
        status = "raised_again" if steps else "raised"
        about = {"date": event.date, "meeting": event.id, "title": event.title}
        steps.extend(Step(status=status, sighting=one.id, quote=one.quote, **about) for one in here)
        if not here and speaker in event.people and steps and steps[-1].status not in (*CLOSED, "dropped"):
            steps.append(Step(status="dropped", **about))
    return tuple(steps)


def is_followed(kind: str, speaker: str | None) -> bool:
    """Whether something is followed from meeting to meeting: an objection or need of somebody."""
    return kind in FOLLOWED and bool(speaker)
