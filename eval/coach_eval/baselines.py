"""The blessed run of each suite, the history of blessings, and the pairing of a new run with the blessed one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coach.errors import UnverifiableError
from coach_eval.files import digest, load_run, read_json, write_atomically
from coach_eval.running import rescore
from coach_eval.schema import Calibration, Case, Run, Strict, Suite, Verdict
from coach_eval.tasks.base import Task
from coach_eval.verdict import Confirm, judge


class Blessing(Strict):
    """One point of the history: when, on which commit, and the means over clusters of every metric."""

    suite: str
    date: str
    commit: str | None
    model: str | None = None
    cases: int
    metrics: dict[str, float]


class History(Strict):
    """All blessings, oldest first."""

    blessings: tuple[Blessing, ...] = ()


@dataclass(frozen=True)
class Baselines:
    """``eval/baselines``: SUITE.json, and history.json."""

    folder: Path

    def path(self, suite: str) -> Path:
        """Where the baseline of a suite lives."""
        return self.folder / f"{suite}.json"

    def get(self, suite: str) -> Run | None:
        """The blessed run, or ``None``; raises :class:`~coach.errors.InputError` for a damaged file."""
        path = self.path(suite)
        return load_run(path) if path.exists() else None

    def history(self) -> History:
        """Every blessing so far."""
        path = self.folder / "history.json"
        return read_json(path, History) if path.exists() else History()

    def bless(self, run: Run, calibration: Calibration | None = None) -> Path:
        """Make a run the baseline; one that is not whole raises :class:`UnverifiableError` and changes nothing."""
        bad = sum(trial.score is None for trial in run.trials)
        if not run.complete or bad or not run.trials:
            what = f"{bad} of its {len(run.trials)} trials errored" if bad else "it is not complete"
            raise UnverifiableError(f"{run.suite}: this run cannot be blessed: {what}. Run it again, or resume it.")
        broken = [line for trial in run.trials if trial.score for line in trial.score.broken]
        if broken:
            raise UnverifiableError(f"{run.suite}: this run cannot be blessed: it breaks an invariant ({broken[0]}).")
        blessed = run.model_copy(update={"calibration": calibration})
        point = Blessing(
            suite=run.suite,
            date=run.date,
            commit=run.commit,
            model=run.model,
            cases=len({trial.case for trial in run.trials}),
            metrics=means(run),
        )
        history = History(blessings=(*self.history().blessings, point))
        write_atomically(self.path(run.suite), dump(blessed))
        write_atomically(self.folder / "history.json", dump(history))
        return self.path(run.suite)


def compare(
    suite: Suite,
    cases: Sequence[Case],
    task: Task[Any, Any],
    before: Run,
    after: Run,
    confirm: Confirm | None = None,
) -> Verdict:
    """The verdict on two runs of a suite.

    A changed scorer: both arms are scored again. Changed cases are listed and not paired: their gold differs, so a
    difference would say nothing about the coach.
    """
    now = {case.id: digest(case) for case in cases}
    changed = [
        case
        for case in before.digests.cases.keys() & after.digests.cases.keys()
        if len({before.digests.cases[case], after.digests.cases[case], now.get(case)} - {None}) > 1
    ]
    scorer = task.scorer_digest(suite)
    rescored = {before.digests.scorer, after.digests.scorer, before.digests.suite, after.digests.suite} != {
        scorer,
        digest(suite),
    }
    if rescored:
        before, after = rescore(before, suite, cases, task), rescore(after, suite, cases, task)
    return judge(suite, before, after, changed=changed, rescored=rescored, confirm=confirm)


def means(run: Run) -> dict[str, float]:
    """The mean of every metric: repeats averaged per case, cases per cluster, clusters over the suite."""
    from coach_eval.verdict import over_clusters

    names = dict.fromkeys(name for trial in run.trials if trial.score for name in trial.score.metrics)
    return {name: round(over_clusters(run.trials, name), 6) for name in names}


def dump(value: Strict) -> str:
    """Sorted, indented JSON with a final line break: a diff of two shows what changed."""
    plain = value.model_dump(mode="json", exclude_defaults=True)
    schema = getattr(value, "schema_", None)
    return (
        json.dumps({**({"schema": schema} if schema else {}), **plain}, indent=1, sort_keys=True, ensure_ascii=False)
        + "\n"
    )
