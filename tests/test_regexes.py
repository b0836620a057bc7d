"""No text can make a regular expression of the package slow: its time grows with the text, not with its square."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
import warnings
from itertools import pairwise
from pathlib import Path

import pytest
from regexes import Found, attacks, loops, sites, text

ROOT = Path(__file__).parents[1]
LONG = 3_000
"""Characters at which a linear pattern takes well below ``QUICK`` and a quadratic one well above."""
QUICK = 0.004


@pytest.fixture(scope="module")
def patterns(tmp_path_factory: pytest.TempPathFactory) -> list[Found]:
    out = tmp_path_factory.mktemp("regexes") / "patterns.json"
    # A process of its own, so that what other tests imported already is compiled again and noted.
    command = [sys.executable, str(ROOT / "tests" / "regexes.py"), str(out)]
    subprocess.run(command, check=True, cwd=ROOT, timeout=300, capture_output=True)
    return [Found(p, flags, set(places), set(methods)) for p, flags, places, methods in json.loads(out.read_text())]


class _TooSlowError(Exception):
    pass


def seconds(pattern: re.Pattern[str], found: Found, words: str) -> float:
    """CPU time of going through the text with it; a full second stands for anything longer."""

    def stop(*_: object) -> None:
        raise _TooSlowError

    before = signal.signal(signal.SIGVTALRM, stop)
    began = time.thread_time()
    signal.setitimer(signal.ITIMER_VIRTUAL, 1.0)
    try:
        if found.methods and found.methods <= {"match", "fullmatch"}:
            pattern.match(words)
            pattern.fullmatch(words)
        else:
            for _ in pattern.finditer(words):
                pass
    except _TooSlowError:
        return 1.0
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
    return time.thread_time() - began


def slow_attack(found: Found) -> str | None:
    """The attack under which the pattern's time grows faster than the text, or ``None``.

    Most attacks end at the first look, being thousands of times faster than a square would be. A suspect has to triple
    its time three times over as its text doubles, each the best of three, before it is believed.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pattern = re.compile(found.pattern, found.flags)
        given = list(attacks(found)) if loops(found) else []
    for attack in given:
        # Short ones first: a pattern that is exponential would not come back from a long one.
        if all(seconds(pattern, found, text(attack, length)) < QUICK for length in (24, 36, 200, LONG)):
            continue
        times = [
            min(seconds(pattern, found, text(attack, length)) for _ in range(3))
            for length in (24, LONG // 4, LONG // 2, LONG, 2 * LONG)
        ]
        growing = all(later >= min(3 * sooner, 1.0) for sooner, later in pairwise(times[1:]))
        if times[0] > 0.1 or times[1] >= 1.0 or growing:
            return f"{attack!r}: {', '.join(f'{t:.4f}' for t in times)} s of CPU"
    return None


@pytest.mark.slow
def test_every_place_that_uses_a_regular_expression_is_looked_at(patterns: list[Found]) -> None:
    seen = {place for found in patterns for place in found.places}
    calls: dict[tuple[str, int], list[str]] = {}
    # A call may span lines; what is noted at run time names one of them.
    for place in sites():
        file, line = place.split(":")
        calls.setdefault((file, int(line)), []).append(place)
    missing = []
    for (file, line), _ in sorted(calls.items()):
        near = range(line - 14, line + 15)
        if not any(f"{file}:{other}" in seen for other in near):
            missing.append(f"{file}:{line}")
    assert missing == []


@pytest.mark.slow
@pytest.mark.parametrize("every", [1, 12])
def test_no_regular_expression_can_be_made_slow(patterns: list[Found], every: int) -> None:
    assert len(patterns) > 1_000
    slow = [
        f"{sorted(found.places)[:1]} {found.pattern[:160]!r}: {why}"
        for found in patterns[::every]
        if (why := slow_attack(found))
    ]
    assert not slow, "\n".join(slow)


@pytest.mark.parametrize(
    "pattern", [r"(?:a|a)+$", r"\s+x", r"(\w+\s?)*:", r"\([^)]*\)", r"<a>.*?</a>", r"a*a*b", r"(?:[*_]{1,3})*\Z"]
)
def test_a_slow_regular_expression_would_be_noticed(pattern: str) -> None:
    assert slow_attack(Found(pattern, 0)) is not None


@pytest.mark.parametrize("pattern", [r"\w+", r"(?<!\s)\s++x", r"\([^)]{0,60}\)", r"a{1,400}b"])
def test_a_quick_regular_expression_is_let_through(pattern: str) -> None:
    assert slow_attack(Found(pattern, 0)) is None
