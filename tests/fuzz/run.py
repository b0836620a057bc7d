"""Long fuzzing with atheris: ``make fuzz`` (or ``python tests/fuzz/run.py --seconds 60 notes plans``).

Each target runs in a process of its own, with at most 1 GB of memory, from the inputs that earlier runs found worth
keeping (``.fuzz/corpus``). Executions are added up in ``.fuzz/tally.json``; an input that breaks a target is kept in
``.fuzz/found``. Exit code 1 when there is one.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
FOLDER = Path(".fuzz")
MEGABYTES = 1024
LONGEST = 4096
UNTRACED = ("docx", "pdf", "reviews", "model answers", "mcp tools", "mcp http", "page http")


def main() -> int:
    """Fuzz each named target (all by default) for so many seconds, and print what has been done so far."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--child", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        (_mutate if given.targets[0] in UNTRACED else _fuzz)(given.targets[0], given.seconds)
    from fuzz.targets import TARGETS

    broken = [name for name in (given.targets or TARGETS) if not _run(name, given.seconds)]
    tally = _tally()
    for name in TARGETS:
        print(f"{name:18} {tally.get(name, 0):>10,}")
    print(f"{'in all':18} {sum(tally.values()):>10,}")
    for name in broken:
        print(f"broken: {name} (see {FOLDER / 'found'})", file=sys.stderr)
    return 1 if broken else 0


def _run(name: str, seconds: int) -> bool:
    command = [sys.executable, __file__, "--child", "--seconds", str(seconds), name]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, errors="replace")
    counted = re.findall(r"stat::number_of_executed_units:\s*(\d+)", done.stdout)
    # A fault ends the process before its statistics: the last line of progress tells how far it came.
    counted = counted or re.findall(r"^#(\d+)\s", done.stdout, re.MULTILINE) or ["0"]
    tally = _tally()
    tally[name] = tally.get(name, 0) + int(counted[-1])
    (FOLDER / "tally.json").write_text(json.dumps(tally, indent=1))
    if done.returncode:
        tail = FOLDER / "found" / f"{name.replace(' ', '-')}.{os.getpid()}.log"
        tail.write_text(done.stdout[-20_000:])
    return done.returncode == 0


def _tally() -> dict[str, int]:
    path = FOLDER / "tally.json"
    return json.loads(path.read_text()) if path.exists() else {}


def _mutate(name: str, seconds: int) -> None:
    """The same without feedback, for targets that hand work to threads, which atheris' tracing all but stops, and for
    documents, whose readers are not ours to trace."""
    import random
    import time
    from itertools import count

    from fuzz.targets import TARGETS, execute

    target, dice = TARGETS[name], random.Random()
    seeds = target.seeds()
    with contextlib.suppress(AssertionError):
        execute(target, seeds[0])
    ends = time.monotonic() + seconds
    for number in count(1):
        data = bytearray(dice.choice(seeds))
        for _ in range(dice.randrange(8)):
            data[dice.randrange(len(data))] = dice.randrange(256)
        data += dice.randbytes(dice.choice((0, 0, 4, 40)))
        try:
            execute(target, bytes(data))
        except BaseException:
            (FOLDER / "found").mkdir(exist_ok=True)
            (FOLDER / "found" / f"{name.replace(' ', '-')}-{number}").write_bytes(data)
            print(f"#{number} ")
            raise
        if time.monotonic() > ends:
            print(f"stat::number_of_executed_units: {number}")
            sys.exit()


def _fuzz(name: str, seconds: int) -> None:
    import atheris

    with atheris.instrument_imports(include=["coach", "coach_eval"]):
        from fuzz.targets import TARGETS, execute

        target = TARGETS[name]
        seeds = target.seeds()
    corpus = FOLDER / "corpus" / name.replace(" ", "-")
    corpus.mkdir(parents=True, exist_ok=True)
    (FOLDER / "found").mkdir(exist_ok=True)
    for seed in seeds:
        (corpus / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed[:LONGEST])

    def one(data: bytes) -> None:
        execute(target, data)

    # The first call loads models and lexicons; only later ones are held to the limits.
    with contextlib.suppress(AssertionError):
        execute(target, seeds[0])
    flags = [
        f"-max_total_time={seconds}", f"-rss_limit_mb={MEGABYTES}", "-timeout=60", "-print_final_stats=1",
        f"-max_len={LONGEST}", f"-artifact_prefix={FOLDER / 'found'}/{name.replace(' ', '-')}-", "-reload=0",
    ]  # fmt: skip
    atheris.Setup([sys.argv[0], *flags, str(corpus)], one)
    atheris.Fuzz()


if __name__ == "__main__":
    sys.exit(main())
