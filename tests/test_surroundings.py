"""A full disk, a read-only folder, a clock that jumps, the locale C, no HOME: one clear line, or a sensible result."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from coach import notes
from coach.library import GRACE, Library
from coach.rehearsal.practices import Practices
from coach.settings import Settings, load_settings
from coach.wiring import Coach

NOTES = "\n".join(f"{('Marisa', 'Tobias')[n % 2]}: I doubt the quokka plan, point {n}." for n in range(40))
LIMITED = """
import resource, sys
import coach.cli
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
sys.argv = ["coach", *sys.argv[2:]]
coach.cli.main()
"""


@pytest.fixture
def settings(a_home_of_its_own: Path) -> Settings:
    return load_settings({"COACH_HOME": str(a_home_of_its_own)})


def coach(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "coach", *arguments]
    return subprocess.run(command, env={**os.environ, **environ}, capture_output=True, text=True, encoding="utf-8")


def one_line(done: subprocess.CompletedProcess[str]) -> str:
    assert (done.returncode, done.stdout) == (2, ""), done.stderr
    assert done.stderr.startswith("coach: ") and done.stderr.count("\n") == 1
    assert "unexpected" not in done.stderr
    return done.stderr


@pytest.mark.parametrize("limit", [1_000, 40_000, 130_000])
def test_a_full_disk_is_said_in_one_line_and_leaves_the_library_whole(
    settings: Settings, tmp_path: Path, limit: int
) -> None:
    with Library(settings) as library:
        kept = library.add(notes.parse("Ines: The valves come late.\nTobias: Once.\nInes: Still.\n"))
    file = tmp_path / "notes.txt"
    file.write_text(NOTES, encoding="utf-8")
    # No file may grow beyond the limit, which is what a full disk looks like to whoever writes.
    command = [sys.executable, "-c", LIMITED, str(limit), "library", "add", str(file)]
    told = one_line(subprocess.run(command, env=os.environ, capture_output=True, text=True))
    assert any(word in told for word in ("disk", "doctor --repair"))
    assert "quokka" not in told and "Marisa" not in told
    Coach.repair(settings)
    with Library(settings) as library:
        assert [entry.id for entry in library.list()] == [kept.id] and library.problems() == []
        assert library.search("valves late", k=1)[0].meeting == kept.id
        assert library.add(notes.parse(NOTES)).lines == 40, "with room again, it goes on"


def test_a_practice_that_finds_no_room_leaves_the_old_one(settings: Settings) -> None:
    from coach.rehearsal.plan import Plan

    plan = Plan(purpose="Plan", stage="needs", attendees=("Marisa",), opening="Hello all.")
    session = Coach(settings).rehearse(plan, engine="local")
    Practices(settings).save(session)
    code = """
import resource, sys
from coach.rehearsal.practices import Practices
from coach.settings import load_settings
kept = Practices(load_settings())
(session,) = kept.all()
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
try:
    kept.save(session.say("What would you need?"))
except Exception as error:
    print(type(error).__name__, error)
"""
    done = subprocess.run([sys.executable, "-c", code], env=os.environ, capture_output=True, text=True)
    assert done.stdout.startswith("LibraryError") and done.stderr == ""
    assert Practices(settings).all() == (session,)
    assert not [path for path in (settings.home / "practices").iterdir() if path.suffix != ".practice"]


@pytest.mark.skipif(sys.platform != "linux", reason="gives up the rights of root the way Linux does")
def test_a_read_only_folder_is_said_in_one_line(settings: Settings, tmp_path: Path) -> None:
    with Library(settings) as library:
        library.add(notes.parse(NOTES))
    file = tmp_path / "notes.txt"
    file.write_text("Ines: The valves come late.\nTobias: Once.\n", encoding="utf-8")
    # Root may write anywhere, so the child gives up what makes it root.
    code = """
import ctypes, os, sys
import coach.cli
if os.geteuid() == 0:
    head, none = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    assert ctypes.CDLL(None).capset(head, none) == 0
sys.argv = ["coach", *sys.argv[1:]]
coach.cli.main()
"""
    everything = [settings.home, *settings.home.rglob("*")]
    for path in everything:
        path.chmod(0o500 if path.is_dir() else 0o400)
    try:
        for arguments in (("library", "add", str(file)), ("library", "list"), ("ledger",)):
            told = one_line(subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True))
            assert any(words in told for words in ("ermission denied", "may write")), told
    finally:
        for path in everything:
            path.chmod(0o700 if path.is_dir() else 0o600)
    with Library(settings) as library:
        assert len(library.list()) == 1 and library.problems() == []


def test_a_clock_that_jumps_loses_and_hides_nothing(settings: Settings) -> None:
    moment = [2_000_000_000.0]
    with Library(settings, clock=lambda: moment[0]) as library:
        first = library.add(notes.parse(NOTES), date="2033-05-18")
        moment[0] -= 40_000_000
        second = library.add(notes.parse("Ines: The valves come late.\nTobias: Once.\n"), date="2033-06-01")
        assert [entry.id for entry in library.list()] == [second.id, first.id], "dates of meetings decide"
        library.delete(second.id)
        moment[0] -= 5
        assert library.undo().id == second.id, "a clock put right by seconds takes nothing away"
        library.delete(second.id)
        moment[0] -= 10 * GRACE
        library.tidy()
        assert [entry.id for entry in library.list(deleted=True)] == [], "what was deleted does not wait for the future"
        assert library.problems() == []


def test_an_add_killed_before_the_clock_was_put_back_is_taken_back(settings: Settings) -> None:
    import sqlite3

    with Library(settings) as library:
        key = library.add(notes.parse(NOTES)).id
    with closing(sqlite3.connect(settings.home / "library.db")) as database:
        database.execute("UPDATE meeting SET state = 'adding', added = added + 1e8 WHERE id = ?", (key,))
        database.commit()
    with Library(settings) as library:
        assert library.list() == () and library.problems() == []


def test_the_locale_c_reads_and_prints_every_letter(settings: Settings, tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text(
        "Zoë Müller: Ich bezweifle den Plan — “wirklich”.\nŁukasz: Nie.\nZoë Müller: Doch.\n", encoding="utf-8"
    )
    plain = {"LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PYTHONIOENCODING": ""}
    added = coach("library", "add", str(file), **plain)
    assert (added.returncode, added.stderr) == (0, ""), added.stderr
    key = added.stdout.split()[0]
    shown = coach("library", "show", key, **plain)
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "Ich bezweifle den Plan" in shown.stdout
    reviewed = coach("review", str(file), **plain)
    assert (reviewed.returncode, reviewed.stderr) == (0, "")


def test_no_home_is_no_trouble(tmp_path: Path) -> None:
    environ = {key: value for key, value in os.environ.items() if key not in ("HOME", "COACH_HOME", "XDG_DATA_HOME")}
    file = tmp_path / "notes.txt"
    file.write_text(NOTES, encoding="utf-8")
    for arguments in (["--help"], ["review", str(file), "--json"]):
        command = [sys.executable, "-m", "coach", *arguments]
        done = subprocess.run(command, env=environ, capture_output=True, text=True)
        assert (done.returncode, done.stderr) == (0, "")
