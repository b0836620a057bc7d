"""What was heard: said with the words that show it, where the notes are plain about it, and nowhere else."""

from __future__ import annotations

import pytest

from coach import notes
from coach.engine import Watch
from coach.local_engine import LocalEngine
from coach.review import review
from coach.samples import samples
from coach.schema import UNHEARD, Heard, Review

LAUNDRY = """# Weekly, laundry and linen

Greta: I want to move all pick-ups to five in the morning, starting next month.
Hamid: I'm worried about five, there is no bus. Half of my team can't get here.
Greta: I hadn't thought of the bus. When does the first one arrive?
Hamid: Twenty to six.
Greta: Then we start at six, and I'll tell the hospital today. Would that work for you?
Hamid: Yes, that works for me.
Lotte: Good.
"""

LIBRARY = """# Reading room

Nadine: We close the reading room on Wednesdays from May.
Odile: My concern is the school class. They come every Wednesday, and they have nowhere else to go.
Nadine: We have asked the school. The class moves to Thursday, their teacher said yes last week.
Jo: Next, the heating.
"""

PASSED_OVER = """# Weekly, laundry and linen

Greta: I want to move all pick-ups to five in the morning, starting next month.
Hamid: At five there is no bus. Half of my team can't get here, and I'd lose Rosa for good.
Greta: Okay. The second thing is the new detergent, it came in cheaper than we thought.
Lotte: It smells better too.
Greta: Perfect. So five o'clock it is, everyone agrees. See you on Thursday.
"""

DEPOT = """# Depot

Wanda: The four o'clock start begins on Monday. Any questions?
Piet: I still can't get here at four, the first bus is at half past.
Wanda: What would you need to be here?
Piet: A lift from somebody, or the second shift.
Wanda: Then take the second shift, I'll change the roster today.
Piet: Thank you, that helps me a lot.
"""

NOBODY_NAMED = """Notes on the reading room

It was said that the school class has nowhere else to go on Wednesdays, which worries some.
The class can move to Thursday.
"""

ROUTINE = """# Garden committee

Ida: The seed order went out on Monday. It should be here by the twelfth.
Per: I can collect it from the depot.
Ida: Thank you, Per. The pump was serviced and works again.
Solveig: Shall we water on Tuesdays and Fridays, as last year?
Per: Fine by me.
"""


def reviewed(text: str) -> Review:
    return review(text, local=LocalEngine(), engine="local")


@pytest.mark.parametrize(
    ("text", "speaker", "words", "answer", "agrees"),
    [
        (LAUNDRY, "Hamid", "there is no bus", "Greta", "Yes, that works for me."),
        (LIBRARY, "Odile", "the school class", "Nadine", None),
        (DEPOT, "Piet", "the first bus", "Wanda", "Thank you, that helps me a lot."),
    ],
    ids=["asked and changed", "answered", "a plain answer to a mild doubt"],
)
def test_what_was_taken_up_is_said_with_the_words_that_show_it(
    text: str, speaker: str, words: str, answer: str, agrees: str | None
) -> None:
    (one,) = reviewed(text).heard
    assert (one.speaker, one.answer.speaker) == (speaker, answer)
    assert words in one.quote and (one.confirmation.quote if one.confirmation else None) == agrees


@pytest.mark.parametrize(
    "text",
    [PASSED_OVER, NOBODY_NAMED, ROUTINE, "Ana: Hm.\n"],
    ids=["unheard", "unnamed", "routine", "one word"],
)
def test_where_nothing_was_taken_up_or_nobody_is_named_nothing_is_said(text: str) -> None:
    assert LocalEngine().analyse(notes.parse(text), (), Watch()).heard == ()


@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.name)
def test_nothing_is_both_heard_and_unheard_and_every_word_is_exact(sample) -> None:  # type: ignore[no-untyped-def]
    done = reviewed(sample.text)
    conversation = notes.parse(sample.text)
    for one in done.heard:
        for said in filter(None, (one, one.answer, one.confirmation)):
            assert sample.text[said.start : said.end] == said.quote
        assert one.speaker in conversation.speakers or any(one.speaker == a.name for a in conversation.attendees)
        assert one.answer.speaker != one.speaker
        assert not [f for f in done.findings if f.kind in UNHEARD.values() and f.start < one.end and one.start < f.end]
    assert [one.id for one in done.heard] == [f"h{n}" for n in range(1, len(done.heard) + 1)]


def test_the_samples_show_what_went_well() -> None:
    told: list[Heard] = [one for sample in samples() for one in reviewed(sample.text).heard]
    assert len(told) >= 6 and {one.stage for one in told} >= {"acknowledged", "integrated"}
