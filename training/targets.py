"""What the encoder should answer for each sentence of a record, as arrays with a weight beside each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from coach.acts import ACTS, LINKS, WORTH
from coach.schema import CATEGORICAL_SUBTYPES, NEEDS, OBJECTION_SUBTYPES
from training.corpus import Record

SOFT = {1: 0.35, 2: 0.9, 3: 1.0}
"""How sure "worth raising" is for each strength: strength 1 is what annotators disagree about."""

BRUSHED = ("dismissal", "parking", "bare_ok")


@dataclass(frozen=True)
class Targets:
    """Arrays over the sentences of one record; choices are -1 where there is nothing to choose."""

    acts: np.ndarray
    acts_weight: np.ndarray
    worth: np.ndarray
    unheard: np.ndarray
    unheard_weight: np.ndarray
    choices: np.ndarray
    links: dict[int, dict[int, tuple[float, float]]]
    whole: bool = True
    """Whether every sentence was labelled. If not, only the fate (heard or not) of some sentences is known."""


def blank(n: int) -> Targets:
    """Targets of ``n`` sentences of which nothing is known yet; ``unheard`` and ``links`` are there to be filled."""
    return Targets(
        np.zeros((n, len(ACTS)), np.float32),
        np.zeros((n, len(ACTS)), np.float32),
        np.zeros((n, len(WORTH)), np.float32),
        np.zeros(n, np.float32),
        np.zeros(n, np.float32),
        np.full((n, 3), -1, np.int64),
        {},
        whole=False,
    )


def targets(record: Record) -> Targets:
    """The targets of a record. A continuation shares the fate of the objection or need that it continues."""
    n = len(record.sentences)
    acts, weight = np.zeros((n, len(ACTS)), np.float32), np.ones((n, len(ACTS)), np.float32)
    worth = np.zeros((n, len(WORTH)), np.float32)
    unheard, unheard_weight = np.zeros(n, np.float32), np.zeros(n, np.float32)
    choices = np.full((n, 3), -1, np.int64)
    links: dict[int, dict[int, tuple[float, float]]] = {}
    column = {act: i for i, act in enumerate(ACTS)}
    for i, labels in enumerate(record.labels):
        for label in labels:
            acts[i, column[label.act]] = 0.75 if label.strength == 1 else 1.0
            if label.act in ("objection", "need"):
                worth_column = 0 if label.act == "objection" else 1
                open_ = float(label.status == "unheard")
                unheard[i], unheard_weight[i] = open_, 1.0 if label.strength > 1 else 0.6
                worth[i, worth_column] = max(worth[i, worth_column], open_ * SOFT[label.strength])
                if label.sub in OBJECTION_SUBTYPES:
                    choices[i, 0] = OBJECTION_SUBTYPES.index(label.sub)
                if label.need in NEEDS:
                    choices[i, 1] = NEEDS.index(label.need)
                links.setdefault(i, {})
            elif label.act == "categorical":
                worth[i, 2] = max(worth[i, 2], SOFT[label.strength])
                if label.sub in CATEGORICAL_SUBTYPES:
                    choices[i, 2] = CATEGORICAL_SUBTYPES.index(label.sub)
            elif label.act == "fine_strong_word":
                weight[i, column["categorical"]] = 3.0
    for i, labels in enumerate(record.labels):
        for label in labels:
            if label.act in ("uptake", *BRUSHED):
                for parent in label.of:
                    taken, brushed = links.setdefault(parent, {}).get(i, (0.0, 0.0))
                    links[parent][i] = (1.0, brushed) if label.act == "uptake" else (taken, 1.0)
            if label.act == "continuation":
                for parent in label.of:
                    if not unheard_weight[i] and unheard_weight[parent]:
                        unheard[i], unheard_weight[i] = unheard[parent], 0.5
                    # Half of an objection's length matches it, so a neighbour is nearly as good a quote.
                    soft = 0.4 * worth[parent, :2]
                    worth[i, :2] = np.maximum(worth[i, :2], soft)
    return Targets(acts, weight, worth, unheard, unheard_weight, choices, links)


def link_matrix(
    links: dict[int, dict[int, tuple[float, float]]], sentences: list[int | None]
) -> tuple[np.ndarray, np.ndarray]:
    """For the lines of a window: (links, lines, lines) targets and a (lines, lines) mask of the pairs that count."""
    at = {s: k for k, s in enumerate(sentences) if s is not None}
    matrix = np.zeros((len(LINKS), len(sentences), len(sentences)), np.float32)
    mask = np.zeros((len(sentences), len(sentences)), np.float32)
    for parent, later in links.items():
        if parent not in at:
            continue
        row = at[parent]
        mask[row, [k for s, k in at.items() if s > parent]] = 1.0
        for child, (taken, brushed) in later.items():
            if child in at and child > parent:
                matrix[:, row, at[child]] = taken, brushed
    return matrix, mask
