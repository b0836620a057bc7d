"""Whether the local engine's candidates help a model when they are offered to it as hints (``COACH_HINTS``).

``python -m benchmarks.hints [SUITE ...] [--repeats N] [--only CASE]`` asks the configured model (``COACH_MODEL`` and
its endpoint, as for a review) about every case of the suites twice, without hints and with them, and judges the pairs
as ``coach eval`` does: difference, 95 % interval, verdict. Below stand precision and recall of both arms, calls and
tokens. It costs two live runs of a suite; ``COACH_MAX_USD`` bounds each.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from coach_eval.baselines import compare
from coach_eval.evaluation import Evaluation
from coach_eval.schema import Case, Run, Suite, Trial, Verdict
from coach_eval.subject import ModelSubject
from coach_eval.tasks import TASKS

from coach.engine import Watch
from coach.errors import CoachError, ConfigError
from coach.llm.base import ChatModel, add_usage
from coach.llm.budget import Budgeted, price_of
from coach.schema import Conversation, Finding, Usage
from coach.settings import load_settings


@dataclass(frozen=True)
class Arm:
    """A suite run with hints or without, and what its calls took."""

    hints: bool
    run: Run
    usage: Usage


def arm(evaluation: Evaluation, suite: Suite, model_of: Callable[[Case], ChatModel], *, hints: bool) -> Arm:
    """The suite read by the models; but for the hints, everything is as in a review."""
    from coach.llm_engine import LLMEngine
    from coach.llm_engine.engine import PROMPTS

    settings = evaluation.settings.model_copy(update={"hints": hints, "max_usd": None})
    price, limit = price_of(settings), evaluation.settings.max_usd
    counted: dict[int, Budgeted] = {}

    def subject(case: Case, _repeat: int) -> ModelSubject:
        model = model_of(case)
        priced = counted.setdefault(id(model), Budgeted(model, price, limit, free=settings.on_this_machine))
        return ModelSubject(LLMEngine(priced, settings, kinds=suite.findings or tuple(PROMPTS), hints=_candidates))

    run = replace(evaluation, settings=settings, subjects=subject, keep=False).run(suite)
    return Arm(hints, run, add_usage(*(model.usage for model in counted.values())))


def judged(evaluation: Evaluation, suite: Suite, without: Arm, hinted: Arm) -> Verdict:
    """``improved`` where hints help, ``regressed`` where they harm, else what ``coach eval`` would say."""
    return compare(suite, evaluation.cases(suite), TASKS[suite.task], without.run, hinted.run)


def _candidates(conversation: Conversation) -> tuple[Finding, ...]:
    from coach.local_engine import LocalEngine

    return LocalEngine().analyse(conversation, (), Watch()).findings


def _tick(trial: Trial) -> None:
    sys.stderr.write("!" if trial.error else ".")
    sys.stderr.flush()


def measure(names: list[str], repeats: int | None, only: tuple[str, ...], root: Path) -> None:
    """Prints the verdict on each suite. Raises :class:`ConfigError` when no model is configured."""
    from coach_eval.reports.table import show, summary
    from rich.console import Console

    from coach.llm.connect import open_model

    settings = load_settings()
    model = open_model(settings)
    if model is None:
        raise ConfigError("no model is configured: set COACH_MODEL and OPENAI_API_KEY or OPENAI_BASE_URL")
    evaluation = Evaluation(root, settings=settings, repeats=repeats, only=only, progress=_tick)
    for suite in evaluation.suites(names):
        # Its own engine and recordings play no part: both arms are read by the configured model, live.
        live = suite.model_copy(update={"engine": "local", "model": None})
        without, hinted = (arm(evaluation, live, lambda case: model, hints=hints) for hints in (False, True))
        show(Console(), judged(evaluation, live, without, hinted), hinted.run)
        for one in (without, hinted):
            print(f"{'with' if one.hints else 'without'} hints, {model.name}: {one.usage.calls} calls, ", end="")
            print(f"{one.usage.input_tokens:,} tokens in, {one.usage.output_tokens:,} out\n{summary(one.run)}")


def main() -> int:
    """Exits 0 with a verdict of any kind, 2 when it can't be measured."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("suites", nargs="*", default=["meetings"])
    parser.add_argument("--repeats", type=int)
    parser.add_argument("--only", action="append", default=[], metavar="CASE")
    parser.add_argument("--root", type=Path, default=Path("eval"))
    given = parser.parse_args()
    try:
        measure(given.suites, given.repeats, tuple(given.only), given.root)
    except CoachError as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
