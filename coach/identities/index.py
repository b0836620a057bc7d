"""Looks names up in running text: which words, in this case and this place, stand for whom."""

from __future__ import annotations

import bisect
import re
from collections.abc import Container, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from coach.identities.spellings import (
    WORD,
    Words,
    derived,
    fold,
    given_names,
    is_cjk,
    is_common,
    listed,
    name_words,
    words_of,
    words_that_are_names,
)

EntityType = Literal[
    "person",
    "handle",
    "email",
    "url",
    "ip",
    "phone",
    "card",
    "iban",
    "birth_date",
    "address",
    "company",
    "customer",
    "project",
    "place",
    "literal",
]
"""``literal`` is text that happened to look like a pseudonym in use, and was replaced so that it can be told apart."""

_JOINT = re.compile(r"(?:[ \t\u00a0]{1,2}|[-'’_.]|\.[ \t\u00a0]|, )\Z")


@dataclass(frozen=True, slots=True)
class Known:
    """What one spelling may stand for: ``owner`` is a label; ``exact`` the only text to accept, if there is one."""

    owner: str
    type: EntityType
    rank: int
    exact: str | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """A stretch of text that stands for ``owner``, or for one of several people who share the spelling (``None``)."""

    start: int
    end: int
    type: EntityType
    owner: str | None


@dataclass
class Index:
    """Spellings of people and things. Built once, then only read; see :func:`coach.identities.Identities.index`."""

    spellings: dict[Words, tuple[Known, ...]] = field(default_factory=dict)
    longest: dict[str, int] = field(default_factory=dict)
    unspaced: dict[str, Known] = field(default_factory=dict)

    def copy(self) -> Index:
        """An index that can grow without changing this one."""
        return Index(dict(self.spellings), dict(self.longest), dict(self.unspaced))

    def add_person(self, name: str, owner: str, rank: int = 0, without: Container[Words] = ()) -> None:
        """Adds a name and what can be derived from it, but for the spellings in ``without``; ``rank`` decides between
        people who share a spelling.

        The name itself ranks two higher, its parts one higher than nicknames.
        """
        words = name_words(name)
        if not words:
            return
        if is_cjk(name):
            self._add_unspaced(name, Known(owner, "person", rank))
            return
        exact = name.strip() if len(words) == 1 and len(words[0]) <= 3 and name.strip().isupper() else None
        parts, nicks = derived(name)
        ranked = [(words, rank + 2), *((part, rank + 1) for part in parts), *((nick, rank) for nick in nicks)]
        for number, (spelling, own) in enumerate(ranked):
            if spelling not in without:
                self._add(spelling, Known(owner, "person", own, None if number else exact))

    def add_address(self, address: str, owner: str, rank: int = 0) -> None:
        """Adds the person whom an e-mail address like ``jane.doe@`` names."""
        words = words_of(address.partition("@")[0])
        if len(words) == 2 and words[0] in given_names() and words[1].isalpha() and len(words[1]) > 1:
            self.add_person(" ".join(words), owner, rank)

    def add_term(self, text: str, type: EntityType, owner: str, rank: int = 0) -> None:
        """Adds a company, customer, project or place; made of ordinary words only, it has to be written just so."""
        words = words_of(text)
        if not words:
            return
        if is_cjk(text):
            self._add_unspaced(text, Known(owner, type, rank + 2))
            return
        ordinary = all(is_common(word) or len(word) < 3 for word in words)
        self._add(words, Known(owner, type, rank + 2, text if ordinary else None))

    def _add(self, words: Words, known: Known) -> None:
        present = self.spellings.get(words)
        if present is None:
            self.spellings[words] = (known,)
            self.longest[words[0]] = max(self.longest.get(words[0], 0), len(words))
            return
        if any(other.owner == known.owner and other.rank >= known.rank for other in present):
            return
        others = tuple(other for other in present if other.owner != known.owner)
        self.spellings[words] = (*others, known)

    def _add_unspaced(self, name: str, known: Known) -> None:
        compact = name.strip()
        for text in {compact, *compact.split()}:
            if len(text) > 1:
                self.unspaced.setdefault(text, known)

    def owners(self, words: Words) -> tuple[Known, ...]:
        """Who a spelling may stand for: those of the highest rank."""
        found = self.spellings.get(words, ())
        best = max((known.rank for known in found), default=0)
        return tuple(known for known in found if known.rank == best)

    def matches(self, text: str, *, strict: bool = False, casual: frozenset[str] = frozenset()) -> Iterator[Match]:
        """The stretches of text that stand for someone, left to right, the longest first, never overlapping.

        Names that are also words (``Will``, ``May``) are decided by what stands around them. With ``strict`` they need
        clear signs of a name; ``casual`` holds folded names that these notes write in lower case.
        """
        covered = 0
        for word in WORD.finditer(text):
            if fold(word[0]) not in self.longest or word.start() < covered:
                continue
            match = self._match_at(text, word, strict, casual)
            if match is not None:
                covered = match.end
                yield match
        for name, known in self.unspaced.items():
            for found in re.finditer(re.escape(name), text):
                yield Match(found.start(), found.end(), known.type, known.owner)

    def _match_at(self, text: str, word: re.Match[str], strict: bool, casual: frozenset[str]) -> Match | None:
        start, tokens = word.start(), [word]
        following = WORD.finditer(text, word.end())
        while len(tokens) < self.longest[fold(word[0])]:
            token = next(following, None)
            if token is None or not _JOINT.match(text[tokens[-1].end() : token.start()]):
                break
            tokens.append(token)
        folded = tuple(fold(token[0]) for token in tokens)
        for length in range(len(tokens), 0, -1):
            words = folded[:length]
            if words not in self.spellings:
                continue
            end = tokens[length - 1].end()
            known = [k for k in self.owners(words) if k.exact is None or k.exact == text[start:end]]
            if not known or not _bounded(text, start, end):
                continue
            if known[0].type == "person" and not self._reads_as_name(text, start, end, words, strict, casual):
                continue
            return Match(start, end, known[0].type, known[0].owner if len(known) == 1 else None)
        return None

    @staticmethod
    def _reads_as_name(text: str, start: int, end: int, words: Words, strict: bool, casual: frozenset[str]) -> bool:
        if len(words) > 1:
            if any(len(word) == 1 for word in words):
                return "," not in text[start:end] and all(p[:1].isupper() for p in WORD.findall(text[start:end]))
            return not all(is_common(word) for word in words) or text[start].isupper()
        word = words[0]
        if not is_common(word) and len(word) > 2:
            return True
        if len(word) <= 2 and text[start:end].isupper() and len(text[start:end]) > 1:
            return True
        return reads_as_name(text, start, end, strict=strict, casual=word in casual)


def _bounded(text: str, start: int, end: int) -> bool:
    before, after = text[start - 1 : start], text[end : end + 1]
    return not (before.isalnum() or after.isalnum())


_LINE_START = re.compile(
    r"(?:^|\n)[ \t>]*+(?:[-*+•–#]{1,60}+[ \t]++|\d++[.)][ \t]++|\[[^\]\n]{0,20}\][ \t]*+|[*_])*+\Z"
)
_NEXT_WORD = re.compile(r"[ \t]*([^\W_]+(?:['’]\w+)?)")
_PREVIOUS_WORD = re.compile(r"(?<![^\W_])([^\W_]++(?:['’]\w++)?+)[ \t]*+\Z")
_LABEL = re.compile(r"(?:[*_]{1,3})?(?:[ \t]*\([^)\n]{0,30}\))?[ \t]*(?::|[ \t]-[ \t])")
_POSSESSIVE = re.compile(r"['’]s\b")


def reads_as_name(text: str, start: int, end: int, *, strict: bool = False, casual: bool = False) -> bool:
    """Whether a name that is also a word (Will, May, Rose, Stone) is a name here, judged by its neighbours.

    Without ``strict``, capitals in doubt count as a name; with it they do not. ``casual`` says that these notes write
    this name in lower case.
    """
    lead = text[max(0, start - 60) : start]
    tail = text[end : end + 60]
    at_line_start = _LINE_START.search(lead) is not None and (start <= 60 or "\n" in lead)
    if lead.endswith("@") or (at_line_start and _LABEL.match(tail)):
        return not strict or text[start].isupper()
    previous_match = None if at_line_start else _PREVIOUS_WORD.search(lead)
    following_match = _NEXT_WORD.match(tail)
    previous = fold(previous_match.group(1)) if previous_match else ""
    following = fold(following_match.group(1)) if following_match else ""
    word = fold(text[start:end])
    if word in listed("months") and (
        previous in listed("before_month") or previous.isdigit() or following[:1].isdigit() or previous[:-2].isdigit()
    ):
        return False
    if text[start].isupper():
        if previous_match is not None and previous_match.group(1).islower() and text[start + 1 : end].islower():
            return True
        if following in listed("not_after_name"):
            return False
        if _POSSESSIVE.match(tail):
            return True
        if previous and not previous[:1].isdigit():
            shouting = (
                text[start:end].isupper()
                and len(word) > 1
                and previous_match is not None
                and previous_match.group(1).isupper()
            )
            return not strict or not (shouting or previous_match is None or previous_match.group(1)[:1].isupper())
        return not strict
    if strict:
        return False
    if _POSSESSIVE.match(tail):
        return casual and previous not in listed("before_word")
    if not casual:
        return False
    if previous in listed("before_word") or following in listed("not_after_name"):
        return previous in listed("before_name") and not following
    return True


def looks_like_role(name: str) -> bool:
    """Whether a speaker label names a role ("Project Manager", "Speaker 2", "All") and nobody in particular."""
    words = words_of(name)
    if not words or any(word in given_names() and not is_common(word) for word in words):
        return not words
    if words[0] in listed("titles") and words[0] not in listed("roles") and len(words) > 1:
        return False
    if len(words) == 1 and len(words[0]) < 5 and name.strip().isupper():
        return words[0] in listed("roles")
    if words[0] == "the" or any(word.isdigit() for word in words):
        return True
    if is_cjk(name):
        return False
    return all(
        word in listed("roles") or len(word) == 1 or (is_common(word) and word not in words_that_are_names())
        for word in words
    )


def one_edit_apart(one: str, other: str) -> bool:
    """Whether two words differ by one letter added, dropped, changed or swapped with its neighbour."""
    if abs(len(one) - len(other)) > 1 or one == other:
        return False
    if len(one) == len(other):
        different = [i for i, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
        if len(different) == 1:
            return True
        return (
            len(different) == 2
            and different[1] == different[0] + 1
            and one[different[0]] == other[different[1]]
            and one[different[1]] == other[different[0]]
        )
    short, long = sorted((one, other), key=len)
    return any(long[:i] + long[i + 1 :] == short for i in range(len(long)))


def without_overlaps(matches: Iterable[Match]) -> list[Match]:
    """The matches in text order; of two that overlap, the longer stays, then the earlier given."""
    ordered = sorted(enumerate(matches), key=lambda item: (item[1].start - item[1].end, item[0]))
    kept: list[Match] = []
    starts: list[int] = []
    for _, match in ordered:
        at = bisect.bisect(starts, match.start)
        if at and kept[at - 1].end > match.start:
            continue
        if at < len(kept) and kept[at].start < match.end:
            continue
        starts.insert(at, match.start)
        kept.insert(at, match)
    return kept
