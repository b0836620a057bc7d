"""Findings against gold spans, and metamorphic relations."""

from __future__ import annotations

import pytest
from coach_eval.relations import Change, Relation, apply, change, holds, problems, sections
from coach_eval.spans import Span, match, overlap
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

RELATION: TypeAdapter[Relation] = TypeAdapter(Relation)
NOTES = """# Depot
Ines: We move the night shift to ten.
Tom: I will miss the last bus then.
Ines: Next, the forklift.
## Forklift
Ines: It goes to service.
## Paint
Tom: Green again.
"""


def relation(**fields: object) -> Relation:
    return RELATION.validate_python(fields)


def spot(quote: str, text: str = NOTES, kind: str = "unheard_objection") -> Span:
    return Span(kind, text.index(quote), text.index(quote) + len(quote))


@pytest.mark.parametrize(
    ("one", "other", "agrees"),
    [
        (Span("a", 0, 10), Span("a", 0, 10), True),
        (Span("a", 0, 10), Span("b", 0, 10), False),
        (Span("a", 0, 10), Span("a", 10, 20), False),
        (Span("a", 0, 100), Span("a", 40, 50), True),  # a clause within a sentence
        (Span("a", 0, 10), Span("a", 6, 30), False),  # less than half of the shorter one
        (Span("a", 0, 30), Span("a", 10, 40), True),  # IoU one half
    ],
)
def test_two_spans_are_the_same_passage_by_kind_and_overlap(one: Span, other: Span, agrees: bool) -> None:
    assert bool(overlap(one, other)) is agrees
    assert overlap(one, other) == overlap(other, one)


def test_each_finding_stands_for_one_gold_passage_only() -> None:
    found = [Span("a", 0, 10), Span("a", 1, 11)]
    assert len(match(found, [[Span("a", 0, 10)]])) == 1


def test_required_passages_are_matched_before_acceptable_ones() -> None:
    found = [Span("a", 0, 10)]
    gold = [[Span("a", 0, 10, rank=1)], [Span("a", 0, 20)]]
    assert match(found, gold) == {0: 1}


def test_the_assignment_is_the_best_one_and_not_the_first() -> None:
    found = [Span("a", 0, 20), Span("a", 0, 10)]
    gold = [[Span("a", 0, 10)], [Span("a", 8, 20)]]
    assert match(found, gold) == {0: 1, 1: 0}


def test_an_objection_raised_twice_may_be_quoted_once_at_either_place() -> None:
    places = [[Span("a", 0, 10), Span("a", 50, 60)]]
    assert match([Span("a", 51, 60)], places) == {0: 0}
    assert len(match([Span("a", 0, 10), Span("a", 50, 60)], places)) == 1


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 20)), max_size=6))
@settings(max_examples=40, deadline=None)
def test_anything_matches_itself_completely(places: list[tuple[int, int]]) -> None:
    spans = [Span("a", start, start + length) for start, length in places]
    assert len(match(spans, [[span] for span in spans])) == len(spans)


def test_changes_are_applied_in_order() -> None:
    steps = [
        Change(after="Tom: Green again.", insert="\nInes: Why?"),
        Change.model_validate({"replace": "Why?", "with": "Green it is."}),
        Change(delete="# Depot\n"),
    ]
    assert apply(NOTES, steps) == NOTES.removeprefix("# Depot\n").replace("again.", "again.\nInes: Green it is.")


@pytest.mark.parametrize(
    "fields", [{}, {"after": "x"}, {"insert": "x"}, {"delete": "x", "insert": "y"}, {"replace": "a"}]
)
def test_a_change_is_one_of_three_sorts(fields: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="a change is"):
        Change.model_validate(fields)


OBJECTION = "I will miss the last bus then."


def test_other_names_leave_the_findings_where_they_are() -> None:
    swap = relation(relation="swap_names", names={"Tom": "Oluwaseun", "Ines": "Bo"})
    changed = change(NOTES, swap)
    assert "Oluwaseun: I will miss" in changed.text
    assert holds(swap, NOTES, [spot(OBJECTION)], [spot(OBJECTION, changed.text)]) == 1
    assert holds(swap, NOTES, [spot(OBJECTION)], []) == 0
    assert holds(swap, NOTES, [], []) == 1


def test_a_deleted_objection_takes_its_finding_along_and_nothing_takes_its_place() -> None:
    cut = relation(relation="delete", quote=f"Tom: {OBJECTION}\n")
    changed = change(NOTES, cut).text
    other = spot("Green again.")
    assert holds(cut, NOTES, [spot(OBJECTION), other], [spot("Green again.", changed)]) == 1
    assert holds(cut, NOTES, [spot(OBJECTION)], [spot("It goes to service.", changed)]) == 0
    assert holds(cut, NOTES, [], []) is None


def test_a_real_answer_makes_the_objection_heard() -> None:
    answer = relation(
        relation="answer", quote=OBJECTION, after=OBJECTION, insert="\nInes: Which bus? I can start you at nine."
    )
    changed = change(NOTES, answer).text
    assert holds(answer, NOTES, [spot(OBJECTION)], []) == 1
    assert holds(answer, NOTES, [spot(OBJECTION)], [spot(OBJECTION, changed)]) == 0
    assert holds(answer, NOTES, [], [spot(OBJECTION, changed)]) is None


def test_sections_in_another_order_give_the_same_findings() -> None:
    shuffle = relation(relation="shuffle")
    changed = change(NOTES, shuffle).text
    assert changed.index("## Paint") < changed.index("## Forklift")
    assert sorted(changed) == sorted(NOTES)
    assert "".join(NOTES[a:b] for a, b in sections(NOTES)) == NOTES
    assert holds(shuffle, NOTES, [spot("Green again.")], [spot("Green again.", changed)]) == 1


@pytest.mark.parametrize(
    ("fields", "complaint"),
    [
        ({"relation": "swap_names", "names": {"Zoe": "Ann"}}, "not in the notes"),
        ({"relation": "delete", "quote": "Ines: "}, "3 times"),
        ({"relation": "answer", "quote": OBJECTION, "after": "nowhere", "insert": "x"}, "0 times"),
    ],
)
def test_a_relation_that_cannot_be_tried_says_why(fields: dict[str, object], complaint: str) -> None:
    assert any(complaint in line for line in problems(NOTES, relation(**fields)))
