"""Did this change make it worse? A paired answer with its uncertainty; pure functions over two runs.

Repeats are averaged per case, cases per cluster (source note), because cases of one note are no independent evidence.
Then, per gated metric, a one-sided sign-flip permutation test on the differences of clusters (Fisher 1935; Good,
*Permutation, Parametric and Bootstrap Tests of Hypotheses*, ch. 3; ``scipy.stats.permutation_test``), with Holm's
correction over the gated metrics (Holm 1979). ``unchanged`` is a claim too: it needs the interval inside ±0.05.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

from coach_eval.schema import CaseChange, Gate, Outcome, Run, Status, Suite, Trial, Verdict

ALPHA = 0.05
EQUIVALENT = 0.05
"""A metric is unchanged when the 95 % interval of its difference lies within plus or minus this."""
ERRORED = 0.02
"""Above this share of errored pairs nothing is claimed."""
POWER = 0.9
RESAMPLES = 9_999

Values = Mapping[str, Sequence[float]]
Confirm = Callable[[str], Sequence[bool]]
"""Fresh repeats of a case by id: whether each passed; empty when none could be made."""


def sign_flip(deltas: Sequence[float]) -> float:
    """The one-sided p-value that the mean difference is below zero by chance; 1 without any difference.

    Exact up to 13 differences that are not zero, Monte Carlo with 9 999 flips and a fixed seed beyond.
    """
    telling = [delta for delta in deltas if delta]
    if not telling:
        return 1.0
    import numpy as np
    from scipy.stats import permutation_test

    result = permutation_test(
        # A zero changes no flip, and scipy wants two observations.
        (np.array([*telling, 0.0] if len(telling) == 1 else telling),),
        np.mean,
        permutation_type="samples",
        alternative="less",
        n_resamples=RESAMPLES,
        vectorized=True,
        batch=2_000,
        rng=np.random.default_rng(0),
    )
    return float(result.pvalue)


def holm(p_values: Sequence[float]) -> list[float]:
    """P-values adjusted so that the chance of any false alarm among them stays below alpha (step-down)."""
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for rank, index in enumerate(sorted(range(len(p_values)), key=lambda i: p_values[i])):
        highest = max(highest, min(1.0, p_values[index] * (len(p_values) - rank)))
        adjusted[index] = highest
    return adjusted


def interval(deltas: Sequence[float]) -> tuple[float, float]:
    """The 95 % interval of the mean difference over clusters, by Student's t; the widest one for a single cluster."""
    if len(deltas) < 2:
        return (-1.0, 1.0)
    from scipy.stats import t

    mean, error = _mean(deltas), _deviation(deltas) / math.sqrt(len(deltas))
    reach = float(t.ppf(0.975, len(deltas) - 1)) * error
    return (mean - reach, mean + reach)


def detectable(deltas: Sequence[float], tests: int) -> float:
    """The smallest drop that would be called a regression nine times in ten, given this noise and this many tests.

    Never below what a sign-flip test can see at all: with n clusters that each lose everything, p is 2 ** -n.
    """
    if len(deltas) < 2:
        return 1.0
    from scipy.stats import t

    freedom, alpha = len(deltas) - 1, ALPHA / max(tests, 1)
    spread = _deviation(deltas) / math.sqrt(len(deltas))
    by_noise = float(t.ppf(1 - alpha, freedom) + t.ppf(POWER, freedom)) * spread
    return min(1.0, max(by_noise, math.ceil(math.log2(1 / alpha)) / len(deltas)))


def judge(
    suite: Suite,
    before: Run,
    after: Run,
    *,
    changed: Sequence[str] = (),
    rescored: bool = False,
    confirm: Confirm | None = None,
) -> Verdict:
    """The verdict on ``after`` against ``before``; both hold scored trials.

    changed: cases whose text or gold differs between the two: listed, never paired. confirm: makes fresh repeats of a
    critical case that was lost. Errored pairs count neither as zero nor are they dropped: the verdict must hold
    whatever they would have shown, else it is inconclusive.
    """
    earlier, later = _by_case(before.trials), _by_case(after.trials)
    paired = sorted((earlier.keys() & later.keys()) - set(changed))
    errored, pairs = _errors(earlier, later, paired)
    missing = sum(trial.fault == "missing" for trials in later.values() for trial in trials)
    outcomes = _outcomes(suite, earlier, later, paired, pessimistic=True)
    reasons: list[str] = []

    breaks = [
        f"{case}: {line}" for case in later for trial in later[case] if trial.score for line in trial.score.broken
    ]
    lost, unconfirmed = _hard_breaks(earlier, later, paired, confirm)
    for line in dict.fromkeys(breaks):
        reasons.append(f"Broken invariant: {line}.")
    for case in lost:
        reasons.append(
            f"The critical case {case} passed every time before and fails every time now, fresh repeats included."
        )
    for case in unconfirmed:
        reasons.append(f"The critical case {case} is lost, but no fresh repeats could confirm it.")

    status = _overall(outcomes, bool(breaks or lost), bool(unconfirmed))
    if 0 < errored <= ERRORED * pairs:
        optimistic = _overall(
            _outcomes(suite, earlier, later, paired, pessimistic=False), bool(breaks or lost), bool(unconfirmed)
        )
        if optimistic != status:
            reasons.append(f"{errored} of {pairs} pairs errored, and what they would have shown decides the verdict.")
            status = "inconclusive"
    if missing:
        reasons.append(f"{missing} recordings are missing: record them (coach eval record {suite.suite}).")
        status = "unverifiable"
    elif not paired:
        reasons.append("No case is in both runs: there is nothing to compare.")
        status = "unverifiable"
    elif errored > ERRORED * pairs:
        reasons.append(f"{errored} of {pairs} pairs errored, more than {ERRORED:.0%}: nothing can be claimed.")
        status = "unverifiable"
    elif not after.complete:
        reasons.append("The run is not complete: resume it.")
        status = "unverifiable"
    reasons.extend(_say(outcome) for outcome in outcomes if status not in ("unverifiable",))

    return Verdict(
        suite=suite.suite,
        status=status,
        reasons=tuple(reasons),
        outcomes=outcomes,
        changes=_changes(earlier, later, paired, [gate.metric for gate in suite.gates]),
        paired=len(paired),
        only_before=tuple(sorted(earlier.keys() - later.keys())),
        only_after=tuple(sorted(later.keys() - earlier.keys())),
        changed_cases=tuple(sorted(changed)),
        errored=errored,
        rescored=rescored,
        calibration=before.calibration,
        alpha=ALPHA,
    )


def cluster_deltas(before: Values, after: Values, clusters: Mapping[str, str]) -> list[float]:
    """The difference of each cluster, in order of name: repeats averaged per case, cases averaged per cluster."""
    grouped: dict[str, list[float]] = defaultdict(list)
    for case in sorted(before.keys() & after.keys()):
        grouped[clusters[case]].append(_mean(after[case]) - _mean(before[case]))
    return [_mean(grouped[name]) for name in sorted(grouped)]


def over_clusters(trials: Sequence[Trial], metric: str) -> float:
    """The mean of a metric in one run: repeats averaged per case, cases per cluster; 0 when nothing measures it."""
    by_case = _by_case(trials)
    values = {case: v for case, held in by_case.items() if (v := _values(held, (), metric, 0.0))}
    return _mean(
        cluster_deltas({case: [0.0] for case in values}, values, {c: t[0].cluster for c, t in by_case.items()})
    )


def outcome(gate: Gate, before: Values, after: Values, clusters: Mapping[str, str], tests: int) -> Outcome:
    """What one metric says by itself, its p-value not yet corrected and its status open ("inconclusive")."""
    deltas = cluster_deltas(before, after, clusters)
    none = {case: [0.0] for case in before.keys() & after.keys()}
    earlier, later = cluster_deltas(none, before, clusters), cluster_deltas(none, after, clusters)
    low, high = interval(deltas)
    return Outcome(
        metric=gate.metric,
        status="inconclusive",
        before=_mean(earlier),
        after=_mean(later),
        delta=_mean(deltas),
        low=low,
        high=high,
        p=sign_flip(deltas),
        margin=gate.margin,
        clusters=len(deltas),
        detectable=detectable(deltas, tests),
    )


def decide(drops: Sequence[Outcome], rises: Sequence[float]) -> tuple[Outcome, ...]:
    """The outcomes with corrected p-values and their status; ``rises`` are the p-values of an improvement."""
    falls, ups = holm([o.p for o in drops]), holm(rises)
    return tuple(
        o.model_copy(update={"p": p, "status": _status(o, p, up)}) for o, p, up in zip(drops, falls, ups, strict=True)
    )


def _status(outcome: Outcome, p: float, p_rise: float) -> Status:
    if not outcome.clusters:
        return "inconclusive"
    if p < ALPHA and outcome.delta <= -outcome.margin:
        return "regressed"
    if p_rise < ALPHA and outcome.delta >= outcome.margin:
        return "improved"
    return "unchanged" if outcome.low >= -EQUIVALENT and outcome.high <= EQUIVALENT else "inconclusive"


def _outcomes(
    suite: Suite,
    earlier: Mapping[str, Sequence[Trial]],
    later: Mapping[str, Sequence[Trial]],
    paired: Sequence[str],
    *,
    pessimistic: bool,
) -> tuple[Outcome, ...]:
    clusters = {case: later[case][0].cluster for case in paired}
    drops, rises = [], []
    for gate in suite.gates:
        before = {
            c: v for c in paired if (v := _values(earlier[c], later[c], gate.metric, 1.0 if pessimistic else 0.0))
        }
        after = {c: v for c in paired if (v := _values(later[c], earlier[c], gate.metric, 0.0 if pessimistic else 1.0))}
        drops.append(outcome(gate, before, after, clusters, len(suite.gates)))
        rises.append(sign_flip([-delta for delta in cluster_deltas(before, after, clusters)]))
    return decide(drops, rises)


def _values(trials: Sequence[Trial], others: Sequence[Trial], metric: str, when_errored: float) -> list[float]:
    """The metric in each repeat; an errored one counts as the bound, where the metric applies to the case at all."""
    applies = any(metric in trial.score.metrics for trial in (*trials, *others) if trial.score)
    values: list[float] = []
    for trial in trials:
        if trial.score is None:
            values.extend([when_errored] if applies else [])
        elif metric in trial.score.metrics:
            values.append(trial.score.metrics[metric])
    return values


def _overall(outcomes: Sequence[Outcome], broken: bool, unconfirmed: bool) -> Status:
    statuses = {outcome.status for outcome in outcomes}
    if broken or "regressed" in statuses:
        return "regressed"
    if unconfirmed or "inconclusive" in statuses or not statuses:
        return "inconclusive"
    return "improved" if "improved" in statuses else "unchanged"


def _hard_breaks(
    earlier: Mapping[str, Sequence[Trial]],
    later: Mapping[str, Sequence[Trial]],
    paired: Sequence[str],
    confirm: Confirm | None,
) -> tuple[list[str], list[str]]:
    """Critical cases that are lost for sure, and those whose loss could not be confirmed."""
    sure: list[str] = []
    unsure: list[str] = []
    for case in paired:
        if not any(trial.critical for trial in later[case]):
            continue
        was = [trial.score.passed for trial in earlier[case] if trial.score]
        now = [trial.score.passed for trial in later[case] if trial.score]
        if was and all(was) and now and not any(now):
            fresh = confirm(case) if confirm else ()
            if not fresh:
                unsure.append(case)
            elif not any(fresh):
                sure.append(case)
    return sure, unsure


def _errors(
    earlier: Mapping[str, Sequence[Trial]], later: Mapping[str, Sequence[Trial]], paired: Sequence[str]
) -> tuple[int, int]:
    """How many pairs (case and repeat) errored in either run, and how many pairs there are."""
    errored = pairs = 0
    for case in paired:
        bad = [{t.repeat for t in trials[case] if t.score is None} for trials in (earlier, later)]
        every = {t.repeat for t in (*earlier[case], *later[case])}
        errored += len(bad[0] | bad[1])
        pairs += len(every)
    return errored, pairs


def _changes(
    earlier: Mapping[str, Sequence[Trial]],
    later: Mapping[str, Sequence[Trial]],
    paired: Sequence[str],
    metrics: Sequence[str],
) -> tuple[CaseChange, ...]:
    """What happened to each paired case, the worst first; cases in which nothing moved are left out."""
    changes = []
    for case in paired:
        before, after = _means(earlier[case]), _means(later[case])
        moved = [after[name] - before[name] for name in metrics if name in before and name in after]
        was, now = _usual(earlier[case]), _usual(later[case])
        errors = tuple(dict.fromkeys(trial.error for trial in later[case] if trial.error))
        change = CaseChange(
            case=case,
            cluster=later[case][0].cluster,
            delta=min(moved, key=lambda delta: (delta > 0, -abs(delta)), default=0.0),
            before=before,
            after=after,
            lost=tuple(line for line in was if line not in now),
            gained=tuple(line for line in now if line not in was),
            errors=errors,
        )
        if change.lost or change.gained or errors or any(moved):
            changes.append(change)
    return tuple(sorted(changes, key=lambda change: (not change.errors, change.delta, change.case)))


def _usual(trials: Sequence[Trial]) -> list[str]:
    """The findings shown in at least half of the repeats."""
    held = [trial for trial in trials if trial.score]
    seen = dict.fromkeys(line for trial in held for line in trial.items)
    return [line for line in seen if 2 * sum(line in trial.items for trial in held) >= len(held)]


def _means(trials: Sequence[Trial]) -> dict[str, float]:
    held = [trial.score.metrics for trial in trials if trial.score]
    names = dict.fromkeys(name for metrics in held for name in metrics)
    return {name: _mean([metrics[name] for metrics in held if name in metrics]) for name in names}


def _by_case(trials: Sequence[Trial]) -> dict[str, list[Trial]]:
    grouped: dict[str, list[Trial]] = defaultdict(list)
    for trial in trials:
        grouped[trial.case].append(trial)
    return dict(grouped)


def _say(outcome: Outcome) -> str:
    if not outcome.clusters:
        return f"{outcome.metric}: no case measures it in both runs."
    moved = f"{outcome.metric} {outcome.before:.3f} → {outcome.after:.3f} ({outcome.delta:+.3f}, p = {outcome.p:.3f})"
    if outcome.status == "inconclusive":
        return (
            f"{moved}: the interval {outcome.low:+.3f} to {outcome.high:+.3f} is too wide to tell; the smallest drop "
            f"that these {outcome.clusters} notes could have shown is {outcome.detectable:.3f}."
        )
    return f"{moved}: {outcome.status}."


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if values else 0.0


def _deviation(values: Sequence[float]) -> float:
    mean = _mean(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))
