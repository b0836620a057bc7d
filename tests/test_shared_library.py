"""Several processes that write to one library, on a real PostgreSQL and a real Chroma server."""

from __future__ import annotations

import os
import subprocess
import sys
from collections import Counter

import pytest
from stores import Postgres

from coach.anonymise import restore
from coach.settings import load_settings
from coach.wiring import Coach

KEEP = """
import sys
from coach.wiring import Coach
coach = Coach()
input()
for number in map(int, sys.argv[1:]):
    names = ["Adaeze", "Bogdan", "Chiara", "Dmitri", "Eleni", "Farid"]
    one, other = names[number % 6], names[(number + 1) % 6]
    text = f"{one}: I doubt that berth {number} is ready, the crane failed.\\n{other}: Next item.\\n{one}: So be it.\\n"
    print(coach.keep(text, title=f"Berth {number}").id, flush=True)
"""


@pytest.mark.slow
def test_processes_that_keep_the_same_and_other_notes_at_once_lose_and_double_none(
    postgres: Postgres, chroma: str, tmp_path: object
) -> None:
    place = {
        "COACH_DATABASE_URL": postgres.database(),
        "COACH_CHROMA_URL": chroma,
        "COACH_KEY": "a passphrase for all of them",
    }
    numbers = ([0, 1, 2, 3, 4, 5], [0, 1, 2, 6, 7, 8], [0, 1, 2, 9, 10, 11])
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", KEEP, *map(str, own)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **place, "COACH_HOME": f"{tmp_path}/{own[-1]}"},
        )
        for own in numbers
    ]
    for writer in writers:  # All at once, the empty library included.
        assert writer.stdin is not None
        writer.stdin.write("\n")
        writer.stdin.flush()
    told = [writer.communicate(timeout=600) for writer in writers]
    assert [writer.returncode for writer in writers] == [0, 0, 0], [error for _, error in told]
    acknowledged = {key for out, _ in told for key in out.split()}
    coach = Coach(load_settings({**place, "COACH_HOME": f"{tmp_path}/reader"}))
    entries = coach.library.list()
    assert len(entries) == 12 and {entry.id for entry in entries} == acknowledged
    assert sorted(e.title or "" for e in entries) == sorted(f"Berth {number}" for number in range(12))
    assert coach.library.problems() == []
    known = coach.identities.load()
    said = Counter(restore(str(coach.library.show(e.id)[0]), known).split(":")[0] for e in entries)
    assert said == Counter(dict.fromkeys(("Adaeze", "Bogdan", "Chiara", "Dmitri", "Eleni", "Farid"), 2))
    assert len([entity for entity in known.entities if entity.type == "person"]) == 6, "one pseudonym for each of them"
    concerns = coach.ledger.all()
    assert len({step.sighting for c in concerns for step in c.steps}) == sum(len(c.steps) for c in concerns)
