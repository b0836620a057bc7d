"""The encoder's reading: windows cover every sentence, names do not matter, numbers repeat."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coach import acts, notes

TALK = """Chair: Petra
Attendees: Petra, Omar, Lucie

Petra: I propose that we close the branch library on Saturdays from May.
Omar: I'm worried about the homework club. Forty children have nowhere else to go on a Saturday.
Petra: Thanks. Next: the roof.
Lucie: The roofer can start on the ninth. I'll send him the keys.
Petra: Great, let's do that.
"""


def test_every_sentence_gets_a_number_and_each_lies_between_nought_and_one() -> None:
    reading = acts.read(notes.parse(TALK))
    assert len(reading.sentences) == len(notes.sentences(notes.parse(TALK)))
    for head in (*acts.ACTS, *acts.WORTH, "unheard"):
        values = reading.probability(head)
        assert values.shape == (len(reading.sentences),)
        assert ((values >= 0) & (values <= 1)).all()


def test_the_options_of_a_choice_add_up_to_one() -> None:
    reading = acts.read(notes.parse(TALK))
    for head in acts.CHOICES:
        assert np.allclose(reading.probability(head).sum(axis=1), 1, atol=1e-5)


def test_the_same_text_gives_the_same_numbers() -> None:
    one, other = acts.read(notes.parse(TALK)), acts.read(notes.parse(TALK))
    assert np.array_equal(one.logits, other.logits)


@pytest.mark.parametrize("text", ["# Only a heading\n", "---\n\n***\n"])
def test_a_text_without_sentences_gives_an_empty_reading(text: str) -> None:
    reading = acts.read(notes.parse(text))
    assert reading.probability("objection").shape == (len(reading.sentences),)


def test_who_is_called_what_changes_nothing() -> None:
    other = TALK
    for old, new in {"Petra": "Wojciech", "Omar": "Ann-Marie", "Lucie": "Tunde"}.items():
        other = re.sub(rf"\b{old}\b", new, other)
    assert np.allclose(acts.read(notes.parse(TALK)).logits, acts.read(notes.parse(other)).logits)


def test_a_name_that_is_also_a_word_is_a_word_in_lower_case() -> None:
    text = "Grace: We have a grace period.\nMark: Grace wants to mark it.\nGrace: Yes, I do.\nMark: Then mark it.\n"
    conversation = notes.parse(text)
    lines = acts.encode(conversation, notes.sentences(conversation))
    people = [sum(acts.FIRST_PERSON <= i <= acts.LAST_PERSON for i in line.ids) for line in lines]
    assert people == [1, 2, 1, 1]


def test_the_chair_is_marked_as_chair() -> None:
    conversation = notes.parse(TALK)
    said = notes.sentences(conversation)
    lines = acts.encode(conversation, said)
    markers = {said[line.sentence].text: line.ids[0] for line in lines if line.sentence is not None}
    assert markers["Great, let's do that."] == acts.CHAIR
    assert markers["I'll send him the keys."] != acts.CHAIR


@given(st.lists(st.integers(1, acts.LONGEST), max_size=120))
@settings(max_examples=60, deadline=None)
def test_windows_cover_every_line_in_order_and_never_exceed_their_size(sizes: list[int]) -> None:
    lines = [acts.Line(i, (acts.NOBODY,) * size) for i, size in enumerate(sizes)]
    windows = acts.windows(lines)
    assert sorted({i for w in windows for i in w.lines}) == list(range(len(lines)))
    assert all(len(w.ids) <= acts.WINDOW for w in windows)
    assert all(len(w.ids) == len(w.owner) and len(w.first) == len(w.lines) for w in windows)
    assert [w.lines.start for w in windows] == sorted({w.lines.start for w in windows})


def test_people_are_numbered_by_their_place_in_the_window() -> None:
    lines = [acts.Line(i, (person, 2000)) for i, person in enumerate((40, 41, 40, 33))]
    first, second = acts.window(lines, range(4)), acts.window(lines, range(2, 4))
    assert [first.ids[i] for i in first.first] == [acts.SLOTS[0], acts.SLOTS[1], acts.SLOTS[0], acts.SLOTS[2]]
    assert [second.ids[i] for i in second.first] == [acts.SLOTS[0], acts.SLOTS[1]]


def test_a_window_with_more_people_than_slots_calls_the_rest_others() -> None:
    lines = [acts.Line(i, (acts.FIRST_PERSON + i,)) for i in range(len(acts.SLOTS) + 2)]
    window = acts.window(lines, range(len(lines)))
    assert [window.ids[i] for i in window.first[-2:]] == [acts.OTHER, acts.OTHER]


def test_link_scores_are_asked_for_later_sentences_only() -> None:
    reading = acts.read(notes.parse(TALK))
    later = range(2, len(reading.sentences))
    scores = reading.links(1, later)
    assert scores.shape == (len(acts.LINKS), len(later))
    assert ((scores >= 0) & (scores <= 1)).all()
