"""The library at size: ingest, opening, query times with and without filters, memory, disk.

``python -m benchmarks.library [PASSAGES]`` (100,000 unless given) builds a library of made-up meetings in a temporary
folder, through the import that users have, and prints the figures of docs/design/library.md.
"""

from __future__ import annotations

import json
import random
import re
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from coach.library import Library
from coach.retrieval import chroma
from coach.settings import Settings, load_settings

LINES = 102  # A meeting of 102 lines has 50 windows.
PEOPLE = [f"Person {letter}" for letter in "ABCDEFGHJKLMNOPQRSTUVWXYZ"]


def meetings(count: int, words: list[str], rng: random.Random) -> list[dict[str, Any]]:
    """Made-up meetings: words drawn by rank (Zipf), four of 25 people in each, over six years."""
    weights = [1 / (rank + 10) for rank in range(len(words))]
    made = []
    for number in range(count):
        people = rng.sample(PEOPLE, 4)
        text = rng.choices(words, weights, k=LINES * 14)
        made.append(
            {
                "id": f"{number:016x}",
                "title": f"Meeting {number}",
                "date": f"{2020 + number * 6 // count}-{1 + number % 12:02d}-{1 + number % 28:02d}",
                "format": "speaker-labels",
                "attendees": people,
                "tags": [f"team{number % 20}"],
                "lines": [
                    {"speaker": rng.choice(people), "text": " ".join(text[at : at + rng.randint(6, 14)])}
                    for at in range(0, LINES * 14, 14)
                ],
            }
        )
    return made


def build(settings: Settings, passages: int, words: list[str]) -> None:
    """Imports the meetings and prints how fast that went."""
    rng = random.Random(1)
    left, number, spent, busy = passages // 50, 0, 0.0, 0.0
    with Library(settings) as library:
        library.list()
        key = library._store.key
        everything = meetings(left, words, rng)
        for start in range(0, left, 200):
            file = settings.home / "some.json"
            some = everything[start : start + 200]
            file.write_text(json.dumps({"schema": "coach.library/1", "library": key, "meetings": some}))
            began, cpu = time.perf_counter(), time.process_time()
            library.import_(file)
            spent, busy = spent + time.perf_counter() - began, busy + time.process_time() - cpu
            number += len(some) * 50
            file.unlink()
            print(f"  {number:7d} passages, {number / spent:6.0f} a second", flush=True)
    print(f"ingest after anonymisation: {number / spent:.0f} passages a second ({spent:.0f} s, CPU {busy:.0f} s)")


def timed(name: str, asked: Callable[[int], Any], times: int = 200) -> None:
    """Prints median, 95th percentile and worst of warm queries, in milliseconds, and CPU time likewise."""
    for n in range(10):
        asked(n)
    taken, worked = [], []
    for n in range(times):
        began, busy = time.perf_counter(), time.process_time()
        asked(n)
        taken.append(1000 * (time.perf_counter() - began))
        worked.append(1000 * (time.process_time() - busy))
    taken.sort()
    cpu = sorted(worked)[int(times * 0.95)]
    p50, p95, worst = taken[times // 2], taken[int(times * 0.95)], taken[-1]
    print(f"{name:32} p50 {p50:6.1f} ms   p95 {p95:6.1f} ms   max {worst:6.1f} ms   CPU p95 {cpu:6.1f} ms", flush=True)


def resident() -> float:
    """Resident memory of this process now, in MB."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize() / 1e6


def main() -> None:
    """Prints everything."""
    passages = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    source = yaml.safe_load(Path(__file__).with_name("retrieval.yaml").read_text(encoding="utf-8"))
    text = " ".join(meeting["text"] for meeting in source["meetings"])
    words = sorted(set(re.findall(r"[a-z]{2,}", text)), key=lambda w: -text.count(w)) + [
        f"item{n}" for n in range(5000)
    ]
    questions = list(source["questions"].values())
    with tempfile.TemporaryDirectory() as folder:
        settings = load_settings({"COACH_HOME": folder})
        build(settings, passages, words)
        size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
        vectors = sum(path.stat().st_size for path in Path(folder).rglob("*.bin"))
        print(f"disk: {size / 1e6:.0f} MB, of which vectors {vectors / 1e6:.0f} MB")
        before = resident()
        began = time.perf_counter()
        with Library(settings) as library:
            library.search(questions[0])
            print(f"opening and first answer: {time.perf_counter() - began:.1f} s")
            timed("no filter", lambda n: library.search(questions[n % 50]))
            timed("one attendee (a sixth)", lambda n: library.search(questions[n % 50], attendee=PEOPLE[n % 25]))
            timed("half of the time", lambda n: library.search(questions[n % 50], since="2023"))
            timed("one month", lambda n: library.search(questions[n % 50], since="2023-05", until="2023-05"))
            timed("one tag (a twentieth)", lambda n: library.search(questions[n % 50], tag=f"team{n % 20}"))
            timed(
                "one meeting", lambda n: library.search(questions[n % 50], meeting=f"{n * 7 % (passages // 50):016x}")
            )
            timed(
                "attendee, tag and time",
                lambda n: library.search(questions[n % 50], attendee=PEOPLE[n % 25], tag="team3", since="2022"),
            )
            timed("similar to a text", lambda n: library.similar(questions[n % 50]))
            timed("evidence", lambda n: library.said_before(questions[n % 50], PEOPLE[n % 25]))
            print(f"memory: {resident() - before:.0f} MB more than before opening, {resident():.0f} MB in all")
            began = time.perf_counter()
            library.delete(library.list()[-1].id)
            print(f"delete: {time.perf_counter() - began:.2f} s", end=", ")
            timed("no filter, with one deleted", lambda n: library.search(questions[n % 50]), 50)
            for name, few in (("purge of one meeting", chroma.FEW), ("the same, built anew", 0)):
                chroma.FEW = few
                asked = [p for e in library.list()[:-1][:200] for p in library.search("", meeting=e.id, k=2)]
                before_it = sum(library.similar(p.text, 1)[0].id == p.id for p in asked) / len(asked)
                library.delete(library.list()[-1].id)
                began, cpu = time.perf_counter(), time.process_time()
                library.purge()
                took, busy = time.perf_counter() - began, time.process_time() - cpu
                after = sum(library.similar(p.text, 1)[0].id == p.id for p in asked) / len(asked)
                print(f"{name}: {took:.1f} s, CPU {busy:.1f} s; nearest to themselves {before_it:.3f} -> {after:.3f}")


if __name__ == "__main__":
    main()
