"""Mutation: take away one rule at a time and see whether any case notices. A rule that nobody misses is untested.

After DeMillo, Lipton and Sayward, "Hints on test data selection", IEEE Computer 11 (1978), with rules for statements.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from coach.errors import InputError, UnverifiableError
from coach_eval.evaluation import Evaluation
from coach_eval.sandbox import copy_of_coach, evaluate_copy
from coach_eval.schema import Run, Suite

_PROMPT_RULE = re.compile(r"^(?P<indent> {6,})(?:-|\d+\.) ")
_ENTRY = re.compile(r"^ {4,}- ")
_LIST = re.compile(r"^ {2}[\w-]+:")


@dataclass(frozen=True)
class Rule:
    """Some lines of a file: a rule. file: relative to the copy. first, last: line numbers from 1, last included.

    instead: what stands there when the rule is gone.
    """

    file: str
    first: int
    last: int
    text: str
    instead: str = ""

    def __str__(self) -> str:
        return f"{self.file}:{self.first}: {self.text}"

    def cut(self, text: str) -> str:
        """The file without the rule."""
        lines = text.splitlines(keepends=True)
        return "".join([*lines[: self.first - 1], self.instead, *lines[self.last :]])


@dataclass(frozen=True)
class Mutant:
    """The coach without one rule: which cases noticed, as (case, difference of the sum of its metrics)."""

    rule: Rule
    noticed: tuple[tuple[str, float], ...]
    error: str = ""

    @property
    def untested(self) -> bool:
        """Whether nobody missed the rule."""
        return not self.noticed and not self.error


def rules(folder: Path, suite: Suite, each_entry: bool = False) -> tuple[Rule, ...]:
    """The rules behind a suite: bullets of its prompt, or lists of the lexicon (``each_entry``: each line of them)."""
    if suite.engine == "llm":
        if not suite.prompt:
            raise InputError(
                f"suite {suite.suite!r} names no prompt: add `prompt:` to see which of its rules are tested"
            )
        from coach.prompts import active_versions

        version = active_versions(folder / "prompts").get(suite.prompt)
        if version is None:
            raise InputError(f"suite {suite.suite!r}: there is no active prompt {suite.prompt!r}")
        file = f"prompts/{suite.prompt}/v{version}.yaml"
        return tuple(_bullets(file, (folder / file).read_text(encoding="utf-8").splitlines()))
    file = "coach/data/lexicon.yaml"
    lines = (folder / file).read_text(encoding="utf-8").splitlines()
    return tuple(_entries(file, lines) if each_entry else _lists(file, lines))


def mutate(
    evaluation: Evaluation,
    suite: Suite,
    *,
    each_entry: bool = False,
    match: str = "",
    told: Callable[[Mutant], None] = lambda mutant: None,
) -> tuple[Mutant, ...]:
    """One mutant per rule whose text holds ``match``, in order of the file; ``told`` hears of each as it is done."""
    done = []
    with copy_of_coach() as copy:
        before = evaluate_copy(copy, evaluation, suite.suite)
        for rule in rules(copy, suite, each_entry):
            if match and match not in str(rule):
                continue
            mutant = _without(rule, copy, evaluation, suite, before)
            told(mutant)
            done.append(mutant)
    return tuple(done)


def difference(before: Run, after: Run) -> tuple[tuple[str, float], ...]:
    """Cases whose score or findings moved, with the sum of what their metrics gained or lost, the worst first."""
    earlier = {(t.case, t.repeat): t for t in before.trials}
    moved: dict[str, float] = {}
    for trial in after.trials:
        was = earlier.get((trial.case, trial.repeat))
        if was is None or (was.items == trial.items and was.score == trial.score and not trial.error):
            continue
        old, new = (t.score.metrics if t.score else {} for t in (was, trial))
        moved[trial.case] = moved.get(trial.case, 0.0) + sum(new.get(k, 0.0) - old.get(k, 0.0) for k in old | new)
    return tuple(sorted(moved.items(), key=lambda item: item[1]))


def _without(rule: Rule, copy: Path, evaluation: Evaluation, suite: Suite, before: Run) -> Mutant:
    path = copy / rule.file
    whole = path.read_text(encoding="utf-8")
    path.write_text(rule.cut(whole), encoding="utf-8")
    try:
        after = evaluate_copy(copy, evaluation, suite.suite)
    except UnverifiableError as error:
        return Mutant(rule, (), error=str(error))
    finally:
        path.write_text(whole, encoding="utf-8")
    errors = {trial.error for trial in after.trials if trial.error}
    if errors and len(errors) == len({trial.error for trial in after.trials}):
        return Mutant(rule, (), error=sorted(errors)[0])
    return Mutant(rule, difference(before, after))


def _bullets(file: str, lines: Sequence[str]) -> Iterator[Rule]:
    """A bullet or number of a prompt, with the lines that continue it."""
    for number, line in enumerate(lines, 1):
        found = _PROMPT_RULE.match(line)
        if found:
            indent, last = len(found["indent"]), number
            while last < len(lines) and _indent(lines[last]) > indent:
                last += 1
            yield Rule(file, number, last, " ".join(part.strip() for part in lines[number - 1 : last]))


def _lists(file: str, lines: Sequence[str]) -> Iterator[Rule]:
    """All entries below one key of the lexicon; the key stays, with an empty list."""
    section = ""
    for number, line in enumerate(lines, 1):
        if re.match(r"[\w-]+:", line):
            section = line.partition(":")[0]
        if not _LIST.match(line):
            continue
        last = number
        while last < len(lines) and (_ENTRY.match(lines[last]) or not lines[last].strip()):
            last += 1
        if last > number:
            key = line.partition(":")[0]
            yield Rule(file, number, last, f"{section}.{key.strip()} ({last - number} entries)", f"{key}: []\n")


def _entries(file: str, lines: Sequence[str]) -> Iterator[Rule]:
    for number, line in enumerate(lines, 1):
        if _ENTRY.match(line):
            yield Rule(file, number, number, line.strip())


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip()) if line.strip() else 0
