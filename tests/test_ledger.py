"""Concerns followed from meeting to meeting."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coach import notes
from coach.concerns import Concern, Meeting, Said, Sighting, follow, is_open
from coach.errors import InputError, LibraryError
from coach.ledger import Ledger
from coach.library import GRACE, Library
from coach.schema import Answer, Finding, Heard, Quote, Review
from coach.schema import Meeting as Reviewed
from coach.settings import Settings, load_settings

MAY = "Marisa: The pager woke me up five nights this week.\nTobias: Next item.\nYuki: Fine.\nTobias: Thanks.\n"
JUNE = "Tobias: The budget is frozen.\nYuki: We need another tester.\nMarisa: Good.\nTobias: Noted.\n"
JULY = "Marisa: The pager woke me up again, five nights in a row.\nTobias: Later.\nYuki: It woke me up.\nTobias: Hm.\n"
ALONE = "Tobias: The lease of the office ends.\nYuki: In September.\nTobias: Right.\n"
NIGHTS, AGAIN = "The pager woke me up five nights this week.", "The pager woke me up again, five nights in a row."
TESTER = "We need another tester."


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, a_home_of_its_own: Path) -> Settings:
    own = {"COACH_HOME": str(a_home_of_its_own)}
    if request.param == "postgres":
        own["COACH_DATABASE_URL"] = request.getfixturevalue("postgres").database()
    return load_settings(own)


@pytest.fixture
def library(place: Settings) -> Iterator[Library]:
    with Library(place) as opened:
        yield opened


@pytest.fixture
def ledger(place: Settings) -> Iterator[Ledger]:
    with Ledger(place, clock=lambda: 1_790_000_000.0) as opened:
        yield opened


def found(quote: str, speaker: str, kind: str = "unheard_objection", tier: str = "finding") -> Finding:
    return Finding(
        kind=kind, subtype="ignored" if kind == "unheard_objection" else None, quote=quote, start=0, end=len(quote),
        speaker=speaker, need="support" if kind == "unaddressed_need" else None, why="", ask="", confidence=0.8,
        tier=tier, source="local:unheard_objection@1",
    )  # fmt: skip


def review(*findings: Finding) -> Review:
    return Review(engine="local", seconds=0, meeting=Reviewed(format="t", utterances=1, speakers=()), findings=findings)


def add(library: Library, text: str, date: str) -> str:
    return library.add(notes.parse(text), date=date).id


def statuses(concern: Concern) -> list[str]:
    return [step.status for step in concern.steps]


def test_a_concern_is_raised_dropped_and_raised_again_in_other_words(library: Library, ledger: Ledger) -> None:
    may, june, july = (
        add(library, MAY, "2026-05-03"),
        add(library, JUNE, "2026-06-01"),
        add(library, JULY, "2026-07-01"),
    )
    (first,) = ledger.record(review(found(NIGHTS, "Marisa")), may)
    ledger.record(review(found(TESTER, "Yuki", "unaddressed_need")), june)
    (again,) = ledger.record(review(found(AGAIN, "Marisa")), july)
    assert again.id == first.id and again.times == 2 and again.open
    assert statuses(again) == ["raised", "dropped", "raised_again"]
    assert [step.date for step in again.steps] == ["2026-05-03", "2026-06-01", "2026-07-01"]
    assert again.quote.startswith("The pager woke me up again") and "Marisa" not in again.model_dump_json()
    assert [concern.kind for concern in ledger.open()] == ["unheard_objection", "unaddressed_need"]
    assert [concern.need for concern in ledger.open("Yuki")] == ["support"]
    assert ledger.open("marisa")[0].id == first.id and ledger.open("Nobody") == ()


def test_meetings_may_be_recorded_in_any_order(library: Library, ledger: Ledger) -> None:
    july, may = add(library, JULY, "2026-07-01"), add(library, MAY, "2026-05-03")
    ledger.record(review(found(AGAIN, "Marisa")), july)
    (concern,) = ledger.record(review(found(NIGHTS, "Marisa")), may)
    assert statuses(concern) == ["raised", "raised_again"] and concern.steps[0].date == "2026-05-03"


def test_the_same_words_of_somebody_else_are_another_concern(library: Library, ledger: Ledger) -> None:
    may, july = add(library, MAY, "2026-05-03"), add(library, JULY, "2026-07-01")
    ledger.record(review(found(NIGHTS, "Marisa")), may)
    ledger.record(review(found(NIGHTS, "Yuki"), found("The coffee is cold.", "Marisa")), july)
    assert len(ledger.all()) == 3


@pytest.mark.parametrize(
    "finding",
    [
        found(NIGHTS, "Marisa", "categorical_phrasing"),
        found(NIGHTS, "Marisa", tier="look"),
        found(NIGHTS, "A Stranger"),
        found(NIGHTS, "Marisa").model_copy(update={"speaker": None}),
    ],
)
def test_only_findings_of_somebody_known_are_followed(library: Library, ledger: Ledger, finding: Finding) -> None:
    assert ledger.record(review(finding), add(library, MAY, "2026-05-03")) == () == ledger.all()


def test_recording_a_meeting_again_replaces_what_it_said(library: Library, ledger: Ledger) -> None:
    may = add(library, MAY, "2026-05-03")
    (first,) = ledger.record(review(found(NIGHTS, "Marisa")), may)
    assert ledger.record(review(found(NIGHTS, "Marisa")), may) == (first,)
    both = ledger.record(review(found(NIGHTS, "Marisa"), found("Fine.", "Yuki")), may)
    assert both[0].id == first.id
    assert len(ledger.all()) == 2
    assert ledger.record(review(), may) == () == ledger.all()


def test_what_the_user_marked_stays_when_a_review_no_longer_finds_it(library: Library, ledger: Ledger) -> None:
    may = add(library, MAY, "2026-05-03")
    (first,) = ledger.record(review(found(NIGHTS, "Marisa")), may)
    ledger.mark(first.id, "acknowledged", note="Talked to Marisa after the meeting")
    ledger.record(review(), may)
    kept = ledger.history(first.id[:5])
    assert statuses(kept) == ["raised", "acknowledged"] and kept.open
    assert kept.steps[-1].note is not None and "Marisa" not in kept.steps[-1].note


def test_a_concern_goes_all_the_way_and_may_come_back(library: Library, ledger: Ledger) -> None:
    may = add(library, MAY, "2026-05-03")
    (concern,) = ledger.record(review(found(NIGHTS, "Marisa")), may)
    for status, date in (("acknowledged", "2026-05-04"), ("explored", "2026-05-05"), ("confirmed", "2026-05-06")):
        concern = ledger.mark(concern.id, status, date=date)  # type: ignore[arg-type]
    assert not concern.open and ledger.open() == ()
    add(library, JUNE, "2026-06-01")
    assert statuses(ledger.history(concern.id)) == ["raised", "acknowledged", "explored", "confirmed"], "not dropped"
    assert ledger.mark(concern.id, "integrated", date="2026-06-02").status == "integrated"
    ledger.record(review(found(AGAIN, "Marisa")), add(library, JULY, "2026-07-01"))
    assert ledger.history(concern.id).status == "raised_again" and len(ledger.open()) == 1
    assert ledger.mark(concern.id, "confirmed").status == "confirmed"
    assert ledger.mark(concern.id, "reopened").open


def test_a_meeting_without_the_speaker_drops_nothing(library: Library, ledger: Ledger) -> None:
    ledger.record(review(found(NIGHTS, "Marisa")), add(library, MAY, "2026-05-03"))
    add(library, ALONE, "2026-06-01")
    assert statuses(ledger.all()[0]) == ["raised"]


def test_what_is_no_objection_is_feedback_and_is_not_linked_to(library: Library, ledger: Ledger) -> None:
    may, july = add(library, MAY, "2026-05-03"), add(library, JULY, "2026-07-01")
    (concern,) = ledger.record(review(found(NIGHTS, "Marisa")), may)
    ledger.mark(concern.id, "not_an_objection", note="a joke")
    (feedback,) = ledger.feedback()
    assert (feedback.quote, feedback.source, feedback.note) == (NIGHTS, "local:unheard_objection@1", "a joke")
    (other,) = ledger.record(review(found(AGAIN, "Marisa")), july)
    assert other.id != concern.id and [c.id for c in ledger.open()] == [other.id]
    ledger.record(review(found(NIGHTS, "Marisa")), may)
    assert ledger.history(concern.id).status == "not_an_objection", "the user's word outlives another review"


def test_what_is_right_is_feedback_and_what_is_handled_is_none(library: Library, ledger: Ledger) -> None:
    may = add(library, MAY, "2026-05-03")
    (concern,) = ledger.record(review(found(NIGHTS, "Marisa")), may)
    ledger.mark(concern.id, "explored")
    assert [(f.verdict, f.meeting, f.quote) for f in ledger.feedback()] == [("right", may, NIGHTS)]
    handled = ledger.mark(concern.id, "handled")
    assert not handled.open and ledger.feedback() == ()


UNFOLLOWED = [("Fine.", "Yuki", "categorical_phrasing"), ("Fine.", "", "unheard_objection")]


@pytest.mark.parametrize(("quote", "speaker", "kind"), UNFOLLOWED)
@pytest.mark.parametrize(
    ("mark", "verdicts"), [("acknowledged", ["right"]), ("not_an_objection", ["wrong"]), ("handled", [])]
)
def test_a_finding_that_nobody_follows_can_be_judged_and_is_no_concern(
    library: Library, ledger: Ledger, quote: str, speaker: str, kind: str, mark: Any, verdicts: list[str]
) -> None:
    may, about = add(library, MAY, "2026-05-03"), found(quote, speaker, kind)
    (concern,) = ledger.record(review(found(NIGHTS, "Marisa"), about), may)
    assert ledger.judge(about, may, mark) is None
    assert [f.verdict for f in ledger.feedback()] == verdicts
    assert ledger.all() == (concern,), "marking phrasing opens no concern of anybody"
    ledger.record(review(found(NIGHTS, "Marisa")), may)
    assert [f.verdict for f in ledger.feedback()] == verdicts, "another review of the notes keeps what the user said"
    assert ledger.judge(about, may, None) is None and ledger.feedback() == ()
    library.delete(may)
    assert ledger.feedback() == ()


def test_a_wrong_finding_leaves_its_concern_and_the_concern_stays(library: Library, ledger: Ledger) -> None:
    may, july = add(library, MAY, "2026-05-03"), add(library, JULY, "2026-07-01")
    ledger.record(review(found(NIGHTS, "Marisa")), may)
    again = found(AGAIN, "Marisa")
    (joined,) = ledger.record(review(again), july)
    assert joined.times == 2
    rejected = ledger.judge(again, july, "not_an_objection")
    assert rejected is not None and not rejected.open
    assert [(c.id, c.times, c.quote) for c in ledger.open()] == [(joined.id, 1, NIGHTS)]
    assert [(f.verdict, f.quote) for f in ledger.feedback()] == [("wrong", AGAIN)]


def test_a_doubtful_finding_joins_the_ledger_when_it_is_right_and_goes_when_that_is_taken_back(
    library: Library, ledger: Ledger
) -> None:
    may, july = add(library, MAY, "2026-05-03"), add(library, JULY, "2026-07-01")
    (sure,) = ledger.record(review(found(NIGHTS, "Marisa")), may)
    doubtful = found(AGAIN, "Marisa", tier="look")
    ledger.record(review(doubtful), july)
    joined = ledger.judge(doubtful, july, "acknowledged")
    assert joined is not None and joined.id == sure.id and joined.times == 2
    taken_back = ledger.judge(doubtful, july, None)
    assert taken_back is not None and (taken_back.times, statuses(taken_back)) == (1, ["raised", "dropped"])


def test_a_mark_that_is_taken_back_leaves_the_concern_as_it_was(library: Library, ledger: Ledger) -> None:
    may, about = add(library, MAY, "2026-05-03"), found(NIGHTS, "Marisa")
    (before,) = ledger.record(review(about), may)
    ledger.judge(about, may, "handled")
    assert ledger.open() == ()
    assert ledger.judge(about, may, None) == before
    assert ledger.judge(found(TESTER, "Yuki"), may, None) is None, "there was nothing to take back"


def test_only_findings_of_kept_notes_can_be_judged(ledger: Ledger) -> None:
    with pytest.raises(LibraryError, match="not in the library"):
        ledger.judge(found(NIGHTS, "Marisa"), "0123456789abcdef", "acknowledged")


def test_merge_and_split_undo_each_other(library: Library, ledger: Ledger) -> None:
    may, july = add(library, MAY, "2026-05-03"), add(library, JULY, "2026-07-01")
    (first,) = ledger.record(review(found(NIGHTS, "Marisa")), may)
    (second,) = ledger.record(review(found("The coffee is cold.", "Marisa")), july)
    (other,) = ledger.record(review(found(NIGHTS, "Marisa"), found("Fine.", "Yuki")), may)[1:]
    with pytest.raises(InputError, match="two people"):
        ledger.merge(first.id, other.id)
    merged = ledger.merge(first.id, second.id)
    assert merged.times == 2 and len(ledger.all("Marisa")) == 1 and ledger.merge(first.id, first.id) == merged
    apart = ledger.split(
        merged.id, *[step.sighting for step in merged.steps if step.date == "2026-07-01" and step.sighting]
    )
    assert apart.quote == "The coffee is cold." and ledger.history(first.id).times == 1
    with pytest.raises(InputError, match="nothing to split"):
        ledger.split(apart.id, apart.steps[0].sighting or "")
    ledger.record(review(found("The coffee is cold.", "Marisa")), july)
    assert ledger.history(apart.id).times == 1, "recording again keeps what the user split"


@pytest.mark.parametrize("unknown", ["nothing", "ab", ""])
def test_an_unknown_concern_or_meeting_is_said_in_one_line(ledger: Ledger, library: Library, unknown: str) -> None:
    with pytest.raises(LibraryError, match="see coach ledger"):
        ledger.history(unknown)
    with pytest.raises(LibraryError, match="add them first"):
        ledger.record(review(found(NIGHTS, "Marisa")), unknown)


def test_a_mark_that_makes_no_sense_is_refused(library: Library, ledger: Ledger) -> None:
    (concern,) = ledger.record(review(found(NIGHTS, "Marisa")), add(library, MAY, "2026-05-03"))
    with pytest.raises(InputError, match="choose from"):
        ledger.mark(concern.id, "solved")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="not a date"):
        ledger.mark(concern.id, "explored", date="yesterday")
    assert statuses(ledger.all()[0]) == ["raised"]


def test_deleting_a_meeting_hides_its_concerns_and_erasing_removes_them(place: Settings, ledger: Ledger) -> None:
    moment = [1_790_000_000.0]
    with Library(place, clock=lambda: moment[0]) as library:
        may, july = add(library, MAY, "2026-05-03"), add(library, JULY, "2026-07-01")
        ledger.record(review(found(NIGHTS, "Marisa")), may)
        (concern,) = ledger.record(review(found(AGAIN, "Marisa"), found("It woke me up.", "Yuki")), july)[:1]
        library.delete(july)
        assert statuses(ledger.history(concern.id)) == ["raised"] and len(ledger.all()) == 1
        library.undo()
        assert len(ledger.all()) == 2
        library.delete(july)
        moment[0] += GRACE + 1
        library.tidy()
    assert [c.quote for c in ledger.all()] == [NIGHTS]
    assert all(b"again, five nights" not in path.read_bytes() for path in place.home.rglob("*") if path.is_file())


MARKS = st.sampled_from(["acknowledged", "explored", "confirmed", "integrated", "not_an_objection", "reopened"])
STAGES = st.sampled_from([None, "acknowledged", "integrated"])
DAYS = st.integers(1, 28).map(lambda day: f"2026-05-{day:02d}")


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(DAYS, st.booleans(), st.booleans(), STAGES), min_size=1, max_size=8),
    st.lists(st.tuples(DAYS, MARKS), max_size=4),
    st.randoms(use_true_random=False),
)
def test_following_does_not_depend_on_the_order_of_facts(events, marks, chance) -> None:  # type: ignore[no-untyped-def]
    meetings = [
        Meeting(id=f"m{n}", title=None, date=date, added=n, people=("Person A",) if there else ())
        for n, (date, there, *_) in enumerate(events)
    ]
    sightings = [
        Sighting(
            id=f"s{n}", concern="c", meeting=f"m{n}", quote=f"quote {n}", kind="unheard_objection", subtype=None,
            need=None, confidence=1, source="t", place=0, stage=stage,
        )
        for n, (_, _, raised, stage) in enumerate(events)
        if raised
    ]  # fmt: skip
    said = [Said(status=status, date=date, at=n) for n, (date, status) in enumerate(marks)]
    steps = follow("Person A", sightings, said, meetings)
    shuffled = [chance.sample(list(facts), len(facts)) for facts in (sightings, said, meetings)]
    assert follow("Person A", *shuffled) == steps  # type: ignore[arg-type]
    assert [step.date for step in steps] == sorted(str(step.date) for step in steps)
    assert {step.sighting for step in steps if step.sighting} == {sighting.id for sighting in sightings}
    for before, step in pairwise(steps):
        assert step.status != "dropped" or (is_open(before) and before.status != "dropped")
        assert step.status != "raised"


ANSWER = "Then you come off the rota until the pager is quiet."


def taken_up(quote: str, speaker: str, stage: str = "acknowledged", agreed: str = "", place: int = 0) -> Heard:
    confirmation = Quote(quote=agreed, start=0, end=len(agreed)) if agreed else None
    return Heard(
        kind="objection", quote=quote, start=place, end=place + len(quote), speaker=speaker, stage=stage,
        answer=Answer(quote=ANSWER, start=0, end=len(ANSWER), speaker="Tobias"), confirmation=confirmation,
        confidence=0.8, source="local:heard@1",
    )  # fmt: skip


def review_of(*findings: Finding, heard: tuple[Heard, ...] = ()) -> Review:
    return review(*findings).model_copy(update={"heard": heard})


def test_a_concern_that_comes_back_and_is_answered_is_neither_open_nor_dropped(
    library: Library, ledger: Ledger
) -> None:
    days = ((MAY, "2026-05-03"), (JUNE, "2026-06-01"), (JULY, "2026-07-01"))
    may, june, july = (add(library, text, date) for text, date in days)
    (first,) = ledger.record(review(found(NIGHTS, "Marisa")), may)
    ledger.record(review_of(heard=(taken_up(AGAIN, "Marisa", "integrated"),)), july)
    concern = ledger.history(first.id)
    assert statuses(concern) == ["raised", "dropped", "raised_again", "integrated"]
    assert (concern.open, concern.answered, concern.kind) == (False, True, "unheard_objection")
    last = concern.steps[-1]
    assert (last.answer, last.by, last.meeting) == (ANSWER, ledger._identities.load().find("Tobias").label, july)  # type: ignore[union-attr]
    assert concern.quote == AGAIN and concern.times == 2
    assert ledger.open() == () and ledger.answered() == ledger.answered("Marisa") == (concern,)
    add(library, JUNE.replace("budget", "rent"), "2026-08-01")
    assert ledger.history(first.id).status == "integrated", "what was answered need not be come back to"
    assert june in {step.meeting for step in concern.steps}


@pytest.mark.parametrize(
    ("marks", "status", "state"),
    [
        ((), "acknowledged", "answered"),
        (("reopened",), "raised_again", "open"),
        (("acknowledged",), "acknowledged", "open"),
        (("confirmed",), "confirmed", "closed"),
        (("integrated",), "integrated", "closed"),
        (("confirmed", "reopened"), "raised_again", "open"),
        (("not_an_objection",), "not_an_objection", "closed"),
    ],
)
def test_the_word_of_the_user_wins_over_the_notes(
    library: Library, ledger: Ledger, marks: tuple[Any, ...], status: str, state: str
) -> None:
    (concern,) = ledger.record(review_of(heard=(taken_up(NIGHTS, "Marisa"),)), add(library, MAY, "2026-05-03"))
    for mark in marks:
        concern = ledger.mark(concern.id, mark)
    assert concern.status == status
    assert (concern.open, concern.answered) == (state == "open", state == "answered")
    assert [c.id for c in ledger.open()] == ([concern.id] if state == "open" else [])
    assert concern.kind == ("unheard_objection" if state == "open" else "objection")
    assert [f.kind for f in ledger.feedback()] == (["unheard_objection"] if status == "not_an_objection" else [])


def test_whoever_says_in_the_notes_that_it_helps_has_been_heard(library: Library, ledger: Ledger) -> None:
    agreed = "Yes, that helps."
    (concern,) = ledger.record(
        review_of(heard=(taken_up(NIGHTS, "Marisa", "explored", agreed),)), add(library, MAY, "2026-05-03")
    )
    assert statuses(concern) == ["raised", "explored", "confirmed"] and not concern.open and not concern.answered
    assert (concern.steps[-1].answer, concern.steps[-1].by) == (agreed, concern.speaker)
    assert concern.quote == NIGHTS, "the concern is what was raised, not what was said to it"


def test_what_was_answered_at_once_does_not_fill_the_list(library: Library, ledger: Ledger) -> None:
    may, july = add(library, MAY, "2026-05-03"), add(library, JULY, "2026-07-01")
    ledger.record(review_of(heard=(taken_up(NIGHTS, "Marisa"),)), may)
    assert ledger.open() == ledger.answered() == () and [c.answered for c in ledger.all()] == [True]
    ledger.record(review_of(heard=(taken_up(AGAIN, "Marisa"),)), july)
    assert [c.times for c in ledger.answered()] == [2], "raised twice, it may not have been enough"


def test_of_two_halves_in_one_meeting_the_later_one_tells_where_a_concern_stands(
    library: Library, ledger: Ledger
) -> None:
    july = add(library, JULY, "2026-07-01")
    late = found(AGAIN, "Marisa").model_copy(update={"start": 90, "end": 90 + len(AGAIN)})
    (concern,) = ledger.record(review_of(late, heard=(taken_up(NIGHTS, "Marisa"),)), july)
    assert statuses(concern) == ["raised", "acknowledged", "raised_again"] and concern.open and concern.times == 1
    early = review_of(found(AGAIN, "Marisa"), heard=(taken_up(NIGHTS, "Marisa", place=90),))
    (concern,) = ledger.record(early, july)
    assert statuses(concern) == ["raised", "raised", "acknowledged"] and concern.answered


def test_recording_again_replaces_what_was_heard(library: Library, ledger: Ledger) -> None:
    may = add(library, MAY, "2026-05-03")
    (first,) = ledger.record(review_of(heard=(taken_up(NIGHTS, "Marisa"),)), may)
    (same,) = ledger.record(review_of(heard=(taken_up(NIGHTS, "Marisa", "integrated", "Good."),)), may)
    assert same.id == first.id and statuses(same) == ["raised", "integrated", "confirmed"]
    (unheard,) = ledger.record(review(found(NIGHTS, "Marisa")), may)
    assert statuses(unheard) == ["raised"] and unheard.open and len(ledger.all()) == 1


def test_an_export_carries_what_was_heard(library: Library, ledger: Ledger) -> None:
    ledger.record(review_of(heard=(taken_up(NIGHTS, "Marisa", agreed="Good."),)), add(library, MAY, "2026-05-03"))
    (before,), facts = ledger.all(), ledger.facts()
    assert (facts[0].raised[0].answer, facts[0].raised[0].confirmation) == (ANSWER, "Good.")
    there = facts[0].raised[0].meeting
    july = add(library, JULY, "2026-07-01")
    assert ledger.take(facts, {there: july}) == 1
    copied = next(c for c in ledger.all() if c.id != before.id)
    assert statuses(copied) == statuses(before) and copied.steps[1].by == before.steps[1].by


def test_only_what_somebody_known_raised_is_recorded_as_heard(library: Library, ledger: Ledger) -> None:
    may = add(library, MAY, "2026-05-03")
    assert ledger.record(review_of(heard=(taken_up(NIGHTS, "A Stranger"),)), may) == () == ledger.all()


ROOMS = "One cleaner for twenty-six rooms can't do them properly."
MINUTES = "I have eleven minutes for a room, and then they complain about the dust."


@pytest.fixture
def two(library: Library, ledger: Ledger) -> tuple[Concern, Concern]:
    """One concern of Marisa in words so different that only she can tell, as two."""
    may, july = add(library, MAY, "2026-05-03"), add(library, JULY, "2026-07-01")
    ledger.record(review(found(ROOMS, "Marisa")), may)
    ledger.record(review(found(MINUTES, "Marisa"), found(ROOMS, "Yuki"), found("The coffee is cold.", "Marisa")), july)
    one, other = (next(c for c in ledger.all("Marisa") if c.quote == quote) for quote in (ROOMS, MINUTES))
    return one, other


def test_concerns_of_one_person_that_may_be_the_same_are_offered_as_such(
    two: tuple[Concern, Concern], ledger: Ledger
) -> None:
    one, other = two
    assert {c.quote: c.perhaps for c in ledger.all("Marisa")} == {
        ROOMS: (other.id,),
        MINUTES: (one.id,),
        "The coffee is cold.": (),
    }
    assert all(c.perhaps == () for c in ledger.all("Yuki")), "nobody is asked about the words of two people"
    merged = ledger.merge(one.id, other.id)
    assert merged.times == 2 and merged.perhaps == ()


def test_who_says_that_two_are_two_is_not_asked_again(two: tuple[Concern, Concern], ledger: Ledger) -> None:
    one, other = two
    assert ledger.apart(other.id, one.id).perhaps == () == ledger.apart(one.id, other.id).perhaps
    assert all(c.perhaps == () for c in ledger.all())
    with pytest.raises(InputError, match="one concern"):
        ledger.apart(one.id, one.id)
    third = next(c for c in ledger.all("Marisa") if c.id not in (one.id, other.id))
    ledger.merge(third.id, other.id)
    assert ledger.history(one.id).perhaps == (), "it holds for what one of them has become, too"


def test_what_was_split_is_not_offered_as_the_same(two: tuple[Concern, Concern], ledger: Ledger) -> None:
    merged = ledger.merge(two[0].id, two[1].id)
    last = next(step.sighting for step in merged.steps if step.quote == MINUTES)
    assert ledger.split(merged.id, last or "").perhaps == () == ledger.history(merged.id).perhaps


@pytest.mark.parametrize("mark", ["confirmed", "not_an_objection"])
def test_only_what_is_open_gives_rise_to_a_question(two: tuple[Concern, Concern], ledger: Ledger, mark: Any) -> None:
    one, other = two
    ledger.mark(one.id, mark)
    assert ledger.history(other.id).perhaps == ((one.id,) if mark == "confirmed" else ())
    ledger.mark(other.id, mark)
    assert ledger.history(one.id).perhaps == () == ledger.history(other.id).perhaps


def test_an_export_carries_that_two_are_two(two: tuple[Concern, Concern], ledger: Ledger, library: Library) -> None:
    ledger.apart(two[0].id, two[1].id)
    facts = ledger.facts()
    june, august = add(library, JUNE, "2026-06-01"), add(library, ALONE, "2026-08-01")
    old = {step.meeting for c in two for step in c.steps if step.sighting}
    there = dict(zip(sorted(filter(None, old)), (june, august), strict=True))
    before = {c.id for c in ledger.all()}
    ledger.take(facts, there)
    copies = [c for c in ledger.all("Marisa") if c.id not in before and c.quote in (ROOMS, MINUTES)]
    assert len(copies) == 2 and not {c.id for c in copies} & {key for c in copies for key in c.perhaps}
