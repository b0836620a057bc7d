"""A scorer for review suites: a review that raises more than a few things is read by nobody."""

from __future__ import annotations

from coach_eval.schema import Score, Suite
from coach_eval.tasks.review import ReviewCase, Seen

ENOUGH = 5


def restraint(case: ReviewCase, suite: Suite, seen: Seen) -> Score:
    """``restraint``: 1 up to five shown findings, then their share; name it under ``scorers`` and ``gates``."""
    shown = sum(finding.tier == "finding" for finding in seen.findings)
    return Score(metrics={"restraint": min(1.0, ENOUGH / shown) if shown else 1.0})
