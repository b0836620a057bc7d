"""Matching what was found to what is there: same kind, enough overlap, one to one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Span:
    """A stretch of text of some kind. start, end: code point offsets, end exclusive. rank: lower is matched first."""

    kind: str
    start: int
    end: int
    rank: int = 0


def overlap(one: Span, other: Span) -> float:
    """How well two spans agree, 0 to 1: intersection over union, or 0 when they do not count as the same passage.

    They count when they are of one kind and either IoU >= 0.5 or the intersection covers half of the shorter one: a
    clause and the sentence around it are the same passage to a reader.
    """
    shared = min(one.end, other.end) - max(one.start, other.start)
    if one.kind != other.kind or shared <= 0:
        return 0.0
    union = max(one.end, other.end) - min(one.start, other.start)
    shorter = min(one.end - one.start, other.end - other.start)
    iou = shared / union
    return iou if iou >= 0.5 or shared / shorter >= 0.5 else 0.0


def match(found: Sequence[Span], gold: Sequence[Sequence[Span]]) -> dict[int, int]:
    """Which finding stands for which gold passage: index of ``found`` -> index of ``gold``, one to one.

    ``gold[j]`` holds the places at which passage j may be quoted (an objection raised twice may be quoted once). The
    assignment is optimal (Hungarian method, ``scipy.optimize.linear_sum_assignment``): as many matches as possible,
    lower ranks first, then the best overlap.
    """
    weights = [[max((_weight(f, place) for place in places), default=0.0) for places in gold] for f in found]
    if not any(any(row) for row in weights):
        return {}
    # Almost always each finding overlaps one gold passage and the other way round: nothing to optimise.
    rows = [[j for j, weight in enumerate(row) if weight] for row in weights]
    taken = [j for row in rows for j in row]
    if all(len(row) <= 1 for row in rows) and len(set(taken)) == len(taken):
        return {i: row[0] for i, row in enumerate(rows) if row}
    import numpy as np
    from scipy.optimize import linear_sum_assignment

    matrix = np.array(weights)
    pairs = zip(*linear_sum_assignment(matrix, maximize=True), strict=True)
    return {int(i): int(j) for i, j in pairs if matrix[i, j] > 0}


def _weight(found: Span, place: Span) -> float:
    """Above 1000 for any match of rank 0, above 1 for rank 1, so that no overlap outweighs one more match."""
    agreed = overlap(found, place)
    return (1000.0 if place.rank == 0 else 1.0) + agreed if agreed else 0.0
