"""How long the word-level rooms take over 60,000 characters of the shipped samples: python benchmarks/words.py

Prints CPU seconds per room (best of three) and their sum; nothing here loads a model.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import coach
from coach.lexicon import cues, scope, tentativeness
from coach.notes import parse, sentences
from coach.participants import participants
from coach.rewriting import rewrite
from coach.topics import topic

SIZE = 60_000


def text() -> str:
    samples = sorted((Path(coach.__file__).parent / "samples").glob("*.*"))
    whole = "\n\n".join(p.read_text(encoding="utf-8") for p in samples if p.suffix in (".txt", ".md"))
    return (whole * (SIZE // max(len(whole), 1) + 1))[:SIZE]


def best(work: Callable[[], object]) -> float:
    took = []
    for _ in range(3):
        start = time.process_time()
        work()
        took.append(time.process_time() - start)
    return min(took)


def main() -> None:
    notes = parse(text())
    said = [s.text for s in sentences(notes)]
    strong = [(s, c) for s in said for c in cues(s) if c.kind == "categorical"]
    free = [(s, c.subtype) for s, c in strong if scope(s, c) is None]
    rooms: dict[str, Callable[[], object]] = {
        "cues": lambda: [cues(s) for s in said],
        "scope": lambda: [scope(s, c) for s, c in strong],
        "tentativeness": lambda: [tentativeness(s) for s in said],
        "rewrite": lambda: [rewrite(s, kind) for s, kind in free],
        "topic": lambda: [topic(s) for s, _ in free],
        "participants": lambda: participants(notes),
    }
    print(f"{len(notes.text)} characters, {len(said)} sentences")
    print(f"{len(strong)} strong words, {len(free)} of them not excused")
    total = 0.0
    for name, work in rooms.items():
        seconds = best(work)
        total += seconds
        print(f"{name:14} {seconds:.3f} s")
    print(f"{'sum':14} {total:.3f} s")


if __name__ == "__main__":
    main()
