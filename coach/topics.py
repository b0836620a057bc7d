"""The noun phrase a passage is about ("the night shift"), and how the coach names it to its speaker or to others.

A plain chunker over function words: it takes a phrase only when both of its edges are sure, and only when it is what
the passage fears or asks for, or when the rest of the notes speak of it too. No phrase is better than a wrong one: the
coach then quotes instead.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from coach.lexicon import fold, listed

_DETERMINER = re.compile(
    r"(?:the|a|an|my|our|your|their|his|her|its|this|these|that|those|no|any|some|another|each|both|more|enough|two|"
    r"three|four|five|six)"
)
_FEARED = re.compile(
    r"\b(?:worr(?:y|ied|ies) (?:is |me is |about|that)|concern(?:s|ed)? (?:is |about|that)|afraid (?:of|that)|"
    r"nervous about|uneasy about|(?:problem|issue|trouble|risk) (?:is|with|of)|what about|what happens (?:to|with)|"
    r"happens to|who (?:covers|does|pays for|checks|looks after)|lack of|short of|no room for|without|need|needs|"
    r"needed|wish for|hope for|miss|missing|lacking|instead of|cost of|because of|hate to lose|lose|losing|covers?|"
    r"waiting for|asked for|asking for|(?:heard|told (?:me|us)) (?:about|of)|how do we (?:do|handle|cover)|"
    r"there(?:'s| is| are) no|not? (?:have|has|got|get) any)\s+(?=\w)"
)
_TOKEN = re.compile(r"(?<![\w.])[^\W\d_][\w'’-]*|\d+(?:[.,:]\d+)*")
_SUBJECTS = ("who", "he", "she", "it", "nobody", "somebody", "everybody", "everyone", "someone", "anybody", "anyone")
_NEAR = 12  # characters between a marker of fear or need and its phrase
_LONGEST = 1200


@dataclass(frozen=True)
class _Phrase:
    determiner: str
    words: tuple[str, ...]
    start: int

    @property
    def head(self) -> str:
        return fold(self.words[-1])


def topic(text: str, elsewhere: str | None = None) -> str | None:
    """The phrase the text is about, as it stands there, or None when none is plain.

    ``elsewhere`` is the rest of the notes: a phrase that is neither feared nor asked for counts only if its last word
    occurs there. Without it, any definite phrase will do.
    """
    flat = " ".join(text.split())[:_LONGEST]
    folded = fold(flat)
    marked = [match.end() for match in _FEARED.finditer(folded)]
    around = fold(elsewhere) if elsewhere is not None else None
    best: tuple[float, str] | None = None
    for phrase in _phrases(flat, folded):
        feared = any(0 <= phrase.start - end <= _NEAR for end in marked)
        known = around is None or bool(re.search(rf"\b{re.escape(phrase.head)}", around))
        if phrase.head in listed("weak_nouns") or not (feared or known):
            continue
        if not feared and phrase.words[-1][:1].isupper():
            continue  # "the Foundation", "the Council": who it is about, not what
        if phrase.determiner in ("a", "an", "another", "each", "both", "its", "his", "her", "") and not feared:
            continue
        if phrase.determiner in ("no", "any", "more", "enough", "") and not phrase.head.endswith("s"):
            continue  # "no sergeant" has no name of its own
        score = 3 * feared + known + 0.5 * (len(phrase.words) > 1) + min(len(phrase.head), 9) / 18
        if best is None or score > best[0]:
            best = (score, " ".join((*filter(None, [phrase.determiner]), *phrase.words)))
    return best[1] if best else None


def head(noun: str) -> str:
    """The last word of a phrase, folded and without its plural s: what two mentions of a topic have in common."""
    return fold(noun.split()[-1]).removesuffix("s")


def about(noun: str) -> str:
    """The phrase as the coach names it to others: "my team" becomes "their team"."""
    return _with(noun, {"my": "their", "our": "their"})


def to_you(noun: str) -> str:
    """The phrase as the coach names it to its speaker: "my team" becomes "your team"."""
    return _with(noun, {"my": "your", "our": "your"})


def _phrases(flat: str, folded: str) -> Iterator[_Phrase]:
    tokens = [match.span() for match in _TOKEN.finditer(flat)]
    position = 0
    while position < len(tokens):
        start, end = tokens[position]
        word = folded[start:end]
        determiner, at = "", position
        if _DETERMINER.fullmatch(word) and position + 1 < len(tokens) and flat[end : tokens[position + 1][0]].isspace():
            determiner, at = word, position + 1
        first, taken = at, list[str]()
        while at < len(tokens) and not (at > first and not flat[tokens[at - 1][1] : tokens[at][0]].isspace()):
            low = folded[slice(*tokens[at])]
            if not _nominal(low, bool(taken)):
                break
            taken.append(flat[slice(*tokens[at])])
            at += 1
        # "who closes up": what follows such a word is its verb, however much it looks like a plural.
        is_verb = not determiner and position > 0 and folded[slice(*tokens[position - 1])] in _SUBJECTS
        if 0 < len(taken) < 4 and not is_verb and (determiner or fold(taken[-1]) == taken[-1]):
            yield _Phrase(determiner, tuple(taken), start)
        position = max(at, position + 1)


def _nominal(word: str, inside: bool) -> bool:
    """Whether a folded word can be part of a noun phrase, as far as its form tells."""
    if word in listed("not_nouns") or _DETERMINER.fullmatch(word) or word[0].isdigit():
        return False
    if "'" in word and not word.endswith("'s"):
        return False
    if word.endswith("ly") and len(word) > 4:
        return False
    return not (inside and len(word) > 5 and word.endswith(("ed", "ing")))


_DROPPED = {"no": "", "any": "", "more": "", "enough": ""}
_POINTING = ("your", "this", "these", "that", "those", "his", "her", "its", "a", "an", "another", "some")


def _with(noun: str, swaps: dict[str, str]) -> str:
    first, space, rest = noun.partition(" ")
    low = fold(first)
    if not space or not _DETERMINER.fullmatch(low):
        return noun
    swapped = swaps.get(low, _DROPPED.get(low, "the" if low in _POINTING else low))
    return f"{swapped} {rest}".strip()
