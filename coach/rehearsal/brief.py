"""Plan -> Brief: what those who come were never answered on, how the opening may sound to them, and what to ask."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from coach.errors import BudgetError, LeakError, ModelError
from coach.lexicon import has
from coach.rehearsal.aim import nearness, speaks_to
from coach.rehearsal.opening import hear, pattern, proposal_in, safe_to_try, words
from coach.rehearsal.past import NoPast, Past
from coach.rehearsal.plan import Plan
from coach.rehearsal.values import Brief, Likely, OpenQuestion, Person, PlanStep, Point
from coach.schema import NEEDS, Evidence, Passage
from coach.wording import participant_question, snippet

MOST_LIKELY = 3  # hypotheses per person: more would bury what people really said

Objecting = Callable[[Plan, Sequence[Passage]], Sequence[Likely]]
Rewriting = Callable[[Plan], str | None]


def make_brief(
    plan: Plan,
    past: Past | None = None,
    *,
    objecting: Objecting | None = None,
    rewriting: Rewriting | None = None,
) -> Brief:
    """The brief of a plan, from what ``past`` knows.

    ``objecting`` and ``rewriting`` ask a model for likely objections and for the opening in other words; when the model
    fails, the rules answer alone and a notice says why.
    """
    past = past or NoPast()
    notices: list[str] = []
    guessed: Sequence[Likely] = ()
    reworded: str | None = None
    engine = "local"
    if objecting is not None or rewriting is not None:
        try:
            guessed = objecting(plan, past.passages(f"{plan.purpose} {plan.opening}")) if objecting else ()
            reworded = rewriting(plan) if rewriting else None
            engine = "llm"
        except (ModelError, BudgetError, LeakError) as error:
            notices.append(f"The model did not answer ({error}); this brief was made on this machine.")
    people = tuple(_person(name, plan, past, guessed) for name in dict.fromkeys(plan.attendees))
    points = tuple(point for person in people for point in person.open)
    opening = hear(plan, points)
    if reworded:
        opening = opening.model_copy(update={"rewritten": reworded})
    return Brief.model_validate(
        {
            "engine": engine,
            "purpose": plan.purpose,
            "stage": plan.stage,
            "fears": plan.fears,
            "attendees": people,
            "opening": opening,
            "safe_to_try": safe_to_try(plan, points),
            "steps": _steps(people),
            "notices": tuple(notices),
        }
    )


def guess_need(text: str) -> str:
    """The need that may be behind a concern, by its words; ``being_heard`` when they do not say. A guess, no more."""
    cues = words()["need_cues"]
    found = {need: len(re.findall(cues[need], text, re.I)) for need in NEEDS if need in cues}
    best = max(found, key=lambda need: found[need])
    return best if found[best] else "being_heard"


def _person(name: str, plan: Plan, past: Past, guessed: Sequence[Likely]) -> Person:
    texts = words()["person"]
    known = past.knows(name)
    points = past.open(name) if known else ()
    standing = past.standing(name) if known else None
    note = None
    if not known:
        other = past.nearest_name(name)
        note = texts["meant" if other else "unknown_to_library"].format(name=name, other=other)
    elif not points:
        note = texts["nothing_open"].format(name=name)
    said = standing.evidence[0].quote if standing and standing.evidence else None
    stance = "unknown"
    if standing and standing.buy_in in ("lukewarm", "resistant"):
        stance = standing.buy_in
    return Person(
        name=name,
        known=known,
        note=note,
        open=points,
        alignment=standing.alignment if standing else "unknown",
        buy_in=standing.buy_in if standing else "unknown",
        evidence=standing.evidence if standing else (),
        ask=participant_question(stance, name, said),
        likely=_likely(name, plan, points, past if known else NoPast(), guessed),
    )


def _likely(
    name: str, plan: Plan, points: Sequence[Point], past: Past, guessed: Sequence[Likely]
) -> tuple[Likely, ...]:
    """Hypotheses, the best founded first: the person's own earlier doubts on the subject, then a model's guesses."""
    texts = words()["likely"]
    known = {quote for p in points for quote in (p.quote, *(q.quote for q in p.quotes))}
    subject = f"{plan.purpose} {plan.opening}"
    found = []
    for said in past.said_on(subject, name):
        doubted = pattern("doubt").search(said.quote) or has(said.quote, "assent", "lukewarm", "resistant", "disagreed")
        if not doubted or _known(said, known) or not speaks_to(said.quote, subject, names=plan.attendees):
            continue
        found.append(
            Likely(
                attendee=name,
                objection=said.quote,
                because=texts["library"].format(name=name),
                ask=texts["ask_library"].format(name=name, said=snippet(said.quote)),
                need=guess_need(said.quote),
                origin="library",
                evidence=(said,),
            )
        )
    found.sort(key=lambda one: -nearness(one.objection, subject))
    theirs = [g for g in guessed if g.attendee in (name, "anyone")]
    return (*found[:MOST_LIKELY], *(g.model_copy(update={"attendee": name}) for g in theirs))[: MOST_LIKELY + 2]


def _known(said: Evidence, known: set[str]) -> bool:
    return any(said.quote in quote or quote in said.quote for quote in known)


def hypotheses(plan: Plan) -> tuple[Likely, ...]:
    """What anybody may object, going by the plan alone: its fears, then its own strong words, then its order."""
    texts = words()["likely"]
    ask = texts["ask_plan"]
    found = [
        Likely(attendee="anyone", objection=fear, because=texts["plan"], ask=ask, need=guess_need(fear), origin="plan")
        for fear in plan.fears
    ]
    for phrase in hear(plan, ()).phrases[:2] if not found else ():
        found.append(
            Likely(
                attendee="anyone",
                objection=f"I see it differently when you say “{phrase.words}”.",
                because=texts["opening"].format(words=f"“{phrase.words}”"),
                ask=phrase.ask,
                need="influence",
                origin="opening",
            )
        )
    if not found:
        found.append(
            Likely(
                attendee="anyone",
                objection=texts["stage_objection"],
                because=texts["stage"],
                ask=texts["ask_stage"],
                need="clarity",
                origin="opening",
            )
        )
    return tuple(found)


def _steps(people: Sequence[Person]) -> tuple[PlanStep, ...]:
    """Needs, possibilities, action: questions for all, and for the needs one to each person whose concern is open."""
    texts = words()
    asked: dict[str, list[OpenQuestion]] = {"needs": [], "possibilities": [], "action": []}
    for person in people:
        for point in person.open[:2]:
            need = point.need or guess_need(point.quote)
            asked["needs"].append(
                OpenQuestion(
                    question=texts["point_question"].format(name=person.name, said=snippet(point.quote)),
                    attendee=person.name,
                    need=need,
                )
            )
            asked["needs"] += [
                OpenQuestion(question=q, attendee=person.name, need=need) for q in texts["need_questions"][need]
            ]
        if not person.open:
            question = texts["unknown_point"].format(name=person.name)
            asked["needs"].append(OpenQuestion(question=question, attendee=person.name))
    return tuple(
        PlanStep(
            stage=stage,
            title=texts["steps"][stage]["title"],
            aim=texts["steps"][stage]["aim"],
            questions=(*asked[stage], *(OpenQuestion(question=q) for q in texts["steps"][stage]["questions"])),
        )
        for stage in ("needs", "possibilities", "action")
    )


__all__ = ["guess_need", "hypotheses", "make_brief", "proposal_in"]
