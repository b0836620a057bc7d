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
    """The folded words of a person's name, without titles before and letters after it (but ``Mrs D`` stays whole)."""
    words = words_of(name)
    kept = tuple(word for word in words if word not in listed("titles"))
    while len(kept) > 2 and kept[-1] in listed("suffixes"):
        kept = kept[:-1]
    return words if sum(map(len, kept)) < 2 else kept


@lru_cache(maxsize=4096)
def derived(name: str) -> tuple[frozenset[Words], frozenset[Words]]:
    """The spellings that may stand for a person of that name: by its parts, and by nicknames.

    ``Eric Huss`` gives eric, huss, ehuss, eric h, e huss, erichuss, erich; then the nicknames of Eric.
    """
    words = name_words(name)
    parts = frozenset(_plausible(words, words[0])) - {words}
    nicks = frozenset(spelling for nick in nicknames(words[0]) for spelling in _plausible(words, nick))
    return parts, nicks - parts - {words}


def _plausible(words: Words, given: str) -> Iterator[Words]:
    """The spellings from parts that are long enough, and no ordinary word unless they are a part themselves."""
    for spelling in _from_parts(words, given):
        whole = len(spelling) > 1 or spelling[0] in words or spelling[0] == given
        if (whole or not is_common(spelling[0])) and _long_enough(spelling):
            yield spelling


def _from_parts(words: Words, given: str) -> Iterator[Words]:
    yield (given,)
    if len(words) == 1:
        return
    last, rest = words[-1], words[1:]
    yield (given, last)
    yield (given, last[0])
    yield (given + last,)
    if len(given) > 2:
        yield (given + last[0],)
    if given != words[0]:
        return
    yield next((words[i:] for i in range(1, len(words)) if words[i] not in listed("particles")), (last,))
    yield rest
    yield words[:-1]
    yield (last,)
    yield from ((middle,) for middle in rest[:-1] if middle not in listed("particles") and len(middle) > 2)
    yield (given[0], last)
    yield (given[0], *rest)
    yield (given[0] + last,)
    yield (given[0] + "".join(rest),)
    yield (last + given,)
    yield (last, given)
    if len(last) > 2:
        yield (last + given[0],)


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


@lru_cache(maxsize=16)
def listed(name: str) -> frozenset[str]:
    """One of the word lists of ``name_context.yaml``; the file says what each is for."""
    return _lists()[name]


@lru_cache(maxsize=1)
def _lists() -> dict[str, frozenset[str]]:
    import yaml

    lists = yaml.safe_load(_data("name_context.yaml"))
    return {name: frozenset(words.split()) for name, words in lists.items()}


@lru_cache(maxsize=1)
def words_that_are_names() -> frozenset[str]:
    """Names, nicknames and surnames that are also ordinary words: will, may, stone."""
    return _words("names_that_are_words.txt")


@lru_cache(maxsize=1)
def _dictionary() -> frozenset[str]:
    return _words("common_words.txt") | listed("workplace")


@lru_cache(maxsize=65536)
def is_common(word: str) -> bool:
    """Whether a folded word is in the dictionary, or a regular inflection of one that is: never a name by itself."""
    if word in _dictionary() or word in words_that_are_names():
        return True
    if word in given_names():
        return False
    return any(base in _dictionary() or base in words_that_are_names() for base in _bases(word))


_ENDINGS = (
    "s",
    "es",
    "ed",
    "d",
    "ing",
    "er",
    "ers",
    "or",
    "ors",
    "ly",
    "ness",
    "able",
    "ment",
    "ments",
    "ation",
    "ations",
)


def _bases(word: str) -> Iterator[str]:
    for ending in _ENDINGS:
        stem = word.removesuffix(ending)
        if stem != word and len(stem) > 2:
            yield stem
            if ending not in ("s", "d"):
                yield stem + "e"
                if stem[-1] == stem[-2]:
                    yield stem[:-1]
    if word.endswith(("ies", "ied")):
        yield word[:-3] + "y"
    for beginning in ("un", "re", "non", "pre", "over", "co"):
        if word.startswith(beginning) and len(word) > len(beginning) + 3:
            yield word.removeprefix(beginning)


def _words(name: str) -> frozenset[str]:
    lines = (line for line in _data(name).splitlines() if not line.startswith("#"))
    return frozenset(word for line in lines for word in line.split())


def _data(name: str) -> str:
    return (files("coach") / "data" / name).read_text(encoding="utf-8")
