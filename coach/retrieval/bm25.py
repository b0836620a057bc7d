"""BM25 that grows by one meeting at a time.

bm25s bakes document frequencies into its scores, so one more note means indexing all of them again. Here term counts
are kept per meeting and scores are computed at query time from the few posting lists that the query touches; the
formula is that of bm25s (method ``lucene``, k1 1.5, b 0.75) and a test holds the two equal. See docs/design/library.md.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from coach.errors import LibraryError
from coach.identities.value import NOUNS

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

K1, B = 1.5, 0.75
MAGIC = b"bm25/1\0\0"
"""Names the tokeniser and the layout of stored postings; change it when either changes and postings are made anew."""

MAX_SEGMENTS = 8

_LABELLED = re.compile(r"\b([A-Z][a-z]+) ([A-Z]{1,3})[0-9]*\b|@(person)-([a-z]+)[0-9]*")
_ASKED = "was|were|is|are|did|do|does|has|have|had"
_SAID = (
    "say|said|says|saying|mention(?:ed|s)?|talk(?:ed|s|ing)?|discuss(?:ed|es|ing|ions?)?|think|thought|opinions?|views?"
)
_BOILERPLATE = re.compile(
    r"\b(?:(?:can|could|would|will) you(?: please)?(?: find| show| tell| give)?|please|"
    r"(?:i )?(?:want|need|would like|'d like) to (?:know|see|find)|"
    r"(?:tell|show|give|find|remind) me(?: about| of)?|summari[sz]e|give (?:me )?an? (?:summary|overview) of|"
    rf"(?:what|which|who|whom|when|where|why|how) (?:{_ASKED})|"
    r"(?:anything|something|things?) (?:about|on|regarding)|"
    rf"(?:{_SAID}) (?:about|on|of|regarding|concerning|towards?)|"
    r"(?:in|during|at|from) (?:the |any |our |earlier |last )*(?:meetings?|notes|discussions?|conversations?)|"
    r"(?:earlier|previous|past) meetings?)\b",
    re.IGNORECASE,
)


def terms(texts: Sequence[str]) -> list[list[str]]:
    """Stemmed words of each text, stop words removed; "Person A" and "Plan B" stay one term each."""
    import bm25s

    joined = [_LABELLED.sub(_as_one_word, text) for text in texts]
    tokens: list[list[str]] = bm25s.tokenize(
        joined, stopwords="en", stemmer=_stemmer(), return_ids=False, show_progress=False
    )
    return tokens


def query_terms(query: str) -> list[str]:
    """The terms of a query, each once, without boilerplate ("what did … say about …") if more is there."""
    bare, whole = terms([_BOILERPLATE.sub(" ", query), query])
    return list(dict.fromkeys(bare or whole))


def term_id(term: str) -> int:
    """A stable 64-bit name of a term: the index stores no words."""
    from hashlib import blake2b

    return int.from_bytes(blake2b(term.encode(), digest_size=8).digest(), "little")


@lru_cache(maxsize=4096)
def name_term(name: str) -> str | None:
    """The term that stands for a pseudonym such as ``Person A``; ``None`` when the name is not one term."""
    (found,) = terms([name])
    return found[0] if len(found) == 1 else None


@dataclass(frozen=True)
class Postings:
    """Term counts of the passages of one meeting: ``lengths`` (passages,), ``rows``, ``ids``, ``counts`` in step."""

    lengths: NDArray[np.int32]
    rows: NDArray[np.int32]
    ids: NDArray[np.uint64]
    counts: NDArray[np.uint16]

    @classmethod
    def of(cls, texts: Sequence[str]) -> Postings:
        """The postings of these passages, in order."""
        from collections import Counter

        import numpy as np

        words = terms(texts)
        counted = [Counter(found) for found in words]
        known = {term: term_id(term) for term in {term for counts in counted for term in counts}}
        return cls(
            lengths=np.array([len(found) for found in words], dtype=np.int32),
            rows=np.repeat(np.arange(len(counted), dtype=np.int32), [len(counts) for counts in counted]),
            ids=np.array([known[term] for counts in counted for term in counts], dtype=np.uint64),
            counts=np.array([min(n, 65535) for counts in counted for n in counts.values()], dtype=np.uint16),
        )

    def to_bytes(self) -> bytes:
        """Compressed, for one database cell."""
        import zlib

        import numpy as np

        sizes = np.array([len(self.lengths), len(self.ids)], dtype="<i8").tobytes()
        parts = (
            self.lengths.astype("<i4"),
            self.rows.astype("<i4"),
            self.ids.astype("<u8"),
            self.counts.astype("<u2"),
        )
        return MAGIC + zlib.compress(sizes + b"".join(part.tobytes() for part in parts), 1)

    @classmethod
    def from_bytes(cls, raw: bytes) -> Postings:
        """What :meth:`to_bytes` gave. Raises :class:`LibraryError` for anything else, older layouts included."""
        import zlib

        import numpy as np

        if raw[: len(MAGIC)] != MAGIC:
            raise LibraryError("these postings are of another version: they have to be made anew")
        try:
            body = zlib.decompress(raw[len(MAGIC) :])
            passages, found = np.frombuffer(body, "<i8", 2)
            at, arrays = 16, []
            for kind, size in (("<i4", passages), ("<i4", found), ("<u8", found), ("<u2", found)):
                arrays.append(np.frombuffer(body, kind, size, at))
                at += arrays[-1].nbytes
        except (zlib.error, ValueError):
            raise LibraryError("these postings are damaged: they have to be made anew") from None
        return cls(*arrays)


@dataclass(frozen=True)
class Segment:
    """Posting lists of a run of passages, by term: the passages of ``ids[i]`` are ``rows[starts[i]:starts[i + 1]]``."""

    ids: NDArray[np.uint64]
    starts: NDArray[np.int64]
    rows: NDArray[np.int32]
    counts: NDArray[np.float32]

    def find(self, term: int) -> slice:
        """Where the postings of a term are; empty when it does not occur."""
        import numpy as np

        at = int(np.searchsorted(self.ids, np.uint64(term)))
        if at < len(self.ids) and int(self.ids[at]) == term:
            return slice(int(self.starts[at]), int(self.starts[at + 1]))
        return slice(0, 0)


@dataclass(frozen=True)
class Bm25Index:
    """All passages of a library, numbered 0 … ``len(index) - 1`` in the order in which they were added. Never changes.

    Adding gives a new index that shares the old segments; a merge happens when there are more than a handful.
    """

    lengths: NDArray[np.int32]
    segments: tuple[Segment, ...] = ()
    _norms: list[Any] = field(default_factory=list, repr=False, compare=False)

    @classmethod
    def empty(cls) -> Bm25Index:
        """An index of nothing."""
        import numpy as np

        return cls(np.zeros(0, dtype=np.int32))

    def __len__(self) -> int:
        return len(self.lengths)

    def add(self, meetings: Sequence[Postings]) -> Bm25Index:
        """This index with the passages of these meetings after its own."""
        import numpy as np

        if not meetings:
            return self
        starts = np.cumsum([len(self), *(len(m.lengths) for m in meetings)])
        rows = np.concatenate([m.rows + start for m, start in zip(meetings, starts, strict=False)]).astype(np.int32)
        fresh = _segment(np.concatenate([m.ids for m in meetings]), rows, np.concatenate([m.counts for m in meetings]))
        segments = (*self.segments, fresh)
        while len(segments) > MAX_SEGMENTS or (
            len(segments) > 1 and len(segments[-2].rows) < 2 * len(segments[-1].rows)
        ):
            segments = (*segments[:-2], _merged(segments[-2], segments[-1]))
        return Bm25Index(np.concatenate([self.lengths, *(m.lengths for m in meetings)]), segments)

    def scores(self, query: Sequence[str]) -> NDArray[np.float32]:
        """BM25 of every passage for these terms, shape (passages,)."""
        import numpy as np

        scores = np.zeros(len(self), dtype=np.float32)
        norms = self._length_norms()
        for term in query:
            hits = [(segment, segment.find(term_id(term))) for segment in self.segments]
            frequency = sum(where.stop - where.start for _, where in hits)
            if not frequency:
                continue
            rarity = np.float32(np.log(1 + (len(self) - frequency + 0.5) / (frequency + 0.5)))
            for segment, where in hits:
                rows, counts = segment.rows[where], segment.counts[where]
                scores[rows] += rarity * counts / (counts + norms[rows])
        return scores

    def rows_with(self, term: str) -> NDArray[np.int32]:
        """The passages in which a term occurs."""
        import numpy as np

        found = [segment.rows[segment.find(term_id(term))] for segment in self.segments]
        return np.concatenate([np.zeros(0, dtype=np.int32), *found])

    def _length_norms(self) -> NDArray[np.float32]:
        import numpy as np

        if not self._norms:
            mean = float(self.lengths.mean()) if len(self) else 1.0
            self._norms.append((K1 * (1 - B + B * self.lengths / (mean or 1.0))).astype(np.float32))
        norms: NDArray[np.float32] = self._norms[0]
        return norms


def _segment(ids: NDArray[np.uint64], rows: NDArray[np.int32], counts: NDArray[Any]) -> Segment:
    import numpy as np

    order = np.argsort(ids)
    unique, starts = np.unique(ids[order], return_index=True)
    return Segment(unique, np.append(starts, len(ids)), rows[order], counts[order].astype(np.float32))


def _merged(first: Segment, second: Segment) -> Segment:
    import numpy as np

    ids = [np.repeat(segment.ids, np.diff(segment.starts)) for segment in (first, second)]
    return _segment(
        np.concatenate(ids),
        np.concatenate([first.rows, second.rows]),
        np.concatenate([first.counts, second.counts]),
    )


def _as_one_word(found: re.Match[str]) -> str:
    noun, letters = found[1] or found[3], found[2] or found[4]
    # "Monday I …" and "Then A …" are two words; "Person A" and "Plan A" are one, and so is any "Vitamin C".
    return found[0] if letters in ("I", "A") and noun not in _NOUNS else f"{noun}_{letters}_"


_NOUNS = frozenset(NOUNS.values()) | {"Option", "Phase", "Plan", "Team", "Group", "Version"}


@cache
def _stemmer() -> Any:
    import Stemmer

    return Stemmer.Stemmer("english")
