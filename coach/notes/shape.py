"""What typed notes look like at a glance: told apart by their lines, before they are read."""

from __future__ import annotations

import re
from collections import Counter

from coach.notes.lines import split_lines
from coach.notes.people import looks_like_handle, looks_like_name

NAMES = ("speaker-labels", "minutes", "bullets", "markdown", "draft", "narrative")
_LABEL = re.compile(r"(?:[-*•>]\s+)?[*_]{0,2}([^\n:*_]{1,60})[*_]{0,2}:[*_]{0,2}(?:\s|$)")
_BULLET = re.compile(r"(?:[-*•‣◦·+]|\[[ xX]\])\s+")
_NUMBERED = re.compile(r"\d{1,2}[a-z]?[.)]\s")
_HEADING = re.compile(r"#{1,6} |h[1-6]\. ")
_MINUTES_OF = re.compile(r"\W{0,4}minutes of\b", re.I)
_FORMAL = re.compile(
    r"^\W{0,4}(?:minutes\b|apologies|present\b|in attendance|attendees|agenda|matters arising|resolved|"
    r"any other business|aob\b|"
    r"date of next meeting|decisions?\b|actions?\b|minutes of)",
    re.I,
)
_VOICE = re.compile(
    r"\b(?:it was (?:agreed|resolved|felt|noted|proposed|explained|observed|pointed)|reported that|"
    r"RESOLVED|was carried)\b|^\W{0,3}minutes of\b",
    re.I,
)
_DRAFT = re.compile(
    r"\bdraft\b|\b(?:what|things) i(?:'d| would)? (?:want|plan|like|will|'ll) (?:to )?say|"
    r"\bwhat i[’']ll say|\bi (?:want|plan) to say|"
    r"\bmy (?:talk|speech|opening|remarks) (?:with|to|for|on)|\bnotes for my\b|\btalking points\b|"
    r"\bnot sent\b|\bno more\.$|^for (?:mon|tues|wednes|thurs|fri|satur|sun)day\b",
    re.I,
)

_LIST = re.compile(
    r"^\W{0,4}(?:present|attendees|attendance|in attendance|participants|apologies)\b[^:\n]{0,20}:", re.I
)
"""Whoever lists who came writes of a meeting, even if a draft was read there."""


def sniff(text: str, name: str) -> float:
    """How much a text looks like the format of that name, 0 to 1."""
    lines = [line.text for line in split_lines(text[:20_000]) if line.text][:300]
    if not lines:
        return 0.01
    labels = [
        m.group(1).split(" (")[0].strip().casefold()
        for line in lines
        if (m := _LABEL.match(line)) and _may_label(m.group(1))
    ]
    often = Counter(labels)
    repeated = sum(count for count in often.values() if count > 1)
    spoken = (len(labels) if len(lines) <= 8 else repeated) / len(lines)
    bullets = sum(1 for line in lines if _BULLET.match(line)) / len(lines)
    numbered = sum(1 for line in lines if _NUMBERED.match(line)) / len(lines)
    headings = sum(1 for line in lines if _HEADING.match(line))
    tables = sum(1 for line in lines if line.count("|") >= 3) / len(lines)
    if name == "speaker-labels":
        if spoken < 0.4:
            return 0.45 * spoken
        return 0.8 if bullets < 0.5 and tables < 0.3 else 0.5
    if name == "minutes":
        formal = sum(1 for line in lines if _FORMAL.match(line)) + 2 * any(
            _MINUTES_OF.match(line) for line in lines[:4]
        )
        voice = len(_VOICE.findall(text[:20_000]))
        return (0.75 if voice else 0.55) if formal + min(voice, 3) >= 3 and bullets < 0.4 and tables < 0.5 else 0.0
    if name == "bullets":
        if bullets < 0.4 and bullets + numbered < 0.4:
            return 0.32 if bullets >= 0.2 else 0.0
        return 0.6 if headings == 0 else 0.4
    if name == "markdown":
        return 0.58 if tables >= 0.3 or headings >= 2 else 0.35 if headings else 0.0
    if name == "draft":
        listed = any(_LIST.match(line) for line in lines[:6])
        return 0.7 if spoken < 0.4 and not listed and any(_DRAFT.search(line[:200]) for line in lines[:3]) else 0.0
    return 0.3


def _may_label(written: str) -> bool:
    bare = re.sub(r"(?:(?<!\s)\s++|)\([^)]{0,60}\)?$", "", written.strip())
    return looks_like_name(bare) or looks_like_handle(bare)
