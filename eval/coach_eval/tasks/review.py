"""Reviewing notes: are the passages worth raising found, and is the coach quiet where there is nothing?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Literal

from pydantic import Field, model_validator

from coach.schema import CATEGORICAL_SUBTYPES, KINDS, NEEDS, OBJECTION_SUBTYPES, Review
from coach_eval import relations
from coach_eval.relations import Change, Relation
from coach_eval.schema import Case, Score, Strict, Suite
from coach_eval.spans import Span, match
from coach_eval.tasks.base import Problem, Subject, Task

Kind = Literal["unheard_objection", "unaddressed_need", "categorical_phrasing"]


class Gold(Strict):
    """A passage and what is to be said about it. ``also``: other places where the same point may be quoted instead.

    ``subtype`` and ``need`` may list several that a careful reader could choose. ``why`` is for the next reader.
    """

    kind: Kind
    quote: str = Field(min_length=3)
    occurrence: int = Field(1, ge=1)
    also: tuple[str, ...] = ()
    subtype: tuple[str, ...] | str | None = None
    need: tuple[str, ...] | str | None = None
    why: str = ""

    @model_validator(mode="after")
    def _known(self) -> Gold:
        for given, allowed in ((self.subtypes, OBJECTION_SUBTYPES + CATEGORICAL_SUBTYPES), (self.needs, NEEDS)):
            for name in given:
                if name not in allowed:
                    raise ValueError(f"{name!r} is not known: allowed are {', '.join(allowed)}")
        return self

    @property
    def subtypes(self) -> tuple[str, ...]:
        """The subtypes that are right; empty when none is asked for."""
        return (self.subtype,) if isinstance(self.subtype, str) else self.subtype or ()

    @property
    def needs(self) -> tuple[str, ...]:
        """The needs that are right; empty when none is asked for."""
        return (self.need,) if isinstance(self.need, str) else self.need or ()

    def places(self, text: str, rank: int = 0) -> list[Span]:
        """Where the passage may be quoted."""
        start = -1
        for _ in range(self.occurrence):
            start = text.find(self.quote, start + 1)
        spans = [Span(self.kind, start, start + len(self.quote), rank)]
        return spans + [Span(self.kind, (at := text.find(quote)), at + len(quote), rank) for quote in self.also]


class ReviewCase(Case):
    """Notes and what a careful facilitator would raise. ``changes`` are applied to the notes of the file first.

    required: must be found. acceptable: may be found. forbidden: must not be found, because it was heard. Anything else
    that is found is a false alarm.
    """

    notes: str = Field(min_length=1)
    format: str | None = None
    changes: tuple[Change, ...] = ()
    required: tuple[Gold, ...] = ()
    acceptable: tuple[Gold, ...] = ()
    forbidden: tuple[Gold, ...] = ()
    expect_none: bool = False
    relations: tuple[Relation, ...] = ()

    @model_validator(mode="after")
    def _asks_something(self) -> ReviewCase:
        if self.expect_none and self.required:
            raise ValueError("a case with `expect_none` has nothing under `required`")
        if not (self.expect_none or self.required):
            raise ValueError("say what must be found under `required`, or `expect_none: true`")
        return self

    @property
    def text(self) -> str:
        """The notes that are reviewed."""
        return relations.apply(self.notes, self.changes)


class Shown(Strict):
    """A finding as the review shows it, without its wording."""

    kind: str
    subtype: str | None = None
    need: str | None = None
    start: int
    end: int
    tier: Literal["finding", "look"] = "finding"

    @property
    def span(self) -> Span:
        """Its place."""
        return Span(self.kind, self.start, self.end)


class Seen(Strict):
    """What one trial shows: the findings, how many were not exact quotes, and the findings on the changed notes."""

    findings: tuple[Shown, ...] = ()
    ungrounded: int = 0
    variants: tuple[tuple[Shown, ...], ...] = ()


def problems(case: ReviewCase) -> Iterator[Problem]:
    """Changes, quotes and relations that do not fit the notes."""
    text = case.notes
    for index, step in enumerate(case.changes):
        if text.count(step.quote) != 1:
            yield (
                ("changes", index),
                f"{step.quote!r} is in the notes {text.count(step.quote)} times: a change needs it once",
            )
            return
        text = relations.apply(text, [step])
    for name in ("required", "acceptable", "forbidden"):
        for index, gold in enumerate(getattr(case, name)):
            if text.count(gold.quote) < gold.occurrence:
                yield (name, index, "quote"), f"the gold quote {gold.quote!r} is not in the notes, letter for letter"
            for quote in gold.also:
                if quote not in text:
                    yield (name, index, "also"), f"the gold quote {quote!r} is not in the notes, letter for letter"
    for index, relation in enumerate(case.relations):
        for problem in relations.problems(text, relation):
            yield ("relations", index), problem


def run(case: ReviewCase, suite: Suite, subject: Subject) -> Seen:
    """Review the notes, and the notes as each relation changes them if the suite scores that."""
    text = case.text
    review = subject.review(text, case.format)
    tried = case.relations if not suite.scorers or "metamorphic" in suite.scorers else ()
    variants = (relations.change(text, relation).text for relation in tried)
    return Seen(
        findings=_shown(review),
        ungrounded=sum(text[f.start : f.end] != f.quote for f in review.findings),
        variants=tuple(_shown(subject.review(changed, case.format)) for changed in variants),
    )


def spans(case: ReviewCase, suite: Suite, seen: Seen) -> Score:
    """Precision, recall and F1 against the gold spans; silence on clean notes; false alarms on what was heard.

    ``recall`` and ``precision`` count what is shown as a finding; ``recall_any`` also what is "worth a look". ``quiet``
    is 1 / (1 + false alarms), on notes with nothing to find. ``heard`` is the share of heard passages left alone.
    ``subtype`` and ``need`` are the share of found passages that were named rightly.
    """
    text, kinds = case.text, suite.findings or KINDS
    required = [gold for gold in case.required if gold.kind in kinds]
    acceptable = [gold for gold in case.acceptable if gold.kind in kinds]
    forbidden = [gold for gold in case.forbidden if gold.kind in kinds]
    places = [gold.places(text) for gold in required] + [gold.places(text, rank=1) for gold in acceptable]
    every = [found for found in seen.findings if found.kind in kinds]
    shown = [found for found in every if found.tier == "finding"]

    matched = match([found.span for found in shown], places)
    hits = {found: gold for found, gold in matched.items() if gold < len(required)}
    false = [found for index, found in enumerate(shown) if index not in matched]
    any_hits = [gold for gold in match([found.span for found in every], places).values() if gold < len(required)]
    raised = match([found.span for found in shown], [gold.places(text) for gold in forbidden])

    counts: Counter[str] = Counter()
    for index, gold in enumerate(required):
        counts[f"{gold.kind}.{'hit' if index in hits.values() else 'missed'}"] += 1
    for found in false:
        counts[f"{found.kind}.false"] += 1

    metrics: dict[str, float] = {
        "f1": _ratio(2 * len(hits), 2 * len(hits) + len(false) + len(required) - len(hits), 1.0)
    }
    if required:
        metrics["recall"] = len(hits) / len(required)
        metrics["recall_any"] = len(any_hits) / len(required)
    else:
        metrics["quiet"] = 1 / (1 + len(false))
    if hits or false:
        metrics["precision"] = len(hits) / (len(hits) + len(false))
    if forbidden:
        metrics["heard"] = 1 - len(raised) / len(forbidden)
    named = [(required[gold].subtypes, shown[found].subtype) for found, gold in hits.items() if required[gold].subtypes]
    needed = [(required[gold].needs, shown[found].need) for found, gold in hits.items() if required[gold].needs]
    for name, pairs in (("subtype", named), ("need", needed)):
        if pairs:
            metrics[name] = sum(given in right for right, given in pairs) / len(pairs)
    return Score(metrics=metrics, counts=dict(counts), passed=len(hits) == len(required) and not false and not raised)


def grounding(_case: ReviewCase, _suite: Suite, seen: Seen) -> Score:
    """The invariant behind everything: a quote is in the notes, letter for letter, where it says it is."""
    if not seen.ungrounded:
        return Score()
    return Score(broken=(f"{seen.ungrounded} quotes are not in the notes where they say they are",), passed=False)


def metamorphic(case: ReviewCase, suite: Suite, seen: Seen) -> Score:
    """The share of relations that hold, of those that say anything about this trial."""
    kinds = suite.findings or KINDS
    before = _places(seen.findings, kinds)
    results = [
        relations.holds(relation, case.text, before, _places(after, kinds))
        for relation, after in zip(case.relations, seen.variants, strict=False)
    ]
    telling = [result for result in results if result is not None]
    return Score(metrics={"metamorphic": sum(telling) / len(telling)}) if telling else Score()


def items(case: ReviewCase, seen: Seen) -> tuple[str, ...]:
    """One line per finding: what, how sure, and the quote."""
    text = case.text
    return tuple(
        f"{found.kind}{f'/{found.subtype}' if found.subtype else ''}"
        f"{' (a look)' if found.tier == 'look' else ''}: “{text[found.start : found.end]}”"
        for found in seen.findings
    )


def _shown(review: Review) -> tuple[Shown, ...]:
    fields = ("kind", "subtype", "need", "start", "end", "tier")
    return tuple(Shown(**{name: getattr(finding, name) for name in fields}) for finding in review.findings)


def _places(findings: Sequence[Shown], kinds: Sequence[str]) -> list[Span]:
    return [found.span for found in findings if found.tier == "finding" and found.kind in kinds]


def _ratio(part: float, whole: float, otherwise: float) -> float:
    return part / whole if whole else otherwise


TASK = Task(
    name="review",
    case=ReviewCase,
    seen=Seen,
    problems=problems,
    run=run,
    scorers={"spans": spans, "grounding": grounding, "metamorphic": metamorphic},
    items=items,
)
