"""The spellings under which one name may turn up: its parts, nicknames, initials and handle stems.

Spellings are tuples of folded words (lower case, without diacritics), so that ``José`` and ``jose`` are one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from importlib.resources import files

Words = tuple[str, ...]

WORD = re.compile(r"[^\W_]+")
_TITLES = frozenset(
    ["mr", "mrs", "ms", "miss", "mx", "dr", "prof", "professor", "sir", "lady", "lord", "dame", "rev", "reverend", "fr", "father", "sister", "brother", "chef", "coach", "captain", "capt", "cllr", "councillor", "hon", "herr", "frau", "hr", "señor", "señora", "sr", "sra", "don", "doña", "dott", "ing", "dipl", "m", "mme", "mlle", "monsieur", "madame", "pan", "pani", "mag", "sgt", "lt", "col", "gen", "judge", "justice", "the"]
)
_PARTICLES = frozenset(
    ["van", "von", "de", "der", "den", "del", "della", "di", "da", "das", "do", "dos", "du", "la", "le", "el", "al", "bin", "ibn", "ben", "ter", "ten", "zu", "zur", "y", "e", "i", "af", "av", "och", "och"]
)
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


@lru_cache(maxsize=65536)
def fold(word: str) -> str:
    """The word in lower case without diacritics."""
    folded = word.casefold()
    if folded.isascii():
        return folded
    folded = folded.translate(_LETTERS)
    return "".join(c for c in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(c))


_LETTERS = str.maketrans({"ł": "l", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe", "ß": "ss", "ı": "i"})


def words_of(text: str) -> Words:
    """The folded words of a text."""
    return tuple(fold(word) for word in WORD.findall(text))


def is_cjk(text: str) -> bool:
    """Whether the text holds Chinese, Japanese or Korean letters, which stand without spaces between words."""
    return _CJK.search(text) is not None


def name_words(name: str) -> Words:
    """The folded words of a person's name, without titles."""
    words = words_of(name)
    kept = tuple(word for word in words if word not in _TITLES)
    return kept or words


@lru_cache(maxsize=4096)
def derived(name: str) -> frozenset[Words]:
    """Every spelling that may stand for a person of that name, the name itself included.

    ``Eric Huss`` gives eric huss, eric, huss, ehuss, eric h, e huss, erichuss, erich and the nicknames of Eric.
    """
    words = name_words(name)
    return frozenset(spelling for spelling in _spellings(words) if spelling and _long_enough(spelling)) | {words}


def _spellings(words: Words) -> Iterator[Words]:
    yield words
    first, last = words[0], words[-1]
    for nickname in nicknames(first):
        yield (nickname,)
    if len(words) == 1:
        return
    yield (first,)
    surname = next((words[i:] for i in range(1, len(words)) if words[i] not in _PARTICLES), (last,))
    yield surname
    yield words[1:]
    yield (last,)
    for middle in words[1:-1]:
        if middle not in _PARTICLES and len(middle) > 2:
            yield (middle,)
    for given in (first, *nicknames(first)):
        yield (given, last)
        yield (given, last[0])
        yield (given + last,)
        if len(given) > 2:
            yield (given + last[0],)
    yield (first[0], last)
    yield (first[0], *words[1:])
    yield (first[0] + last,)
    yield (first[0] + "".join(words[1:]),)
    yield (last + first,)
    yield (last, first)
    if len(last) > 2:
        yield (last + first[0],)


def _long_enough(spelling: Words) -> bool:
    return len(spelling) > 1 or len(spelling[0]) > 2 or is_cjk(spelling[0])


def nicknames(given: str) -> frozenset[str]:
    """The other forms of a given name, both ways: bob for robert, robert and rob for bob."""
    return _nickname_table().get(given, frozenset())


@lru_cache(maxsize=1)
def _nickname_table() -> dict[str, frozenset[str]]:
    groups = [
        [fold(word) for word in line.replace(":", " ").split()]
        for line in _data("nicknames.txt").splitlines()
        if line.strip() and not line.startswith("#")
    ]
    table: dict[str, set[str]] = {}
    for group in groups:
        for name in group:
            table.setdefault(name, set()).update(other for other in group if other != name)
    return {name: frozenset(others) for name, others in table.items()}


@lru_cache(maxsize=1)
def given_names() -> frozenset[str]:
    """The given names that the nickname table and the list of names know, folded."""
    listed = (line for line in _data("given_names.txt").splitlines() if not line.startswith("#"))
    return frozenset(_nickname_table()) | frozenset(fold(name) for line in listed for name in line.split())


@lru_cache(maxsize=1)
def words_that_are_names() -> frozenset[str]:
    """Names, nicknames and surnames that are also ordinary words: will, may, stone."""
    return _listed("names_that_are_words.txt")


@lru_cache(maxsize=1)
def common_words() -> frozenset[str]:
    """Ordinary English words, those that are also names included: never a name by themselves."""
    return _listed("common_words.txt") | words_that_are_names()


def _listed(name: str) -> frozenset[str]:
    lines = (line for line in _data(name).splitlines() if not line.startswith("#"))
    return frozenset(word for line in lines for word in line.split())


def _data(name: str) -> str:
    return (files("coach") / "data" / name).read_text(encoding="utf-8")
