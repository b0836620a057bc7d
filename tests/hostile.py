"""Briefs, debriefs and results of evaluations in which every field that takes text says the same hostile words."""

from __future__ import annotations

from coach_eval.schema import Calibration, CaseChange, Digests, Outcome, Run, Score, Trial, Verdict

from coach.rehearsal.ladder import Status, Temperament
from coach.rehearsal.moves import Move
from coach.rehearsal.values import (
    Attempt,
    Brief,
    Counts,
    Debrief,
    Likely,
    MoveMade,
    ObjectionHeard,
    Opening,
    OpenQuestion,
    PassedOver,
    Person,
    Phrase,
    PlanStep,
    Point,
    Redo,
    Remark,
    SafePart,
    StepMade,
    TurnShown,
)
from coach.schema import Evidence


def brief(words: str) -> Brief:
    """A brief that says these words wherever it can."""
    said = Evidence(meeting=words, date=words, quote=words, speaker=words)
    point = Point(attendee=words, quote=words, quotes=(said,), meeting=words, date=words, times=2)
    likely = Likely(attendee=words, objection=words, because=words, ask=words, origin="plan", evidence=(said,))
    person = Person(
        name=words, known=True, note=words, open=(point,), evidence=(said,), ask=words, likely=(likely,)
    )  # fmt: skip
    phrases = [
        Phrase(quote=words, start=0, end=1, subtype="absolute", words=words, rewrite=rewrite, ask=words)
        for rewrite in (words, None)
    ]
    opening = Opening(
        text=words, phrases=tuple(phrases), rewritten=words, phase=(words,),
        passes_over=(PassedOver(attendee=words, quote=words, date=words, remark=words),),
    )  # fmt: skip
    question = OpenQuestion(question=words, attendee=words + "?")
    return Brief(
        purpose=words, stage="needs", fears=(words,), attendees=(person,), opening=opening,
        safe_to_try=(SafePart(part="scope", title="Scope", said=words), SafePart(part="end", title="End", ask=words)),
        steps=(PlanStep(stage="needs", title="Needs", aim="Listen.", questions=(question,)),), notices=(words,),
    )  # fmt: skip


def debrief(words: str) -> Debrief:
    """A debrief that says these words wherever it can."""
    made = MoveMade(move=Move.OPEN_QUESTION, words=words)
    turns = [TurnShown(turn=n, speaker=words, text=words, moves=(made,)) for n in (1, 2, 3)]
    step = StepMade(turn=1, status=Status.RAISED, move=Move.OPEN_QUESTION)
    heard = ObjectionHeard(
        attendee=words, quote=words, meeting=words, date=words, origin="plan", status=Status.RAISED, steps=(step,)
    )  # fmt: skip
    attempt = Attempt(label=words, replies=1, rungs=1, statuses=(Status.RAISED,), listening=1, dismissing=0)
    return Debrief(
        partner=words, temperament=Temperament.RESERVED, objections=(heard,), turns=tuple(turns), best_turn=1,
        best_why=words, redo=Redo(turn=3, suggestion=words, why=words), counts=Counts(),
        remarks=(Remark(turn=1, text=words),), progress=(attempt,), ladder=((Status.RAISED,),) * 3, notices=(words,),
    )  # fmt: skip


def results(words: str) -> tuple[Run, Verdict]:
    """A run and its verdict as somebody may hand them in, saying these words wherever they can."""
    change = CaseChange(
        case="a", cluster=words, delta=-1, before={words: 1}, after={words: 0}, lost=(words,), gained=(words,),
        errors=(words,),
    )  # fmt: skip
    outcome = Outcome(
        metric=words, status="regressed", before=1, after=0, delta=-1, low=-1, high=0, p=0.01, margin=0.02, clusters=3,
        detectable=0.1,
    )  # fmt: skip
    calibration = Calibration(replays=1, false_alarms=0, noise=words)
    verdict = Verdict(
        suite="ours", status="regressed", reasons=(words,), outcomes=(outcome,), changes=(change,), paired=1,
        only_before=(words,), only_after=(words,), changed_cases=(words,), calibration=calibration,
    )  # fmt: skip
    score = Score(metrics={words: 0.5}, counts={f"{words}.hit": 1}, passed=False)
    trials = (
        Trial(case="a", cluster=words, repeat=0, score=score, items=(words,), critical=True),
        Trial(case="a", cluster=words, repeat=1, error=words, fault="engine"),
    )
    run = Run(
        suite="ours", task=words, engine=words, model=words, commit=words, date=words, repeats=1, complete=True,
        digests=Digests(suite=words, scorer=words, subject=words), trials=trials, notices=(words,),
    )  # fmt: skip
    return run, verdict
