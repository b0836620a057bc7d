"""Rewriting a categorical sentence: does it leave more room, and is it still the same sentence?

The checks do not use the rewriter's own lists: each case names the strong words and what must survive.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Literal

from pydantic import Field, model_validator

from coach_eval.schema import Case, Score, Strict, Suite
from coach_eval.tasks.base import Problem, Subject, Task

Subtype = Literal[
    "absolute", "certainty", "directive", "presumed_consent", "prediction", "either_or", "judgement", "savior"
]
LENGTH = (0.5, 1.5)
SLACK = 24
"""Characters that a short sentence may grow beyond the ratio: three words have no room for "as I see it"."""

_NUMBERS = re.compile(r"\d+(?:[.,:]\d+)*%?")
_NEGATION = re.compile(
    r"\b(?:no|not|nobody|nothing|none|never|without|cannot|rarely|hardly|few|little|\w+n[’']t)\b", re.I
)


class RewritingCase(Case):
    """A sentence, and what a good rewrite does to it.

    strong: words that put it beyond question; a rewrite loses them. keep: words (names, dates, things) that it keeps.
    negated: whether the sentence denies something, which a rewrite must not turn round. leave: the sentence is no
    opinion (a technical fact, a promise, a hedge) and is to be left alone.
    """

    sentence: str = Field(min_length=1)
    subtype: Subtype | None = None
    strong: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    negated: bool | None = None
    leave: bool = False

    @model_validator(mode="after")
    def _asks_something(self) -> RewritingCase:
        if self.leave == bool(self.strong):
            raise ValueError("name the `strong` words that a rewrite loses, or say `leave: true`")
        return self


class Seen(Strict):
    """The rewrite, or ``None`` where the rewriter gave up."""

    rewrite: str | None = None


def problems(case: RewritingCase) -> Iterator[Problem]:
    """Words that the sentence does not hold."""
    for name in ("strong", "keep"):
        for index, word in enumerate(getattr(case, name)):
            if not _holds(case.sentence, word):
                yield (name, index), f"{word!r} is not in the sentence"


def run(case: RewritingCase, _suite: Suite, subject: Subject) -> Seen:
    """Rewrite the sentence."""
    return Seen(rewrite=subject.rewrite(case.sentence, case.subtype))


def faithful(case: RewritingCase, _suite: Suite, seen: Seen) -> Score:
    """``kept``: the share of numbers, names, negation and length that survive; 1 where nothing was rewritten."""
    if seen.rewrite is None or case.leave:
        return Score()
    size, least, most = len(seen.rewrite), LENGTH[0] * len(case.sentence), LENGTH[1] * len(case.sentence)
    checks = [
        Counter(_NUMBERS.findall(case.sentence)) == Counter(_NUMBERS.findall(seen.rewrite)),
        *(_holds(seen.rewrite, word) for word in case.keep),
        least <= size <= max(most, len(case.sentence) + SLACK),
    ]
    if case.negated is not None:
        checks.append(bool(_NEGATION.search(seen.rewrite)) == case.negated)
    return Score(metrics={"kept": sum(checks) / len(checks)}, passed=all(checks))


def looser(case: RewritingCase, _suite: Suite, seen: Seen) -> Score:
    """How much room a rewrite makes; ``left_alone`` where none is due.

    ``looser``: the share of strong words that are gone, all of them when the sentence became a question, none without a
    rewrite. ``more_room``: whether :func:`coach.lexicon.tentativeness` rose.
    """
    if case.leave:
        alone = seen.rewrite is None
        return Score(metrics={"left_alone": float(alone)}, passed=alone)
    if seen.rewrite is None:
        return Score(metrics={"looser": 0.0, "more_room": 0.0}, passed=False)
    from coach.lexicon import tentativeness

    asked = seen.rewrite.rstrip().endswith("?")
    gone = sum(asked or not _holds(seen.rewrite, word) for word in case.strong) / len(case.strong)
    more = tentativeness(seen.rewrite) > tentativeness(case.sentence)
    return Score(metrics={"looser": gone, "more_room": float(more)}, passed=gone == 1)


def items(case: RewritingCase, seen: Seen) -> tuple[str, ...]:
    """The rewrite, as it reads."""
    return (f"“{case.sentence}” → {f'“{seen.rewrite}”' if seen.rewrite else 'left as it is'}",)


def _holds(text: str, word: str) -> bool:
    return re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text, re.IGNORECASE) is not None


TASK = Task(
    name="rewriting",
    case=RewritingCase,
    seen=Seen,
    problems=problems,
    run=run,
    scorers={"faithful": faithful, "looser": looser},
    items=items,
)
