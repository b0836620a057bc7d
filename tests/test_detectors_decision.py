"""From probabilities to what is shown: quotes, tiers and caps."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coach import acts, notes
from coach.detectors.base import Candidate
from coach.detectors.decision import QUOTE, Decision, Logistic, candidate, decisions, findings, passages
from coach.detectors.uptake import Record
from coach.schema import KINDS

TEXT = "\n".join(
    f"{who}: {said}"
    for who, said in [
        ("Nadia", "We move the clinic to Tuesdays. The rooms are cheaper then."),
        ("Björn", "I doubt it. Half my patients work on Tuesdays. They can't come. Nobody asked them."),
        ("Nadia", "The rooms are booked. Next point."),
        ("Björn", "Fine. Whatever you decide."),
    ]
)


def blank(text: str = TEXT) -> Record:
    conversation = notes.parse(text)
    said = tuple(notes.sentences(conversation))
    width = sum(len(names) for _, names in acts.HEADS)
    vectors = np.zeros((len(said), len(acts.LINKS), acts.LINK_SIZE), np.float32)
    return Record(conversation, acts.Reading(said, np.zeros((len(said), width), np.float32), vectors, vectors))


RECORD = blank()
MODEL = Decision(Logistic(("a",), (0.0,), (1.0,), (1.0,), 0.0), finding=0.6, look=0.3, most=2)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_passages_never_touch_and_are_short_slices_of_one_utterance(data: st.DataObject) -> None:
    n = len(RECORD.sentences)
    numbers = st.lists(st.floats(0, 1), min_size=n, max_size=n)
    found = passages(RECORD, np.array(data.draw(numbers)), np.array(data.draw(numbers)))
    taken = [i for p in found for i in p.sentences]
    assert len(taken) == len(set(taken))
    for p in found:
        assert p.seed in p.sentences and len(p.sentences) <= 2
        assert len({RECORD.sentences[i].utterance for i in p.sentences}) == 1
        assert p.end - p.start <= max(QUOTE, RECORD.sentences[p.seed].end - RECORD.sentences[p.seed].start)


def test_the_sentence_that_continues_an_objection_is_part_of_its_quote() -> None:
    said = [s.text for s in RECORD.sentences]
    score, joins = np.zeros(len(said)), np.zeros(len(said))
    main = said.index("Half my patients work on Tuesdays.")
    score[main], joins[main], joins[main + 1] = 0.9, 0.9, 0.8
    (found,) = passages(RECORD, score, joins)
    assert RECORD.conversation.text[found.start : found.end] == "Half my patients work on Tuesdays. They can't come."


@pytest.mark.parametrize(
    ("seed", "quote"),
    [("Next point.", "The rooms are booked. Next point."), ("Fine.", "Fine.")],
    ids=["takes the one before it", "opens a turn, stays alone"],
)
def test_a_sentence_too_short_to_stand_alone(seed: str, quote: str) -> None:
    said = [s.text for s in RECORD.sentences]
    score = np.zeros(len(said))
    score[said.index(seed)] = 0.9
    (found,) = passages(RECORD, score, np.zeros(len(said)))
    assert RECORD.conversation.text[found.start : found.end] == quote


def test_without_joins_every_sentence_stands_alone() -> None:
    found = passages(RECORD, np.full(len(RECORD.sentences), 0.5), None)
    assert all(p.sentences == (p.seed,) for p in found)


@pytest.mark.parametrize(
    ("confidence", "tier"), [(0.59, "look"), (0.6, "finding"), (0.3, "look"), (0.29, None), (1.0, "finding")]
)
def test_confidence_decides_the_tier(confidence: float, tier: str | None) -> None:
    assert MODEL.tier(confidence) == tier


@given(st.floats(-1e6, 1e6, allow_nan=False))
def test_confidence_is_a_probability_whatever_the_number(value: float) -> None:
    assert 0 <= MODEL.confidence([value]) <= 1
    assert MODEL.confidence([0.0]) == pytest.approx(0.5)
    assert MODEL.confidence([1.0]) == pytest.approx(1 / (1 + math.exp(-1)))


def some_candidates(*confidences: float) -> list[Candidate]:
    found = passages(RECORD, np.linspace(1, 0.5, len(RECORD.sentences)), None)
    return [
        replace(candidate(RECORD, p, "unheard_objection", "ignored", None, c))
        for p, c in zip(found, confidences, strict=False)
    ]


def test_what_is_shown_is_ranked_capped_and_an_exact_slice() -> None:
    shown = findings(RECORD, some_candidates(0.7, 0.9, 0.8, 0.1, 0.65), MODEL, "local:test@1")
    assert [(f.confidence, f.tier) for f in shown] == [
        (0.9, "finding"),
        (0.8, "finding"),
        (0.7, "look"),
        (0.65, "look"),
    ]
    for f in shown:
        assert RECORD.conversation.text[f.start : f.end] == f.quote
        assert f.why and f.ask and f.source == "local:test@1"


def test_a_model_is_shipped_for_every_kind_and_prefers_few_findings() -> None:
    models = decisions()
    assert set(models) == set(KINDS)
    for decision in models.values():
        assert 0 < decision.look < decision.finding < 1
        assert 1 <= decision.most <= 8
        model = decision.model
        assert len(model.features) == len(model.weights) == len(model.mean) == len(model.scale)


def test_the_shipped_models_expect_the_features_that_the_detectors_compute() -> None:
    from coach.detectors import categorical_phrasing, unaddressed_needs, unheard_objections

    for module in (unheard_objections, unaddressed_needs, categorical_phrasing):
        assert decisions()[module.KIND].model.features == module.FEATURES
        assert len(module.features(RECORD, 2)) == len(module.FEATURES)
