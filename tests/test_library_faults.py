"""What the library does when it is killed, shared by mistake, damaged, or told to forget."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from coach import notes
from coach.errors import LibraryError, LibraryLockedError
from coach.ledger import Ledger
from coach.library import GRACE, Library
from coach.schema import Finding, Meeting, Review
from coach.settings import Settings, load_settings

SECRET = "The zanzibar proposal frightens my whole quokka squad"
NOTES = f"Marisa: {SECRET}.\nTobias: Next item.\nMarisa: It is still open.\nTobias: Later.\nYuki: Fine.\n"
OTHER = (
    "Ines: The valves come from one supplier.\nTobias: They are reliable.\nInes: There was a flood.\nTobias: Once.\n"
)

ADD = """
import itertools, sys
from coach import notes
from coach.library import Library
from coach.settings import load_settings
library = Library(load_settings({"COACH_HOME": sys.argv[1]}))
for n in itertools.count(int(sys.argv[2])):
    lines = [f"Ana: Meeting {n} point {m} about release {n * 31 + m} and the pager." for m in range(int(sys.argv[3]))]
    entry = library.add(notes.parse("\\n".join(lines)), title=f"Meeting {n}")
    print(entry.id, entry.passages, flush=True)
"""
IMPORT = """
import itertools, json, pathlib, sys
from coach.library import Library
from coach.settings import load_settings
library = Library(load_settings({"COACH_HOME": sys.argv[1]}))
library.list()
for n in itertools.count(int(sys.argv[2])):
    lines = [{"speaker": None, "text": f"Point {m} of {n} on release {n * 31 + m}"} for m in range(int(sys.argv[3]))]
    meeting = {"id": f"{n:016x}", "title": f"Meeting {n}", "date": None, "format": "t", "attendees": [], "tags": []}
    file = pathlib.Path(sys.argv[1]) / "one.json"
    export = {"schema": "coach.library/1", "library": library._store.key, "meetings": [meeting | {"lines": lines}]}
    file.write_text(json.dumps(export))
    (entry,) = library.import_(file)
    print(entry.id, entry.passages, flush=True)
"""


@pytest.fixture
def settings(a_home_of_its_own: Path) -> Settings:
    return load_settings({"COACH_HOME": str(a_home_of_its_own)})


@pytest.fixture
def child(a_home_of_its_own: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the library and adds notes to it."""
    process = start(ADD, a_home_of_its_own, 0, 30)
    yield process
    process.kill()
    process.wait()


def start(code: str, home: Path, first: int, size: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", code, str(home), str(first), str(size)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "COACH_KEYRING": "off"})


def fill(library: Library, folder: Path, meetings: int = 5, first: int = 0) -> None:
    """Enough passages for Chroma to write its vector files, which it does every thousand."""
    lines = [{"speaker": None, "text": f"Valve {n} of the plan number {n * 7}"} for n in range(500)]
    about = {"title": "Valves", "date": None, "format": "t", "attendees": [], "tags": [], "lines": lines}
    each = [{"id": f"{n:016x}", **about} for n in range(first, first + meetings)]
    file = folder / "filler.json"
    file.write_text(json.dumps({"schema": "coach.library/1", "library": library._store.key, "meetings": each}))
    library.import_(file)
    file.unlink()


def files(home: Path) -> dict[str, bytes]:
    return {str(path.relative_to(home)): path.read_bytes() for path in home.rglob("*") if path.is_file()}


def holding(home: Path, *needles: bytes) -> set[str]:
    return {name for name, raw in files(home).items() if any(needle in raw for needle in needles)}


def traces(library: Library, meeting: str) -> tuple[bytes, ...]:
    """The bytes by which a meeting could be found in a file: words, and runs of four numbers of its vectors."""
    generation = library._store.generation
    records = generation.of_meeting(meeting)
    vectors = generation.vectors([record.id for record in records]).values()
    pieces = [np.asarray(v, dtype="<f4")[at : at + 4].tobytes() for v in vectors for at in (0, 100, 252)]
    return (b"zanzibar", b"quokka", b"anziba", *pieces)


@pytest.mark.parametrize("amount", [0, 5])
@pytest.mark.parametrize("way", ["purge", "grace", "everything"])
def test_what_is_erased_is_in_no_file(settings: Settings, way: str, amount: int) -> None:
    moment = [2_000_000_000.0]
    with Library(settings, clock=lambda: moment[0]) as library:
        fill(library, settings.home, amount)
        secret = library.add(notes.parse(NOTES), title="Zanzibar talk")
        kept = library.add(notes.parse(OTHER))
        needles = traces(library, secret.id)
        others = traces(library, kept.id)[3:]
        with Ledger(settings) as ledger:
            ledger.record(reviewed(SECRET), secret.id)
        library.close()
        assert {name.rsplit("/", 1)[-1] for name in holding(settings.home, *needles[:2])} >= {"chroma.sqlite3"}
        assert holding(settings.home, *needles[3:]) and holding(settings.home, *others), "the vectors can be found"
        if way == "purge":
            library.purge(secret.id)
        elif way == "grace":
            library.delete(secret.id)
            assert holding(settings.home, *needles)
            moment[0] += GRACE + 1
            library.tidy()
        else:
            library.purge(everything=True)
        assert holding(settings.home, *needles, b"Zanzibar") == set(), "while it is open"
        if way != "everything":
            assert library.search("valves supplier flood", k=1)[0].meeting == kept.id
            assert library.show(kept.id) and library.problems() == []
        library.close()
    assert holding(settings.home, *needles, b"Zanzibar") == set(), "after it was closed"
    assert bool(holding(settings.home, *others)) == (way != "everything")
    with Ledger(settings) as ledger:
        assert ledger.all() == ()
    assert len([path for path in (settings.home / "library").iterdir() if path.is_dir()]) == 1


LARGE = 9
"""Meetings of :func:`fill` that make an index out of which others are cut, rather than built anew."""


def was_cut(home: Path) -> bool:
    """Whether the index in force is a copy with a cut, of which the full-text index holds nothing old."""
    (path,) = (home / "library").glob("g*/chroma.sqlite3")
    with closing(sqlite3.connect(path)) as database:
        return bool(
            database.execute(
                "SELECT count(*) < (SELECT count(*) FROM embeddings) / 2 FROM embedding_fulltext_search"
            ).fetchone()[0]
        )


@pytest.mark.parametrize("written", [True, False], ids=["vectors written", "vectors in the log"])
@pytest.mark.parametrize("way", ["erase", pytest.param("rewrite", marks=pytest.mark.slow)])
def test_what_is_cut_out_of_a_large_library_is_in_no_file(settings: Settings, way: str, written: bool) -> None:
    with Library(settings) as library:
        fill(library, settings.home, 0 if written else LARGE)
        secret = library.add(notes.parse(NOTES), title="Zanzibar talk")
        kept = library.add(notes.parse(OTHER))
        fill(library, settings.home, LARGE if written else 0)
        needles, others = traces(library, secret.id), traces(library, kept.id)[3:]
        in_graph = {name for name in holding(settings.home, *needles[3:]) if name.endswith("data_level0.bin")}
        assert bool(in_graph) == written
        if way == "erase":
            library.purge(secret.id)
        else:
            said = [replace(line, text="Somebody said something.") for line in library.show(secret.id)]
            library.rewrite({secret.id: (secret.model_copy(update={"title": None}), said)})
        assert was_cut(settings.home)
        assert holding(settings.home, *needles, b"Zanzibar") == set(), "while it is open"
        assert library.problems() == [] and library.search("valves supplier flood", k=1)[0].meeting == kept.id
        assert library.similar(library.search("", meeting=kept.id, k=1)[0].text, 1)[0].meeting == kept.id
        if way == "rewrite":
            assert library.similar("Somebody said something.", 1)[0].meeting == secret.id
        fill(library, settings.home, 5, first=LARGE)  # Chroma writes all it has in memory.
        assert library.problems() == [] and holding(settings.home, *others)
        assert holding(settings.home, *needles, b"Zanzibar") == set(), "after the vectors were written again"
    with Library(settings) as library:
        assert library.search("valves supplier flood", k=1)[0].meeting == kept.id and library.problems() == []
    assert holding(settings.home, *needles, b"Zanzibar") == set(), "after it was opened again"


@pytest.mark.slow
@pytest.mark.parametrize("trouble", ["an unknown table", "the cut fails", "a large part goes"])
def test_what_cannot_be_cut_out_is_built_anew_without_a_trace(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    with Library(settings) as library:
        secret = library.add(notes.parse(NOTES), title="Zanzibar talk")
        fill(library, settings.home, LARGE)
        needles = traces(library, secret.id)
    if trouble == "an unknown table":
        (path,) = (settings.home / "library").glob("g*/chroma.sqlite3")
        with closing(sqlite3.connect(path)) as database:
            database.execute("CREATE TABLE embeddings_copy (text TEXT)")
    elif trouble == "the cut fails":

        def fails(*_: object) -> None:
            raise ValueError

        monkeypatch.setattr("coach.retrieval.cutting.cut", fails)
    with Library(settings) as library:
        for other in library.list()[:1] if trouble == "a large part goes" else ():
            library.delete(other.id if other.id != secret.id else f"{1:016x}")
        library.delete(secret.id)
        library.purge()
        assert not was_cut(settings.home)
        assert holding(settings.home, *needles, b"Zanzibar") == set()
        assert library.problems() == []
    assert len([path for path in (settings.home / "library").iterdir() if path.is_dir()]) == 1


def reviewed(quote: str) -> Review:
    finding = Finding(
        kind="unheard_objection", subtype="ignored", quote=quote, start=0, end=len(quote), speaker="Marisa",
        why="", ask="", confidence=0.9, source="test",
    )  # fmt: skip
    return Review(
        engine="local",
        seconds=0,
        meeting=Meeting(format="plain", utterances=1, speakers=("Marisa",)),
        findings=(finding,),
    )


def test_a_second_process_is_told_who_holds_the_library(settings: Settings, child: subprocess.Popen[str]) -> None:
    assert child.stdout is not None
    acknowledged = [child.stdout.readline().split()]
    with pytest.raises(LibraryLockedError, match=str(child.pid)):
        Library(settings).add(notes.parse(NOTES))
    acknowledged.append(child.stdout.readline().split())
    child.kill()
    child.wait()
    with Library(settings) as library:
        there = {entry.id: entry.passages for entry in library.list()}
        assert all(there[key] == int(passages) for key, passages in acknowledged) and library.problems() == []


def test_one_process_may_open_a_library_twice(settings: Settings) -> None:
    with Library(settings) as one, Library(settings) as other:
        key = one.add(notes.parse(NOTES)).id
        assert other.search("zanzibar", k=1)[0].meeting == key
        other.close()
        assert one.add(notes.parse(OTHER)).new


def killed_and_checked(code: str, home: Path, rounds: int, size: int, delays: np.random.Generator) -> int:
    """Kills a process that adds, again and again, and looks each time; gives how many notes were acknowledged."""
    acknowledged: dict[str, int] = {}
    for turn in range(rounds):
        process = start(code, home, 1000 * turn, size)
        assert process.stdout is not None
        said = [process.stdout.readline()]
        time.sleep(float(delays.uniform(0.05, 0.8)))
        os.kill(process.pid, signal.SIGKILL)
        said += process.stdout.readlines()
        process.wait()
        acknowledged |= {line.split()[0]: int(line.split()[1]) for line in said if line.endswith("\n")}
        with Library(load_settings({"COACH_HOME": str(home)})) as library:
            assert library.problems() == []
            there = {entry.id: entry.passages for entry in library.list()}
            assert there.items() >= acknowledged.items(), "no acknowledged note is lost"
            assert all(len(library.show(entry.id)) == size for entry in library.list()), "no half note is visible"
            for entry in library.list()[:2]:
                passage = library.search("", meeting=entry.id, k=1)[0]
                assert library.similar(passage.text, 1)[0].scores["cosine"] > 0.99, "vectors and texts agree"
    return len(acknowledged)


def test_a_killed_add_loses_nothing_acknowledged_and_shows_no_half(a_home_of_its_own: Path) -> None:
    assert killed_and_checked(ADD, a_home_of_its_own, 2, 40, np.random.default_rng(5)) >= 2


@pytest.mark.slow
def test_twenty_kills_while_vectors_are_written_lose_nothing(a_home_of_its_own: Path) -> None:
    assert killed_and_checked(IMPORT, a_home_of_its_own, 20, 400, np.random.default_rng(1)) >= 20


@pytest.mark.parametrize("damage", ["emptied", "cut", "garbled", "half written"])
def test_a_damaged_vector_index_is_made_anew_from_the_texts(settings: Settings, damage: str) -> None:
    with Library(settings) as library:
        fill(library, settings.home)
        key = library.add(notes.parse(NOTES)).id
    (index,) = (settings.home / "library").glob("*/*/data_level0.bin")
    (names,) = (settings.home / "library").glob("*/*/index_metadata.pickle")
    if damage == "emptied":
        index.write_bytes(b"")
    elif damage == "cut":
        index.write_bytes(index.read_bytes()[:1000])
    elif damage == "garbled":
        names.write_bytes(b"not a pickle")
    if damage == "half written":
        os.utime(index, (time.time() + 5, time.time() + 5))
    with Library(settings) as library:
        assert library.search("zanzibar proposal", k=1)[0].meeting == key
        assert library.similar("The zanzibar proposal frightens my squad", 1)[0].meeting == key
        assert len(library.list()) == 6 and library.problems() == []


@pytest.mark.parametrize("loss", ["missing", "of an older kind"])
def test_term_counts_that_are_missing_or_stale_are_made_anew_from_chroma(settings: Settings, loss: str) -> None:
    with Library(settings) as library:
        library.add(notes.parse(NOTES))
        library.add(notes.parse(OTHER))
        before = library.search("zanzibar proposal")
    with sqlite3.connect(settings.home / "library.db") as database:
        database.execute("UPDATE meeting SET terms = ?", (None if loss == "missing" else b"bm25/0\0\0old",))
    with Library(settings) as library:
        assert library.search("zanzibar proposal") == before and library.problems() == []
    with sqlite3.connect(settings.home / "library.db") as database:
        assert all(raw[0].startswith(b"bm25/1") for raw in database.execute("SELECT terms FROM meeting"))


def test_an_erasing_that_was_interrupted_is_finished_when_the_library_is_opened(settings: Settings) -> None:
    with Library(settings) as library:
        key = library.add(notes.parse(NOTES)).id
        library.add(notes.parse(OTHER))
    with sqlite3.connect(settings.home / "library.db") as database:
        database.execute("UPDATE meeting SET state = 'erasing' WHERE id = ?", (key,))
    (settings.home / "library" / "gleftover").mkdir()
    (settings.home / "library" / "gleftover" / "chroma.sqlite3").write_bytes(SECRET.encode())
    with Library(settings) as library:
        assert [entry.id for entry in library.list()] != [key] and len(library.list()) == 1
        assert library.problems() == [] and holding(settings.home, b"zanzibar") == set()


def test_no_memory_is_left_in_the_first_vector_files(settings: Settings) -> None:
    raw = ("data_level0.bin", "length.bin", "link_lists.bin")

    def first() -> list[Path]:
        return [path for name in raw for path in (settings.home / "library").glob(f"*/*/{name}")]

    with Library(settings) as library:
        library.add(notes.parse(NOTES))
        library.search("zanzibar")
        assert {path.name for path in first()} >= set(raw[:2])
        assert all(not any(path.read_bytes()) for path in first())
    with Library(settings) as library:
        assert library.search("zanzibar proposal", k=1) and library.similar("The zanzibar proposal", 1)
        assert all(not any(path.read_bytes()) for path in first())


def test_no_memory_is_left_beside_written_vectors(settings: Settings) -> None:
    with Library(settings) as library:
        fill(library, settings.home)
        key = library.add(notes.parse(NOTES)).id
        (lengths,) = (settings.home / "library").glob("*/*/length.bin")
        assert lengths.stat().st_size >= 4000 and not any(lengths.read_bytes())
    with Library(settings) as library:
        assert not any(lengths.read_bytes())
        assert library.similar("The zanzibar proposal frightens my squad", 1)[0].meeting == key
        assert len(library.similar("Valve 7 of the plan number 49", 8)) == 8


def test_problems_are_told_not_hidden(settings: Settings) -> None:
    with Library(settings) as library:
        key = library.add(notes.parse(NOTES)).id
        generation = library._store.generation
        generation.delete([record.id for record in generation.of_meeting(key)][:1])
        assert library.problems() == [
            "1 passages are missing from Chroma: import an export, or run coach doctor --repair."
        ]
        assert isinstance(library.search("zanzibar"), tuple)


def test_files_of_the_library_are_for_their_owner_only(settings: Settings) -> None:
    with Library(settings) as library:
        library.add(notes.parse(NOTES))
        library.export(settings.home / "export.json")
        json.loads((settings.home / "export.json").read_text())
    folders = [settings.home, settings.home / "library"]
    assert all(path.stat().st_mode & 0o077 == 0 for path in folders)


def test_a_folder_that_cannot_be_written_is_said_in_one_line(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(LibraryError, match="COACH_HOME"):
        Library(load_settings({"COACH_HOME": str(blocked / "home")})).list()


def test_importing_the_library_is_light() -> None:
    heavy = ["chromadb", "bm25s", "wordllama", "numpy", "sqlalchemy", "langchain_core", "onnxruntime"]
    code = f"import sys, coach.library, coach.ledger; print([m for m in {heavy!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
