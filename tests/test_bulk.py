"""Many notes at once: read by several processes, on this machine or on a Dask cluster, and kept exactly once."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from stores import free_port, wait_for

from coach import notes
from coach.anonymise import anonymise
from coach.anonymise.model import read_for_names
from coach.bulk import keep_all
from coach.errors import ConfigError, InputError, WorkersLostError
from coach.identities import Identities
from coach.samples import Sample, samples
from coach.settings import load_settings
from coach.wiring import Coach
from coach.workers import spread

NAMES = ("Adaeze", "Bogdan", "Chiara", "Dmitri", "Eleni", "Farid", "Giulia", "Hamza")


def meeting(number: int) -> str:
    one, other = NAMES[number % 8], NAMES[(number * 3 + 1) % 8]
    return (
        f"{one}: I doubt that berth {number} is ready, the crane of quay {number} failed twice.\n"
        f"{other}: Next item.\n{one}: We have always done {number} inspections.\n{other}: Noted, thank you.\n"
    )


def folder_of(path: Path, count: int) -> Path:
    path.mkdir()
    for number in range(count):
        (path / f"note-{number:03}.txt").write_text(meeting(number))
    return path


def coach_add(folder: Path, home: Path, *options: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "coach", "library", "add", str(folder), *options]
    given = {**os.environ, "COACH_HOME": str(home), **environment}
    return subprocess.run(command, capture_output=True, text=True, env=given, timeout=300)


def kept(home: Path) -> dict[str, list[str]]:
    """What each meeting says, with the names that were put in."""
    from coach.anonymise import restore

    with Coach(load_settings(home=home)).library as library:
        known = library._identities()
        return {e.id: [restore(str(line), known) for line in library.show(e.id)] for e in library.list()}


def test_several_processes_keep_what_one_keeps_bad_files_told(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "notes", 5)
    (folder / "empty.txt").write_text("  \n")
    (folder / "binary.txt").write_bytes(b"\x00\x01" * 400)
    many = coach_add(folder, tmp_path / "many", "--jobs", "2")
    one = coach_add(folder, tmp_path / "one")
    for done in (many, one):
        assert done.returncode == 2 and "2 of 7 files were not kept" in done.stderr
        assert "Traceback" not in done.stderr and done.stdout.count("no date") == 5
    assert "empty.txt" in many.stderr and "binary.txt" in many.stderr
    assert Counter(map(tuple, kept(tmp_path / "many").values())) == Counter(map(tuple, kept(tmp_path / "one").values()))


def test_what_the_readers_found_is_in_the_ledger(a_home_of_its_own: Path) -> None:
    coach = Coach()
    done = list(keep_all(coach, enumerate([meeting(0), " ", meeting(1)]), 2, tags=["quay"]))
    assert {number for number, _ in done} == {0, 1, 2}
    refused = [one for _, one in done if isinstance(one, InputError)]
    assert len(refused) == 1 and all(e.tags == ("quay",) for e in coach.library.list())
    alone = Coach(load_settings(home=a_home_of_its_own / "alone"))
    for number in (0, 1):
        alone.keep(meeting(number))
    found, expected = ({(c.kind, c.times) for c in c_.ledger.all()} for c_ in (coach, alone))
    assert found == expected != set()


def test_a_reader_that_is_killed_ends_it_in_one_line_and_keeps_what_was_done() -> None:
    with pytest.raises(WorkersLostError, match="what was done is kept"):
        list(spread(die_at, ((number,) for number in range(20)), jobs=2))


def die_at(number: int) -> int:
    if number == 9:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("localhost", "not the address"),
        ("tcp://192.0.2.7:8786", "in the open"),
        ("tcp://127.0.0.1:9", "no scheduler answers"),
    ],
)
def test_a_cluster_that_makes_no_sense_is_said_in_one_line(
    address: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("distributed", reason="Dask is not tried here: install unheard[dask]")
    monkeypatch.setattr("coach.workers.PATIENCE", 1)
    with pytest.raises(ConfigError, match=message):
        list(spread(abs, [(1,)], jobs=2, scheduler=address))


class Cluster:
    """A Dask scheduler and workers, each a process of its own, on loopback."""

    def __init__(self, folder: Path) -> None:
        self.address = f"tcp://127.0.0.1:{(port := free_port())}"
        self._folder = folder
        self._processes = [self._dask("scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard")]
        wait_for(port, self._processes[0])
        self.workers = [self.add_worker() for _ in range(3)]

    def add_worker(self) -> subprocess.Popen[bytes]:
        options = ["--nworkers", "1", "--nthreads", "1", "--no-nanny", "--no-dashboard", "--host", "127.0.0.1"]
        return self._dask("worker", self.address, *options, "--local-directory", str(self._folder))

    def close(self) -> None:
        for process in [*self._processes, *self.workers]:
            process.kill()
            process.wait()

    def _dask(self, *arguments: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "dask", *arguments]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    pytest.importorskip("distributed", reason="Dask is not tried here: install unheard[dask]")
    made = Cluster(tmp_path / "dask")
    yield made
    made.close()


@pytest.mark.slow
def test_a_dask_worker_killed_mid_run_costs_no_note_and_doubles_none(cluster: Cluster, tmp_path: Path) -> None:
    count = 40
    folder, home = folder_of(tmp_path / "notes", count), tmp_path / "home"
    command = [sys.executable, "-m", "coach", "library", "add", str(folder), "--json"]
    environment = {**os.environ, "COACH_HOME": str(home), "COACH_DASK": cluster.address}
    adding = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    while adding.poll() is None and rows(home) < count // 4:
        time.sleep(0.05)
    assert 0 < rows(home) < count, "killed in the middle"
    cluster.workers[0].kill()
    out, err = adding.communicate(timeout=300)
    assert adding.returncode == 0, err
    assert len({entry["id"] for entry in json.loads(out)}) == count
    said = kept(home)
    assert Counter("\n".join(lines) + "\n" for lines in said.values()) == Counter(meeting(n) for n in range(count))
    with Coach(load_settings(home=home)).library as library:
        assert library.problems() == []


def rows(home: Path) -> int:
    """How many meetings are kept so far, read beside the process that keeps them."""
    import sqlite3

    try:
        with sqlite3.connect(f"file:{home / 'library.db'}?mode=ro", uri=True) as database:
            return int(database.execute("SELECT count(*) FROM meeting WHERE state = 'kept'").fetchone()[0])
    except sqlite3.Error:
        return 0


@pytest.mark.slow
def test_an_evaluation_on_dask_gives_the_trials_of_one_process(cluster: Cluster, tmp_path: Path) -> None:
    made = []
    for name, options, environment in (
        ("one", [], {}),
        ("loky", ["--jobs", "2"], {}),
        ("dask", ["--jobs", "3"], {"COACH_DASK": cluster.address}),
    ):
        file = tmp_path / f"{name}.json"
        command = [sys.executable, "-m", "coach", "eval", "run", "rewriting", "--json", str(file), "--keep-nothing"]
        done = subprocess.run(
            [*command, *options], capture_output=True, text=True, env={**os.environ, **environment}, timeout=300
        )
        assert done.returncode in (0, 3), done.stderr
        (run,) = json.loads(file.read_text())["runs"]
        made.append([{**trial, "seconds": 0} for trial in run["trials"]])
    assert made[0] == made[1] == made[2] != []


@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.name)
def test_what_another_process_read_gives_the_same_pseudonyms_unread_here(sample: Sample) -> None:
    conversation, read = notes.parse(sample.text), read_for_names(sample.text)
    pieces = len(read)
    there = anonymise(conversation, Identities(), read=read)
    assert (there.text, there.identities) == (
        (here := anonymise(conversation, Identities())).text,
        here.identities,
    )
    assert len(read) == pieces, "nothing was left for this process to read"
