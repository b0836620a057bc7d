"""Ranking measures."""

from __future__ import annotations

import numpy as np


def area(score: np.ndarray, truth: np.ndarray) -> float:
    """Area under the ROC curve; nan without both classes. Ties count by order of appearance."""
    positive = int(truth.sum())
    if positive == 0 or positive == len(truth):
        return float("nan")
    order = np.argsort(np.argsort(score, kind="stable"), kind="stable") + 1.0
    return float((order[truth].sum() - positive * (positive + 1) / 2) / (positive * (len(truth) - positive)))


def average_precision(score: np.ndarray, truth: np.ndarray) -> float:
    """Mean precision at each true item, ranked by score; nan without any."""
    if not truth.any():
        return float("nan")
    hits = truth[np.argsort(-score, kind="stable")]
    return float((np.cumsum(hits) / np.arange(1, len(hits) + 1))[hits].mean())
