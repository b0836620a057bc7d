"""The walk of one request, with engines that say what the test tells them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pytest

from coach.engine import Watch
from coach.errors import (
    BudgetError,
    CancelledError,
    CoachError,
    ConfigError,
    InputError,
    LeakError,
    ModelUnreachableError,
)
from coach.review import review
from coach.schema import Analysis, Conversation, Evidence, Finding, Participant, Passage

TEXT = "Ana: We move on Monday.\nBen: I am not sure the tram is back by then.\nAna: Next point.\n"


@dataclass(frozen=True)
class EngineThatSays:
    name: str
    analysis: Analysis
    fails: CoachError | None = None

    def analyse(self, conversation: Conversation, earlier: Sequence[Passage], watch: Watch) -> Analysis:
        watch.check()
        if self.fails:
            raise self.fails
        return self.analysis


def finding(quote: str, **changes: object) -> Finding:
    start = TEXT.find(quote)
    base = Finding(
        kind="unheard_objection",
        subtype="ignored",
        quote=quote,
        start=start,
        end=start + len(quote),
        speaker="Ben",
        why="Ana moved on.",
        ask="What would the tram change for you?",
        confidence=0.7,
        source="local:test@1",
    )
    return base.model_copy(update=changes)


QUOTE = "I am not sure the tram is back by then."
LOCAL = EngineThatSays(
    "local", Analysis(findings=(finding(QUOTE),), participants=(Participant(name="Ben", spoke=True),))
)
MODEL = EngineThatSays("llm", Analysis(findings=(finding("We move on Monday."),)))


def test_review_numbers_findings_and_describes_the_meeting() -> None:
    result = review(TEXT, local=LOCAL)
    assert [(f.id, f.quote) for f in result.findings] == [("f1", QUOTE)]
    assert result.meeting.speakers == ("Ana", "Ben")
    assert (result.engine, result.fell_back, result.meeting.utterances) == ("local", None, 3)


def test_findings_come_before_passages_worth_a_look() -> None:
    engine = EngineThatSays("local", Analysis(findings=(finding("Next point.", tier="look"), finding(QUOTE))))
    assert [f.tier for f in review(TEXT, local=engine).findings] == ["finding", "look"]


@pytest.mark.parametrize(
    "wrong",
    [
        finding("The tram will never be back."),
        finding(QUOTE, start=0, end=len(QUOTE)),
        finding(QUOTE, end=10_000),
        finding(" ", start=3, end=4),
    ],
    ids=["invented", "shifted", "past the end", "blank"],
)
def test_review_sets_findings_without_an_exact_quote_aside(wrong: Finding) -> None:
    result = review(TEXT, local=EngineThatSays("local", Analysis(findings=(wrong, finding(QUOTE)))))
    assert [f.quote for f in result.findings] == [QUOTE]
    assert len(result.set_aside) == 1
    assert "letter for letter" in result.set_aside[0].reason


def test_auto_takes_the_model_when_there_is_one() -> None:
    assert review(TEXT, local=LOCAL, llm=MODEL).engine == "llm"


@pytest.mark.parametrize(
    "error", [ModelUnreachableError("no answer in 120 s"), BudgetError("over 1 USD"), LeakError("a name")]
)
def test_when_the_model_fails_the_local_engine_answers_and_says_why(error: CoachError) -> None:
    result = review(TEXT, local=LOCAL, llm=EngineThatSays("llm", Analysis(), fails=error), engine="llm")
    assert (result.engine, result.fell_back) == ("local", str(error))
    assert len(result.findings) == 1


def test_both_engines_are_merged() -> None:
    joined = Analysis(findings=LOCAL.analysis.findings + MODEL.analysis.findings)
    result = review(TEXT, local=LOCAL, llm=MODEL, engine="both", merge=lambda a, b: joined)
    assert (result.engine, len(result.findings)) == ("both", 2)


@pytest.mark.parametrize("engine", ["llm", "both"])
def test_asking_for_a_model_that_is_not_configured_says_what_to_set(engine: str) -> None:
    with pytest.raises(ConfigError, match="COACH_MODEL"):
        review(TEXT, local=LOCAL, engine=engine)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["", "  \n\t\n"])
def test_nothing_to_read_is_said_in_one_line(text: str) -> None:
    with pytest.raises(InputError) as raised:
        review(text, local=LOCAL)
    assert "\n" not in str(raised.value)


def test_a_stopped_review_keeps_nothing() -> None:
    with pytest.raises(CancelledError):
        review(TEXT, local=LOCAL, watch=Watch(stopped=lambda: True))


def test_progress_rises_and_ends_at_one() -> None:
    told: list[float] = []
    review(TEXT, local=LOCAL, watch=Watch(progress=lambda share, what: told.append(share)))
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_memory_adds_what_the_same_person_said_before() -> None:
    class Memory:
        def earlier(self, conversation: Conversation) -> Sequence[Passage]:
            return ()

        def evidence(self, found: Finding, conversation: Conversation) -> tuple[Evidence, ...]:
            return (Evidence(meeting="March", date="2026-03-03", quote="The tram again."),)

    assert review(TEXT, local=LOCAL, memory=Memory()).findings[0].evidence[0].meeting == "March"
