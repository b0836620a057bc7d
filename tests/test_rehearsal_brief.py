"""Before the meeting: the plan, the brief, the command line; and after it, what was heard."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from coach import notes
from coach.cli import app
from coach.errors import CoachError, InputError
from coach.rehearsal.brief import guess_need, make_brief
from coach.rehearsal.ladder import Status
from coach.rehearsal.moves import Move, find_moves
from coach.rehearsal.plan import QUESTIONS, load_plan, make_plan, missing
from coach.rehearsal.values import Brief
from coach.render import brief_html, brief_markdown
from coach.samples import samples
from coach.schema import Finding, Meeting, Review
from coach.settings import load_settings
from coach.wiring import Coach
from tests.rehearsals import FOLDER, MEETINGS, rehearsal

GIVEN = {
    "purpose": "Agree on how we plan the studio's work",
    "stage": "action",
    "attendees": ["Jonas", "Ines", "Wilhelmina"],
    "opening": (
        "From Monday we plan everything in Tilework. It is obviously the best tool on the market. "
        "We have to buy the yearly plan, there is no other option."
    ),
    "fears": [],
}
UNHEARD = (
    ("planning-tool.txt", "Jonas", "The wall is where I see what the others are stuck on.", "dismissed"),
    (
        "planning-tool.txt",
        "Ines",
        "I am not sure a year is wise before we have tried it on one real project.",
        "deferred",
    ),
)


@pytest.fixture
def coach() -> Coach:
    """A coach that keeps the planning meeting, and knows what went unheard in it."""
    made = Coach(load_settings())
    text = next(s.text for s in samples() if s.name == "planning-tool.txt")
    conversation = notes.parse(text)
    findings = tuple(
        Finding(
            kind="unheard_objection",
            subtype=subtype,
            quote=quote,
            start=text.index(quote),
            end=text.index(quote) + len(quote),
            speaker=speaker,
            why="",
            ask="",
            confidence=0.9,
            source="test",
        )
        for _, speaker, quote, subtype in UNHEARD
    )
    about = Meeting(format=conversation.format, utterances=1, speakers=conversation.speakers)
    review = Review(engine="local", seconds=0, meeting=about, findings=findings)
    made.ledger.record(review, made.library.add(conversation).id)
    return made


@pytest.fixture
def plan_file(tmp_path: Path) -> Path:
    import yaml

    path = tmp_path / "plan.yaml"
    path.write_text(yaml.safe_dump(GIVEN))
    return path


# --- the plan

BAD_PLANS = {
    "unknown key": (GIVEN | {"goal": "x"}, "unknown key 'goal'"),
    "no opening": ({k: v for k, v in GIVEN.items() if k != "opening"}, QUESTIONS["opening"]),
    "empty opening": (GIVEN | {"opening": "  "}, "lacks 'opening'"),
    "nobody comes": (GIVEN | {"attendees": []}, "lacks 'attendees'"),
    "no such stage": (GIVEN | {"stage": "vote"}, "'stage' does not fit"),
    "attendees are a number": (GIVEN | {"attendees": 3}, "'attendees' does not fit"),
}


@pytest.mark.parametrize("case", BAD_PLANS)
def test_a_plan_asks_for_what_it_lacks(case: str) -> None:
    given, message = BAD_PLANS[case]
    with pytest.raises(InputError) as raised:
        make_plan(given)
    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


def test_what_is_missing_comes_in_the_order_of_asking() -> None:
    assert missing({"stage": "needs", "opening": " "}) == ("purpose", "attendees", "opening", "fears")


@pytest.mark.parametrize(("text", "message"), [("a: [b", "line 1"), ("- a", "keys and values"), ("\t: x", "not YAML")])
def test_a_file_that_is_no_plan_is_named(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "plan.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=message) as raised:
        load_plan(path)
    assert "plan.yaml" in str(raised.value)


# --- the brief


def test_the_brief_shows_what_was_never_answered(coach: Coach) -> None:
    brief = coach.brief(make_plan(GIVEN), engine="local")
    jonas, ines, new = brief.attendees
    assert jonas.open[0].quote == UNHEARD[0][2]
    assert (jonas.open[0].date, jonas.open[0].meeting) == ("2026-03-12", "Studio weekly, 12 March 2026")
    assert ines.open[0].quote == UNHEARD[1][2]
    assert (new.known, new.alignment, new.buy_in) == (False, "unknown", "unknown")
    assert "Wilhelmina" in str(new.note)
    assert all(person.ask.endswith("?") for person in brief.attendees)
    remarks = [p.remark for p in brief.opening.passes_over]
    assert any("before you mention Jonas's unanswered concern about the wall" in remark for remark in remarks)
    questions = [q.question for q in brief.steps[0].questions]
    assert any("Jonas" in q for q in questions)
    assert [s.stage for s in brief.steps] == ["needs", "possibilities", "action"]


def test_a_misspelt_attendee_is_asked_about(coach: Coach) -> None:
    brief = coach.brief(make_plan(GIVEN | {"attendees": ["Jonass"]}), engine="local")
    assert "If Jonas is meant" in str(brief.attendees[0].note)


def test_the_opening_is_heard_and_said_more_openly() -> None:
    opening = make_brief(make_plan(GIVEN)).opening
    assert [p.subtype for p in opening.phrases] == ["certainty", "directive"]
    for phrase in opening.phrases:
        assert opening.text[phrase.start : phrase.end] == phrase.quote
    assert "obviously" not in opening.rewritten
    assert "no other option" not in opening.rewritten
    assert "?" in opening.rewritten
    assert any("before it names what people need" in remark for remark in opening.phase)
    assert any("one possibility" in remark for remark in opening.phase)


PHASES = {
    "needs first": (
        "possibilities",
        "I heard that the evenings are hard. We could move the deadline, or we could share the work. What do you see?",
        0,
    ),
    "solution in a meeting about needs": ("needs", "We move to the tool on Monday. What do you think?", 2),
    "nothing asked": (
        "action",
        "The evenings are a problem. We could shift the date, or another option is two teams.",
        1,
    ),
}


@pytest.mark.parametrize("case", PHASES)
def test_the_order_of_an_opening_is_checked(case: str) -> None:
    stage, opening, remarks = PHASES[case]
    phase = make_brief(make_plan(GIVEN | {"stage": stage, "opening": opening})).opening.phase
    assert len(phase) == remarks, phase


def test_safe_enough_to_try_is_filled_only_from_what_is_said() -> None:
    opening = (
        "I'd like to try the triage company with two vets only. It runs for four weeks. We stop earlier if an animal "
        "comes to harm. Then we go back to the old rota. We look at it together on the 30th."
    )
    parts = {p.part: p for p in make_brief(make_plan(GIVEN | {"opening": opening})).safe_to_try}
    said = {name: p.said for name, p in parts.items()}
    assert said["end"] == "It runs for four weeks."
    assert said["stop"] == "We stop earlier if an animal comes to harm."
    assert said["way_back"] == "Then we go back to the old rota."
    assert said["review"] == "We look at it together on the 30th."
    assert (said["tests"], parts["tests"].ask is not None) == (None, True)
    bare = make_brief(make_plan(GIVEN)).safe_to_try
    assert all(p.said is None and p.ask for p in bare)


def test_reports_of_the_brief_show_text_as_text(coach: Coach) -> None:
    plan = make_plan(GIVEN | {"purpose": "<b>Plan</b> [x](http://y.example)"})
    brief = coach.brief(plan, engine="local")
    page, text = brief_html(brief), brief_markdown(brief)
    assert "<b>Plan" not in page
    assert "x](http:" not in text
    assert "The wall is where I see" in page
    assert "<script" not in page
    assert Brief.model_validate_json(brief.model_dump_json()) == brief


@pytest.mark.parametrize(
    ("words", "need"),
    [
        ("I am alone in the dark in the back yard", "safety"),
        ("It was decided before anybody asked us", "influence"),
        ("I keep getting them late at night, on top of everything else", "workload"),
        ("Bananas", "being_heard"),
    ],
)
def test_a_need_is_guessed_from_words(words: str, need: str) -> None:
    assert guess_need(words) == need


# --- a model


def test_a_model_sees_pseudonyms_and_its_guesses_are_marked(coach: Coach) -> None:
    from coach.llm.scripted import ScriptedChatModel

    def answer(request: object) -> object:
        label = request.label  # type: ignore[attr-defined]
        if label.startswith("rewrite"):
            return {"rewrites": [{"text": "Could we try Tilework on one project?", "opens": "a small step"}]}
        return {
            "objections": [
                {
                    "attendee": "anyone",
                    "earlier": [],
                    "objection": "A year is long.",
                    "need": "autonomy",
                    "because": "the plan says so",
                    "ask": "How long would be fine?",
                    "sure": "likely",
                }
            ]
        }

    model = ScriptedChatModel(answer)
    coach.__dict__["model"] = model
    brief = coach.brief(make_plan(GIVEN), engine="llm")
    assert brief.engine == "llm"
    assert brief.opening.rewritten == "Could we try Tilework on one project?"
    assert all(any(one.origin == "model" for one in p.likely) for p in brief.attendees)
    assert not any(name in model.sent for name in ("Jonas", "Ines", "Wilhelmina"))


def test_a_brief_without_its_model_says_so(coach: Coach) -> None:
    from coach.errors import ModelUnreachableError
    from coach.llm.scripted import ScriptedChatModel

    coach.__dict__["model"] = ScriptedChatModel(lambda request: ModelUnreachableError("no answer in time"))
    brief = coach.brief(make_plan(GIVEN), engine="llm")
    assert brief.engine == "local"
    assert any("made on this machine" in notice for notice in brief.notices)


# --- the command line


def run(*words: str, stdin: str = "") -> tuple[int, str]:
    result = CliRunner().invoke(app, list(words), input=stdin)
    if isinstance(result.exception, CoachError):
        return result.exception.exit_code, str(result.exception)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.stdout


def test_scripted_rehearsal_prints_the_debrief(plan_file: Path, tmp_path: Path) -> None:
    replies = tmp_path / "replies.txt"
    replies.write_text("I can see that this matters to you.\n\nWhat would you need?\n")
    code, out = run("rehearse", str(plan_file), "--replies", str(replies), "--json", "--engine", "local")
    debrief = json.loads(out)
    assert code == 0
    assert debrief["schema"] == "coach.debrief/1"
    assert [t["speaker"] for t in debrief["turns"]][:3] == ["you", debrief["partner"], "you"]
    assert debrief["counts"]["replies"] == 2
    assert {"attendee", "quote", "meeting", "status", "steps"} <= set(debrief["objections"][0])
    assert not (load_settings().home / "practices").exists()


@pytest.mark.parametrize(
    ("text", "message"), [("", "no reply in it"), ("  \n\n", "no reply in it"), ("Hm.\n" * 10_000, "give at most")]
)
def test_replies_that_cannot_be_played_are_one_line(text: str, message: str, plan_file: Path, tmp_path: Path) -> None:
    replies = tmp_path / "replies.txt"
    replies.write_text(text)
    code, said = run("rehearse", str(plan_file), "--replies", str(replies), "--engine", "local")
    assert code == 2
    assert message in said
    assert "\n" not in said


def test_an_interrupted_practice_is_there_again(plan_file: Path) -> None:
    code, out = run("rehearse", str(plan_file), "--engine", "local", stdin="What would you need?\n:nudge\n")
    assert code == 0
    practice = out.split("--resume ")[1].split()[0]
    code, out = run("rehearse", "--resume", practice, stdin=":rewind 3\nWhat worries you most?\n:ladder\n:what\n:end\n")
    assert code == 0
    assert "Attempt 1" in out
    code, out = run("rehearse", "--list", "--json")
    assert [(row["id"], row["ended"]) for row in json.loads(out)] == [(practice, True)]


def test_brief_prints_json_and_writes_pages(plan_file: Path, tmp_path: Path) -> None:
    code, out = run("brief", str(plan_file), "--json", "--engine", "local", "--html", str(tmp_path / "b.html"))
    assert code == 0
    assert json.loads(out)["schema"] == "coach.brief/1"
    assert "Safe enough to try" in (tmp_path / "b.html").read_text()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("rehearse",), "give a plan"),
        (("rehearse", "PLAN", "--attendee", "Nobody"), "not in the plan"),
        (("brief", "no-such.yaml"), "no-such.yaml"),
        (("brief", "PLAN", "--engine", "llm"), "no model endpoint"),
        (("rehearse", "--resume", "0000"), "none of the kept practices"),
    ],
)
def test_wrong_use_says_what_to_do(words: tuple[str, ...], message: str, plan_file: Path) -> None:
    code, said = run(*(str(plan_file) if word == "PLAN" else word for word in words))
    assert code == 2
    assert message in said


# --- after the meeting

HEARD = """\
Mara: Jonas, you said that on the wall you see where the others are stuck. What matters most to you about it?
Jonas: That I see it before it is too late.
Mara: So you need to see where the others are stuck before it's too late. Is that it?
Jonas: Yes, exactly.
Mara: Then let's keep the wall beside the tool for four weeks because of what you said.
"""
PASSED = """\
Jonas: I still only see my own column in the tool, and the wall shows what the others are stuck on.
Mara: The reports are lovely. Next point, the licences.
Ines: Fine.
"""


@pytest.mark.parametrize(
    ("text", "jonas", "ines"),
    [
        (HEARD, "heard", "not_raised"),
        (PASSED, "passed_over", "not_raised"),
        ("Lena: We had cake.\n", "not_raised", "not_raised"),
    ],
)
def test_the_real_meeting_tells_what_was_heard(coach: Coach, text: str, jonas: str, ines: str) -> None:
    after = coach.after(make_plan(GIVEN), text)
    found = {point.attendee: point for point in after.points}
    assert (found["Jonas"].heard, found["Ines"].heard) == (jonas, ines)
    if jonas == "heard":
        assert found["Jonas"].status in (Status.CONFIRMED, Status.INTEGRATED)
        assert found["Jonas"].evidence


# --- moves


def test_the_moves_of_the_tables_are_found() -> None:
    """The fitted table nearly whole; the others, which were never fitted on, near the bar of 0.75 or above it. When the
    encoder is trained anew, ``python -m training.moves`` has to follow."""
    import yaml

    for name, bar in (("moves", 0.9), ("moves_unseen", 0.8), ("moves_unseen_2", 0.7)):
        table = yaml.safe_load((FOLDER.parent / f"{name}.yaml").read_text("utf-8"))
        scores = []
        for move in Move:
            said = [(move in {m.move for m in find_moves(row["say"])}, move.value in row["moves"]) for row in table]
            hit = sum(a and b for a, b in said)
            scores.append(2 * hit / max(1, sum(a + b for a, b in said)))
        assert sum(scores) / len(scores) >= bar, (name, scores)


@pytest.mark.parametrize("meeting", MEETINGS)
def test_words_of_a_move_are_a_slice(meeting: str) -> None:
    for replies in rehearsal(meeting).replies.values():
        for reply in replies:
            assert all(reply[m.start : m.end] == m.words for m in find_moves(reply))
