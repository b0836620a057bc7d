"""Blame: revert the hunks of a change one by one, and name the hunk that lost the findings."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from coach.errors import InputError, UnverifiableError
from coach_eval.evaluation import Evaluation
from coach_eval.mutation import difference
from coach_eval.sandbox import copy_of_coach, evaluate_copy
from coach_eval.schema import Suite

PATHS = ("prompts", "coach")
_FILE = re.compile(r"^diff --git ", re.MULTILINE)
_HUNK = re.compile(r"^@@ .*$", re.MULTILINE)


@dataclass(frozen=True)
class Hunk:
    """One hunk of a change. patch: the hunk as a patch of its own. where: file and line, for people."""

    where: str
    patch: str

    @property
    def words(self) -> str:
        """What it took away and what it put in, in short."""
        lines = [line for line in self.patch.splitlines() if re.match(r"[-+](?![-+]{2})", line)]
        return "\n".join(lines[:6])


@dataclass(frozen=True)
class Blamed:
    """What came back, or went, when a hunk was reverted: (case, difference of the sum of its metrics)."""

    hunk: Hunk
    moved: tuple[tuple[str, float], ...]
    error: str = ""

    @property
    def guilt(self) -> float:
        """How much better the suite does without the hunk, in summed metrics; above zero means the hunk did harm."""
        return sum(delta for _, delta in self.moved)


def hunks(since: str, paths: Sequence[str] = PATHS) -> tuple[Hunk, ...]:
    """The hunks of the working tree against a revision; raises :class:`InputError` when git cannot tell."""
    diff = _git("diff", "--unified=0", "--no-color", "--no-ext-diff", since, "--", *paths)
    found = tuple(_split(diff))
    if not found:
        raise InputError(
            f"nothing differs from {since!r} under {', '.join(paths)}: name an older revision with --since"
        )
    return found


def blame(
    evaluation: Evaluation,
    suite: Suite,
    change: Sequence[Hunk],
    told: Callable[[Blamed], None] = lambda blamed: None,
) -> tuple[Blamed, ...]:
    """Each hunk with what its reversal changes, the guiltiest first."""
    done = []
    with copy_of_coach() as copy:
        now = evaluate_copy(copy, evaluation, suite.suite)
        for hunk in change:
            try:
                _apply(hunk, copy, reverse=True)
                blamed = Blamed(hunk, difference(now, evaluate_copy(copy, evaluation, suite.suite)))
                _apply(hunk, copy, reverse=False)
            except UnverifiableError as error:
                blamed = Blamed(hunk, (), str(error))
            told(blamed)
            done.append(blamed)
    return tuple(sorted(done, key=lambda blamed: -blamed.guilt))


def _split(diff: str) -> Iterator[Hunk]:
    starts = [found.start() for found in _FILE.finditer(diff)]
    for start, end in zip(starts, [*starts[1:], len(diff)], strict=True):
        part = diff[start:end]
        edges = [found.start() for found in _HUNK.finditer(part)]
        for first, last in zip(edges, [*edges[1:], len(part)], strict=True):
            name = re.search(r"^\+\+\+ (?:b/)?(.*)$", part, re.MULTILINE)
            line = re.search(r"\+(\d+)", part[first:last])
            where = f"{name[1] if name else '?'}:{line[1] if line else '?'}"
            yield Hunk(where, part[: edges[0]] + part[first:last])


def _apply(hunk: Hunk, copy: Path, *, reverse: bool) -> None:
    arguments = ["git", "apply", "--unidiff-zero", *(["--reverse"] if reverse else []), "-"]
    # Outside any repository, git apply is a plain patch program.
    done = subprocess.run(arguments, input=hunk.patch, cwd=copy, text=True, capture_output=True)
    if done.returncode:
        raise UnverifiableError(f"{hunk.where}: this hunk cannot be reverted by itself")


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], capture_output=True, text=True)
    if done.returncode:
        raise InputError(f"git cannot tell what changed: {(done.stderr.strip().splitlines() or ['no output'])[0]}")
    return done.stdout
