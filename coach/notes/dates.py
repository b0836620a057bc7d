"""The date that notes state."""

from __future__ import annotations

import re
from datetime import date

_MONTHS = {
    m: i for i, m in enumerate(["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1)
}
_MONTH = r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?"
_PATTERNS = (
    (re.compile(r"\b(\d{4})-(\d{1,2})-(\d{1,2})(?!\d)"), (1, 2, 3)),
    (re.compile(rf"\b(\d{{1,2}})(?:st|nd|rd|th)?\.?\s+(?:of\s+)?{_MONTH},?\s+(\d{{4}})\b", re.I), (3, 2, 1)),
    (re.compile(rf"\b{_MONTH}\s+(\d{{1,2}})(?:st|nd|rd|th)?,?\s+(\d{{4}})\b", re.I), (3, 1, 2)),
    (re.compile(r"\b(\d{4})/(\d{1,2})/(\d{1,2})\b"), (1, 2, 3)),
    (re.compile(r"\b(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})\b"), (3, 2, 1)),
)
_SLASHED = re.compile(r"\b(\d{1,2})/(\d{1,2})/(\d{4})\b")


def find_date(text: str) -> str | None:
    """The first full date in the opening of the text as ``YYYY-MM-DD``; ``None`` without a year or when ambiguous."""
    head = text[:1500]
    found = [
        (m.start(), day) for pattern, order in _PATTERNS for m in pattern.finditer(head) if (day := _day(m, order))
    ]
    for match in _SLASHED.finditer(head):
        first, second = int(match.group(1)), int(match.group(2))
        if first > 12 or second > 12 or first == second:
            day = _day(match, (3, 2, 1) if first > 12 else (3, 1, 2))
            found += [(match.start(), day)] if day else []
    return min(found)[1] if found else None


def _day(match: re.Match[str], order: tuple[int, int, int]) -> str | None:
    year, month, day = (match.group(i) for i in order)
    try:
        return date(int(year), int(month) if month.isdigit() else _MONTHS[month[:3].lower()], int(day)).isoformat()
    except ValueError:
        return None
