"""Forgetting a person: nothing of them is left in any file, and what is not theirs stays to the letter."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from coach.errors import InputError
from coach.identities.value import SHAPE
from coach.rehearsal.plan import Plan
from coach.schema import Answer, Finding, Heard, Meeting, Quote, Review
from coach.settings import Settings, load_settings
from coach.wiring import Coach

QUOTE = "I am worried that the zanzibar rollout breaks the pager"
FIRST = f"""Marisa Quill: {QUOTE}. Write to marisa.quill@mill.example.
Tobias Ember: Next item please. Marisa, we can see later.
Marisa: It is still open for me, says the wombat in me.
Tobias Ember: The valves come from one supplier.
Yuki Sato: Fine, and Marisa Quill knows the pager best.
Tobias Ember: I doubt that the supplier delivers.
"""
SECOND = """Tobias Ember: The budget for the canteen is too small, I fear.
Yuki Sato: Then we move the date of the party.
Tobias Ember: I would rather ask what people need.
Yuki Sato: Agreed, let us ask them on Monday.
"""
ALONE = "Marisa Quill: The numbat is all I have to say.\nMarisa Quill: And nobody answered.\n"
SPELLINGS = ("Marisa Quill", "Marisa", "Quill", "marisa.quill")
WORDS = ("zanzibar", "wombat", "numbat", "capybara", "says the wombat", "knows the pager")


@pytest.fixture
def coach(a_home_of_its_own: Path) -> Coach:
    return Coach(load_settings({"COACH_HOME": str(a_home_of_its_own)}))


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home with everything in it that a home can hold of somebody."""
    home = tmp_path_factory.mktemp("full")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("COACH_KEYRING", "off")
        coach = Coach(load_settings({"COACH_HOME": str(home)}))
        first = coach.keep(FIRST, title="Talk with Marisa Quill", date="2026-05-03", tags=["for Marisa"])
        second = coach.keep(SECOND, title="Canteen", date="2026-05-10")
        coach.library.delete(coach.keep(ALONE, title="Waiting to be erased").id)
        doubt = ("I doubt that the supplier delivers", "Tobias Ember")
        coach.ledger.record(reviewed((QUOTE, "Marisa Quill"), doubt), first.id)
        budget = ("The budget for the canteen is too small, so Marisa Quill says", "Tobias Ember")
        coach.ledger.record(reviewed(budget).model_copy(update={"heard": taken_up()}), second.id)
        for concern in coach.ledger.all():
            coach.ledger.mark(concern.id, "acknowledged", note="told Marisa Quill about it")
        practise(coach, "Marisa Quill")
        practise(coach, "Tobias Ember")
        close(coach)
    (home / "library.db.format-1").write_bytes((home / "library.db").read_bytes())
    return home


@pytest.fixture
def full(coach: Coach, made_once: Path) -> Coach:
    """A coach on a copy of that home."""
    shutil.copytree(made_once, coach.settings.home, dirs_exist_ok=True)
    return coach


def reviewed(*said: tuple[str, str]) -> Review:
    findings = tuple(
        Finding(
            kind="unheard_objection", subtype="ignored", quote=quote, start=0, end=len(quote), speaker=speaker,
            why="", ask="", confidence=0.9, source="test",
        )
        for quote, speaker in said
    )  # fmt: skip
    about = Meeting(format="plain", utterances=1, speakers=tuple(speaker for _, speaker in said))
    return Review(engine="local", seconds=0, meeting=about, findings=findings)


def taken_up() -> tuple[Heard, ...]:
    """What Tobias raised and Marisa answered, and what he raised and Yuki answered with her name."""

    def one(quote: str, answer: str, by: str) -> Heard:
        return Heard(
            kind="objection", quote=quote, start=0, end=len(quote), speaker="Tobias Ember", stage="integrated",
            answer=Answer(quote=answer, start=0, end=len(answer), speaker=by), confidence=0.9, source="test",
            confirmation=Quote(quote="Thank you, Marisa, that helps.", start=0, end=30),
        )  # fmt: skip

    return (
        one("The stairs are steep.", "The capybara lift is on its way.", "Marisa Quill"),
        one("The rent is high.", "Marisa Quill pays half of it.", "Yuki Sato"),
    )


def practise(coach: Coach, partner: str) -> None:
    plan = Plan(
        purpose="Decide with Marisa Quill",
        stage="action",
        attendees=("Tobias Ember", "Marisa Quill"),
        opening="Marisa Quill and I propose to roll out on Monday.",
        fears=("Marisa objects",),
    )
    session = coach.rehearse(plan, attendee=partner, engine="local")
    coach.practices.save(session.say("What would Marisa Quill need, do you think?"))


def close(coach: Coach) -> None:
    coach.library.close()
    coach.ledger.close()
    coach.identities.close()


def holding(home: Path, *texts: str) -> dict[str, list[str]]:
    """Which of these texts are in which files, in UTF-8 or UTF-16."""
    found: dict[str, list[str]] = {}
    for path in (p for p in home.rglob("*") if p.is_file()):
        content = path.read_bytes()
        for text in texts:
            if any(text.encode(code) in content for code in ("utf-8", "utf-16-le", "utf-16-be")):
                found.setdefault(text, []).append(str(path.relative_to(home)))
    return found


def pseudonyms_in(home: Path) -> set[str]:
    """Everything of the shape of a pseudonym in any file, in UTF-8 or UTF-16."""
    found: set[str] = set()
    for path in (p for p in home.rglob("*") if p.is_file()):
        content = path.read_bytes()
        for text in (content.decode("latin-1"), content[::2].decode("latin-1"), content[1::2].decode("latin-1")):
            found.update(SHAPE.findall(text))
    return found


def theirs(coach: Coach, name: str) -> set[str]:
    entity = coach.identities.load().find(name)
    assert entity is not None
    return {entity.label, *(form.pseudonym for form in entity.forms)}


def sealed(home: Path) -> list[bytes]:
    with sqlite3.connect(home / "identities.db") as connection:
        return [row[0] for row in connection.execute("SELECT sealed FROM identity ORDER BY id")]


def test_nothing_of_a_forgotten_person_is_left_in_any_file(full: Coach) -> None:
    home, pseudonyms = full.settings.home, theirs(full, "Marisa Quill")
    generation = full.library._store.generation
    vectors = generation.vectors([record.id for record in generation.of_meeting(full.library.list()[1].id)]).values()
    pieces = [np.asarray(vector, dtype="<f4")[at : at + 4].tobytes() for vector in vectors for at in (0, 100, 252)]
    ciphertexts = sealed(home)
    close(full)
    assert set(holding(home, *WORDS)) == set(WORDS), "what they said can be found before"
    assert pseudonyms & pseudonyms_in(home) >= {"Person A"}
    assert all(any(piece in path.read_bytes() for path in home.rglob("*") if path.is_file()) for piece in pieces)

    found = full.forget("Marisa Quill")
    for _ in ("open", "closed"):
        assert holding(home, *SPELLINGS, "zanzibar", "wombat", "numbat", "capybara") == {}
        assert pseudonyms & pseudonyms_in(home) == set()
        left = [path for path in home.rglob("*") if path.is_file()]
        assert not [path for path in left if any(piece in path.read_bytes() for piece in (*pieces, *ciphertexts[1:2]))]
        close(full)
    assert (found.lines, found.emptied, found.practices, found.practices_changed) == (4, 1, 1, 1)
    assert "Marisa" not in full.identities.load().model_dump_json()
    assert pseudonyms <= set(full.identities.load().reserved), "nobody else will be mistaken for them"


def test_what_others_said_stays_to_the_letter_without_the_name(full: Coach) -> None:
    before = {entry.title: full.library.show(entry.id) for entry in full.library.list()}
    full.forget("marisa quill")
    after = {entry.title: full.library.show(entry.id) for entry in full.library.list()}
    assert set(after) == {"Talk with someone", "Canteen"}
    assert after["Canteen"] == before["Canteen"]
    assert [line.text for line in after["Talk with someone"]] == [
        "Next item please. someone, we can see later.",
        "The valves come from one supplier.",
        "Fine, and someone knows the pager best.",
        "I doubt that the supplier delivers.",
    ]
    first = next(entry for entry in full.library.list() if entry.title == "Talk with someone")
    assert len(first.attendees) == 2 and first.tags == ("for someone",) and first.lines == 4
    assert full.library.problems() == []
    assert full.library.search("valves supplier", k=1)[0].meeting == first.id
    assert full.library.search("zanzibar rollout", attendee="Marisa Quill") == ()
    assert full.library.similar("The valves come from one supplier.", 1)[0].meeting == first.id


def test_concerns_of_others_stay_and_theirs_go(full: Coach) -> None:
    full.forget("Marisa Quill")
    concerns = full.ledger.all()
    assert {c.quote for c in concerns} >= {
        "I doubt that the supplier delivers",
        "The budget for the canteen is too small, so someone says",
    }
    assert not any("zanzibar" in c.quote for c in concerns)
    assert {s.note for c in concerns for s in c.steps if s.note} == {"told someone about it"}
    stairs, rent = (
        next(c for c in concerns if c.quote == quote) for quote in ("The stairs are steep.", "The rent is high.")
    )
    assert [(s.status, s.answer, s.by) for s in stairs.steps[1:3]] == [
        ("integrated", None, None),
        ("confirmed", "Thank you, someone, that helps.", stairs.speaker),
    ]
    assert rent.steps[1].answer == "someone pays half of it." and rent.steps[1].by is not None


def test_a_practice_with_somebody_else_stays_without_the_name(full: Coach) -> None:
    full.forget("Marisa Quill")
    (session,) = full.practices.all()
    assert session.partner == "Tobias Ember" and session.plan.attendees == ("Tobias Ember",)
    assert "Marisa" not in session.model_dump_json()
    assert session.plan.opening == "someone and I propose to roll out on Monday."
    assert full.debrief(session).partner == "Tobias Ember"


def test_lines_that_mention_them_go_too_when_asked(full: Coach) -> None:
    found = full.forget("Marisa Quill", "erase")
    (first,) = [e for e in full.library.list() if e.title != "Canteen"]
    assert first.title is None and found.mentions == 3
    assert [line.text for line in full.library.show(first.id)] == [
        "The valves come from one supplier.",
        "I doubt that the supplier delivers.",
    ]


def test_looking_changes_nothing(full: Coach) -> None:
    before = {p: p.read_bytes() for p in full.settings.home.rglob("*.db") if p.is_file()}
    assert full.look_for("Marisa Quill").lines == 4
    close(full)
    assert {p: p.read_bytes() for p in full.settings.home.rglob("*.db") if p.is_file()} == before


def test_a_name_that_was_exempted_is_erased_from_the_text(coach: Coach) -> None:
    coach.identities.update(lambda known: known.add("Marisa Quill").exempted("Marisa Quill").exempted("Marisa"))
    entry = coach.keep("Tobias Ember: I met Marisa Quill and the numbat.\nYuki Sato: Marisa is fine.\n")
    close(coach)
    assert set(holding(coach.settings.home, "Marisa Quill")) == {"Marisa Quill"}
    coach.forget("Marisa Quill")
    assert [line.text for line in coach.library.show(entry.id)] == ["I met someone and the numbat.", "someone is fine."]
    close(coach)
    assert holding(coach.settings.home, *SPELLINGS) == {}


def test_somebody_of_a_similar_name_is_named_and_stays(coach: Coach) -> None:
    coach.keep("Marisa Quill: The plan is late.\nMarisa Sato: I like the plan as it is.\nMarisa: Me too.\n")
    practise(coach, "Marisa Quill")
    plan = Plan(purpose="Plan", stage="needs", attendees=("Marisa Sato",), opening="Hello all.")
    coach.practices.save(coach.rehearse(plan, attendee="Marisa Sato", engine="local"))
    found = coach.forget("Marisa Quill")
    assert any(name.startswith("Marisa Sato") for name in found.alike)
    (entry,) = coach.library.list()
    said = [line.text for line in coach.library.show(entry.id)]
    assert "I like the plan as it is." in said and "The plan is late." not in said
    assert [session.partner for session in coach.practices.all()] == ["Marisa Sato"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "whom"),
        ("Quill", "give the pseudonym"),
        ("Person ZZ", "nobody has the pseudonym"),
        ("Marisa Q", "pseudonym"),
    ],
)
def test_whom_is_meant_has_to_be_clear(coach: Coach, name: str, message: str) -> None:
    coach.identities.update(lambda known: known.add("Marisa Quill"))
    with pytest.raises(InputError, match=message):
        coach.forget(name)


def test_a_pseudonym_says_whom_as_well(full: Coach) -> None:
    assert full.forget("Person A").lines == 4
    assert full.look_for("Marisa Quill").nothing


def test_somebody_only_practised_with_can_be_forgotten(coach: Coach) -> None:
    plan = Plan(purpose="Plan", stage="needs", attendees=("Ulla Brandvik",), opening="Hello all.")
    coach.practices.save(coach.rehearse(plan, attendee="Ulla Brandvik", engine="local"))
    assert coach.forget("Ulla Brandvik").practices == 1
    assert coach.practices.all() == ()


def test_every_user_of_the_page_forgets_them(full: Coach) -> None:
    home = full.settings.home
    user = Coach(full.settings.model_copy(update={"home": home / "users" / "ana"}))
    user.keep("Yuki Sato: Hello.\n" + FIRST, title="With Marisa Quill")
    pseudonyms = theirs(user, "Marisa Quill")
    close(user)
    assert full.forget("Person A").lines == 6
    close(full)
    assert holding(home, *SPELLINGS, "zanzibar") == {}
    assert pseudonyms & pseudonyms_in(home / "users") == set()


def test_that_it_was_done_is_on_record_and_who_it_was_is_not(full: Coach) -> None:
    from coach.retrieval.erasures import erasures

    found = full.forget("Marisa Quill")
    (row,) = erasures(full.settings)
    assert (row.lines, row.concerns, row.practices) == (found.lines, found.concerns, found.practices)
    assert "Marisa" not in row.model_dump_json()
    with sqlite3.connect(full.settings.home / "library.db") as connection:
        columns = [name for _, name, *_ in connection.execute("PRAGMA table_info(erasure)")]
    assert columns == ["id", "at", "what", "meetings", "lines", "mentions", "concerns", "practices"]


def coach_command(settings: Settings, *arguments: str, answer: str = "") -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "COACH_HOME": str(settings.home), "COACH_KEYRING": "off"}
    command = [sys.executable, "-m", "coach", *arguments]
    return subprocess.run(command, env=environ, input=answer, capture_output=True, text=True)


def test_the_command_shows_what_goes_and_asks_first(full: Coach, tmp_path: Path) -> None:
    reports = tmp_path / "reports"
    reports.mkdir()
    (reports / "mine.txt").write_text("Lunch with Marisa Quill", encoding="utf-16")
    (reports / "other.txt").write_text("Lunch")
    written = coach_command(full.settings, "library", "export", str(reports / "export.json"), "--names")
    review = coach_command(full.settings, "review", "-", "--markdown", str(reports / "review.md"), answer=FIRST)
    page = coach_command(full.settings, "review", "-", "--html", str(reports / "review.html"), answer=FIRST)
    assert [done.returncode for done in (written, review, page)] == [0, 0, 0]
    assert "Marisa" in (reports / "review.md").read_text() and "Marisa" in (reports / "review.html").read_text()

    asked = ("library", "forget", "Marisa Quill", "--also", str(reports))
    refused = coach_command(full.settings, *asked, answer="n\n")
    assert refused.returncode == 2 and "There is no undo" in refused.stdout
    assert "4 they said" in refused.stdout and "Tobias" not in refused.stdout
    for name in ("export.json", "review.md", "review.html"):
        assert re.search(rf"file +{re.escape(str(reports / name))} goes", refused.stdout)
    assert f"{reports / 'mine.txt'} names them and stays" in refused.stdout
    assert (reports / "review.md").exists() and full.look_for("Marisa Quill").lines == 4
    close(full)

    done = coach_command(full.settings, *asked, "--yes", "--json")
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["erased"] is True and told["others"] == [str(reports / "mine.txt")]
    assert sorted(path.name for path in reports.iterdir()) == ["mine.txt", "other.txt"]
    again = coach_command(full.settings, "library", "forget", "Marisa Quill", "--yes")
    assert again.returncode == 2 and again.stderr.startswith("coach: nobody of that name is known")
    assert "lines" in coach_command(full.settings, "library", "erasures").stdout
