"""How often the gate cries wolf on a suite: replays of a blessed run against itself, with its own noise."""

from __future__ import annotations

import random
from collections import defaultdict

from coach_eval.schema import Calibration, Run, Suite, Trial
from coach_eval.verdict import judge

REPLAYS = 200


def calibrate(suite: Suite, run: Run, replays: int = REPLAYS, seed: int = 0) -> Calibration:
    """The share of replays called regressed although nothing changed.

    Each replay draws both arms anew from the repeats of each case. A run without noise (one repeat, or repeats that all
    agree) can raise no false alarm, and ``noise`` says so.
    """
    by_case: dict[str, list[Trial]] = defaultdict(list)
    for trial in run.trials:
        by_case[trial.case].append(trial)
    noisy = any(len({str(t.score.metrics) for t in trials if t.score}) > 1 for trials in by_case.values())
    if not noisy:
        return Calibration(replays=replays, false_alarms=0.0, noise="none: every repeat gave the same answer")
    dice = random.Random(seed)

    def arm() -> Run:
        drawn = [dice.choices(trials, k=run.repeats) for trials in by_case.values()]
        again = (t.model_copy(update={"repeat": i}) for trials in drawn for i, t in enumerate(trials))
        return run.model_copy(update={"trials": tuple(again)})

    def fresh(case: str) -> list[bool]:
        return [bool(t.score and t.score.passed) for t in dice.choices(by_case[case], k=run.repeats)]

    alarms = sum(judge(suite, arm(), arm(), confirm=fresh).status == "regressed" for _ in range(replays))
    return Calibration(replays=replays, false_alarms=alarms / replays, noise="repeats of the blessed run, drawn again")
