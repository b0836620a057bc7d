"""The verdict: what is called a regression, what is not, and what nobody may claim."""

from __future__ import annotations

import random

import pytest
from coach_eval.schema import Digests, Gate, Run, Score, Suite, Trial
from coach_eval.verdict import detectable, holm, interval, judge, sign_flip
from hypothesis import given, settings
from hypothesis import strategies as st

SUITE = Suite(suite="notes", cases="notes", gates=(Gate(metric="recall"), Gate(metric="quiet")))


def trial(case: int, value: float | None, *, metric: str = "recall", repeat: int = 0, **more: object) -> Trial:
    score = None if value is None else Score(metrics={metric: value}, passed=value == 1)
    error = "the model is gone" if value is None else None
    return Trial(case=f"c{case}", cluster=f"n{case}", repeat=repeat, score=score, error=error, **more)  # type: ignore[arg-type]


def run(*trials: Trial, complete: bool = True) -> Run:
    return Run(
        suite="notes",
        task="review",
        engine="local",
        date="2026-01-01",
        repeats=1,
        complete=complete,
        digests=Digests(suite="s", scorer="s", subject="s"),
        trials=trials,
    )


def arm(values: list[float | None]) -> Run:
    """One case per value, each measuring recall, and one that is quiet."""
    quiet = [trial(1000 + i, 1.0, metric="quiet") for i in range(20)]
    return run(*(trial(i, value) for i, value in enumerate(values)), *quiet)


@pytest.mark.parametrize(
    ("before", "after", "status"),
    [
        pytest.param([1.0] * 40, [1.0] * 40, "unchanged", id="nothing moved"),
        pytest.param([1.0] * 40, [0.0] * 8 + [1.0] * 32, "regressed", id="eight notes of forty lose everything"),
        pytest.param([0.0] * 8 + [1.0] * 32, [1.0] * 40, "improved", id="eight notes of forty gain everything"),
        pytest.param([1.0] * 40, [0.0] * 3 + [1.0] * 37, "inconclusive", id="three notes are too few to be sure"),
        pytest.param([1.0, 0.0] * 20, [0.0, 1.0] * 20, "inconclusive", id="as many up as down, but all moved"),
        pytest.param([1.0] * 40, [0.99] * 40, "unchanged", id="a sure drop below the margin is no regression"),
    ],
)
def test_the_status_follows_from_paired_differences(before: list[float], after: list[float], status: str) -> None:
    assert judge(SUITE, arm(list(before)), arm(list(after))).status == status


def test_cases_of_one_note_count_as_one_observation() -> None:
    """Eight lost cases would be a regression; if all come from one note they are one coin that fell badly."""

    def same_note(value: float) -> Run:
        one = [t.model_copy(update={"cluster": "n0"}) for t in (trial(i, value) for i in range(8))]
        return run(*one, *(trial(i, 1.0) for i in range(8, 40)))

    assert judge(SUITE, same_note(1.0), same_note(0.0)).status == "inconclusive"


def test_repeats_are_averaged_before_anything_else() -> None:
    def thrice(*values: float) -> list[Trial]:
        return [trial(0, value, repeat=i) for i, value in enumerate(values)]

    verdict = judge(SUITE, run(*thrice(1, 1, 1)), run(*thrice(1, 1, 0.4)))
    assert verdict.outcomes[0].delta == pytest.approx(-0.2)
    assert verdict.outcomes[0].clusters == 1


def test_an_errored_pair_is_neither_zero_nor_dropped() -> None:
    values: list[float | None] = [1.0] * 100
    one_error = [*values[:-1], None]
    assert judge(SUITE, arm(values), arm(one_error)).status == "unchanged"
    # Five clear losses are just significant, unless the sixth pair, which errored, went the other way.
    suite = SUITE.model_copy(update={"gates": (Gate(metric="recall"),)})
    five_lost: list[float | None] = [0.0] * 5 + [0.0] * 95
    before: list[float | None] = [1.0] * 5 + [0.0] * 95
    assert judge(suite, arm(before), arm(five_lost)).status == "regressed"
    doubtful = judge(suite, arm(before), arm([*five_lost[:-1], None]))
    assert doubtful.status == "inconclusive"
    assert "errored" in doubtful.reasons[0]


def test_more_than_two_percent_of_errors_make_a_run_unverifiable() -> None:
    verdict = judge(SUITE, arm([1.0] * 40), arm([None] * 3 + [1.0] * 37))
    assert verdict.status == "unverifiable"
    assert verdict.errored == 3


def test_a_missing_recording_is_never_green() -> None:
    lost = run(*(trial(i, 1.0) for i in range(99)), trial(99, None, fault="missing"))
    assert judge(SUITE, run(*(trial(i, 1.0) for i in range(100))), lost).status == "unverifiable"


def test_an_incomplete_run_and_an_empty_intersection_are_unverifiable() -> None:
    whole = run(trial(0, 1.0))
    assert judge(SUITE, whole, whole.model_copy(update={"complete": False})).status == "unverifiable"
    assert judge(SUITE, whole, run(trial(1, 1.0))).status == "unverifiable"


def test_changed_cases_are_listed_and_not_paired() -> None:
    verdict = judge(SUITE, arm([1.0] * 40), arm([0.0] * 8 + [1.0] * 32), changed=[f"c{i}" for i in range(8)])
    assert verdict.changed_cases == tuple(f"c{i}" for i in range(8))
    assert verdict.status == "unchanged"


def test_a_broken_invariant_is_a_regression_by_itself() -> None:
    broken = trial(0, 1.0).model_copy(update={"score": Score(metrics={"recall": 1.0}, broken=("a made-up quote",))})
    verdict = judge(SUITE, run(trial(0, 1.0)), run(broken))
    assert verdict.status == "regressed"
    assert "a made-up quote" in verdict.reasons[0]


@pytest.mark.parametrize(
    ("fresh", "status"),
    [((False, False), "regressed"), ((False, True), "inconclusive"), ((), "inconclusive")],
    ids=["confirmed", "came back", "could not be tried again"],
)
def test_a_lost_critical_case_needs_fresh_repeats(fresh: tuple[bool, ...], status: str) -> None:
    before, after = run(trial(0, 1.0, critical=True)), run(trial(0, 0.0, critical=True))
    assert judge(SUITE, before, after, confirm=lambda case: fresh).status == status


def test_an_inconclusive_metric_names_the_smallest_drop_it_could_have_shown() -> None:
    verdict = judge(SUITE, arm([1.0] * 40), arm([0.0] * 3 + [1.0] * 37))
    recall = verdict.outcomes[0]
    assert 0.1 < recall.detectable < 0.3
    assert f"{recall.detectable:.3f}" in " ".join(verdict.reasons)


def test_the_worst_case_comes_first_and_shows_what_it_lost() -> None:
    def items(case: int, value: float, *lines: str) -> Trial:
        return trial(case, value).model_copy(update={"items": lines})

    before = run(items(0, 1.0, "a", "b"), items(1, 1.0, "c"), items(2, 1.0, "d"))
    after = run(items(0, 0.5, "b"), items(1, 0.0), items(2, 1.0, "d"))
    changes = judge(SUITE, before, after).changes
    assert [change.case for change in changes] == ["c1", "c0"]
    assert changes[1].lost == ("a",)
    assert changes[1].gained == ()


@given(st.lists(st.floats(-1, 1), min_size=2, max_size=12))
@settings(max_examples=25, deadline=None)
def test_a_drop_and_its_mirror_image_are_judged_alike(deltas: list[float]) -> None:
    """One of the two one-sided p-values is always at least a half, and no interval is inside out."""
    assert max(sign_flip(deltas), sign_flip([-d for d in deltas])) >= 0.5
    low, high = interval(deltas)
    assert low <= sum(deltas) / len(deltas) <= high


def test_small_samples_are_judged_exactly() -> None:
    assert sign_flip([-1.0] * 5) == pytest.approx(2**-5)
    assert sign_flip([-1.0] * 5 + [0.0] * 50) == pytest.approx(2**-5)
    assert sign_flip([0.0, 0.0]) == 1.0


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
@settings(max_examples=50, deadline=None)
def test_holm_never_lowers_a_p_value_and_keeps_their_order(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    assert all(a >= p for a, p in zip(adjusted, p_values, strict=True))
    assert [a for _, a in sorted(zip(p_values, adjusted, strict=True))] == sorted(adjusted)


def test_holm_matches_a_worked_example() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])


def test_the_detectable_drop_is_really_detected_nine_times_in_ten() -> None:
    """Noise as in a suite of forty notes; the drop that is promised is planted two hundred times."""
    dice = random.Random(4)
    noise = [dice.gauss(0, 0.2) for _ in range(40)]
    drop = detectable(noise, tests=1)
    caught = sum(sign_flip([dice.gauss(-drop, 0.2) for _ in range(40)]) < 0.05 for _ in range(60))
    assert caught >= 48
