"""One static HTML page: charts, filters, every case; escaped, and with no request to anywhere."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from importlib.resources import files
from typing import Any

from coach_eval.baselines import Blessing, History
from coach_eval.reports.comment import SIGNS
from coach_eval.reports.table import summary
from coach_eval.schema import Run, Trial, Verdict

WIDTH, HEIGHT, ROW = 640, 160, 14.0
WORST_FIRST = tuple(SIGNS)


@dataclass(frozen=True)
class Line:
    """A metric over blessed runs, in pixels. points: "x,y x,y"; dots: (x, y, hover text); label: its height."""

    metric: str
    points: str
    dots: tuple[tuple[float, float, str], ...]
    last: float
    label: float


def page(runs: Sequence[Run], verdicts: Sequence[Verdict], history: History) -> str:
    """The report as one HTML document."""
    from jinja2 import Environment, PackageLoader

    environment = Environment(loader=PackageLoader("coach_eval.reports", ""), autoescape=True, trim_blocks=True)
    by_suite = {run.suite: run for run in runs}
    verdicts = sorted(verdicts, key=lambda verdict: WORST_FIRST.index(verdict.status))
    suites: list[dict[str, Any]] = [
        {
            "verdict": verdict,
            "run": by_suite[verdict.suite],
            "trials": _worst_first(by_suite[verdict.suite], verdict),
            "summary": summary(by_suite[verdict.suite]).splitlines(),
            "lines": lines(
                [b for b in history.blessings if b.suite == verdict.suite], [o.metric for o in verdict.outcomes]
            ),
            "moved": {change.case: change for change in verdict.changes},
        }
        for verdict in verdicts
    ]
    script = files("coach_eval.reports").joinpath("report.js").read_text(encoding="utf-8")
    return environment.get_template("report.html.j2").render(
        suites=suites, width=WIDTH, height=HEIGHT, script=script, script_hash=_hash(script)
    )


def _hash(script: str) -> str:
    """What a content security policy calls this script by, so that no other runs; see W3C CSP 3, 6.7."""
    return f"sha256-{b64encode(sha256(script.encode()).digest()).decode()}"


def lines(blessings: Sequence[Blessing], metrics: Sequence[str]) -> list[Line]:
    """The history of each metric as a line from the left (oldest) to the right; 0 at the bottom, 1 at the top."""
    drawn = []
    step = WIDTH / max(len(blessings) - 1, 1)
    for metric in metrics:
        values = [(i, b, b.metrics[metric]) for i, b in enumerate(blessings) if metric in b.metrics]
        if not values:
            continue
        dots = tuple(
            (round(i * step, 1), round((1 - v) * HEIGHT, 1), f"{metric} {v:.3f} · {b.date[:10]} · {b.commit or '?'}")
            for i, b, v in values
        )
        drawn.append(Line(metric, " ".join(f"{x},{y}" for x, y, _ in dots), dots, values[-1][2], dots[-1][1]))
    # Labels of equal values would lie on top of each other.
    below, spread = -ROW, {}
    for line in sorted(drawn, key=lambda line: line.label):
        below = max(line.label, below + ROW)
        spread[line.metric] = below
    return [replace(line, label=spread[line.metric]) for line in drawn]


def _worst_first(run: Run, verdict: Verdict) -> list[Trial]:
    """Errors, then what got worse, then what moved, then what does not pass, then the rest."""
    moved = {change.case: change.delta for change in verdict.changes}

    def rank(trial: Trial) -> tuple[bool, float, bool, bool]:
        passed = trial.score is not None and trial.score.passed
        return (trial.error is None, moved.get(trial.case, 0.0), trial.case not in moved, passed)

    return sorted(run.trials, key=rank)
