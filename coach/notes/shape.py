"""What typed notes look like at a glance: told apart by their lines, before they are read."""

from __future__ import annotations

import re

from coach.notes.lines import split_lines
from coach.notes.people import looks_like_handle, looks_like_name

NAMES = ("speaker-labels", "minutes", "bullets", "markdown", "draft", "narrative")
_LABEL = re.compile(r"(?:[-*•>]\s+)?[*_]{0,2}([^\n:*_]{1,60})[*_]{0,2}:[*_]{0,2}(?:\s|$)")
_BULLET = re.compile(r"(?:[-*•‣◦·+]|\[[ xX]\])\s+")
_FORMAL = re.compile(
    r"^\W{0,4}(?:minutes\b|apologies|present\b|in attendance|attendees|agenda|matters arising|resolved|any other business|aob\b|"
    r"date of next meeting|decisions?\b|actions?\b|minutes of)", re.I,
)
_VOICE = re.compile(r"\b(?:it was (?:agreed|resolved|felt|noted|proposed|explained|observed|pointed)|reported that|RESOLVED|was carried)\b|^\W{0,3}minutes of\b", re.I)
_DRAFT = re.compile(
    r"\bdraft\b|\b(?:what|things) i(?:'d| would)? (?:want|plan|like|will|'ll) (?:to )?say|\bwhat i[’']ll say|\bi (?:want|plan) to say|"
    r"\bmy (?:talk|speech|opening|remarks) (?:with|to|for|on)|\bnotes for my\b|\btalking points\b|\bnot sent\b|\bno more\.$|^for (?:mon|tues|wednes|thurs|fri|satur|sun)day\b",
    re.I,
)


def sniff(text: str, name: str) -> float:
    """How much a text looks like the format of that name, 0 to 1."""
    lines = [line.text for line in split_lines(text[:20_000]) if line.text][:300]
    if not lines:
        return 0.01
    total = len(lines)
    labelled = sum(1 for line in lines if (m := _LABEL.match(line)) and (looks_like_name(re.sub(r"\s*\([^)]*\)$", "", m.group(1).strip())) or looks_like_handle(m.group(1))))
    bullets = sum(1 for line in lines if _BULLET.match(line)) / total
    headings = sum(1 for line in lines if re.match(r"#{1,6} |h[1-6]\. ", line))
    tables = sum(1 for line in lines if line.count("|") >= 3) / total
    formal = sum(1 for line in lines if _FORMAL.match(line))
    spoken = labelled / total
    if name == "speaker-labels":
        return 0.8 if spoken >= 0.4 and bullets < 0.5 and tables < 0.3 else 0.5 if spoken >= 0.4 else 0.45 * spoken
    if name == "minutes":
        voice = len(_VOICE.findall(text[:20_000]))
        return 0.75 if formal + voice >= 3 and voice and bullets < 0.4 else 0.55 if formal >= 3 and bullets < 0.5 else 0.0
    if name == "bullets":
        return 0.6 if bullets >= 0.4 and headings == 0 else 0.4 if bullets >= 0.2 else 0.0
    if name == "markdown":
        return 0.58 if tables >= 0.3 or headings >= 2 else 0.35 if headings else 0.0
    if name == "draft":
        head = "\n".join(lines[:3])
        return 0.7 if any(_DRAFT.search(line) for line in lines[:3]) and spoken < 0.4 and len(head) < 2000 else 0.0
    return 0.3 if total else 0.01
