"""Which records are held back together."""

from __future__ import annotations

from collections.abc import Sequence

from training.corpus import Record

FOLDS = 4
GROUPS = {
    "authored-1": ("authored-1",),
    "authored-2": ("authored-2",),
    "authored-3": ("authored-3",),
    "authored-4": ("authored-4",),
    "council": ("council",),
    "spoken": ("qmsum", "tc39"),
    "own": ("own",),
}
"""What counts as one source when whole sources are left out."""


def group_of(source: str) -> str:
    """The group a source belongs to."""
    return next(group for group, sources in GROUPS.items() if source in sources)


def world_of(source: str) -> str:
    """What a source is like: ``workplace``, ``real`` (minutes and talk) or ``own`` (the project's short records)."""
    return "workplace" if source.startswith("authored") else "own" if source == "own" else "real"


def left_out(records: Sequence[Record], left: str) -> list[Record]:
    """The records to hold back: whole sources (``authored-2+council``), or a fold of the cross-validation.

    Fold k holds back one whole family of authored records, so that no author is seen, and every fourth record of the
    other sources, where new minutes of a known group are what is met in use. The project's own records among them teach
    the decision layer what a short record looks like; they are never counted as a source to judge by.
    """
    if left.startswith("fold-"):
        fold = int(left.removeprefix("fold-"))
        others = [r for r in records if not r.source.startswith("authored")]
        return [r for r in records if r.source == f"authored-{fold}"] + others[fold - 1 :: FOLDS]
    sources = {source for group in left.split("+") if group for source in GROUPS[group]}
    return [r for r in records if r.source in sources]
