"""Kills the coach at random moments and looks what is left: ``python tests/faults/killing.py add delete --kills 100``.

A *work* is done by a process that says on a pipe when it begins a step and when the step is acknowledged. The process
gets SIGKILL at a random moment; another process then opens what is left and checks, for that work,

- no acknowledged write is lost,
- nothing is half visible: what was begun is there as a whole or not at all,
- the database, the term counts and the vectors agree.

Processes are forked from one that has imported everything, so that a hundred kills take minutes. A share of the kills
falls into opening, where what an earlier kill left is put right.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import select
import shutil
import signal
import sys
import tempfile
import time
import traceback
from pathlib import Path
from typing import Any

from looking import CHECKS, State, Told
from works import WORKS, imported, prepare


def run(work: str, home: Path, turn: int, moment: float, word: bytes) -> Told:
    """Forks a process that works, kills it ``moment`` seconds after it first said ``word``, and gives what it said."""
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(read_end)

        def say(*words: Any) -> None:
            os.write(write_end, (json.dumps(words) + "\n").encode())

        try:
            WORKS[work](home, turn, say)
        except BaseException:  # noqa: BLE001 - told to the parent, which raises
            say("failed", traceback.format_exc())
        os._exit(0)
    os.close(write_end)
    raw = b""
    first = True
    until = time.monotonic() + 120
    while time.monotonic() < until:
        if select.select([read_end], [], [], max(0.0, until - time.monotonic()))[0]:
            piece = os.read(read_end, 65536)
            if not piece:
                break
            raw += piece
            if first and word in raw:
                first, until = False, time.monotonic() + moment
    os.kill(pid, signal.SIGKILL)
    while piece := os.read(read_end, 65536):
        raw += piece
    os.close(read_end)
    os.waitpid(pid, 0)
    told = Told()
    for line in raw.decode().splitlines():
        what, *rest = json.loads(line)
        if what == "failed":
            raise AssertionError(f"the work failed by itself: {rest[0]}")
        if what == "begin":
            told.doubt = rest
        elif what == "done":
            told.done.append(rest)
            told.doubt = None
    return told


def check(work: str, home: Path, state: State, told: Told) -> None:
    """Looks at what is left in a process of its own; raises AssertionError with what is wrong."""
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(read_end)
        problem = ""
        try:
            CHECKS[work](home, state, told)
        except BaseException:  # noqa: BLE001 - told to the parent, which raises
            problem = traceback.format_exc()
        os.write(write_end, json.dumps({"problem": problem, "state": state.__dict__}).encode())
        os._exit(0)
    os.close(write_end)
    raw = b""
    while piece := os.read(read_end, 65536):
        raw += piece
    os.close(read_end)
    _, status = os.waitpid(pid, 0)
    assert raw, f"looking at what was left died with status {status}"
    answer = json.loads(raw)
    assert not answer["problem"], answer["problem"]
    state.__dict__.update(answer["state"])


def kill(work: str, kills: int, seed: int, home: Path, longest: float = 0.8, seconds: float = 1e9) -> dict[str, Any]:
    """Kills that work so often, or as often as ``seconds`` allow, and looks each time; gives counts.

    Raises AssertionError at the first thing wrong.
    """
    until, done = time.monotonic() + seconds, 0
    dice, state = random.Random(f"{work} {seed}"), State()
    prepare(work, home)
    acknowledged, amid = 0, 0
    for turn in range(kills):
        if time.monotonic() > until:
            break
        done = turn + 1
        # One kill in five falls into opening, the others into the steps after the first.
        word = b"begin" if dice.random() < 0.2 else b"done"
        told = run(work, home, seed * 10_000 + turn, dice.uniform(0.0, longest), word)
        acknowledged += len(told.done)
        amid += told.doubt is not None
        try:
            check(work, home, state, told)
        except AssertionError as error:
            raise AssertionError(
                f"{work}, kill {turn} of seed {seed}, after {told.done[-3:]}, {told.doubt}: {error}"
            ) from None
    return {"work": work, "seed": seed, "kills": done, "amid": amid, "acknowledged": acknowledged, "wrong": 0}


def main() -> None:
    """Kill what is asked for, and print one line of JSON each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("works", nargs="*", default=list(WORKS), help=", ".join(WORKS))
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1e9, help="stop each work after that long")
    options = parser.parse_args()
    os.environ["COACH_KEYRING"] = "off"
    imported()
    for work in options.works:
        # Kept where something is wrong, to be looked at.
        folder = Path(tempfile.mkdtemp(prefix=f"killed-{work}-"))
        print(json.dumps(kill(work, options.kills, options.seed, folder, seconds=options.seconds)), flush=True)
        shutil.rmtree(folder)


if __name__ == "__main__":
    sys.exit(main())
