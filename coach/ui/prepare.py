"""The Prepare place: a plan, the brief that comes of it, and the way into practice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import gradio as gr

from coach.errors import InputError
from coach.rehearsal.plan import QUESTIONS, Plan, make_plan, missing
from coach.schema import Review
from coach.ui import strings, views
from coach.ui.acting import QUIET, region, sent
from coach.ui.faults import Update, telling
from coach.ui.people import everybody

if TYPE_CHECKING:
    from coach.rehearsal.session import Session
    from coach.rehearsal.values import Brief, Phrase
    from coach.ui.coaches import CoachOf
    from coach.wiring import Coach

TEMPLATE = "prepare.html.j2"
PREPARED = 5
"""Meetings prepared before that are offered beside the form."""


@dataclass(frozen=True)
class Draft:
    """A plan as it stands in the form, complete or not; ``fears`` one a line."""

    purpose: str = ""
    stage: str = ""
    attendees: tuple[str, ...] = ()
    opening: str = ""
    fears: str = ""

    @property
    def given(self) -> dict[str, Any]:
        """What was filled in, as a plan wants it."""
        fears = [line.strip("-•* \t") for line in self.fears.splitlines()]
        filled = {
            "purpose": self.purpose,
            "stage": self.stage,
            "attendees": list(self.attendees),
            "opening": self.opening,
        }
        return {**{key: value for key, value in filled.items() if value}, "fears": [fear for fear in fears if fear]}


@dataclass(frozen=True)
class Piece:
    """A run of the opening; ``phrase`` is set where it sounds categorical, ``n`` counts the pieces."""

    n: int
    text: str
    phrase: Phrase | None = None


def build_prepare(coach_of: CoachOf, tab: gr.Tab) -> tuple[gr.HTML, gr.HTML, gr.State, gr.State]:
    """The components and events of the place; gives back the form, the brief, the plan and its draft, for what else
    fills them."""
    plan = gr.State(None, time_to_live=3600)
    begun = gr.State(Draft(), time_to_live=3600)
    form = region(views.part(TEMPLATE, "form", Draft(), (), ""), "brief", "go_on", "reopen", elem_id="plan-form")
    shown = region("", "edit", "practise", "heard", elem_id="brief")
    outcome = region("", elem_id="outcome")
    outputs = [plan, begun, form, shown, outcome]

    @telling(form)
    def enter(known: Plan | None, draft: Draft, request: gr.Request) -> Update:
        if known is not None:
            return {begun: draft}
        return {form: form_of(coach_of(request), draft)}

    @telling(shown)
    def brief(request: gr.Request, event: gr.EventData) -> Update:
        draft = read(event)
        coach = coach_of(request)
        if lacking := missing(draft.given):
            problem = strings.PLAN_LACKS.format(question=QUESTIONS[lacking[0]])
            return {begun: draft, form: form_of(coach, draft, problem), shown: ""}
        made = make_plan(draft.given)
        return {plan: made, begun: draft, form: "", shown: brief_of(coach, made), outcome: ""}

    @telling(form)
    def reopen(request: gr.Request, event: gr.EventData) -> Update:
        """The brief of a meeting that was practised for, as the library stands now."""
        coach = coach_of(request)
        known = coach.practices.load(sent(event, "practice")).plan
        return {plan: known, begun: of_plan(known), form: "", shown: brief_of(coach, known), outcome: ""}

    @telling(outcome)
    def heard(known: Plan | None, request: gr.Request, event: gr.EventData) -> Update:
        """Which of the concerns in the brief the real meeting heard."""
        if known is None:
            raise InputError(strings.NO_PLAN)
        if not sent(event, "notes").strip():
            raise InputError(strings.AFTER_NOTHING)
        answer = coach_of(request).after(known, sent(event, "notes"))
        return {outcome: views.part(TEMPLATE, "heard", answer)}

    @telling(form)
    def edit(known: Plan | None, request: gr.Request) -> Update:
        draft = of_plan(known) if known else Draft()
        return {plan: None, form: form_of(coach_of(request), draft), shown: "", outcome: ""}

    tab.select(enter, [plan, begun], outputs, **QUIET)
    form.brief(brief, None, outputs, **QUIET)
    form.reopen(reopen, None, outputs, **QUIET)
    shown.edit(edit, plan, outputs, **QUIET)
    shown.heard(heard, plan, outputs, **QUIET)
    return form, shown, plan, begun


def form_of(coach: Coach, draft: Draft, problem: str = "") -> str:
    """The form with a draft in it, what it lacks, and what was prepared last."""
    people = names(coach)
    identities = coach.identities.load()
    # "Marisa Quill" of the notes is the Marisa of the library: ticked there, not named twice.
    known = {entity.label: name for name in people if (entity := identities.find(name))}
    same = (known.get(entity.label, a) if (entity := identities.find(a)) else a for a in draft.attendees)
    shown = replace(draft, attendees=tuple(dict.fromkeys(same)))
    return views.part(TEMPLATE, "form", shown, people, problem, _prepared(coach) if not problem else ())


def _prepared(coach: Coach) -> list[Session]:
    """The last practice of each of the last meetings, the newest first."""
    last = {(session.plan.purpose, session.partner): session for session in coach.practices.all()}
    return sorted(last.values(), key=lambda session: session.started, reverse=True)[:PREPARED]


def brief_of(coach: Coach, plan: Plan) -> str:
    """The brief of a plan, as HTML."""
    answer = coach.brief(plan)
    return views.part(TEMPLATE, "brief", answer, pieces(answer))


def follow_up(review: Review) -> Draft:
    """A plan for coming back to what went unheard, in words that the user will make their own."""
    concerns = [f for f in review.findings if f.tier == "finding" and f.kind != "categorical_phrasing" and f.speaker]
    said = [strings.FOLLOW_SAID.format(name=f.speaker, quote=" ".join(f.quote.split())) for f in concerns[:3]]
    title = review.meeting.title or strings.FOLLOW_UNTITLED
    return Draft(
        purpose=strings.FOLLOW_PURPOSE.format(title=title),
        stage="needs",
        attendees=tuple(p.name for p in review.participants) or review.meeting.speakers,
        opening=" ".join([strings.FOLLOW_OPEN, *said, strings.FOLLOW_ASK]) if said else "",
        fears="",
    )


def names(coach: Coach) -> tuple[str, ...]:
    """Everybody in the library, for choosing from."""
    return tuple(sorted((person.name for person in everybody(coach)), key=str.casefold))


def read(event: gr.EventData) -> Draft:
    """The plan in a form that was sent."""
    chosen = [*sent(event, "known").split("\n"), *sent(event, "others").replace(";", ",").split(",")]
    return Draft(
        purpose=sent(event, "purpose").strip(),
        stage=sent(event, "stage"),
        attendees=tuple(dict.fromkeys(name.strip() for name in chosen if name.strip())),
        opening=sent(event, "opening").strip(),
        fears=sent(event, "fears"),
    )


def of_plan(plan: Plan) -> Draft:
    """The form of a plan."""
    return Draft(plan.purpose, plan.stage, plan.attendees, plan.opening, "\n".join(plan.fears))


def pieces(brief: Brief) -> Sequence[Piece]:
    """The opening cut at its categorical phrases."""
    text, at, made = brief.opening.text, 0, list[Piece]()
    for phrase in sorted(brief.opening.phrases, key=lambda p: p.start):
        if phrase.start < at:
            continue
        made.append(Piece(len(made), text[at : phrase.start]))
        made.append(Piece(len(made), text[phrase.start : phrase.end], phrase))
        at = phrase.end
    return [*made, Piece(len(made), text[at:])]
