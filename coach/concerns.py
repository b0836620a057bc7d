"""A concern and what happens to it: the values of the ledger, and how its steps follow from what is known.

Nothing here reads or writes anything; :mod:`coach.ledger` does.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

from coach.schema import UNHEARD, HeardStage, Value

FOLLOWED = (*UNHEARD.values(), *UNHEARD)
"""Kinds of concerns: as findings, where nobody took them up, and plain *objection* and *need*, where somebody did."""

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
*Handled*: the user says it is settled. *Dropped*: in a later meeting with that person no more was noticed of
it; it is still open. A step with a meeting is what its notes show, one without is what the user says."""

Mark = Literal["acknowledged", "explored", "confirmed", "integrated", "handled", "not_an_objection", "reopened"]
CLOSED = ("confirmed", "integrated", "handled", "not_an_objection")
RIGHT = ("acknowledged", "explored", "confirmed", "integrated")
"""Marks which also say that the finding was right. *Handled* says nothing of it: the notes may not show it."""


class Step(Value):
    """One thing that happened to a concern. ``quote`` is set when it was raised, ``note`` when the user marked it, and
    ``answer`` when the notes show that it was taken up: the words that show it, ``by`` whoever said them."""

    status: Status
    date: str | None = None
    meeting: str | None = None
    title: str | None = None
    sighting: str | None = None
    quote: str | None = None
    answer: str | None = None
    by: str | None = None
    note: str | None = None


class Concern(Value):
    """An objection or need of one person, with all that happened to it, oldest first. ``quote`` is its last wording.

    ``open``: nobody has taken it up since it was last raised, or the user says that it is not done with. ``answered``:
    the notes show that somebody did; whether its speaker feels heard, they do not say. Neither: it is closed, by the
    speaker's own words or by the user. ``perhaps``: ids of concerns of the same person that may be the same in other
    words, likeliest first; the user can tell.
    """

    id: str
    speaker: str
    kind: str
    need: str | None = None
    status: Status
    open: bool
    answered: bool = False
    times: int
    quote: str
    steps: tuple[Step, ...]
    perhaps: tuple[str, ...] = ()


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
    """One finding of one meeting, or one thing that was heard there, as stored.

    ``stage`` is set for what was heard, with the words that took it up, whose they are, and those in which its speaker
    agreed, if any.
    """

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
    stage: HeardStage | None = None
    answer: str | None = None
    answerer: str | None = None
    confirmation: str | None = None


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
    """Everything that is stored about one concern, as an export of the library carries it; ``apart`` are ids of those
    that the user called other ones."""

    id: str
    speaker: str
    kind: str
    need: str | None = None
    raised: tuple[Sighting, ...]
    said: tuple[Said, ...] = ()
    apart: tuple[str, ...] = ()


def follow(
    speaker: str, sightings: Sequence[Sighting], marks: Sequence[Said], meetings: Sequence[Meeting]
) -> tuple[Step, ...]:
    """The steps of one concern in order of time: what each meeting with its speaker did to it, and each mark.

    A concern that nobody took up counts as dropped when no more of it was noticed in a later meeting with its speaker.
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
        about = {"date": event.date, "meeting": event.id, "title": event.title}
        for one in here:
            first = all(step.status == "raised" and step.meeting == event.id for step in steps)
            steps.append(Step(status="raised" if first else "raised_again", sighting=one.id, quote=one.quote, **about))
            if one.stage is not None:
                steps.append(Step(status=one.stage, answer=one.answer, by=one.answerer, **about))
            if one.confirmation is not None:
                steps.append(Step(status="confirmed", answer=one.confirmation, by=speaker, **about))
        if not here and speaker in event.people and steps and is_open(steps[-1]) and steps[-1].status != "dropped":
            steps.append(Step(status="dropped", **about))
    return tuple(steps)


def is_open(last: Step) -> bool:
    """Whether a concern whose last step this is waits to be taken up."""
    return last.status not in CLOSED and not is_answered(last)


def is_answered(last: Step) -> bool:
    """Whether the last word is that of notes which show it taken up, and not its speaker's or the user's."""
    return last.meeting is not None and last.status in get_args(HeardStage)


def is_followed(kind: str, speaker: str | None) -> bool:
    """Whether something is followed from meeting to meeting: an objection or need of somebody."""
    return kind in FOLLOWED and bool(speaker)
