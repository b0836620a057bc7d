"""The pytest plug-in: evals beside the tests of a team.

::

    @pytest.mark.coach_suite("meetings")
    def test_no_prompt_got_worse(coach_verdict):
        assert coach_verdict.status != "regressed", coach_verdict.reasons

    @pytest.mark.coach_suite("meetings", only=["bakery-oven"])
    def test_each_case(coach_trial):          # one test per case
        assert coach_trial.score.passed, coach_trial.items

A suite runs once per session and root. Recordings are replayed; nothing is called.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from coach_eval.evaluation import Evaluation
    from coach_eval.schema import Run, Suite, Trial, Verdict

USE = 'mark the test with @pytest.mark.coach_suite("NAME", root="eval", only=[...])'


@dataclass(frozen=True)
class Asked:
    """What a marker asks for."""

    suite: str
    root: Path
    only: tuple[str, ...]

    def evaluation(self) -> tuple[Evaluation, Suite]:
        """The evaluation and the suite, read and checked."""
        from coach_eval.evaluation import Evaluation

        evaluation = Evaluation(root=self.root, only=self.only, keep=False)
        return evaluation, evaluation.suites([self.suite])[0]


def pytest_configure(config: pytest.Config) -> None:
    """Announce the marker, so that ``--strict-markers`` knows it."""
    config.addinivalue_line(
        "markers", "coach_suite(name, root='eval', only=()): run a suite of coach eval for this test"
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test per case for tests that ask for ``coach_trial``."""
    if "coach_trial" not in metafunc.fixturenames:
        return
    marker = metafunc.definition.get_closest_marker("coach_suite")
    if marker is None:
        raise pytest.UsageError(f"{metafunc.definition.nodeid}: {USE}")
    evaluation, suite = asked(marker, metafunc.config.rootpath).evaluation()
    jobs = [(case.id, repeat) for case in evaluation.cases(suite) for repeat in range(suite.repeats)]
    names = [case if suite.repeats == 1 else f"{case}-{repeat}" for case, repeat in jobs]
    metafunc.parametrize("coach_trial", jobs, ids=names, indirect=True)


@pytest.fixture(scope="session")
def coach_runs() -> dict[Asked, Run]:
    """The runs of this session."""
    return {}


@pytest.fixture
def coach_verdict(request: pytest.FixtureRequest, coach_runs: dict[Asked, Run]) -> Verdict:
    """The verdict of the marked suite against its baseline."""
    wanted = _asked(request)
    evaluation, suite = wanted.evaluation()
    return evaluation.verdict(suite, _run(wanted, coach_runs))


@pytest.fixture
def coach_trial(request: pytest.FixtureRequest, coach_runs: dict[Asked, Run]) -> Trial:
    """One trial of the marked suite; a trial that errored fails the test with its error."""
    case, repeat = request.param
    run = _run(_asked(request), coach_runs)
    trial = next(t for t in run.trials if (t.case, t.repeat) == (case, repeat))
    if trial.error:
        pytest.fail(f"{case}: {trial.error}", pytrace=False)
    return trial


def asked(marker: pytest.Mark, base: Path) -> Asked:
    """What the marker asks for; ``root`` is relative to the root of the tests."""
    if len(marker.args) != 1 or set(marker.kwargs) - {"root", "only"}:
        raise pytest.UsageError(USE)
    return Asked(marker.args[0], base / marker.kwargs.get("root", "eval"), tuple(marker.kwargs.get("only", ())))


def _asked(request: pytest.FixtureRequest) -> Asked:
    marker = request.node.get_closest_marker("coach_suite")
    if marker is None:
        raise pytest.UsageError(f"{request.node.nodeid}: {USE}")
    return asked(marker, request.config.rootpath)


def _run(wanted: Asked, runs: dict[Asked, Run]) -> Run:
    if wanted not in runs:
        evaluation, suite = wanted.evaluation()
        runs[wanted] = evaluation.run(suite)
    return runs[wanted]
