"""No acknowledged write is lost to kill -9: one kill of each work here, a hundred of each with ``-m slow``."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from killing import WORKS

SCRIPT = Path(__file__).parent / "killing.py"


def killed(*arguments: str) -> list[dict[str, object]]:
    # In a process of its own: it forks, and must not share what this one has opened.
    done = subprocess.run([sys.executable, str(SCRIPT), *arguments], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_kill_of_each_work_loses_nothing() -> None:
    told = killed("--kills", "1", "--seed", "7")
    assert [line["work"] for line in told] == list(WORKS)
    assert all((line["kills"], line["wrong"]) == (1, 0) for line in told)


@pytest.mark.slow
@pytest.mark.parametrize("work", WORKS)
def test_a_hundred_kills_lose_nothing(work: str) -> None:
    (told,) = killed(work, "--kills", "100", "--seed", "1")
    assert (told["kills"], told["wrong"]) == (100, 0)
