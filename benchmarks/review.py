"""Speed and memory of a review with the local engine: ``python -m benchmarks.review``.

Prints, with the spread over runs: ``coach --help``; a cold ``coach review`` of a two-page note in a process of its own;
a warm review of 60,000 characters in this process, also as a ratio to reading the same text once with the tokenizer
alone (the ratio carries over between machines, the seconds do not); peak memory of a process that reviews them.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

from coach.samples import samples

RUNS = 5
LONG = 60_000


def main() -> None:
    """Print one line per figure."""
    two_pages = _lengthened(6_000)
    long = _lengthened(LONG)
    _say("coach --help, seconds", _timed(lambda: _coach("--help")))
    _say("coach review, two pages, cold, seconds", _timed(lambda: _coach("review", "-", "--json", text=two_pages)))
    warm, tokens = _warm(long)
    _say(f"review of {LONG:,} characters, warm, seconds", warm)
    _say("tokenizer alone on the same text, seconds", tokens)
    print(f"ratio review / tokenizer alone: {statistics.median(warm) / statistics.median(tokens):.0f}")
    _coach("review", "-", "--json", text=long)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"peak memory of the largest process: {peak:.0f} MB")


def _warm(text: str) -> tuple[list[float], list[float]]:
    from coach.acts import tokenizer
    from coach.settings import load_settings
    from coach.wiring import Coach

    coach = Coach(load_settings(library=False))
    coach.review(text, engine="local")
    read = tokenizer()
    return _timed(lambda: coach.review(text, engine="local")), _timed(lambda: read.encode(text))


def _lengthened(characters: int) -> str:
    """Speaker-labelled notes of about that length, from the samples that have labels."""
    text = samples()[0].text
    return "\n".join([text] * (characters // len(text) + 1))[:characters]


def _coach(*arguments: str, text: str = "") -> None:
    subprocess.run([sys.executable, "-m", "coach", *arguments], input=text, text=True, capture_output=True, check=True)


def _timed(work: Callable[[], object]) -> list[float]:
    work()
    seconds = []
    for _ in range(RUNS):
        started = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - started)
    return seconds


def _say(what: str, seconds: list[float]) -> None:
    print(f"{what}: median {statistics.median(seconds):.2f} ({min(seconds):.2f} to {max(seconds):.2f})")


if __name__ == "__main__":
    main()
