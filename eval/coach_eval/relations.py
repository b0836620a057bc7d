"""Metamorphic checks: change the notes in a way whose effect on the findings is known, without a gold label.

After Chen et al., "Metamorphic testing: a review of challenges and opportunities", ACM Computing Surveys 51 (2018). A
changed text remembers which stretches of the original it is made of, so that findings can be carried back.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import Field, model_validator

from coach_eval.schema import Strict
from coach_eval.spans import Span, match


class Change(Strict):
    """One edit of the notes: ``{after, insert}``, ``{replace, with}`` or ``{delete}``; quotes must be there once."""

    after: str | None = None
    insert: str | None = None
    replace: str | None = None
    with_: str | None = Field(None, alias="with")
    delete: str | None = None

    @model_validator(mode="after")
    def _one_sort(self) -> Change:
        given = {name for name in ("after", "insert", "replace", "with_", "delete") if getattr(self, name) is not None}
        if given not in ({"after", "insert"}, {"replace", "with_"}, {"delete"}):
            raise ValueError("a change is {after, insert}, {replace, with} or {delete}")
        return self

    @property
    def quote(self) -> str:
        """The text that the change looks for."""
        return self.after or self.replace or self.delete or ""


class SwapNames(Strict):
    """Other names, same findings: the coach must not care who is called what."""

    relation: Literal["swap_names"]
    names: dict[str, str] = Field(min_length=1)


class Delete(Strict):
    """Without the passage its finding goes, and nothing takes its place. ``quote``: what is cut out."""

    relation: Literal["delete"]
    quote: str


class Answer(Strict):
    """A real answer makes it heard: what is inserted after ``after`` takes up the finding quoted in ``quote``."""

    relation: Literal["answer"]
    quote: str
    after: str
    insert: str


class Shuffle(Strict):
    """Unrelated sections (from one line starting with ``## `` to the next) in another order, same findings."""

    relation: Literal["shuffle"]


Relation = Annotated[SwapNames | Delete | Answer | Shuffle, Field(discriminator="relation")]


@dataclass(frozen=True)
class Changed:
    """A changed text. kept: stretches of the original in it, as (start in the new text, start in the old, length)."""

    text: str
    kept: tuple[tuple[int, int, int], ...]

    def to_original(self, span: Span) -> Span | None:
        """The same span in the original text; ``None`` when none of it was there."""
        parts = [
            (max(span.start, new) - new + old, min(span.end, new + length) - new + old)
            for new, old, length in self.kept
            if span.start < new + length and new < span.end
        ]
        if not parts:
            return None
        return Span(span.kind, min(start for start, _ in parts), max(end for _, end in parts))


def rebuild(text: str, pieces: Iterable[str | tuple[int, int]]) -> Changed:
    """A text made of new strings and of stretches (start, end) of the old one."""
    built: list[str] = []
    kept: list[tuple[int, int, int]] = []
    length = 0
    for piece in pieces:
        words = piece if isinstance(piece, str) else text[slice(*piece)]
        if not isinstance(piece, str):
            kept.append((length, piece[0], len(words)))
        built.append(words)
        length += len(words)
    return Changed("".join(built), tuple(kept))


def apply(text: str, changes: Sequence[Change]) -> str:
    """The notes after all changes, in order."""
    for change in changes:
        start = text.index(change.quote)
        end = start + len(change.quote)
        if change.insert is not None:
            text = text[:end] + change.insert + text[end:]
        else:
            text = text[:start] + (change.with_ or "") + text[end:]
    return text


def change(text: str, relation: Relation) -> Changed:
    """The notes as the relation changes them."""
    if isinstance(relation, SwapNames):
        pattern = re.compile(rf"\b({'|'.join(map(re.escape, sorted(relation.names, key=len, reverse=True)))})\b")
        return rebuild(text, _swapped(text, pattern, relation.names))
    if isinstance(relation, Delete):
        start = text.index(relation.quote)
        return rebuild(text, [(0, start), (start + len(relation.quote), len(text))])
    if isinstance(relation, Answer):
        end = text.index(relation.after) + len(relation.after)
        return rebuild(text, [(0, end), relation.insert, (end, len(text))])
    head, *rest = sections(text)
    return rebuild(text, [head, *reversed(rest)])


def sections(text: str) -> list[tuple[int, int]]:
    """What comes before the first heading, then one stretch per section; each ends with a line break if it can."""
    starts = [found.start() for found in re.finditer(r"^## ", text, re.MULTILINE)]
    edges = [0, *starts, len(text)]
    return list(itertools.pairwise(edges))


def holds(relation: Relation, text: str, before: Sequence[Span], after: Sequence[Span]) -> float | None:
    """How far the relation holds, 0 to 1; ``None`` when it says nothing (the finding was not there to begin with).

    before: what was found in the original. after: what was found in the changed text, with its own offsets.
    """
    changed = change(text, relation)
    carried = [span for span in (changed.to_original(s) for s in after) if span is not None]
    invented = len(after) - len(carried)
    if isinstance(relation, SwapNames | Shuffle):
        same = len(match(carried, [[span] for span in before]))
        total = len(before) + len(after)
        return 2 * same / total if total else 1.0
    start = text.index(relation.quote)
    place = (start, start + len(relation.quote))
    there = [span for span in before if min(span.end, place[1]) - max(span.start, place[0]) > 0]
    if not there:
        return None
    if isinstance(relation, Answer):
        return 0.0 if match(carried, [[span] for span in there]) else 1.0
    others = [[span] for span in before if span not in there]
    return 1.0 if invented == 0 and len(match(carried, others)) == len(carried) else 0.0


def problems(text: str, relation: Relation) -> Iterator[str]:
    """What keeps a relation from being tried on these notes."""
    if isinstance(relation, SwapNames):
        for name in relation.names:
            if not re.search(rf"\b{re.escape(name)}\b", text):
                yield f"the name {name!r} is not in the notes"
    elif isinstance(relation, Shuffle):
        if len(sections(text)) < 3:
            yield "there are fewer than two sections (lines starting with '## ') to shuffle"
    else:
        for quote in (relation.quote, *([relation.after] if isinstance(relation, Answer) else [])):
            if text.count(quote) != 1:
                yield f"{quote!r} is in the notes {text.count(quote)} times: a relation needs it once"


def _swapped(text: str, pattern: re.Pattern[str], names: dict[str, str]) -> Iterator[str | tuple[int, int]]:
    done = 0
    for found in pattern.finditer(text):
        yield (done, found.start())
        yield names[found.group()]
        done = found.end()
    yield (done, len(text))
