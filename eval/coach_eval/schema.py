"""The values of the harness. All are frozen and refuse unknown keys.

A *suite* says what is exercised and which metrics gate; a *case* is one question with its gold answer; a *trial* is
one repeat of one case; a *run* is all trials of a suite on one state of the code. A baseline is a blessed run.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

NAME = r"^[a-z][a-z0-9_-]*$"
"""Of a suite or a folder of cases: they become names of files, so they can be no path."""
ID = r"^[a-z0-9][a-z0-9._-]*$"
"""Of a case."""

Origin = Literal["api", "server", "authored"]
Status = Literal["regressed", "improved", "unchanged", "inconclusive", "unverifiable"]
Mode = Literal["live", "record", "replay"]


class Strict(BaseModel):
    """A frozen value that refuses unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True)


class Gate(Strict):
    """A metric that may stop a change: it regressed when p < alpha (after Holm) and the drop is at least ``margin``."""

    metric: str
    margin: float = Field(0.02, gt=0, le=1)


class Budget(Strict):
    """What one run may cost and how fast it may go; ``--max-usd`` goes before ``usd``."""

    usd: float | None = Field(None, ge=0)
    calls_per_minute: int | None = Field(None, ge=1)


class Suite(Strict):
    """What is exercised, on which cases, how often, and which metrics gate.

    ``cases`` is a folder under ``eval/cases``; several suites may share one. ``findings`` narrows a review suite to
    some kinds of finding. ``provider`` and ``model`` pin what was recorded; the ``llm`` engine needs a model.
    ``prompt`` names the prompt folder that ``mutate`` takes apart.
    """

    suite: str = Field(pattern=NAME)
    description: str = ""
    task: str = "review"
    cases: str = Field(pattern=NAME)
    engine: Literal["local", "llm"] = "local"
    provider: str = "openai"
    model: str | None = None
    prompt: str | None = None
    findings: tuple[str, ...] = ()
    split: Literal["dev", "holdout", "all"] = "all"
    repeats: int = Field(1, ge=1, le=50)
    scorers: tuple[str, ...] = ()
    gates: tuple[Gate, ...] = ()
    budget: Budget = Budget()


class Case(Strict):
    """What every case has. ``cluster`` is the source note: cases of one note count as one observation.

    A ``critical`` case that the baseline passes every time may not be lost: once fresh repeats confirm it, its loss is
    a regression by itself.
    """

    id: str = Field(pattern=ID)
    cluster: str
    split: Literal["dev", "holdout"] = "dev"
    critical: bool = False
    about: str = ""


class Score(Strict):
    """What the scorers say about one trial.

    metrics: name -> 0 to 1, higher is better; a metric that does not apply to the case is absent.
    counts: sums over a suite, from which P, R and F1 per kind are made (``unheard_objection.hit``).
    broken: invariants that no change may break, in words; empty is the rule.
    passed: whether everything the case asks for was there.
    """

    metrics: dict[str, float] = {}
    counts: dict[str, int] = {}
    broken: tuple[str, ...] = ()
    passed: bool = True


class Trial(Strict):
    """One repeat of one case: what came out, or the error. ``seconds`` is the time in the engine.

    ``seen`` is kept so that a later scorer can judge an earlier run.
    """

    case: str = Field(pattern=ID)
    cluster: str
    repeat: int = Field(ge=0)
    seen: dict[str, Any] | None = None
    score: Score | None = None
    items: tuple[str, ...] = ()
    critical: bool = False
    error: str | None = None
    fault: Literal["missing", "provider", "budget", "engine"] | None = None
    seconds: float = 0.0
    usd: float = 0.0


class Digests(Strict):
    """SHA-256 of what a run depended on; ``cases`` by id, so that changed cases can be told from unchanged ones."""

    suite: str
    scorer: str
    subject: str
    prompt: str | None = None
    cases: dict[str, str] = {}


class Calibration(Strict):
    """How the gate behaves on a suite, by replaying it: share of replays without a change that were called regressed.

    noise: where the differences came from (``repeats``: resampled from the repeats of the blessed run).
    """

    replays: int
    false_alarms: float
    noise: str


class Run(Strict):
    """All trials of a suite on one state of the code: what a run writes, and what a baseline is."""

    schema_: Literal["coach.eval-run/1"] = Field("coach.eval-run/1", alias="schema")
    suite: str = Field(pattern=NAME)
    task: str
    engine: str
    model: str | None = None
    origins: tuple[Origin, ...] = ()
    commit: str | None = None
    date: str
    repeats: int
    complete: bool
    digests: Digests
    trials: tuple[Trial, ...] = ()
    notices: tuple[str, ...] = ()
    calibration: Calibration | None = None


class Outcome(Strict):
    """What the paired test says about one gated metric.

    before, after: means over clusters, over the cases both arms hold. delta: after - before. low, high: 95 % interval
    of delta. p: one-sided, after Holm. detectable: the smallest drop this suite would have seen nine times in ten.
    """

    metric: str
    status: Status
    before: float
    after: float
    delta: float
    low: float
    high: float
    p: float
    margin: float
    clusters: int
    detectable: float


class CaseChange(Strict):
    """One case in both arms. lost, gained: findings, in words, that only the baseline or only this run shows."""

    case: str = Field(pattern=ID)
    cluster: str
    delta: float
    before: dict[str, float]
    after: dict[str, float]
    lost: tuple[str, ...] = ()
    gained: tuple[str, ...] = ()
    errors: tuple[str, ...] = ()


class Verdict(Strict):
    """The answer to "did this change make it worse?", worst cases first.

    ``reasons`` say in plain sentences why the status is what it is. ``calibration`` is the gate's own rate of false
    alarms, as measured when the baseline was blessed.
    """

    schema_: Literal["coach.eval-verdict/1"] = Field("coach.eval-verdict/1", alias="schema")
    suite: str = Field(pattern=NAME)
    status: Status
    reasons: tuple[str, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    changes: tuple[CaseChange, ...] = ()
    paired: int = 0
    only_before: tuple[str, ...] = ()
    only_after: tuple[str, ...] = ()
    changed_cases: tuple[str, ...] = ()
    errored: int = 0
    rescored: bool = False
    calibration: Calibration | None = None
    alpha: float = 0.05
