"""The brief before a meeting: everyone's open concerns, and what the opening closes or passes over."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import Field

from coach.rehearsal.past import NoPast
from coach.rehearsal.plan import Plan
from coach.rehearsal.values import Point
from coach.schema import NEEDS, Evidence
from coach_eval.schema import Case, Score, Strict, Suite
from coach_eval.spans import Span, match
from coach_eval.tasks.base import Problem, Subject, Task


class Concern(Strict):
    """Something an attendee said in an earlier meeting that is still open."""

    attendee: str
    quote: str = Field(min_length=3)
    meeting: str
    date: str
    need: str | None = None


class PlannedCase(Case):
    """A plan and what is open from the past; what brief and rehearsal cases share."""

    plan: Plan
    concerns: tuple[Concern, ...] = ()


class BriefCase(PlannedCase):
    """What the brief must say of the opening.

    phrases: its categorical words. passes_over: open concerns that it does not speak to. speaks_to: those it does.
    """

    phrases: tuple[str, ...] = ()
    passes_over: tuple[str, ...] = ()
    speaks_to: tuple[str, ...] = ()


class Seen(Strict):
    """What the brief shows: (attendee, quote, date) of open points, phrases of the opening, concerns passed over."""

    open: tuple[tuple[str, str, str | None], ...] = ()
    phrases: tuple[tuple[int, int], ...] = ()
    ungrounded: int = 0
    passes_over: tuple[str, ...] = ()
    claimed: tuple[str, ...] = ()


@dataclass(frozen=True)
class CasePast(NoPast):
    """The past as a case tells it: a :class:`coach.rehearsal.past.Past` without a library."""

    concerns: tuple[Concern, ...]

    def knows(self, name: str) -> bool:
        """Whether the case tells anything of them."""
        return any(concern.attendee == name for concern in self.concerns)

    def open(self, name: str) -> tuple[Point, ...]:
        """Their open concerns, as the ledger would give them."""
        return tuple(
            Point(
                attendee=name,
                quote=concern.quote,
                quotes=(Evidence(meeting=concern.meeting, date=concern.date, quote=concern.quote, speaker=name),),
                meeting=concern.meeting,
                date=concern.date,
                need=concern.need,
            )
            for concern in self.concerns
            if concern.attendee == name
        )


def plan_problems(case: PlannedCase) -> Iterator[Problem]:
    """Concerns of people who do not come, or with a need that does not exist."""
    for index, concern in enumerate(case.concerns):
        if concern.attendee not in case.plan.attendees:
            yield ("concerns", index), f"{concern.attendee!r} is not among the plan's attendees"
        if concern.need is not None and concern.need not in NEEDS:
            yield ("concerns", index), f"{concern.need!r} is no need: allowed are {', '.join(NEEDS)}"


def problems(case: BriefCase) -> Iterator[Problem]:
    """What does not fit the plan."""
    yield from plan_problems(case)
    for index, quote in enumerate(case.phrases):
        if quote not in case.plan.opening:
            yield ("phrases", index), f"{quote!r} is not in the opening, letter for letter"
    known = {concern.quote for concern in case.concerns}
    for name in ("passes_over", "speaks_to"):
        for index, quote in enumerate(getattr(case, name)):
            if quote not in known:
                yield (name, index), f"{quote!r} is none of the case's concerns"


def run(case: BriefCase, _suite: Suite, subject: Subject) -> Seen:
    """Make the brief."""
    brief = subject.brief(case.plan, CasePast(case.concerns))
    unknown = [p for p in brief.attendees if not p.known and (p.alignment, p.buy_in) != ("unknown", "unknown")]
    return Seen(
        open=tuple((p.name, point.quote, point.date) for p in brief.attendees for point in p.open),
        phrases=tuple((phrase.start, phrase.end) for phrase in brief.opening.phrases),
        ungrounded=sum(brief.opening.text[p.start : p.end] != p.quote for p in brief.opening.phrases),
        passes_over=tuple(passed.quote for passed in brief.opening.passes_over),
        claimed=tuple(person.name for person in unknown),
    )


def concerns(case: BriefCase, _suite: Suite, seen: Seen) -> Score:
    """``open``: the share of open concerns shown under their attendee, word for word and dated.

    ``passes_over``: the share of concerns rightly told to be passed over or spoken to. Of somebody whom nobody has met,
    no stand may be claimed.
    """
    metrics: dict[str, float] = {}
    if case.concerns:
        shown = set(seen.open)
        metrics["open"] = sum((c.attendee, c.quote, c.date) in shown for c in case.concerns) / len(case.concerns)
    told = len(case.passes_over) + len(case.speaks_to)
    if told:
        right = sum(quote in seen.passes_over for quote in case.passes_over)
        right += sum(quote not in seen.passes_over for quote in case.speaks_to)
        metrics["passes_over"] = right / told
    broken = tuple(f"it says where {name} stands, whom nobody has met" for name in seen.claimed)
    return Score(metrics=metrics, broken=broken, passed=all(value == 1 for value in metrics.values()) and not broken)


def opening(case: BriefCase, _suite: Suite, seen: Seen) -> Score:
    """``phrases``: F1 of the categorical phrases of the opening; each is quoted letter for letter."""
    text = case.plan.opening
    gold = [[Span("phrase", text.index(quote), text.index(quote) + len(quote))] for quote in case.phrases]
    found = [Span("phrase", start, end) for start, end in seen.phrases]
    total = len(gold) + len(found)
    score = 2 * len(match(found, gold)) / total if total else 1.0
    broken = ("a phrase is not in the opening where it says it is",) if seen.ungrounded else ()
    return Score(metrics={"phrases": score}, broken=broken, passed=score == 1 and not broken)


def items(case: BriefCase, seen: Seen) -> tuple[str, ...]:
    """What the brief shows, one line each."""
    return (
        *(f"open with {name}: “{quote}” ({date})" for name, quote, date in seen.open),
        *(f"phrase: “{case.plan.opening[start:end]}”" for start, end in seen.phrases),
        *(f"passes over: “{quote}”" for quote in seen.passes_over),
    )


TASK = Task(
    name="brief",
    case=BriefCase,
    seen=Seen,
    problems=problems,
    run=run,
    scorers={"concerns": concerns, "opening": opening},
    items=items,
)
