"""Rewrites are tentative, keep what was said, and are refused where none is good.

The checks here use their own word lists, not the rewriter's.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from coach.rewriting import gerund, question, rewrite
from coach.schema import CATEGORICAL_SUBTYPES

DATA = Path(__file__).parent / "data"
TABLE: list[tuple[str, str, str | None]] = [
    tuple(row) for row in yaml.safe_load((DATA / "rewrites.yaml").read_text(encoding="utf-8"))
]
ACCEPTED = [row for row in TABLE if row[2]]

NEGATORS = {"not", "no", "never", "nobody", "nothing", "none", "rarely", "hardly", "little", "neither", "nor", "cannot"}
EMPTY = (
    "no doubt",
    "no question",
    "no choice but",
    "no-brainer",
    "goes without saying",
    "without a doubt",
    "not up for",
)
PRESSING = re.compile(
    r"\b(?:obviously|clearly|definitely|undoubtedly|surely|always|never|must|of course|no doubt|end of story|trust me|"
    r"completely|totally|every single|have to|has to|no choice|guaranteed|bound to)\b",
    re.I,
)
LITTLE_WORDS = set((DATA / "little_words.txt").read_text(encoding="utf-8").split())


def words(text: str) -> list[str]:
    return re.findall(r"[a-z0-9][a-z0-9'-]*", text.lower().replace("’", "'"))


def negations(text: str) -> int:
    low = text.lower()
    for empty in EMPTY:
        low = low.replace(empty, "")
    return sum(w in NEGATORS or w.endswith("n't") for w in words(low))


def test_the_table_is_long_and_covers_every_subtype() -> None:
    assert len(TABLE) >= 150
    assert {row[0] for row in ACCEPTED} == set(CATEGORICAL_SUBTYPES)
    assert sum(row[2] is None for row in TABLE) >= 30


@pytest.mark.parametrize(("subtype", "sentence", "expected"), TABLE)
def test_a_sentence_becomes_what_the_table_says(subtype: str, sentence: str, expected: str | None) -> None:
    assert rewrite(sentence, subtype) == expected


@pytest.mark.parametrize(("subtype", "before", "after"), ACCEPTED)
def test_a_version_keeps_what_was_said(subtype: str, before: str, after: str) -> None:
    assert sorted(re.findall(r"\d+", before)) == sorted(re.findall(r"\d+", after))
    assert set(re.findall(r"(?<=[a-z,] )[A-Z][a-z]+", before)) <= set(re.findall(r"[A-Z][a-z]+", after))
    assert negations(before) == negations(after)
    stems = {w[:4] for w in words(before)}
    assert [w for w in words(after) if w not in LITTLE_WORDS and w[:4] not in stems] == []


@pytest.mark.parametrize(("subtype", "before", "after"), ACCEPTED)
def test_a_version_presses_less_and_is_a_sentence_of_fair_length(subtype: str, before: str, after: str) -> None:
    assert len(PRESSING.findall(after)) <= len(PRESSING.findall(before))
    assert not PRESSING.search(after)
    assert 0.5 * len(before) <= len(after) <= max(1.5 * len(before), len(before) + 24)
    assert re.fullmatch(r"[A-Z].*[.?]", after)
    assert not re.search(r"\b(\w+) \1\b|  | [,.?]", after)


@pytest.mark.parametrize(("subtype", "sentence"), [row[:2] for row in TABLE if row[2] is None])
def test_where_there_is_no_version_there_is_a_question(subtype: str, sentence: str) -> None:
    asked = question(sentence, subtype)
    assert asked.endswith("?")
    assert asked == question(sentence, subtype)


@pytest.mark.parametrize(
    "sentence",
    [
        "Do we all agree?",
        "The Chairman said that sentiment does not mend roofs.",
        "| 11.06 | the client will not accept another slip | |",
        "We sold it. They will love it.",
        "",
        "We always start at nine, they never come, it will be late again.",
    ],
)
def test_questions_reports_tables_and_runs_of_clauses_are_left_alone(sentence: str) -> None:
    assert all(rewrite(sentence, subtype) is None for subtype in CATEGORICAL_SUBTYPES)


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("“Obviously the second boat is faster.”", rewrite("Obviously the second boat is faster.", "certainty")),
        ("Ruth: Obviously the second boat is faster.", rewrite("Obviously the second boat is faster.", "certainty")),
        ("It’s a fact that open offices are louder", "It looks to me as if open offices are louder."),
    ],
)
def test_quotes_labels_and_curly_apostrophes_do_not_matter(sentence: str, expected: str) -> None:
    assert expected
    assert rewrite(sentence, "certainty") == expected


def test_without_a_subtype_the_strong_word_decides() -> None:
    assert rewrite("Obviously the second boat is faster.") == rewrite(
        "Obviously the second boat is faster.", "certainty"
    )
    assert rewrite("The boat is in the shed.") is None


@pytest.mark.parametrize(
    ("verb", "expected"),
    [("move to squads", "moving to squads"), ("cut costs", "cutting costs"), ("agree", "agreeing"),
     ("lie low", "lying low"), ("stop it", "stopping it"), ("see", "seeing"), ("open up", "opening up"),
     ("begin", "beginning")],
)  # fmt: skip
def test_gerunds_are_spelled_right(verb: str, expected: str) -> None:
    assert gerund(verb) == expected


@given(st.text(max_size=120), st.sampled_from(CATEGORICAL_SUBTYPES))
@settings(max_examples=80, deadline=None)
def test_any_text_gets_a_version_or_none_and_always_a_question(text: str, subtype: str) -> None:
    version = rewrite(text, subtype)
    assert version is None or version.endswith((".", "?", "!"))
    assert question(text, subtype).endswith("?")
