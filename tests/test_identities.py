"""The identity ledger: what it keeps, who can read it, and what happens when its key is gone."""

from __future__ import annotations

import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from stores import Postgres

from coach.database import metadata, open_database
from coach.errors import ConfigError, InputError, KeyMissingError, LibraryError
from coach.identities import Identities, IdentityLedger, keys
from coach.settings import Settings, load_settings

PASSPHRASE = "a passphrase of the tests"


@pytest.fixture(autouse=True)
def no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COACH_KEYRING", "off")


@pytest.fixture(params=["sqlite", "postgres"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    own = {"COACH_HOME": str(tmp_path / "home")}
    if request.param == "postgres":
        own["COACH_DATABASE_URL"] = request.getfixturevalue("postgres").database()
    return load_settings(own)


def people(*names: str) -> Identities:
    identities = Identities()
    for name in names:
        identities = identities.add(name)
    return identities


def test_what_was_saved_is_loaded(settings: Settings) -> None:
    identities = people("Ulla Brandvik", "Ben").exempted("Jenkins")
    ledger = IdentityLedger(settings)
    ledger.load()
    ledger.save(identities)
    assert IdentityLedger(settings).load() == identities


def test_no_name_is_readable_and_no_one_else_may_look(settings: Settings) -> None:
    ledger = IdentityLedger(settings)
    ledger.update(lambda known: known.add("Ulla Brandvik").add("ulla@mill.example", "email"))
    for path in settings.home.iterdir():
        content = path.read_bytes()
        assert b"Ulla" not in content and b"mill.example" not in content
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name
    assert stat.S_IMODE(settings.home.stat().st_mode) == 0o700


def test_a_missing_key_is_reported_and_nothing_is_lost(settings: Settings) -> None:
    IdentityLedger(settings).update(lambda known: known.add("Ulla"))
    key = settings.home / keys.KEY_FILE
    kept = key.read_text()
    key.unlink()
    ledger = IdentityLedger(settings)
    for attempt in (ledger.load, lambda: ledger.save(people("Ben"))):
        with pytest.raises(KeyMissingError, match="Nothing is lost"):
            attempt()
    assert not key.exists()
    key.write_text(kept)
    assert IdentityLedger(settings).load() == people("Ulla")


def test_a_wrong_key_is_reported_and_nothing_is_lost(settings: Settings, tmp_path: Path) -> None:
    right = load_settings({"COACH_HOME": str(tmp_path), "COACH_KEY": PASSPHRASE})
    wrong = load_settings({"COACH_HOME": str(tmp_path), "COACH_KEY": "not the passphrase at all"})
    IdentityLedger(right).update(lambda known: known.add("Ulla"))
    with pytest.raises(KeyMissingError, match="Nothing is lost"):
        IdentityLedger(wrong).load()
    assert IdentityLedger(right).load() == people("Ulla")
    assert not (tmp_path / keys.KEY_FILE).exists()


def test_a_short_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="COACH_KEY"):
        IdentityLedger(load_settings({"COACH_HOME": str(tmp_path), "COACH_KEY": "short"})).load()


def test_the_keyring_is_used_where_there_is_one(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    import keyring
    from keyring.backend import KeyringBackend

    class Memory(KeyringBackend):
        priority = 1.0  # type: ignore[assignment]
        kept: dict[tuple[str, str], str] = {}  # noqa: RUF012

        def get_password(self, service: str, username: str) -> str | None:
            return self.kept.get((service, username))

        def set_password(self, service: str, username: str, password: str) -> None:
            self.kept[service, username] = password

    monkeypatch.delenv("COACH_KEYRING")
    before = keyring.get_keyring()
    keyring.set_keyring(Memory())
    try:
        IdentityLedger(settings).update(lambda known: known.add("Ulla"))
        assert not (settings.home / keys.KEY_FILE).exists()
        IdentityLedger(settings).rotate()
        assert IdentityLedger(settings).load() == people("Ulla")
    finally:
        keyring.set_keyring(before)


def test_rotation_makes_the_old_key_useless(settings: Settings) -> None:
    IdentityLedger(settings).update(lambda known: known.add("Ulla"))
    key = settings.home / keys.KEY_FILE
    old = key.read_text()
    IdentityLedger(settings).rotate()
    assert key.read_text() != old
    assert IdentityLedger(settings).load() == people("Ulla")
    key.write_text(old)
    with pytest.raises(KeyMissingError):
        IdentityLedger(settings).load()


def test_rotation_under_coach_key_takes_a_key_that_its_owner_keeps(tmp_path: Path) -> None:
    old = load_settings({"COACH_HOME": str(tmp_path), "COACH_KEY": PASSPHRASE})
    IdentityLedger(old).update(lambda known: known.add("Ulla"))
    with pytest.raises(ConfigError, match="COACH_NEW_KEY"):
        IdentityLedger(old).rotate()
    new_key = keys.new_key()
    IdentityLedger(old).rotate(new_key)
    new = load_settings({"COACH_HOME": str(tmp_path), "COACH_KEY": new_key})
    assert IdentityLedger(new).load() == people("Ulla")
    with pytest.raises(KeyMissingError):
        IdentityLedger(old).load()


def test_reading_during_a_rotation_does_not_throw_the_new_key_away(settings: Settings) -> None:
    IdentityLedger(settings).update(lambda known: known.add("Ulla"))
    pending = settings.home / f"{keys.KEY_FILE}.next"
    pending.write_text(keys.new_key())  # As another process has it before it changes the ledger.
    assert IdentityLedger(settings).load() == people("Ulla")
    assert pending.exists()
    IdentityLedger(settings).rotate()
    assert IdentityLedger(settings).load() == people("Ulla") and not pending.exists()


def test_two_processes_never_overwrite_each_other(settings: Settings) -> None:
    one, other = IdentityLedger(settings), IdentityLedger(settings)
    one.load()
    known = other.load()
    one.update(lambda known: known.add("Ulla"))
    with pytest.raises(LibraryError, match="same moment"):
        other.save(known.add("Ben"))
    assert other.update(lambda known: known.add("Ben")) == people("Ulla", "Ben")


def test_export_and_import_carry_everything(settings: Settings, tmp_path: Path) -> None:
    IdentityLedger(settings).update(lambda known: known.add("Ulla").add("Ben").exempted("Ops"))
    document = IdentityLedger(settings).export()
    other = load_settings({"COACH_HOME": str(tmp_path / "other")})
    assert IdentityLedger(other).import_(document) == IdentityLedger(settings).load()
    with pytest.raises(InputError, match="Nothing was changed"):
        IdentityLedger(other).import_({"entities": "x"})


def test_the_glossary_file_gives_terms_with_their_types(tmp_path: Path) -> None:
    path = tmp_path / "glossary.txt"
    path.write_text("# ours\nOak & Sons\ncustomer: Brightwater\nProject: Falkenrath\n\n", encoding="utf-8")
    settings = load_settings({"COACH_HOME": str(tmp_path), "COACH_GLOSSARY": str(path)})
    expected = (("Oak & Sons", "company"), ("Brightwater", "customer"), ("Falkenrath", "project"))
    assert IdentityLedger(settings).load().glossary == expected


def test_a_database_of_a_later_release_is_refused(settings: Settings) -> None:
    engine = open_database(settings, "identities.db")
    with engine.begin() as connection:
        connection.execute(metadata().tables["about"].update().values(value=99))
    with pytest.raises(LibraryError, match="upgrade unheard"):
        open_database(settings, "identities.db")


def test_a_damaged_database_gets_one_clear_sentence(settings: Settings) -> None:
    if settings.database_url:
        pytest.skip("the files of PostgreSQL are its own")
    IdentityLedger(settings).update(lambda known: known.add("Ulla"))
    for path in settings.home.glob("identities.db*"):
        path.write_bytes(b"not a database at all" * 200)
    with pytest.raises(LibraryError):
        IdentityLedger(settings).load()


@pytest.mark.parametrize("url", ["nonsense", "postgresql://nobody@127.0.0.1:9/none"])
def test_an_unusable_database_address_gets_one_clear_sentence(tmp_path: Path, url: str) -> None:
    settings = load_settings({"COACH_HOME": str(tmp_path), "COACH_DATABASE_URL": url, "COACH_KEY": PASSPHRASE})
    with pytest.raises((ConfigError, LibraryError)):
        IdentityLedger(settings).load()


def test_merged_people_share_new_pseudonyms_and_old_texts_still_restore() -> None:
    known = people("Robert Quill", "Bobby Q")
    merged = known.merge("Person A", "Person B")
    assert merged.originals["Person B"] == "Bobby Q"
    assert merged.canonical("Person B spoke") == "Person A spoke"
    assert merged.add("Bobby Q", same_as="Person A").find("Bobby Q") == merged.add("Bobby Q").find("Person A")


def test_split_people_get_a_new_entity_and_old_texts_still_restore() -> None:
    known = people("James Munn").add("James", same_as="Person A")
    split = known.split("Person A", "James")
    assert split.originals["Person A2"] == "James"
    assert split.canonical("Person A2") == "Person B"


def test_whoever_keeps_a_pseudonym_after_a_split_is_whom_it_stood_for() -> None:
    known = people("Bob").add("Robert Quill", same_as="Person A")
    for split in (known.split("Person A", "Bob"), known.split("Person A", "Robert Quill")):
        assert [(e.label, [f.text for f in e.forms]) for e in split.entities] == [
            ("Person A", ["Bob"]),
            ("Person B", ["Robert Quill"]),
        ]
        met = split.add("Robert Quill")
        assert met.originals["Person B"] == met.originals["Person A2"] == "Robert Quill"
        assert {match.owner for match in met.index.matches("Bob spoke")} == {"Person A"}


def test_a_forgotten_person_is_gone_and_their_pseudonym_is_not_reused() -> None:
    known = people("Ulla", "Ben").without("Ulla")
    assert "Ulla" not in known.model_dump_json()
    assert "Person A" not in known.add("Zoltan").originals


def test_adding_nothing_or_merging_strangers_is_refused() -> None:
    for wrong in (lambda: Identities().add("  "), lambda: people("Ulla").merge("Person A", "Person Z")):
        with pytest.raises(InputError):
            wrong()


def test_schemas_of_one_postgresql_hold_libraries_of_their_own(postgres: Postgres, tmp_path: Path) -> None:
    place = {"COACH_HOME": str(tmp_path), "COACH_DATABASE_URL": postgres.database()}
    one, other, plain = (
        IdentityLedger(load_settings(place | ({"COACH_DATABASE_SCHEMA": schema} if schema else {})))
        for schema in ("coach_ana", "coach_Ben@mill.example", None)
    )
    one.update(lambda known: known.add("Ulla"))
    other.update(lambda known: known.add("Zoltan"))
    assert (one.load(), other.load(), plain.load()) == (people("Ulla"), people("Zoltan"), Identities())


def test_a_schema_without_postgresql_is_refused(tmp_path: Path) -> None:
    settings = load_settings({"COACH_HOME": str(tmp_path), "COACH_DATABASE_SCHEMA": "coach_ana"})
    with pytest.raises(ConfigError, match="COACH_DATABASE_SCHEMA"):
        IdentityLedger(settings).load()


def test_threads_that_share_a_ledger_lose_nobody(settings: Settings) -> None:
    ledger, names = IdentityLedger(settings), [f"Ulla{letter}" for letter in "abcdefghijkl"]

    def add(name: str) -> None:
        ledger.load()
        ledger.update(lambda known: known.add(name))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, names))
    assert {form.text for entity in ledger.load().entities for form in entity.forms} == set(names)


def test_threads_that_are_the_first_to_use_a_database_do_not_trip_over_each_other(tmp_path: Path) -> None:
    code = (
        "import sys; from concurrent.futures import ThreadPoolExecutor; from threading import Barrier\n"
        "from coach.identities import IdentityLedger; from coach.settings import load_settings\n"
        "import sqlalchemy; sys.setswitchinterval(1e-6); start = Barrier(8)\n"
        "def first(n):\n"
        "    start.wait()\n    return len(IdentityLedger(load_settings(home=sys.argv[1])).load().entities)\n"
        "print(list(ThreadPoolExecutor(8).map(first, range(8))))\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 0 and done.stdout.strip() == str([0] * 8), done.stderr[-1000:]
