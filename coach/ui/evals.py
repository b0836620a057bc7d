"""The Evals place: run a suite on this machine, see what got better or worse, case by case."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import gradio as gr

from coach.engine import Watch
from coach.errors import CancelledError, InputError
from coach.labels import date_label
from coach.ui import strings, views
from coach.ui.acting import QUIET, region, sent
from coach.ui.faults import Update, telling, told
from coach.ui.following import Following

if TYPE_CHECKING:
    from coach_eval.baselines import Blessing
    from coach_eval.evaluation import Evaluation
    from coach_eval.schema import Run, Suite, Trial, Verdict

    from coach.ui.coaches import CoachOf

TEMPLATE = "evals.html.j2"
BASELINE, LAST = "baseline", "last"
KEPT = 10
"""Runs of a suite from the page that stay for comparing."""


@dataclass(frozen=True)
class Row:
    """A suite in the list; ``blessings`` are its last blessed runs, oldest first, and ``metrics`` those it gates."""

    suite: Suite
    cases: int
    blessed: str
    ran: bool
    status: str
    metrics: tuple[str, ...]
    blessings: tuple[Blessing, ...]

    @property
    def history(self) -> tuple[float, ...]:
        """The first gated metric over blessed runs, 0 to 1."""
        first = self.metrics[:1]
        return tuple(b.metrics[name] for b in self.blessings for name in first if name in b.metrics)


@dataclass(frozen=True)
class Choice:
    """A run that can be compared with another."""

    id: str
    name: str


def build_evals(coach_of: CoachOf, root: Path, tab: gr.Tab) -> None:
    """The components and events of the place, inside its open ``tab``; ``root`` holds suites, cases and baselines."""
    running: dict[str, Event] = {}
    listing = region("", "run", "look")
    stop = gr.Button(strings.STOP, visible=False, scale=0, elem_id="stop-run")
    status = region("")
    shown = region("", "compare")
    outputs = [listing, stop, status, shown]

    @telling(listing)
    def enter(request: gr.Request) -> Update:
        # Who signs in has a library of their own, which the command line does not read.
        marked = 0 if request.username else len(coach_of(request).ledger.feedback())
        return {listing: views.part(TEMPLATE, "list", rows(root), root, marked)}

    def run(request: gr.Request, event: gr.EventData) -> Iterator[Update]:
        """Replays a suite; a run that is stopped goes on from there the next time."""
        name, session = sent(event, "suite"), str(request.session_hash)
        running[session] = stopped = Event()
        yield {status: views.working(0, strings.RUNNING.format(suite=name)), stop: gr.update(visible=True)}
        ended: Update = {stop: gr.update(visible=False), status: ""}
        try:
            with Following(lambda watch: judged(root, name, watch), stopped) as work:
                for share, what in work.steps():
                    yield {status: views.working(share, what)}
                verdict, done = work.result()
            ended |= {shown: _page(root, verdict, done)} | enter(request)
        except CancelledError:
            ended[status] = views.trouble(strings.RUN_STOPPED)
        except Exception as error:  # noqa: BLE001 - the user gets a sentence, never a traceback
            ended[status] = told(error)
        finally:
            running.pop(session, None)
        yield ended

    def halt(request: gr.Request) -> None:
        if event := running.get(str(request.session_hash)):
            event.set()

    @telling(status)
    def look(event: gr.EventData) -> Update:
        evaluation, suite = _suite(root, sent(event, "suite"))
        last = _run(evaluation, suite, LAST)
        return {shown: _page(root, evaluation.verdict(suite, last), last), status: ""}

    @telling(status)
    def compare(event: gr.EventData) -> Update:
        from coach_eval.baselines import compare as judge
        from coach_eval.tasks import TASKS

        evaluation, suite = _suite(root, sent(event, "suite"))
        before, after = (_run(evaluation, suite, sent(event, side)) for side in ("before", "after"))
        verdict = judge(suite, evaluation.cases(suite), TASKS[suite.task], before, after)
        return {shown: _page(root, verdict, after), status: ""}

    tab.select(enter, None, outputs, **QUIET)
    listing.run(run, None, outputs, concurrency_id="evals", concurrency_limit=1, **QUIET)
    listing.look(look, None, outputs, **QUIET)
    stop.click(halt, None, None, queue=False, **QUIET)
    shown.compare(compare, None, outputs, **QUIET)


def rows(root: Path) -> list[Row]:
    """Every suite under ``root``, with what is known of its runs; none when there is no such folder."""
    from coach_eval.evaluation import Evaluation

    if not (root / "suites").is_dir():
        return []
    evaluation = Evaluation(root=root)
    blessings = evaluation.baselines.history().blessings
    made = []
    for suite in evaluation.suites():
        baseline = evaluation.baselines.get(suite.suite)
        last = evaluation.last(suite.suite).exists()
        made.append(
            Row(
                suite=suite,
                cases=len(evaluation.cases(suite)),
                blessed=baseline.date if baseline else "",
                ran=last,
                status=_status(evaluation, suite) if baseline and last else "",
                metrics=tuple(dict.fromkeys(gate.metric for gate in suite.gates)),
                blessings=tuple(b for b in blessings if b.suite == suite.suite)[-20:],
            )
        )
    return made


def _status(evaluation: Evaluation, suite: Suite) -> str:
    """The verdict on the last run, as far as it can be told without running anything again."""
    from coach_eval.baselines import compare
    from coach_eval.tasks import TASKS

    before, after = _run(evaluation, suite, BASELINE), _run(evaluation, suite, LAST)
    return compare(suite, evaluation.cases(suite), TASKS[suite.task], before, after).status


def judged(root: Path, name: str, watch: Watch) -> tuple[Verdict, Run]:
    """A fresh replay of the suite and its verdict against the baseline. Nothing is asked of any model."""
    from coach_eval.evaluation import Evaluation

    plain, suite = _suite(root, name)
    total = len(plain.cases(suite)) * suite.repeats
    done = 0

    def progress(trial: Trial) -> None:
        nonlocal done
        done += 1
        watch.progress(done / total, strings.RAN.format(case=trial.case, n=done, all=total))
        watch.check()

    evaluation = Evaluation(root=root, progress=progress)
    run = evaluation.run(suite)
    _keep(root, run)
    return evaluation.verdict(suite, run), run


def _keep(root: Path, run: Run) -> None:
    """Puts the run beside the earlier ones of its suite; the oldest go."""
    from coach_eval.baselines import dump
    from coach_eval.files import write_atomically

    second = re.sub(r"[^0-9T]", "", run.date[:19])
    alike = len(list(_folder(root, run.suite).glob(f"{second}*.json")))  # a short suite runs twice within a second
    write_atomically(_folder(root, run.suite) / f"{second}{f'_{alike}' if alike else ''}.json", dump(run))
    for old in _earlier(root, run.suite)[KEPT:]:
        old.unlink(missing_ok=True)


def _folder(root: Path, suite: str) -> Path:
    return root / ".runs" / suite


def _earlier(root: Path, suite: str) -> list[Path]:
    """The kept runs of a suite, the newest first."""
    return sorted(_folder(root, suite).glob("*.json"), reverse=True)


def _page(root: Path, verdict: Verdict, run: Run) -> str:
    evaluation, suite = _suite(root, verdict.suite)
    choices = []
    if (baseline := evaluation.baselines.get(suite.suite)) is not None:
        choices.append(Choice(BASELINE, strings.THE_BASELINE.format(date=date_label(baseline.date[:10]))))
    if evaluation.last(suite.suite).exists():
        choices.append(Choice(LAST, strings.THE_LAST))
    for path in _earlier(root, suite.suite):
        day, hour = path.stem[:8], path.stem[9:13]
        date = f"{date_label(f'{day[:4]}-{day[4:6]}-{day[6:]}')}, {hour[:2]}:{hour[2:]}"
        choices.append(Choice(path.stem, strings.A_RUN.format(date=date)))
    return views.part(TEMPLATE, "verdict", verdict, run, choices)


def _suite(root: Path, name: str) -> tuple[Evaluation, Suite]:
    from coach_eval.evaluation import Evaluation

    evaluation = Evaluation(root=root)
    return evaluation, evaluation.suites([name])[0]


def _run(evaluation: Evaluation, suite: Suite, which: str) -> Run:
    from coach_eval.files import load_run

    if which == BASELINE and (run := evaluation.baselines.get(suite.suite)) is not None:
        return run
    kept = {path.stem: path for path in _earlier(evaluation.root, suite.suite)}
    if which in kept:
        return load_run(kept[which])
    path = evaluation.last(suite.suite)
    if which != LAST or not path.exists():
        raise InputError(f"{suite.suite} has no such run: run it first")
    return load_run(path)
