"""The practice: a conversation with the simulated attendee, the ladder beside it, and the debrief after it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import gradio as gr

from coach.errors import InputError
from coach.rehearsal.ladder import RUNGS, Temperament
from coach.rehearsal.partner import streamed
from coach.rehearsal.plan import Plan
from coach.rehearsal.session import Session
from coach.ui import strings, views
from coach.ui.acting import QUIET, region, sent
from coach.ui.faults import Update, telling, told

if TYPE_CHECKING:
    from coach.rehearsal.ladder import Status
    from coach.ui.coaches import CoachOf
    from coach.wiring import Coach

TEMPLATE = "practice.html.j2"
BEAT = 0.03
"""Seconds between the parts of a streamed reply."""


def build_practice(coach_of: CoachOf, form: gr.HTML, brief: gr.HTML, plan: gr.State) -> None:
    """The components and events of the practice, which starts from the brief."""
    session = gr.State(None, time_to_live=3600)
    problem = region("")
    room = region("", "say", "nudge", "rewind", "look_back", "resume", "leave", elem_id="practice")
    outputs = [session, problem, room, form, brief, plan]

    def kept(coach: Coach, now: Session) -> Session:
        """The session, which is there again when the user comes back."""
        coach.practices.save(now)
        return now

    def shown(now: Session, nudge: str = "") -> Update:
        return {session: now, problem: "", brief: "", room: views.part(TEMPLATE, "practice", now, False, nudge, None)}

    @telling(problem)
    def begin(known: Plan | None, request: gr.Request, event: gr.EventData) -> Update:
        if known is None:
            raise InputError(strings.NO_PLAN)
        temperament = Temperament(sent(event, "temperament"))
        coach = coach_of(request)
        return shown(kept(coach, coach.rehearse(known, attendee=sent(event, "partner"), temperament=temperament)))

    @telling(problem)
    def go_on(request: gr.Request, event: gr.EventData) -> Update:
        """A practice that was left, and its plan."""
        before = coach_of(request).practices.load(sent(event, "practice"))
        return shown(before) | {plan: before.plan, form: ""}

    def say(now: Session | None, request: gr.Request, event: gr.EventData) -> Iterator[Update]:
        """The user's turn at once, then the reply as it is spoken. What can't be answered goes back to where it was."""
        text = sent(event, "text")
        try:
            if now is None:
                raise InputError(strings.NO_PRACTICE)
            coach = coach_of(request)
            yield {problem: "", room: views.part(TEMPLATE, "practice", now, True, "", None, text)}
            after = kept(coach, coach.say(now, text))
            for spoken in streamed(after.turns[-1].text):
                yield {room: views.part(TEMPLATE, "practice", after, True, "", spoken)}
                time.sleep(BEAT)
            yield shown(after)
        except Exception as error:  # noqa: BLE001 - the user gets a sentence, never a traceback
            left = {room: views.part(TEMPLATE, "practice", now, False, "", None, "", text)} if now else {}
            yield {problem: told(error), **left}

    @telling(problem)
    def nudge(now: Session) -> Update:
        return shown(now, now.nudge())

    @telling(problem)
    def rewind(now: Session, request: gr.Request, event: gr.EventData) -> Update:
        return shown(kept(coach_of(request), now.rewind(int(sent(event, "turn") or 0))))

    @telling(problem)
    def look_back(now: Session, request: gr.Request) -> Update:
        coach = coach_of(request)
        ended = kept(coach, now.end())
        debrief = coach.debrief(ended)
        return {session: ended, problem: "", room: views.part(TEMPLATE, "debrief", debrief, lines(debrief.ladder))}

    @telling(problem)
    def resume(now: Session, request: gr.Request) -> Update:
        return shown(kept(coach_of(request), now.model_copy(update={"ended": False})))

    @telling(problem)
    def leave(known: Plan, request: gr.Request) -> Update:
        from coach.ui.prepare import brief_of

        return {room: "", problem: "", session: None, brief: brief_of(coach_of(request), known)}

    form.go_on(go_on, None, outputs, **QUIET)
    brief.practise(begin, plan, outputs, **QUIET)
    room.say(say, session, outputs, **QUIET)
    room.leave(leave, plan, outputs, **QUIET)
    functions: tuple[tuple[Any, Callable[..., Update]], ...] = (
        (room.nudge, nudge),
        (room.rewind, rewind),
        (room.look_back, look_back),
        (room.resume, resume),
    )
    for listener, function in functions:
        listener(function, session, outputs, **QUIET)


def lines(ladder: Sequence[Sequence[Status]]) -> list[str]:
    """One line for each objection over the turns, as points in a picture 100 by 100."""
    if not ladder:
        return []
    last = max(len(ladder) - 1, 1)
    drawn = []
    for objection in range(len(ladder[0])):
        # Lines that run together stay apart by a little, so that all of them are seen.
        up = 100 - 1.5 * objection
        points = [(100 * n / last, up - 20 * RUNGS.index(row[objection])) for n, row in enumerate(ladder)]
        drawn.append(" ".join(f"{x:.1f},{y:g}" for x, y in points))
    return drawn
