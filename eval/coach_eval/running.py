"""Cases x repeats -> trials: in a thread pool, within a budget, and again from where a crash left off."""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from coach.errors import BudgetError, CoachError, ModelError
from coach_eval.files import digest
from coach_eval.recordings import MissingRecordingError
from coach_eval.schema import Case, Digests, Origin, Run, Suite, Trial
from coach_eval.tasks.base import Subject, Task

Subjects = Callable[[Case, int], Subject]
"""The subject for one repeat of one case."""

Job = tuple[Case, int]
Spread = Callable[[Sequence[Job]], Iterator[Trial]]
"""Makes the trials of these jobs elsewhere, and gives each as it is done."""


@dataclass(frozen=True)
class Pace:
    """How fast to go: calls in parallel, and at most so many trials a minute."""

    threads: int = 2
    per_minute: int | None = None


@dataclass
class Journal:
    """Trials as they are made, one JSON line each, so that a run can be resumed; ``None`` keeps nothing.

    The first line names what is run. A journal of another state of code, suite or cases is not used.
    """

    path: Path | None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def done(self, heading: str) -> tuple[Trial, ...]:
        """The trials of an interrupted run under the same heading; a half-written last line is left out."""
        if self.path is None or not self.path.exists():
            return ()
        first, *lines = self.path.read_text(encoding="utf-8").splitlines() or [""]
        if first != heading:
            return ()
        return tuple(trial for line in lines if (trial := _trial(line)) is not None and trial.error is None)

    def begin(self, heading: str, trials: Sequence[Trial]) -> None:
        """Start the journal anew with what is known already."""
        if self.path is not None:
            from coach_eval.files import write_atomically

            write_atomically(self.path, "".join(f"{line}\n" for line in (heading, *map(_line, trials))))

    def add(self, trial: Trial) -> None:
        """Append a trial; on disk when this returns."""
        if self.path is not None:
            with self._lock, self.path.open("a", encoding="utf-8") as file:
                file.write(_line(trial) + "\n")

    def end(self) -> None:
        """The run is complete: the journal is of no more use."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)


def run_suite(
    suite: Suite,
    cases: Sequence[Case],
    task: Task[Any, Any],
    subjects: Subjects,
    digests: Digests,
    *,
    pace: Pace = Pace(),
    spread: Spread | None = None,
    journal: Journal | None = None,
    origins: tuple[Origin, ...] = (),
    notices: tuple[str, ...] = (),
    progress: Callable[[Trial], None] = lambda trial: None,
) -> Run:
    """All trials of a suite, in order of case and repeat, scored; ``complete`` unless the budget ended it.

    ``spread`` makes them in other processes, in place of ``subjects`` and ``pace`` in this one. What the coach raises
    becomes an errored trial. A :class:`BudgetError` stops new calls; what was done is kept in the journal. Wrong use by
    the harness itself is raised.
    """
    journal = journal or Journal(None)
    heading = digest(digests)
    kept = {(trial.case, trial.repeat): trial for trial in journal.done(heading)}
    journal.begin(heading, tuple(kept.values()))
    wanted = [(case, repeat) for case in cases for repeat in range(suite.repeats)]
    stop = threading.Event()
    wait = _Throttle(pace.per_minute)

    def one(job: Job) -> Trial | None:
        case, repeat = job
        if (known := kept.get((case.id, repeat))) is not None:
            return known
        if stop.is_set():
            return None
        wait()
        trial = attempt(task, suite, case, subjects(case, repeat), repeat)
        if trial.fault == "budget":
            stop.set()
        journal.add(trial)
        progress(trial)
        return trial

    if spread is not None:
        for trial in spread([job for job in wanted if (job[0].id, job[1]) not in kept]):
            kept[trial.case, trial.repeat] = trial
            journal.add(trial)
            progress(trial)
    with ThreadPoolExecutor(max_workers=pace.threads, thread_name_prefix="trial") as pool:
        trials = tuple(trial for trial in pool.map(one, wanted) if trial is not None)
    complete = len(trials) == len(wanted) and not any(trial.fault == "budget" for trial in trials)
    if complete:
        journal.end()
    return Run(
        suite=suite.suite,
        task=task.name,
        engine=suite.engine,
        model=suite.model,
        origins=origins,
        commit=commit(),
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        repeats=suite.repeats,
        complete=complete,
        digests=digests,
        trials=trials,
        notices=notices,
    )


def attempt(task: Task[Any, Any], suite: Suite, case: Case, subject: Subject, repeat: int) -> Trial:
    """One repeat of one case, scored, or with its error."""
    head = {"case": case.id, "cluster": case.cluster, "repeat": repeat, "critical": case.critical}
    started = time.perf_counter()
    try:
        seen = task.run(case, suite, subject)
    except Exception as error:  # noqa: BLE001 - whatever the code under test raises is a result of the test
        return Trial(**head, error=_line_of(error), fault=_fault(error), seconds=time.perf_counter() - started)
    seconds = time.perf_counter() - started
    return Trial(
        **head,
        seen=seen.model_dump(mode="json", exclude_defaults=True),
        score=task.score(case, suite, seen),
        items=tuple(task.items(case, seen)),
        seconds=round(seconds, 4),
    )


def rescore(run: Run, suite: Suite, cases: Sequence[Case], task: Task[Any, Any]) -> Run:
    """The run as the present scorers see it; trials of cases that are gone are left as they are."""
    known = {case.id: case for case in cases}

    def again(trial: Trial) -> Trial:
        case = known.get(trial.case)
        if case is None or trial.seen is None:
            return trial
        seen = task.seen.model_validate(trial.seen)
        return trial.model_copy(
            update={
                "score": task.score(case, suite, seen),
                "items": tuple(task.items(case, seen)),
                "critical": case.critical,
            }
        )

    return run.model_copy(
        update={
            "trials": tuple(again(trial) for trial in run.trials),
            "digests": run.digests.model_copy(update={"scorer": task.scorer_digest(suite)}),
        }
    )


def digests_of(suite: Suite, cases: Sequence[Case], task: Task[Any, Any], prompts: Path | None) -> Digests:
    """What a run depends on: ``subject`` is the coach's code, data and prompts, ``prompt`` the suite's own folder."""
    import coach

    home = Path(coach.__file__).parent
    return Digests(
        suite=digest(suite),
        scorer=task.scorer_digest(suite),
        subject=digest([_folder_digest(home), _folder_digest(prompts)]),
        prompt=_folder_digest(prompts / suite.prompt) if prompts and suite.prompt else None,
        cases={case.id: digest(case) for case in cases},
    )


def commit() -> str | None:
    """The commit of the working tree, with ``+`` when tracked files differ from it; ``None`` outside a repository."""
    try:
        head, status = (
            subprocess.run(["git", *arguments], capture_output=True, text=True, check=True, timeout=10).stdout.strip()
            for arguments in (("rev-parse", "--short=12", "HEAD"), ("status", "--porcelain", "--untracked-files=no"))
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return head + ("+" if status else "")


def _folder_digest(folder: Path | None) -> str | None:
    if folder is None or not folder.is_dir():
        return None
    files = sorted(path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    import hashlib

    return digest(
        [[path.relative_to(folder).as_posix(), hashlib.sha256(path.read_bytes()).hexdigest()] for path in files]
    )


def _fault(error: BaseException) -> str:
    for cause in _causes(error):
        if isinstance(cause, MissingRecordingError):
            return "missing"
        if isinstance(cause, BudgetError):
            return "budget"
        if isinstance(cause, ModelError):
            return "provider"
    return "engine"


def _line_of(error: BaseException) -> str:
    told = next((cause for cause in _causes(error) if isinstance(cause, CoachError)), None)
    # The message of anything else may hold note text.
    return " ".join(str(told).split()) if told else f"unexpected {type(error).__name__}"


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The first cause first, since what wraps it says less."""
    if error is not None:
        yield from _causes(error.__cause__)
        yield error


def _line(trial: Trial) -> str:
    return json.dumps(trial.model_dump(mode="json"), sort_keys=True, ensure_ascii=False)


def _trial(line: str) -> Trial | None:
    try:
        return Trial.model_validate_json(line)
    except ValidationError:
        return None


class _Throttle:
    """Lets at most so many pass in a minute, evenly spaced."""

    def __init__(self, per_minute: int | None) -> None:
        self._gap = 60.0 / per_minute if per_minute else 0.0
        self._next = 0.0
        self._lock = threading.Lock()

    def __call__(self) -> None:
        if not self._gap:
            return
        with self._lock:
            now = time.monotonic()
            due = max(now, self._next)
            self._next = due + self._gap
        time.sleep(max(0.0, due - now))
