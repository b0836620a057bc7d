"""Formats of the database: an old library is brought along with all it holds, and nothing is lost when that fails."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from coach import database, notes
from coach.errors import LibraryError
from coach.ledger import Ledger
from coach.library import Library
from coach.migrations import STEPS
from coach.schema import Finding, Meeting, Review
from coach.settings import Settings, load_settings
from coach.wiring import Coach

QUOTE = "I am worried that the quokka rollout breaks the pager"
NOTES = f"Marisa: {QUOTE}.\nTobias: Next item.\nMarisa: It is still open.\nTobias: Later.\nYuki: Fine.\n"

# Word for word what the first release wrote, white space aside.
FIRST = """
CREATE TABLE about (name VARCHAR(64) NOT NULL, value INTEGER NOT NULL, PRIMARY KEY (name));
CREATE TABLE library (id INTEGER NOT NULL, "key" VARCHAR(32) NOT NULL, generation VARCHAR(32) NOT NULL,
 embedder VARCHAR(200) NOT NULL, vectors VARCHAR(200) NOT NULL, revision INTEGER NOT NULL, PRIMARY KEY (id));
CREATE TABLE meeting (id VARCHAR(32) NOT NULL, state VARCHAR(10) NOT NULL, revision INTEGER NOT NULL, title TEXT,
 date VARCHAR(32), format VARCHAR(64) NOT NULL, attendees JSON NOT NULL, tags JSON NOT NULL, lines INTEGER NOT NULL,
 passages INTEGER NOT NULL, terms BLOB, added FLOAT NOT NULL, deleted FLOAT, PRIMARY KEY (id));
CREATE TABLE concern (id VARCHAR(32) NOT NULL, speaker VARCHAR(64) NOT NULL, kind VARCHAR(64) NOT NULL,
 need VARCHAR(64), created FLOAT NOT NULL, PRIMARY KEY (id));
CREATE TABLE sighting (id VARCHAR(32) NOT NULL, concern VARCHAR(32) NOT NULL, meeting VARCHAR(32) NOT NULL,
 quote TEXT NOT NULL, kind VARCHAR(64) NOT NULL, subtype VARCHAR(64), need VARCHAR(64), confidence FLOAT NOT NULL,
 source VARCHAR(200) NOT NULL, place INTEGER NOT NULL, PRIMARY KEY (id),
 FOREIGN KEY(concern) REFERENCES concern (id) ON DELETE CASCADE,
 FOREIGN KEY(meeting) REFERENCES meeting (id) ON DELETE CASCADE);
CREATE INDEX ix_sighting_concern ON sighting (concern);
CREATE INDEX ix_sighting_meeting ON sighting (meeting);
CREATE TABLE mark (id INTEGER NOT NULL, concern VARCHAR(32) NOT NULL, status VARCHAR(20) NOT NULL,
 date VARCHAR(32) NOT NULL, at FLOAT NOT NULL, note TEXT, PRIMARY KEY (id),
 FOREIGN KEY(concern) REFERENCES concern (id) ON DELETE CASCADE);
CREATE INDEX ix_mark_concern ON mark (concern);
CREATE TABLE identity (id INTEGER NOT NULL, sealed BLOB NOT NULL, PRIMARY KEY (id));
CREATE TABLE identity_key (id INTEGER NOT NULL, fingerprint VARCHAR(64) NOT NULL, version INTEGER NOT NULL,
 PRIMARY KEY (id));
INSERT INTO about VALUES ('schema', 1);
"""
TABLES = ("library", "meeting", "concern", "sighting", "mark", "identity", "identity_key")


@pytest.fixture
def settings(a_home_of_its_own: Path) -> Settings:
    return load_settings({"COACH_HOME": str(a_home_of_its_own)})


@pytest.fixture
def first(settings: Settings) -> Settings:
    """A library with a meeting, a concern and a mark, in the tables of the first release."""
    with Library(settings) as library:
        key = library.add(notes.parse(NOTES), title="Quokka talk", date="2026-05-03", tags=["plan"]).id
        with Ledger(settings) as ledger:
            (concern,) = ledger.record(reviewed(), key)
            ledger.mark(concern.id, "acknowledged", note="heard it on Monday", date="2026-05-04")
    for name in ("library.db", "identities.db"):
        as_the_first_release(settings.home / name)
    return settings


def reviewed() -> Review:
    finding = Finding(
        kind="unheard_objection", subtype="ignored", quote=QUOTE, start=0, end=len(QUOTE), speaker="Marisa",
        why="", ask="", confidence=0.9, source="test",
    )  # fmt: skip
    about = Meeting(format="plain", utterances=1, speakers=("Marisa",))
    return Review(engine="local", seconds=0, meeting=about, findings=(finding,))


def as_the_first_release(path: Path) -> None:
    """Rewrites a file with the tables of format 1, those included that had no business in it."""
    old = path.with_name("old.db")
    with sqlite3.connect(old) as into, sqlite3.connect(path) as source:
        into.executescript(FIRST)
        present = {name for (name,) in source.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        for table in set(TABLES) & present:
            columns = ", ".join(f'"{row[1]}"' for row in into.execute(f"PRAGMA table_info({table})"))
            rows = source.execute(f"SELECT {columns} FROM {table}").fetchall()
            into.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * (columns.count(',') + 1))})", rows)
    into.close()
    source.close()
    for part in ("-wal", "-shm"):
        path.with_name(path.name + part).unlink(missing_ok=True)
    old.replace(path)


def told(settings: Settings) -> list[object]:
    """Everything the library says about itself."""
    coach = Coach(settings)
    try:
        meetings = coach.library.list()
        said = [coach.library.show(entry.id) for entry in meetings]
        found = [hit.meeting for hit in coach.library.search("quokka pager")]
        return [meetings, said, found, coach.ledger.all(), coach.identities.load(), coach.library.problems()]
    finally:
        coach.library.close()
        coach.ledger.close()
        coach.identities.close()


def format_of(path: Path) -> int:
    with sqlite3.connect(path) as connection:
        return int(connection.execute("SELECT value FROM about WHERE name = 'schema'").fetchone()[0])


def rows(path: Path) -> dict[str, list[tuple[object, ...]]]:
    with sqlite3.connect(path) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return {name: connection.execute(f"SELECT * FROM {name} ORDER BY 1").fetchall() for name in sorted(names)}


def a_step(folder: Path, body: str, number: int = database.SCHEMA_VERSION) -> Path:
    """A folder of steps whose step to ``number`` runs this body; those before are real."""
    (folder / "versions").mkdir(parents=True)
    for step in range(1, number):
        name = f"v{step:04d}.py"
        (folder / "versions" / name).write_text((STEPS / "versions" / name).read_text())
    text = f'import os, signal\nfrom alembic import op\nrevision = "{number:04d}"\ndown_revision = "{number - 1:04d}"\n'
    body = textwrap.indent(textwrap.dedent(body), "    ")
    (folder / "versions" / f"v{number:04d}.py").write_text(f"{text}\n\ndef upgrade():\n{body}")
    return folder


def test_a_library_of_the_first_release_is_brought_along_with_all_it_holds(first: Settings) -> None:
    before = {name: rows(first.home / name) for name in ("library.db", "identities.db")}
    meetings, said, found, concerns, identities, problems = told(first)
    assert [(e.title, e.date, e.tags) for e in meetings] == [("Quokka talk", "2026-05-03", ("plan",))]
    assert len(said[0]) == 5 and found == [meetings[0].id] and problems == []
    assert [step.note for step in concerns[0].steps] == [None, "heard it on Monday"]
    assert {form.text for entity in identities.entities for form in entity.forms} == {"Marisa", "Tobias", "Yuki"}
    for name, kept in before.items():
        after = rows(first.home / name)
        assert format_of(first.home / name) == database.SCHEMA_VERSION
        for table, old in kept.items():
            if old and table not in ("about", "library"):
                width = len(old[0])
                assert [row[:width] for row in after[table]] == old
                assert not any(any(row[width:]) for row in after[table]), "columns that came since are empty"
    assert "identity" not in rows(first.home / "library.db") and "meeting" not in rows(first.home / "identities.db")
    assert told(first) == [meetings, said, found, concerns, identities, problems], "opening it again changes nothing"


def test_the_backup_is_the_library_as_it_was_and_only_for_its_owner(first: Settings) -> None:
    before = rows(first.home / "library.db")
    told(first)
    backup = first.home / "library.db.format-1"
    assert rows(backup) == before and backup.stat().st_mode & 0o077 == 0
    backup.replace(first.home / "library.db")
    assert told(first)[-1] == [], "a backup put back is migrated again"


def test_erasing_a_meeting_erases_it_from_the_backup_too(first: Settings) -> None:
    with Library(first) as library:
        (meeting,) = library.list()
        assert list(first.home.glob("*.format-1"))
        library.purge(meeting.id)
        assert list(first.home.glob("*.format-*")) == []


def test_a_failed_migration_leaves_the_old_library(
    first: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = rows(first.home / "library.db")
    broken = a_step(
        tmp_path / "steps", """
        op.drop_table("mark")
        op.execute("UPDATE meeting SET title = 'half done'")
        op.execute("SELECT * FROM no_such_table")
        """,
    )  # fmt: skip
    with monkeypatch.context() as patched:
        patched.setattr("coach.migrations.migrate.__defaults__", (broken,))
        with pytest.raises(LibraryError, match="left as it was"):
            told(first)
    assert rows(first.home / "library.db") == before and format_of(first.home / "library.db") == 1
    assert told(first)[-1] == [], "the release that knows better can still migrate it"


def test_a_migration_killed_half_way_leaves_the_old_library(first: Settings, tmp_path: Path) -> None:
    before = rows(first.home / "library.db")
    steps = a_step(
        tmp_path / "steps", """
        op.drop_table("mark")
        op.execute("UPDATE meeting SET title = 'half done'")
        os.kill(os.getpid(), signal.SIGKILL)
        """,
    )  # fmt: skip
    code = """
import pathlib, sys
import coach.migrations
from coach.retrieval.tables import open_tables
from coach.settings import load_settings
coach.migrations.migrate.__defaults__ = (pathlib.Path(sys.argv[1]),)
open_tables(load_settings())
"""
    environ = {**os.environ, "COACH_HOME": str(first.home)}
    done = subprocess.run([sys.executable, "-c", code, str(steps)], env=environ, capture_output=True)
    assert done.returncode == -signal.SIGKILL
    assert rows(first.home / "library.db") == before
    assert told(first)[-1] == [] and format_of(first.home / "library.db") == database.SCHEMA_VERSION


def test_no_room_for_the_backup_changes_nothing(first: Settings) -> None:
    before = rows(first.home / "library.db")
    # Files may not pass 40 kB, as on a disk that fills up while the backup is written.
    code = """
import resource, sys
import coach.cli
resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, 40_000))
sys.argv = ["coach", "ledger"]
coach.cli.main()
"""
    environ = {**os.environ, "COACH_HOME": str(first.home)}
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "nothing was changed" in done.stderr and "Make room" in done.stderr
    assert rows(first.home / "library.db") == before and list(first.home.glob("*.format-*")) == []


def test_two_processes_that_migrate_at_once_do_it_once(first: Settings) -> None:
    code = "from coach.identities import IdentityLedger as L; from coach.settings import load_settings as s;"
    code += "print(len(L(s()).load().entities))"
    environ = {**os.environ, "COACH_HOME": str(first.home)}
    started = [
        subprocess.Popen([sys.executable, "-c", code], env=environ, stdout=subprocess.PIPE, text=True) for _ in range(3)
    ]
    assert [process.communicate()[0].strip() for process in started] == ["3", "3", "3"]


@pytest.mark.parametrize("name", ["library.db", "identities.db"])
def test_a_library_of_a_later_release_is_refused_and_not_touched(settings: Settings, name: str) -> None:
    with Library(settings) as library:
        library.add(notes.parse(NOTES))
    with sqlite3.connect(settings.home / name) as connection:
        connection.execute("UPDATE about SET value = 99")
        connection.execute("DROP TABLE IF EXISTS erasure")
    before = rows(settings.home / name)
    command = [sys.executable, "-m", "coach", "ledger"]
    environ = {**os.environ, "COACH_HOME": str(settings.home)}
    done = subprocess.run(command, env=environ, capture_output=True, text=True)
    assert done.returncode == 2 and done.stdout == ""
    assert "later release (format 99" in done.stderr and "upgrade unheard" in done.stderr
    assert done.stderr.count("\n") == 1
    assert rows(settings.home / name) == before


def test_the_refusal_names_the_backup_that_this_release_can_read(settings: Settings) -> None:
    with Library(settings) as library:
        library.list()
    backup = settings.home / f"library.db.format-{database.SCHEMA_VERSION}"
    backup.write_bytes((settings.home / "library.db").read_bytes())
    with sqlite3.connect(settings.home / "library.db") as connection:
        connection.execute("UPDATE about SET value = 99")
    with pytest.raises(LibraryError, match=backup.name), Library(settings) as library:
        library.list()


def test_a_migrated_database_has_the_tables_that_a_new_one_has(first: Settings, tmp_path: Path) -> None:
    told(first)
    fresh = load_settings({"COACH_HOME": str(tmp_path / "fresh")})
    with Library(fresh) as library:
        library.add(notes.parse(NOTES))

    def shape(path: Path) -> set[tuple[str, ...]]:
        with sqlite3.connect(path) as connection:
            tables = [n for (n,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            columns = {(t, *map(str, c[1:4])) for t in tables for c in connection.execute(f"PRAGMA table_info({t})")}
            return columns | {
                ("index", name, table)
                for name, table in connection.execute("SELECT name, tbl_name FROM sqlite_master WHERE type = 'index'")
            }

    for name in ("library.db", "identities.db"):
        assert shape(first.home / name) == shape(fresh.home / name)


def test_alembic_is_loaded_only_to_migrate(first: Settings) -> None:
    told(first)
    code = "import sys; from coach.wiring import Coach; Coach().library.list(); print('alembic' in sys.modules)"
    environ = {**os.environ, "COACH_HOME": str(first.home)}
    assert subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True).stdout == "False\n"
