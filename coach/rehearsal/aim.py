"""Whether words speak to an objection: its words come back, or what they mean does.

A paraphrase of something else is none, so the ladder asks here before it moves. Content words are compared by their
stem; static word vectors add what is said in other words. Names count for nothing, whoever they belong to.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from coach.lexicon import fold, listed, load

if TYPE_CHECKING:
    from coach.retrieval.embedders import Embedder

NEAR = 0.30
"""Cosine of word vectors from which a reply is on the subject without sharing a content word; ``python -m
benchmarks.rehearsal`` prints how replies on and off the subject spread."""

_WORD = re.compile(r"[^\W\d_][\w'’-]*")
_PERSON = re.compile(r"\b(?:he|she|him|her|his|hers|himself|herself)\b")


def speaks_to(text: str, *about: str, names: Iterable[str] = ()) -> bool:
    """Whether a text takes up what any of the others is about: shared content words, or near in meaning."""
    said = nameless(text, names)
    return any(_overlap(said, nameless(other, names)) for other in about) or nearness(text, *about, names=names) >= NEAR


def nearness(text: str, *about: str, names: Iterable[str] = ()) -> float:
    """The greatest cosine, -1 to 1, between the text and any of the others; names left out."""
    if not about:
        return -1.0
    known = tuple(names)
    own = _vector(nameless(text, known))
    return max(float(own @ _vector(nameless(other, known))) for other in about)


def nameless(text: str, names: Iterable[str] = ()) -> str:
    """The text folded, with names dropped and he and she as they: what may count in a comparison."""
    found = fold(text)
    parts = {fold(part) for name in names for part in (name, *name.split()) if len(part) > 1}
    for part in sorted(parts, key=len, reverse=True):
        found = re.sub(rf"(?<!\w){re.escape(part)}(?:'s)?(?!\w)", " ", found)
    return " ".join(_PERSON.sub("they", found).split())


def content(text: str) -> frozenset[str]:
    """Stems of the words that carry meaning."""
    stem = _stemmer()
    # "Washing-up" speaks to "wash up", too.
    found = (w.strip("'").removesuffix("'s") for word in _WORD.findall(fold(text)) for w in word.split("-"))
    stems = stem.stemWords([w for w in found if len(w) > 2 and w not in _empty()])
    return frozenset(stems)


def _overlap(one: str, other: str) -> bool:
    return bool(content(one) & content(other))


@cache
def _stemmer() -> Any:
    import Stemmer

    return Stemmer.Stemmer("english")


@cache
def _empty() -> frozenset[str]:
    """Words that say nothing about the subject: function words, and the words of listening themselves."""
    return frozenset(load("rehearsal.yaml")["empty_words"].split()) | listed("weak_nouns")


@lru_cache(maxsize=2_000)
def _vector(text: str) -> Any:
    return _embedder()([text])[0]


@cache
def _embedder() -> Embedder:
    # The local one, whatever the settings: a practice turn neither waits for a network nor leaves the machine.
    from coach.retrieval.embedders import wordllama
    from coach.settings import Settings

    return wordllama(Settings.model_construct())
