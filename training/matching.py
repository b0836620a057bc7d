"""When a shown passage counts as a marked one."""

from __future__ import annotations

from typing import Any


def overlaps(start: int, end: int, other_start: int, other_end: int) -> bool:
    """Whether two spans share at least half of the shorter one."""
    shared = min(end, other_end) - max(start, other_start)
    return shared > 0 and 2 * shared >= min(end - start, other_end - other_start)


def spans_of(finding: dict[str, Any]) -> list[tuple[int, int]]:
    """Every place that counts as this finding: its main sentence and those that continue it."""
    return [(s["start"], s["end"]) for s in finding["spans"]]
