"""How the evaluation harness behaves: ``python -m benchmarks.eval`` prints every figure of docs/design/eval.md.

alarms     share of replays without any change that the gate calls regressed
planted    share of planted regressions that it catches, at the size of the shipped suite
kill       recordings left corrupt by killing the recorder, ``--kills`` times
replay     seconds for 60 cases x 3 repeats from recordings
overhead   milliseconds per case that the harness itself takes
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from coach_eval.evaluation import Evaluation
from coach_eval.recordings import Recording, Store
from coach_eval.running import attempt, digests_of, run_suite
from coach_eval.schema import Case, Run, Suite
from coach_eval.tasks import TASKS
from coach_eval.tasks.base import Subject
from coach_eval.tasks.review import Gold, ReviewCase, Seen, Shown
from coach_eval.verdict import judge

ROOT = Path("eval")
SUITE = "meetings"
Chance = Callable[[Gold], float]


def main() -> None:
    """Measure what is asked for, and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    measures: Mapping[str, Callable[[argparse.Namespace], None]] = {
        "alarms": alarms,
        "planted": planted,
        "kill": kill,
        "replay": replay,
        "overhead": overhead,
    }
    parser.add_argument("measures", nargs="*", default=list(measures), help=", ".join(measures))
    parser.add_argument("--replays", type=int, default=200)
    parser.add_argument("--kills", type=int, default=100)
    options = parser.parse_args()
    for name in options.measures:
        measures[name](options)


class Engine:
    """An engine with noise, made from the gold: every passage has its own chance to be found, and clean notes their own
    chance of a false alarm.

    Models at temperature 0 mostly repeat themselves, so most chances lie near 0 or 1 (Beta(0.6, 0.25), mean 0.7; false
    alarms in one note of twenty). ``worse`` lowers the chance of a passage; repeats of one arm are independent draws.
    """

    def __init__(self, dice: random.Random, *, noise: bool = True) -> None:
        self.dice, self.noise = dice, noise
        self.skill: dict[tuple[str, str], float] = {}

    def seen(self, case: ReviewCase, worse: Chance) -> Seen:
        """One trial: the passages found this time, exact to the letter."""
        text = case.text
        found = [
            Shown(kind=gold.kind, start=place.start, end=place.end)
            for gold in case.required
            if self.dice.random() < self._chance(case, gold) * worse(gold)
            for place in gold.places(text)[:1]
        ]
        if self.noise and self.dice.random() < 0.05:
            found.append(Shown(kind="categorical_phrasing", start=0, end=3))
        return Seen(findings=tuple(found))

    def _chance(self, case: ReviewCase, gold: Gold) -> float:
        if not self.noise:
            return 1.0
        # The two arms share what a passage is like; only the luck of each draw differs.
        return self.skill.setdefault(
            (case.cluster, gold.quote), random.Random(f"{case.cluster}{gold.quote}").betavariate(0.6, 0.25)
        )


def arm(suite: Suite, cases: Sequence[ReviewCase], engine: Engine, worse: Chance = lambda gold: 1.0) -> Run:
    """A whole run of the suite by that engine, scored by the real scorers."""
    task = TASKS["review"]

    def trial(case: ReviewCase, repeat: int) -> object:
        made = replace(task, run=lambda c, s, _: engine.seen(c, worse))
        return attempt(made, suite, case, NOBODY, repeat)

    trials = tuple(trial(case, repeat) for case in cases for repeat in range(suite.repeats))
    empty = digests_of(suite, cases, task, None)
    return Run(
        suite=suite.suite, task="review", engine="llm", date="", repeats=suite.repeats, complete=True, digests=empty,
        trials=trials,  # type: ignore[arg-type]
    )  # fmt: skip


NOBODY: Subject = object()  # type: ignore[assignment]


def shipped(repeats: int = 1) -> tuple[Suite, list[ReviewCase]]:
    """The shipped suite and its cases; relations are another measure and stay out."""
    suite = Evaluation(root=ROOT, keep=False).suites([SUITE])[0]
    cases = [
        c.model_copy(update={"relations": ()}) for c in Evaluation(root=ROOT).cases(suite) if isinstance(c, ReviewCase)
    ]
    return suite.model_copy(update={"repeats": repeats, "scorers": ("spans", "grounding")}), cases


def alarms(options: argparse.Namespace) -> None:
    """A/A: two runs of one noisy engine, with fresh noise each time."""
    suite, cases = shipped(repeats=3)
    dice = random.Random(1)
    statuses = []
    for _ in range(options.replays):
        engine = Engine(dice)
        before, after = arm(suite, cases, engine), arm(suite, cases, engine)
        statuses.append(judge(suite, before, after, confirm=_confirm(suite, cases, engine)).status)
    rate = statuses.count("regressed") / len(statuses)
    print(f"alarms: {rate:.1%} of {len(statuses)} replays without a change were called regressed", _tally(statuses))


def planted(options: argparse.Namespace) -> None:
    """Regressions of two sorts: one sort of finding is no longer seen, and a tenth of all is lost at random."""
    kinds = [
        ("recall -0.10 at random, no noise", False, 0.10),
        ("recall -0.10 at random, noisy engine, 3 repeats", True, 0.10),
        ("recall -0.15 at random, noisy engine, 3 repeats", True, 0.15),
    ]
    for label, noise, drop in kinds:
        suite, cases = shipped(repeats=3 if noise else 1)
        statuses = []
        for number in range(options.replays):
            dice = random.Random(1_000 + number)
            engine = Engine(dice, noise=noise)
            before = arm(suite, cases, engine)
            lost = _lost(cases, engine, drop, dice)
            worse: Chance = lambda gold, lost=lost: 0.0 if gold.quote in lost else 1.0  # noqa: E731
            after = arm(suite, cases, engine, worse)
            statuses.append(judge(suite, before, after, confirm=_confirm(suite, cases, engine, worse)).status)
        print(f"planted: {statuses.count('regressed') / len(statuses):.1%} caught of {label}", _tally(statuses))
    suite, cases = shipped()
    engine = Engine(random.Random(0), noise=False)
    before = arm(suite, cases, engine)
    caught = []
    names = sorted({name for case in cases for gold in case.required for name in (*gold.subtypes[:1], *gold.needs[:1])})
    for name in [*names, "unheard_objection", "unaddressed_need", "categorical_phrasing"]:
        gone = _without(name)
        verdict = judge(suite, before, arm(suite, cases, engine, gone), confirm=_confirm(suite, cases, engine, gone))
        caught.append((name, verdict.status == "regressed"))
    missed = ", ".join(name for name, was in caught if not was) or "none"
    found = sum(was for _, was in caught)
    print(f"planted: {found} of {len(caught)} removals of one subtype, need or kind caught; missed: {missed}")


def _without(name: str) -> Chance:
    return lambda gold: float(name not in (gold.kind, *gold.subtypes[:1], *gold.needs[:1]))


def _lost(cases: Sequence[ReviewCase], engine: Engine, drop: float, dice: random.Random) -> set[str]:
    """Quotes whose loss lowers recall (over notes) by about ``drop``, taken at random."""
    pool = [(case, gold) for case in cases for gold in case.required]
    dice.shuffle(pool)
    notes = len({case.cluster for case in cases if case.required})
    lost: set[str] = set()
    so_far = 0.0
    for case, gold in pool:
        if so_far >= drop:
            break
        same = [c for c in cases if c.cluster == case.cluster and c.required]
        so_far += engine._chance(case, gold) / len(case.required) / len(same) / notes
        lost.add(gold.quote)
    return lost


def _confirm(
    suite: Suite, cases: Sequence[ReviewCase], engine: Engine, worse: Chance = lambda gold: 1.0
) -> Callable[[str], list[bool]]:
    def fresh(case_id: str) -> list[bool]:
        chosen = [case for case in cases if case.id == case_id]
        return [bool(t.score and t.score.passed) for t in arm(suite, chosen, engine, worse).trials]

    return fresh


def _tally(statuses: Sequence[str]) -> str:
    return ", ".join(f"{status} {statuses.count(status)}" for status in sorted(set(statuses)))


RECORDER = """
import itertools, sys
from pathlib import Path
from coach.engine import Watch
from coach.identities import Identities
from coach.llm.base import Request
from coach.llm.scripted import ScriptedChatModel
from coach_eval.recordings import RecordingModel, Store
print("ready", flush=True)
for n in itertools.count(int(sys.argv[2]) * 1_000_000):
    model = ScriptedChatModel(["x" * 50_000], name="m")
    recorder = RecordingModel(model, Store(Path(sys.argv[1])), "p", 0, "api", Identities())
    recorder.complete(Request((("user", str(n)),)), Watch())
"""


def kill(options: argparse.Namespace) -> None:
    """SIGKILL at a random moment while recordings are written; then every file must be whole."""
    dice = random.Random(5)
    with tempfile.TemporaryDirectory() as name:
        for number in range(options.kills):
            command = [sys.executable, "-c", RECORDER, name, str(number)]
            recorder = subprocess.Popen(command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": _path()})
            assert recorder.stdout is not None
            recorder.stdout.readline()
            time.sleep(dice.uniform(0.01, 0.15))
            recorder.send_signal(signal.SIGKILL)
            recorder.wait()
        files = list(Path(name).glob("*/*.json"))
        corrupt = 0
        for path in files:
            try:
                Recording.model_validate(json.loads(path.read_text()))
            except ValueError:
                corrupt += 1
        Store(Path(name)).check()
        litter = len(list(Path(name).glob("*/.*.part")))
    print(f"kill: {options.kills} kills, {len(files)} recordings, {corrupt} corrupt ({litter} unfinished, never read)")


def replay(_options: argparse.Namespace) -> None:
    """60 cases x 3 repeats of a prompt suite, from the first import to the verdict, in a process of its own."""
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        for part in ("suites", "cases"):
            shutil.copytree(ROOT / part, root / part)
        suite_file = root / "suites" / "unheard_objections.yaml"
        suite_file.write_text(suite_file.read_text() + "repeats: 3\n")
        sixty = [case.id for case in _cases(root, "unheard_objections")][:60]
        only = [word for case in sixty for word in ("--only", case)]
        record = ["record", "unheard_objections", "--origin", "authored", "--root", name, *only]
        _coach(*record)
        started, busy = time.perf_counter(), _children()
        results = root / "results.json"
        _coach("run", "unheard_objections", "--root", name, "--quiet", "--json", str(results), *only)
        seconds, busy = time.perf_counter() - started, _children() - busy
        trials = json.loads(results.read_text())["runs"][0]["trials"]
    errors = sum("error" in trial for trial in trials)
    print(
        f"replay: {len(trials)} trials (60 cases x 3), {errors} errors, in {seconds:.1f} s ({busy:.1f} s of processor)"
    )


def _cases(root: Path, name: str) -> Sequence[Case]:
    evaluation = Evaluation(root=root, mode="record")
    return evaluation.cases(evaluation.suites([name])[0])


def overhead(_options: argparse.Namespace) -> None:
    """What is left when the engine takes no time: matching, scoring, the verdict and a results file."""
    from coach_eval.baselines import dump

    suite, cases = shipped()
    engine = Engine(random.Random(0), noise=False)
    before = arm(suite, cases, engine)
    task = replace(TASKS["review"], run=lambda c, s, _: engine.seen(c, lambda g: 1.0))
    digests = digests_of(suite, cases, task, None)
    best = float("inf")
    for _ in range(5):
        started = time.perf_counter()
        run = run_suite(suite, cases, task, lambda case, repeat: NOBODY, digests)
        judge(suite, before, run)
        dump(run)
        best = min(best, time.perf_counter() - started)
    print(f"overhead: {1000 * best / len(cases):.2f} ms per case ({len(cases)} cases, verdict and results included)")


def _children() -> float:
    """Processor time of all processes started so far, in seconds: what the wall clock would say on an idle machine."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _coach(*arguments: str) -> None:
    done = subprocess.run([sys.executable, "-m", "coach", "eval", *arguments], capture_output=True, text=True)
    if done.returncode not in (0, 3):
        raise SystemExit(done.stderr)


def _path() -> str:
    return os.pathsep.join([str(Path.cwd()), str(ROOT.resolve())])


if __name__ == "__main__":
    main()
