"""``coach doctor --repair``: what a truncated file, a full disk or a kill left, and what the coach says until then."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from coach.errors import CoachError, LibraryError
from coach.rehearsal.plan import Plan
from coach.repair import INCOMPLETE, damage
from coach.settings import Settings, load_settings
from coach.wiring import Coach

WORDS = [f"quokka{n}" for n in range(12)]


def notes_about(word: str) -> str:
    lines = [f"{('Marisa', 'Tobias')[n % 2]}: I doubt the {word} plan, point {n}, valve {n * 7}." for n in range(30)]
    return "\n".join(lines)


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("whole")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("COACH_KEYRING", "off")
        coach = Coach(load_settings({"COACH_HOME": str(home)}))
        from coach import notes

        for word in WORDS:
            coach.library.add(notes.parse(notes_about(word)), title=f"about {word}", date="2026-05-03")
        plan = Plan(purpose="Plan", stage="needs", attendees=("Marisa",), opening="Hello all.")
        coach.practices.save(coach.rehearse(plan, engine="local"))
        close(coach)
    return home


@pytest.fixture
def settings(a_home_of_its_own: Path, made_once: Path) -> Settings:
    shutil.copytree(made_once, a_home_of_its_own, dirs_exist_ok=True)
    return load_settings({"COACH_HOME": str(a_home_of_its_own)})


def close(coach: Coach) -> None:
    coach.library.close()
    coach.ledger.close()
    coach.identities.close()


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def halved(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def tailless(path: Path) -> None:
    os.truncate(path, path.stat().st_size - 3000)


def garbled(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[:100] = b"x" * 100
    path.write_bytes(raw)


DAMAGES = [emptied, halved, tailless, garbled]


def database(settings: Settings, name: str) -> Path:
    (path,) = settings.home.glob(name)
    return path


def refused(settings: Settings) -> str:
    """What the coach says about a damaged home: one sentence, from whichever part meets it first."""
    coach = Coach(settings)
    with pytest.raises(CoachError) as caught:
        coach.keep("Marisa: Something else.\nTobias: Fine.\n")
        list(coach.library.list())
        raise LibraryError("; ".join(coach.library.problems()) or "nothing was noticed")
    close(coach)
    return str(caught.value)


def whole(settings: Settings) -> Coach:
    """A coach on a home that was repaired: everything agrees, more can be kept, and there is nothing left to repair."""
    assert damage(settings) == () and Coach.repair(settings) == []
    coach = Coach(settings)
    assert coach.library.problems() == []
    for entry in coach.library.list():
        assert len(coach.library.show(entry.id)) == entry.lines
    added = coach.keep("Marisa: The emu is late.\nTobias: We will see.\nMarisa: Still open.\n", title="about emu")
    assert coach.library.search("emu late", k=1)[0].meeting == added.id
    coach.library.purge(added.id)
    return coach


@pytest.mark.parametrize("how", DAMAGES)
def test_a_damaged_database_of_the_library_is_put_together_from_the_texts(
    settings: Settings, how: Callable[[Path], None]
) -> None:
    how(database(settings, "library.db"))
    assert damage(settings) == ("library.db is damaged",)
    assert "doctor --repair" in refused(settings)
    # An empty file is a new database once the coach has opened it; what is repaired then is what it points to.
    assert any("library.db was damaged" in said or "found its texts" in said for said in Coach.repair(settings))
    coach = whole(settings)
    # What was kept before anybody noticed is there, too.
    entries = [entry for entry in coach.library.list() if entry.lines == 30]
    assert len(entries) == len(WORDS), "no meeting is lost: its text is its own backup"
    said = {line.text for entry in entries for line in coach.library.show(entry.id)}
    assert len(said) == 30 * len(WORDS)
    assert coach.library.search("quokka7 plan", k=1)[0].text.count("quokka7") == 4
    known = {form.text for entity in coach.identities.load().entities for form in entity.forms}
    assert known == {"Marisa", "Tobias"}
    close(coach)


@pytest.mark.parametrize("how", DAMAGES)
def test_a_damaged_ledger_of_identities_gives_nobody_the_pseudonym_of_somebody_lost(
    settings: Settings, how: Callable[[Path], None]
) -> None:
    how(database(settings, "identities.db"))
    assert "doctor --repair" in refused(settings)
    (said,) = [said for said in Coach.repair(settings) if "identities.db" in said]
    assert "nobody else gets them" in said
    coach = Coach(settings)
    before = coach.identities.load()
    coach.keep("Zoltan: The emu is late.\nUlla: We will see.\nZoltan: Still open.\n")
    taken = {form.pseudonym: form.text for entity in coach.identities.load().entities for form in entity.forms}
    for pseudonym in ("Person A", "Person B"):
        assert taken.get(pseudonym, "lost") in ("lost", *before.originals.values())
    assert {"Zoltan", "Ulla"} <= set(taken.values())
    assert len(coach.library.list()) == len(WORDS) + 1 and coach.library.problems() == []
    assert coach.practices.all(), "what was sealed with the same key still opens"
    close(coach)


@pytest.mark.parametrize("how", DAMAGES)
def test_of_a_damaged_index_what_can_be_read_stays(settings: Settings, how: Callable[[Path], None]) -> None:
    how(database(settings, "library/g*/chroma.sqlite3"))
    assert any("chroma.sqlite3 is damaged" in said for said in damage(settings))
    done = Coach.repair(settings)
    assert any("the index was damaged" in said for said in done)
    coach = whole(settings)
    entries = coach.library.list()
    kept = [entry for entry in entries if INCOMPLETE not in entry.tags]
    lost = sum(int(said.split()[0]) for said in done if "lost: nothing" in said)
    assert len(entries) + lost == len(WORDS), "each meeting is whole, marked as incomplete, or said to be lost"
    assert all(entry.lines == 30 and entry.title for entry in kept)
    assert any(INCOMPLETE in entry.tags for entry in entries) == any("lost passages" in said for said in done)
    if how is tailless:
        assert len(entries) >= len(WORDS) - 3
    close(coach)


def test_small_things_left_by_a_full_disk_are_cleared_away(settings: Settings) -> None:
    home = settings.home
    (practice,) = (home / "practices").glob("*.practice")
    halved(practice)
    (home / "model.json").write_text('{"server": "Ollama", "base')
    for name in (".identities.key.4711", "library.db.format-1.part", "practices/.abcdef12.practice.4711"):
        (home / name).write_bytes(b"half")
    environ = {**os.environ, "COACH_HOME": str(home)}
    command = [sys.executable, "-m", "coach"]
    before = subprocess.run([*command, "library", "list"], env=environ, capture_output=True, text=True)
    assert (before.returncode, before.stderr.count("\n")) == (2, 1) and "model.json" in before.stderr
    done = subprocess.run([*command, "doctor", "--repair"], env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("left over from an interrupted write") == 3
    assert "model.json" in done.stdout and practice.stem in done.stdout
    again = subprocess.run([*command, "doctor", "--repair"], env=environ, capture_output=True, text=True)
    assert again.stdout == "nothing to repair\n"
    close(whole(settings))


def test_a_lost_key_is_said_and_nothing_is_thrown_away(settings: Settings) -> None:
    key = settings.home / "identities.key"
    kept = key.read_text()
    halved(database(settings, "identities.db"))
    for text in ("", "short"):
        key.write_text(text)
        with pytest.raises(LibraryError, match=r"backup|Nothing is lost"):
            Coach.repair(settings)
    key.write_text(kept)
    assert Coach.repair(settings)
    assert len(Coach(settings).library.list()) == len(WORDS)


def test_a_library_in_use_is_not_repaired(settings: Settings) -> None:
    code = (
        "import time; from coach.wiring import Coach; c = Coach(); print(c.library.list(), flush=True); time.sleep(60)"
    )
    environ = {**os.environ, "COACH_HOME": str(settings.home)}
    with subprocess.Popen([sys.executable, "-c", code], env=environ, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None and other.stdout.readline()
        with pytest.raises(LibraryError, match=f"process {other.pid}"):
            Coach.repair(settings)
        other.kill()


def test_nothing_to_repair_where_nothing_is(tmp_path: Path) -> None:
    empty = load_settings({"COACH_HOME": str(tmp_path / "none")})
    assert Coach.repair(empty) == [] and not empty.home.exists()
