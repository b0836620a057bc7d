from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from syrupy.assertion import SnapshotAssertion

from coach import render
from coach.schema import Answer, Evidence, Finding, Heard, Meeting, Participant, Quote, Review

TEXT = "Ana: We have to move on Monday.\nBen: I am not sure the tram is back by then.\nAna: Next point.\n"
MEETING = Meeting(title="Move", date="2026-05-03", format="speaker-labels", utterances=3, speakers=("Ana", "Ben"))
OBJECTION = Finding(
    id="f1",
    kind="unheard_objection",
    subtype="ignored",
    quote="I am not sure the tram is back by then.",
    start=37,
    end=76,
    speaker="Ben",
    why="Ana went on to the next point.",
    ask="Ben, what would the tram change for you?",
    confidence=0.7,
    source="local:unheard_objection@1",
    evidence=(Evidence(meeting="Planning", date="2026-04-01", quote="The tram again."),),
)
DIRECTIVE = Finding(
    id="f2",
    kind="categorical_phrasing",
    subtype="directive",
    quote="We have to move on Monday.",
    start=5,
    end=31,
    speaker="Ana",
    why="Put to the others without an option.",
    ask="What would you need for Monday?",
    rewrite="Could we try moving on Monday?",
    confidence=0.4,
    tier="look",
    source="local:categorical_phrasing@1",
)
PEOPLE = (
    Participant(
        name="Ben",
        spoke=True,
        buy_in="lukewarm",
        evidence=(Quote(quote="not sure", start=42, end=50),),
        ask="Is Monday safe enough to try?",
    ),
    Participant(name="Kim", ask="Kim, how does this look from where you are?"),
)
REVIEW = Review(engine="local", seconds=0.1, meeting=MEETING, findings=(OBJECTION, DIRECTIVE), participants=PEOPLE)
TAKEN_UP = Heard(
    id="h1",
    kind="objection",
    quote="The lift is too narrow.",
    start=0,
    end=23,
    speaker="Kim",
    stage="explored",
    answer=Answer(quote="How wide is the piano?", start=0, end=22, speaker="Ana"),
    confirmation=Quote(quote="Good, thanks.", start=0, end=13),
    confidence=0.8,
    source="local:heard@1",
)
UNNAMED = {"answer": Answer(quote="Ok.", start=0, end=3), "confirmation": None, "stage": "acknowledged"}
LISTENED = REVIEW.model_copy(update={"heard": (TAKEN_UP, TAKEN_UP.model_copy(update=UNNAMED))})
QUIET = REVIEW.model_copy(update={"findings": (), "notices": ("The notes are short.",)})
HOSTILE = "<script>alert(1)</script> ![x](http://evil.invalid/a.png) [y](javascript:z) | `c` *d*\n# e"


def plain(review: Review) -> str:
    from rich.console import Console

    console = Console(width=100, record=True, file=open("/dev/null", "w"), highlight=False)  # noqa: SIM115, PTH123
    console.print(render.terminal(review))
    return console.export_text()


@pytest.mark.parametrize("review", [REVIEW, QUIET, LISTENED], ids=["findings", "quiet", "heard"])
def test_reports_read_the_same_as_before(review: Review, snapshot: SnapshotAssertion) -> None:
    assert render.markdown(review) == snapshot(name="markdown")
    assert render.html(review, TEXT) == snapshot(name="html")
    assert plain(review) == snapshot(name="terminal")


@pytest.mark.parametrize(
    ("findings", "line"),
    [
        ((), "Nothing to raise"),
        ((OBJECTION,), "1 passage to raise"),
        ((OBJECTION, OBJECTION, DIRECTIVE), "2 passages to raise, 1 worth a look"),
        ((DIRECTIVE,), "Nothing to raise for sure, 1 worth a look"),
    ],
)
def test_the_summary_counts_in_plain_words(findings: tuple[Finding, ...], line: str) -> None:
    assert render.summary(REVIEW.model_copy(update={"findings": findings})) == line


def test_a_fall_back_is_visible_in_every_report() -> None:
    review = REVIEW.model_copy(update={"fell_back": "no answer within 120 s"})
    for report in (render.markdown(review), render.html(review), plain(review)):
        assert "no answer within 120 s" in " ".join(report.split())


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))


def tags(html: str) -> list[tuple[str, dict[str, str | None]]]:
    parser = Tags()
    parser.feed(html)
    return parser.seen


def hostile_everywhere(words: str) -> Review:
    finding = OBJECTION.model_copy(
        update={
            "speaker": words,
            "why": words,
            "ask": words,
            "rewrite": words,
            "quote": words,
            "evidence": (Evidence(meeting=words, quote=words),),
        }
    )
    person = PEOPLE[0].model_copy(
        update={"name": words, "ask": words, "evidence": (Quote(quote=words, start=0, end=1),)}
    )
    return REVIEW.model_copy(
        update={
            "meeting": MEETING.model_copy(update={"title": words}),
            "findings": (finding,),
            "participants": (person,),
            "notices": (words,),
            "fell_back": words,
        }
    )


def test_what_notes_or_a_model_say_never_becomes_markup() -> None:
    report = render.html(hostile_everywhere(HOSTILE), HOSTILE)
    expected = render.html(hostile_everywhere("plain words"), "plain words")
    assert [t for t, _ in tags(report)] == [t for t, _ in tags(expected)]
    assert not any(a in attributes for _, attributes in tags(report) for a in ("src", "href", "onclick"))


@given(st.text(max_size=60))
def test_markdown_of_any_text_has_no_live_link_image_or_html(words: str) -> None:
    report = render.markdown(hostile_everywhere(words + HOSTILE))
    unescaped = report.replace("\\\\", "").replace("\\[", "").replace("\\<", "").replace("\\!", "").replace("\\]", "")
    assert "<script" not in unescaped
    assert "](" not in unescaped


@given(st.text(min_size=1, max_size=80), st.lists(st.tuples(st.integers(0, 80), st.integers(1, 20)), max_size=5))
def test_highlighting_keeps_every_character(text: str, spans: list[tuple[int, int]]) -> None:
    findings = [
        OBJECTION.model_copy(update={"id": f"f{n}", "start": a, "end": min(a + b, len(text))})
        for n, (a, b) in enumerate(spans)
        if a < len(text)
    ]
    parts = render.highlighted(text, findings)
    assert "".join(p.text for p in parts) == text
    for found in findings:
        assert "".join(p.text for p in parts if found.id in p.ids) == text[found.start : found.end]


def test_everything_that_can_become_of_a_concern_has_one_word() -> None:
    """The page, reports, debriefs and the terminal read the same tables: a step without a word would break them all."""
    from typing import get_args

    from coach import concerns, labels
    from coach.rehearsal import ladder, moves
    from coach.ui import strings

    assert {*get_args(concerns.Status), *ladder.Status} == set(labels.STEPS)
    assert tuple(ladder.Status) == labels.RUNGS
    assert set(moves.Move) == set(labels.MOVES)
    assert {*strings.MARKS, "reopened"} == set(get_args(concerns.Mark))
    assert set(strings.CARD_MARKS) == set(strings.MARK_FOLLOWED) == set(strings.MARK_ALONE)
    assert len(set(labels.STEPS.values())) == len(labels.STEPS), "two steps by one word"
