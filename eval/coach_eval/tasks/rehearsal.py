"""A scripted practice: does each objection end on the rung that the replies deserve?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from pydantic import Field

from coach_eval.schema import Score, Strict, Suite
from coach_eval.tasks.base import Problem, Subject, Task
from coach_eval.tasks.brief import CasePast, PlannedCase, plan_problems

Rung = Literal["raised", "acknowledged", "paraphrased", "explored", "confirmed", "integrated"]
RUNGS: tuple[Rung, ...] = ("raised", "acknowledged", "paraphrased", "explored", "confirmed", "integrated")


class Outcome(Strict):
    """Where an objection may end: any of the listed rungs."""

    quote: str
    ends: tuple[Rung, ...] = Field(min_length=1)


class RehearsalCase(PlannedCase):
    """What the user says in a practice with one attendee, and how far that gets."""

    attendee: str
    temperament: Literal["reserved", "blunt", "worried"] = "reserved"
    replies: tuple[str, ...] = Field(min_length=1)
    outcomes: tuple[Outcome, ...] = Field(min_length=1)
    redo: int | None = Field(None, ge=1, description="which reply, from 1, is the one worth another try")


class Seen(Strict):
    """Quote and final rung of each objection; the turns on which something was claimed; how many turns there were."""

    ends: tuple[tuple[str, Rung], ...] = ()
    steps: tuple[tuple[int, str], ...] = ()
    redo: int | None = None
    turns: int = 0


def problems(case: RehearsalCase) -> Iterator[Problem]:
    """What does not fit the plan."""
    yield from plan_problems(case)
    if case.attendee not in case.plan.attendees:
        yield ("attendee",), f"{case.attendee!r} is not among the plan's attendees"
    theirs = {concern.quote for concern in case.concerns if concern.attendee == case.attendee}
    for index, outcome in enumerate(case.outcomes):
        if outcome.quote not in theirs:
            yield ("outcomes", index), f"{outcome.quote!r} is no concern of {case.attendee}"
    if case.redo is not None and case.redo > len(case.replies):
        yield ("redo",), f"there are {len(case.replies)} replies"


def run(case: RehearsalCase, _suite: Suite, subject: Subject) -> Seen:
    """Play the practice."""
    debrief = subject.rehearse(case.plan, CasePast(case.concerns), case.attendee, case.temperament, case.replies)
    mine = [turn.turn for turn in debrief.turns if turn.speaker == "you"]
    redo = mine.index(debrief.redo.turn) if debrief.redo and debrief.redo.turn in mine else None
    return Seen(
        ends=tuple((objection.quote, objection.status.value) for objection in debrief.objections),
        steps=tuple((step.turn, step.status.value) for objection in debrief.objections for step in objection.steps),
        redo=redo,
        turns=len(debrief.turns),
    )


def ladder(case: RehearsalCase, _suite: Suite, seen: Seen) -> Score:
    """``ladder``: the share of objections that end where they should; ``near``: 1 - distance in rungs / 5, averaged."""
    ends = dict(seen.ends)
    right, near = [], []
    for outcome in case.outcomes:
        at = RUNGS.index(ends.get(outcome.quote, "raised"))
        distance = min(abs(at - RUNGS.index(rung)) for rung in outcome.ends)
        right.append(outcome.quote in ends and distance == 0)
        near.append(1 - distance / (len(RUNGS) - 1))
    metrics = {"ladder": sum(right) / len(right), "near": sum(near) / len(near)}
    if case.redo is not None:
        metrics["redo"] = float(seen.redo == case.redo)
    return Score(metrics=metrics, passed=all(right))


def grounded(_case: RehearsalCase, _suite: Suite, seen: Seen) -> Score:
    """The invariant: every step of the ladder names a turn that took place."""
    wrong = [turn for turn, _ in seen.steps if not 1 <= turn <= seen.turns]
    return Score(broken=("a step names a turn that never took place",), passed=False) if wrong else Score()


def items(_case: RehearsalCase, seen: Seen) -> tuple[str, ...]:
    """Where each objection ended."""
    return tuple(f"{rung}: “{quote}”" for quote, rung in seen.ends)


TASK = Task(
    name="rehearsal",
    case=RehearsalCase,
    seen=Seen,
    problems=problems,
    run=run,
    scorers={"ladder": ladder, "grounded": grounded},
    items=items,
)
