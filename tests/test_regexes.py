"""No text can make a regular expression of the package slow: its time grows with the text, not with its square."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from regex_attacks import load, slow_attack
from regexes import Found, sites

ROOT = Path(__file__).parents[1]


BOUNDED = {
    ("coach/rewriting.py", ""): "sees sentences of few words with single spaces between them",
    ("coach/notes/timed.py", r"\s*\([^)]{0,40}\)$"): "sees at most 64 characters",
    ("coach/notes/plain.py", r"[^\W\d_]{2,}\s+\S"): "sees fewer than 12 characters",
    ("coach/rehearsal/moves.py", "(?:(?:ok(?:ay)?|right|alright"): "sees a turn of at most 4,000 characters",
}
"""File and beginning of the patterns that do grow faster than the text, and why that is no harm."""


ESCAPED = {
    "coach/anonymise/context.py": "a term of the glossary",
    "coach/identities/index.py": "a name of a script without spaces",
    "coach/ui/library.py": "words of a question",
    "eval/coach_eval/feedback.py": "the form of an id, which is looked at where cases are read",
    "eval/coach_eval/relations.py": "a name of a case",
    "eval/coach_eval/tasks/rewriting.py": "a word of a case",
}
"""Files whose patterns are put together from words of the user, each escaped, so that they grow with the text alone."""


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("regexes") / "patterns.json"
    # A process of its own, so that what other tests imported already is compiled again and noted.
    command = [sys.executable, str(ROOT / "tests" / "regexes.py"), str(out)]
    subprocess.run(command, check=True, cwd=ROOT, timeout=300, capture_output=True)
    return out


@pytest.fixture(scope="module")
def patterns(written: Path) -> list[Found]:
    return load(written)


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
        if file not in ESCAPED and not any(f"{file}:{other}" in seen for other in near):
            missing.append(f"{file}:{line}")
    assert missing == []


@pytest.mark.slow
def test_no_regular_expression_can_be_made_slow(written: Path) -> None:
    """Within a second of CPU for each pattern, in a process of its own: about a quarter of an hour."""
    command = [sys.executable, str(ROOT / "tests" / "regex_attacks.py"), str(written), "--seconds", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    *slow, told = [json.loads(line) for line in done.stdout.splitlines()]
    assert told["patterns"] > 1_000 and told["attacks_tried"] > 0.5, told
    harmful = [
        one
        for one in slow
        for file in {place.split(":")[0] for place in one["places"]}
        if not any(file == known and one["pattern"].startswith(start) for known, start in BOUNDED)
    ]
    assert not harmful, "\n".join(map(str, harmful))


def test_a_sentence_that_goes_on_for_ever_is_rewritten_or_not_at_once() -> None:
    from coach.rewriting import question, rewrite
    from coach.wording import snippet

    rewrite("We must move.")
    for part in (" ", "a:", "i take <", "or. ", "m", "\n", "\n>", "(a\n"):
        words = f"It is either{part * 20_000}move."
        for asked in (rewrite, question, snippet):
            began = time.process_time()
            asked(words)
            # 160,000 letters take one or two seconds, on a slow day three; what is not linear takes minutes.
            assert time.process_time() - began < 10.0, (asked.__name__, part)


@pytest.mark.parametrize(
    "pattern",
    [
        r"(?:a|a)+$",
        r"\s+x",
        r"(\w+\s?)*:",
        r"\([^)]*\)",
        r"<a>.*?</a>",
        r"a*a*b",
        pytest.param(r"(?:[*_]{1,3})*\Z", marks=pytest.mark.slow),
    ],
)
def test_a_slow_regular_expression_would_be_noticed(pattern: str) -> None:
    assert slow_attack(Found(pattern, 0))[0] is not None


@pytest.mark.parametrize("pattern", [r"\w+", r"(?<!\s)\s++x", r"\([^)]{0,60}\)", r"a{1,400}b"])
def test_a_quick_regular_expression_is_let_through(pattern: str) -> None:
    assert slow_attack(Found(pattern, 0)) == (None, 1.0)
