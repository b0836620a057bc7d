"""What a task is: something a suite exercises, with its own shape of case, its run and its scorers."""

from __future__ import annotations

import hashlib
import inspect
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from pydantic import BaseModel

from coach.errors import ConfigError
from coach.registry import Registry
from coach.schema import Review
from coach_eval.schema import Case, Score, Suite

if TYPE_CHECKING:
    from coach.rehearsal.past import Past
    from coach.rehearsal.plan import Plan
    from coach.rehearsal.values import Brief, Debrief

SCORERS: Registry[Callable[[Any, Suite, Any], Score]] = Registry("coach_eval.scorers", needs=("__call__",))
"""Scorers of other packages; a suite names them under ``scorers``, and they get what a trial of its task shows."""

C = TypeVar("C", bound=Case)
S = TypeVar("S", bound=BaseModel)

Problem = tuple[tuple[int | str, ...], str]
"""Where in a case (keys and indexes), and what is wrong there."""


class Subject(Protocol):
    """What is under test. The harness's own is made from :class:`coach.wiring.Coach`; tests pass another."""

    def review(self, notes: str, format: str | None) -> Review:
        """The review of some notes by the engine of the suite."""
        ...

    def rewrite(self, sentence: str, subtype: str | None) -> str | None:
        """A tentative version of a sentence, or ``None``."""
        ...

    def brief(self, plan: Plan, past: Past) -> Brief:
        """What to know before the meeting."""
        ...

    def rehearse(self, plan: Plan, past: Past, attendee: str, temperament: str, replies: Sequence[str]) -> Debrief:
        """How a practice with these replies went."""
        ...


@dataclass(frozen=True)
class Task(Generic[C, S]):
    """A task: how its cases look, what a run of one shows, and how that is scored.

    name: what suites write under ``task``.
    case, seen: the pydantic models of a case and of what one trial shows.
    problems: what is wrong in a case beyond its shape, with the place; empty when all is well.
    run: exercises the subject once. It raises what the coach raises; the runner turns that into an errored trial.
    scorers: name -> scorer, run in order and merged; a suite may name fewer.
    items: what a trial shows, one line each, for the difference between two runs.
    """

    name: str
    case: type[C]
    seen: type[S]
    problems: Callable[[C], Iterable[Problem]]
    run: Callable[[C, Suite, Subject], S]
    scorers: Mapping[str, Callable[[C, Suite, S], Score]]
    items: Callable[[C, S], Sequence[str]]

    def score(self, case: C, suite: Suite, seen: S) -> Score:
        """All scorers of the suite, merged; raises :class:`ConfigError` for a scorer that nobody has."""
        return merge(scorer(case, suite, seen) for scorer in self.chosen(suite))

    def chosen(self, suite: Suite) -> tuple[Callable[[C, Suite, S], Score], ...]:
        """The scorers that the suite names, ours or a plug-in's; all of the task's own when it names none."""
        names = suite.scorers or tuple(self.scorers)
        known = {**dict(SCORERS.items()), **self.scorers}
        for name in names:
            if name not in known:
                raise ConfigError(
                    f"suite {suite.suite!r}: {self.name} has no scorer {name!r}: choose from {', '.join(known)}"
                )
        return tuple(known[name] for name in names)

    def scorer_digest(self, suite: Suite) -> str:
        """SHA-256 of the source of every module that a scorer of the suite lives in."""
        from coach_eval import relations, spans

        modules = {scorer.__module__ for scorer in self.chosen(suite)}
        ours = (inspect.getsource(module) for module in (spans, relations))
        theirs = (inspect.getsource(sys.modules[name]) for name in sorted(modules))
        return hashlib.sha256("\0".join([*ours, *theirs]).encode()).hexdigest()


def merge(scores: Iterable[Score]) -> Score:
    """One score out of several: metrics and counts side by side, passed only if all passed."""
    every = tuple(scores)
    return Score(
        metrics={name: value for score in every for name, value in score.metrics.items()},
        counts={name: value for score in every for name, value in score.counts.items()},
        broken=tuple(line for score in every for line in score.broken),
        passed=all(score.passed for score in every),
    )
