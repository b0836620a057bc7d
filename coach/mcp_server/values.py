"""What the tools give back beside the coach's own values."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from coach.concerns import Concern
from coach.rehearsal.ladder import Status
from coach.rehearsal.session import Session
from coach.rehearsal.values import Debrief, MoveMade
from coach.schema import Passage, Value


class Passages(Value):
    """What was found, best first."""

    passages: tuple[Passage, ...]


class Concerns(Value):
    """What nobody has taken up yet, the most often raised first; ``answered`` are those that went unheard once and were
    answered since, where the notes do not say whether that was enough."""

    concerns: tuple[Concern, ...]
    answered: tuple[Concern, ...] = ()


class Lines(Value):
    """What was said in a meeting, line by line."""

    lines: tuple[str, ...]


class Tentative(Value):
    """A tentative version; ``rewrite`` is null when there is no good one, and ``ask`` opens the sentence up instead."""

    sentence: str
    rewrite: str | None
    ask: str


class Replaced(Value):
    """A stretch of the text as given, ``start:end`` in code points, and what stands in its place."""

    start: int
    end: int
    type: str
    pseudonym: str


class Anonymisation(Value):
    """The text in pseudonyms and what was replaced: ``coach.anonymised/1``."""

    schema_: Literal["coach.anonymised/1"] = Field("coach.anonymised/1", alias="schema")
    text: str
    replaced: tuple[Replaced, ...]


class PracticeTurn(Value):
    """Where a practice stands: what the simulated attendee said last, which moves were heard in your turn, how far each
    objection came, and a hint. ``debrief`` is set once the practice has ended."""

    practice: str
    partner: str
    reply: str
    moves: tuple[MoveMade, ...] = ()
    objections: tuple[str, ...]
    status: tuple[Status, ...]
    finished: bool
    nudge: str
    notices: tuple[str, ...] = ()
    debrief: Debrief | None = None


def practice_turn(session: Session, debrief: Debrief | None) -> PracticeTurn:
    mine = [turn for turn in session.turns if turn.mine and turn.turn > 1]
    return PracticeTurn(
        practice=session.id,
        partner=session.partner,
        reply=session.turns[-1].text,
        moves=mine[-1].moves if mine else (),
        objections=tuple(point.quote for point in session.points),
        status=tuple(ladder.status for ladder in session.ladders),
        finished=session.finished,
        nudge=session.nudge(),
        notices=session.notices,
        debrief=debrief,
    )
