"""Backup and restore, as docs/operations.md tells: a folder for one person, a dump and a folder for a team."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from stores import Postgres, chroma_server, postgres_binaries

from coach.settings import Settings, load_settings
from coach.wiring import Coach

MARCH = """Date: 2026-03-02
Henrik Voss: I doubt that, the night nurses could not get home after the last ferry.
Marisol Quade: Next point.
Tamsin Oyelaran: The machines arrive in April.
"""
MAY = "Date: 2026-05-04\nTamsin Oyelaran: The machines are late.\nMarisol Quade: Thank you all.\nHenrik Voss: Fine.\n"


def shown(settings: Settings) -> list[object]:
    """All that a user sees of a library: meetings, what was said in them, who that was, and what is open."""
    coach = Coach(settings)
    try:
        meetings = [(entry, coach.library.show(entry.id)) for entry in coach.library.list()]
        assert coach.library.problems() == []
        hit = coach.library.search("night nurses", k=1)
        return [meetings, hit, coach.identities.load(), coach.ledger.all()]
    finally:
        coach.library.close()
        coach.ledger.close()
        coach.identities.close()


def filled(settings: Settings) -> list[object]:
    coach = Coach(settings)
    coach.keep(MARCH)
    coach.library.close()
    return shown(settings)


def spoilt(settings: Settings) -> None:
    """What goes wrong after the backup was made."""
    coach = Coach(settings)
    coach.keep(MAY)
    coach.library.purge(everything=True)
    coach.library.close()


def test_a_copied_folder_brings_everything_back(tmp_path: Path) -> None:
    home, copy = tmp_path / "home", tmp_path / "copy"
    settings = load_settings(home=home)
    before = filled(settings)
    shutil.copytree(home, copy)
    spoilt(settings)
    assert shown(settings) != before
    shutil.rmtree(home)
    shutil.copytree(copy, home)
    assert shown(settings) == before
    assert home.stat().st_mode & 0o077 == 0


@pytest.mark.slow
def test_a_dump_and_a_copied_folder_bring_a_team_back(postgres: Postgres, tmp_path: Path) -> None:
    tools, dump, passages, copy = postgres_binaries(), tmp_path / "dump", tmp_path / "passages", tmp_path / "copy"
    assert tools is not None
    url = postgres.database()
    place = {"COACH_HOME": str(tmp_path / "home"), "COACH_DATABASE_URL": url, "COACH_KEY": "a passphrase for the team"}
    with chroma_server(passages) as address:
        before = filled(load_settings({**place, "COACH_CHROMA_URL": address}))
    subprocess.run([tools / "pg_dump", "--format", "custom", "--file", dump, "--dbname", url], check=True)
    shutil.copytree(passages, copy)
    with chroma_server(passages) as address:
        spoilt(load_settings({**place, "COACH_CHROMA_URL": address}))
    shutil.rmtree(passages)
    shutil.copytree(copy, passages)
    fresh = postgres.database()
    subprocess.run([tools / "pg_restore", "--no-owner", "--exit-on-error", "--dbname", fresh, dump], check=True)
    with chroma_server(passages) as address:
        assert shown(load_settings({**place, "COACH_DATABASE_URL": fresh, "COACH_CHROMA_URL": address})) == before
