"""Whether hints help is measured in pairs: a model that needs them gets better, one that ignores them does not."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from coach_eval.authored import AuthoredModel
from coach_eval.evaluation import Evaluation
from coach_eval.schema import Case, Verdict
from openai_server import says, serving

from benchmarks.hints import arm, judged
from coach.engine import Watch
from coach.llm.base import Answer, Request
from coach.settings import load_settings

ROOT = Path(__file__).resolve().parent.parent
HINTED = re.compile(r"often wrong and misses most: judge for yourself\.\n([\d, ]+)")
CASES = tuple(f"m{n}" for n in range(8))
MEETING = """Ada: We move the release to Friday.
Ben: I am uneasy about Friday, nobody is here on Saturday to fix things. {extra}
Ada: Thanks. Next point.
Cleo: The posters are printed.
"""
QUOTE = "I am uneasy about Friday, nobody is here on Saturday to fix things."


@dataclass(frozen=True)
class Reader:
    """Knows the gold of a case, and says it if ``speaks`` allows, told the hinted lines and the line of the gold."""

    inner: AuthoredModel
    speaks: Callable[[list[int], int], bool]

    @property
    def name(self) -> str:
        return self.inner.name

    def complete(self, request: Request, watch: Watch) -> Answer:
        answer = self.inner.complete(request, watch)
        found = json.loads(answer.text)["findings"]
        hinted = HINTED.search(request.messages[-1][1])
        lines = [int(number) for number in hinted[1].split(",")] if hinted else []
        return Answer(json.dumps({"findings": [f for f in found if self.speaks(lines, f["line"])]}), input_tokens=9)


@pytest.fixture
def evaluation(tmp_path: Path) -> Evaluation:
    """A suite of eight meetings, each with the same unheard objection in other surroundings."""
    (tmp_path / "suites").mkdir()
    (tmp_path / "cases" / "m").mkdir(parents=True)
    suite = "suite: m\ntask: review\ncases: m\nengine: local\nfindings: [unheard_objection]\ngates: [{metric: f1}]\n"
    (tmp_path / "suites" / "m.yaml").write_text(suite)
    for n, case in enumerate(CASES):
        notes = MEETING.format(extra=f"It was so in week {n + 3}, too.")
        gold = {"kind": "unheard_objection", "quote": QUOTE}
        written = {"cluster": case, "notes": notes, "cases": [{"id": case, "required": [gold]}]}
        (tmp_path / "cases" / "m" / f"{case}.yaml").write_text(json.dumps(written))
    return Evaluation(tmp_path, settings=load_settings({}))


def verdict(evaluation: Evaluation, speaks: Callable[[list[int], int], bool]) -> Verdict:
    (suite,) = evaluation.suites(["m"])
    without, hinted = (arm(evaluation, suite, reader(speaks), hints=hints) for hints in (False, True))
    assert without.usage.calls == hinted.usage.calls == len(CASES)
    assert not any(trial.error for one in (without, hinted) for trial in one.run.trials)
    return judged(evaluation, suite, without, hinted)


def reader(speaks: Callable[[list[int], int], bool]) -> Callable[[Case], Reader]:
    return lambda case: Reader(AuthoredModel("scripted", case), speaks)


def test_hints_help_a_model_that_finds_nothing_without_them(evaluation: Evaluation) -> None:
    assert verdict(evaluation, lambda hinted, line: line in hinted).status == "improved"


def test_hints_harm_a_model_that_they_put_off(evaluation: Evaluation) -> None:
    assert verdict(evaluation, lambda hinted, line: not hinted).status == "regressed"


def test_hints_change_nothing_for_a_model_that_does_not_mind_them(evaluation: Evaluation) -> None:
    found = verdict(evaluation, lambda hinted, line: True)
    assert found.status == "unchanged"
    assert {outcome.delta for outcome in found.outcomes} == {0.0}


@pytest.mark.parametrize("configured", [True, False])
def test_the_command_asks_any_endpoint_twice_about_a_case(evaluation: Evaluation, configured: bool) -> None:
    with serving(says('{"findings": []}')) as server:
        ours = {"COACH_MODEL": "served", "OPENAI_BASE_URL": server.url} if configured else {}
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.hints", "m", "--only", "m3", "--root", str(evaluation.root)],
            capture_output=True, text=True, timeout=200, cwd=ROOT, env={**without_models(), **ours},
        )  # fmt: skip
    if not configured:
        assert (done.returncode, done.stdout) == (2, "")
        assert "no model is configured" in done.stderr
        return
    assert done.returncode == 0, done.stderr
    assert [bool(HINTED.search(body["messages"][-1]["content"])) for body in server.bodies] == [False, True]
    assert "without hints, served: 1 calls" in done.stdout
    assert "with hints, served: 1 calls" in done.stdout


def without_models() -> dict[str, str]:
    import os

    return {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "COACH_MODEL"))}
