"""One evaluation: a suite by name -> its run and its verdict against the baseline."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from coach.errors import UnverifiableError
from coach.settings import Settings, load_settings
from coach_eval.baselines import Baselines, compare
from coach_eval.files import load_cases, load_suites
from coach_eval.recordings import Store
from coach_eval.running import Job, Journal, Pace, Spread, Subjects, attempt, digests_of, run_suite
from coach_eval.schema import Case, Mode, Origin, Run, Strict, Suite, Trial, Verdict
from coach_eval.subject import LocalSubject
from coach_eval.tasks import TASKS
from coach_eval.tasks.base import Task


class Results(Strict):
    """What ``coach eval run --json`` writes: the runs and their verdicts, in the same order."""

    schema_: Literal["coach.eval-results/1"] = Field("coach.eval-results/1", alias="schema")
    runs: tuple[Run, ...]
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True)
class Evaluation:
    """A folder with suites/, cases/, recordings/ and baselines/, and how its suites are run.

    mode: ``replay`` never calls out; ``record`` asks the model for what is not recorded; ``live`` asks anew.
    only: ids of cases; empty runs all. subjects: what is under test instead of the coach, for tests. keep: whether the
    run is kept for ``bless`` and for resuming. jobs: processes that replay; the Dask cluster of the settings, if there
    is one, takes their place.
    """

    root: Path
    mode: Mode = "replay"
    split: Literal["dev", "holdout", "all"] | None = None
    only: tuple[str, ...] = ()
    repeats: int | None = None
    threads: int = 2
    jobs: int = 1
    max_usd: float | None = None
    origin: Origin = "api"
    settings: Settings = field(default_factory=load_settings)
    subjects: Subjects | None = None
    keep: bool = True
    local: LocalSubject = field(default_factory=LocalSubject)
    progress: Callable[[Trial], None] = lambda trial: None

    def suites(self, names: Sequence[str] = ()) -> tuple[Suite, ...]:
        """The named suites, or all, as they will run; everything is read and checked before anything runs."""
        changes = {"split": self.split, "repeats": self.repeats}
        given = {name: value for name, value in changes.items() if value is not None}
        suites = tuple(suite.model_copy(update=given) for suite in load_suites(self.root, names))
        for suite in suites:
            load_cases(self.root, suite, TASKS[suite.task])
            self.baselines.get(suite.suite)
            if suite.engine == "llm":
                self.store(suite).check()
        return suites

    @property
    def baselines(self) -> Baselines:
        """The blessed runs."""
        return Baselines(self.root / "baselines")

    def last(self, suite: str) -> Path:
        """Where the last run of a suite is kept, for ``bless``; not under version control."""
        return self.root / ".runs" / f"{suite}.json"

    def cases(self, suite: Suite) -> tuple[Case, ...]:
        """The cases that this evaluation runs; raises :class:`UnverifiableError` when ``only`` leaves none."""
        cases = load_cases(self.root, suite, TASKS[suite.task])
        chosen = tuple(case for case in cases if not self.only or case.id in self.only)
        if not chosen:
            raise UnverifiableError(f"{suite.suite}: no case has the id {', '.join(self.only)}: nothing ran")
        return chosen

    def run(self, suite: Suite) -> Run:
        """The run of a suite; an interrupted one goes on where it stopped."""
        from coach_eval.files import write_atomically

        task, cases = TASKS[suite.task], self.cases(suite)
        notices: list[str] = []
        origins: set[Origin] = set()
        if suite.engine == "llm":
            recordings = self.store(suite).check()
            origins = {recording.origin for recording in recordings}
            notices.extend(self.store(suite).stale())
            if "authored" in origins:
                notices.append(AUTHORED)
        run = run_suite(
            suite,
            cases,
            task,
            self.subjects or self._subjects(suite),
            digests_of(suite, cases, task, _prompts()),
            spread=self._spread(suite) if self._shared else None,
            pace=Pace(self.threads, suite.budget.calls_per_minute if self.mode != "replay" else None),
            journal=Journal(self.root / ".runs" / f"{suite.suite}.journal") if self.keep else None,
            origins=tuple(sorted(origins)),
            notices=tuple(notices),
            progress=self.progress,
        )
        if self.keep:
            from coach_eval.baselines import dump

            write_atomically(self.last(suite.suite), dump(run))
        return run

    def verdict(self, suite: Suite, run: Run) -> Verdict:
        """The verdict against the baseline; unverifiable when there is none."""
        before = self.baselines.get(suite.suite)
        if before is None:
            reason = f"There is no baseline: look at the run, then coach eval bless {suite.suite}."
            return Verdict(suite=suite.suite, status="unverifiable", reasons=(reason,))
        task, cases = TASKS[suite.task], self.cases(suite)
        return compare(suite, cases, task, before, run, confirm=lambda case: self._fresh(suite, task, case))

    def both(self, suite: Suite) -> tuple[Run, Run]:
        """The blessed run and the last one; raises :class:`UnverifiableError` when either is missing."""
        from coach_eval.files import load_run

        before, path = self.baselines.get(suite.suite), self.last(suite.suite)
        if before is None or not path.exists():
            what = "bless" if before is None else "run"
            raise UnverifiableError(f"{suite.suite} has nothing to compare yet: coach eval {what} {suite.suite}")
        return before, load_run(path)

    def whole(self, suite: Suite, run: Run) -> None:
        """Return quietly if a run covers the suite as it is now; else raise :class:`UnverifiableError`."""
        plain = load_suites(self.root, [suite.suite])[0]
        task, cases = TASKS[plain.task], load_cases(self.root, plain, TASKS[plain.task])
        wanted = digests_of(plain, cases, task, _prompts())
        if run.digests != wanted or run.repeats != plain.repeats:
            raise UnverifiableError(
                f"{suite.suite}: this run is not of the suite, cases and code as they are now: "
                f"run it again (coach eval run {suite.suite}), then bless it"
            )

    def _fresh(self, suite: Suite, task: Task[Any, Any], case_id: str) -> list[bool]:
        """Fresh repeats of one case, with numbers that the run has not used."""
        case = next(case for case in self.cases(suite) if case.id == case_id)
        if self.subjects is not None:
            make = self.subjects
        elif suite.engine == "local":
            anew = LocalSubject(remember=False)
            make = lambda case, repeat: anew  # noqa: E731
        else:
            make = self._subjects(suite)
        numbers = range(suite.repeats, 2 * suite.repeats)
        trials = [attempt(task, suite, case, make(case, repeat), repeat) for repeat in numbers]
        return [trial.score.passed for trial in trials if trial.score]

    @property
    def _shared(self) -> bool:
        """Whether other processes make the trials: never where a budget or a recording has to be kept in one place."""
        return self.mode == "replay" and self.subjects is None and (self.jobs > 1 or self.settings.dask is not None)

    def _spread(self, suite: Suite) -> Spread:
        from coach.workers import spread

        place, plain = str(self.root.absolute()), suite.model_dump_json()

        def made(jobs: Sequence[Job]) -> Iterator[Trial]:
            calls = ((place, plain, case.model_dump_json(), repeat) for case, repeat in jobs)
            return map(
                Trial.model_validate_json,
                spread(attempt_elsewhere, calls, jobs=self.jobs, scheduler=self.settings.dask),
            )

        return made

    def _subjects(self, suite: Suite) -> Subjects:
        if suite.engine == "local":
            return lambda case, repeat: self.local
        from coach_eval.models import model_subjects

        return model_subjects(suite, self.store(suite), self.mode, self.settings, self.max_usd, self.origin)

    def store(self, suite: Suite) -> Store:
        """The recordings of a suite."""
        return Store(self.root / "recordings" / suite.suite)


def attempt_elsewhere(root: str, suite: str, case: str, repeat: int) -> str:
    """One trial of a replay, as JSON, given suite and case as JSON; ``root`` has to be there for recordings."""
    chosen, subjects = _opened(root, suite)
    task = TASKS[chosen.task]
    tried = task.case.model_validate_json(case)
    return attempt(task, chosen, tried, subjects(tried, repeat), repeat).model_dump_json()


@lru_cache(maxsize=8)
def _opened(root: str, suite: str) -> tuple[Suite, Subjects]:
    """Once for each process, so that what was read for one case serves the next."""
    chosen = Suite.model_validate_json(suite)
    return chosen, Evaluation(root=Path(root))._subjects(chosen)


AUTHORED = (
    "Authored recordings: they show that everything around the model works, and nothing about how well a model reads."
)


def _prompts() -> Path | None:
    from coach.prompts import prompts_root

    root = prompts_root()
    return root if root.is_dir() else None
