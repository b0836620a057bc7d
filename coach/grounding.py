"""A finding is shown only if its words are in the notes: where a quote stands, letter for letter, and who said it.

Comparison folds three things and nothing else: Unicode composition (NFC), runs of white space (and characters nobody
can see, such as zero-width spaces), and the many shapes of quotation marks. One changed, missing or cut word is
another quote. Folding keeps a map back, so that what is found is an exact slice of the text as given.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from coach.schema import UNHEARD, Conversation, Finding, Heard, Quote, SetAside

_INVISIBLE = (
    "\u00ad\u034f\u061c\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff\U000e0000-\U000e01ef"
)
_SINGLE = "'\u2018\u2019\u201a\u201b\u2032\u2039\u203a\u02bc\u0060\u00b4\uff07"
_DOUBLE = '"\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb\u301d\u301e\u301f\uff02'
# What composes with the character before it although it is no combining mark (NFC_Quick_Check=Maybe, ccc=0).
_JOINS = re.compile(
    "[\u1161-\u1175\u11a8-\u11c2\u09be\u09d7\u0b3e\u0b56\u0b57\u0bbe\u0bd7\u0cc2\u0cd5\u0cd6\u0d3e\u0d57\u0dcf\u0ddf"
    "\u0fb5\u0fb7\u102e\u1b35\U00011127\U0001133e\U00011357\U000114b0\U000114ba\U000114bd\U000115af\U00011930]"
)
_FOLDED = re.compile(f"[\\s{_INVISIBLE}]+|[{_SINGLE}{_DOUBLE}]")
_SINGLES, _DOUBLES = frozenset(_SINGLE), frozenset(_DOUBLE)
# Scripts written without spaces between words: there a quote may start or end anywhere.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u2e80-\u9fff\ua000-\ua4cf\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]"
)


@dataclass(frozen=True)
class Folded:
    """A text as quotes are compared, and the way back.

    text: the folded text. breaks: folded offsets from which ``origins`` (offsets into the composed text) count on.
    clusters: start and end in the original of each composed character; ``None`` where composing changes nothing.
    """

    text: str
    breaks: tuple[int, ...]
    origins: tuple[int, ...]
    clusters: tuple[tuple[int, int], ...] | None = None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where ``text[start:end]`` (not empty) stands in the original."""
        first, last = self._composed(start), self._composed(end - 1)
        return (first, last + 1) if self.clusters is None else (self.clusters[first][0], self.clusters[last][1])

    def _composed(self, offset: int) -> int:
        run = bisect_right(self.breaks, offset) - 1
        return self.origins[run] + offset - self.breaks[run]


def fold(text: str) -> Folded:
    """``text`` folded for comparison, in one pass: fold once, ground many quotes."""
    composed, clusters = _compose(text)
    parts: list[str] = []
    breaks: list[int] = []
    origins: list[int] = []
    length = done = 0

    def add(piece: str, origin: int) -> None:
        nonlocal length
        if piece:
            parts.append(piece)
            breaks.append(length)
            origins.append(origin)
            length += len(piece)

    for match in _FOLDED.finditer(composed):
        add(composed[done : match.start()], done)
        add(_folded_mark(match[0]), match.start())
        done = match.end()
    add(composed[done:], done)
    return Folded("".join(parts), tuple(breaks), tuple(origins), clusters)


def _folded_mark(run: str) -> str:
    if run in _DOUBLES:
        return '"'
    if run in _SINGLES:
        return "'"
    return " " if any(map(str.isspace, run)) else ""


def occurrences(quote: str, text: str | Folded) -> Iterator[tuple[int, int]]:
    """Every place ``(start, end)`` in the original text where the quote stands as whole words, in order."""
    folded = text if isinstance(text, Folded) else fold(text)
    wanted = fold(quote).text.strip()
    if not any(map(str.isalnum, wanted)):
        return
    found = folded.text.find(wanted)
    if found < 0:
        # Models like to put quotation marks around a quote.
        wanted = wanted.strip("\"' ")
        found = folded.text.find(wanted)
    while found >= 0:
        end = found + len(wanted)
        if _whole(folded.text, found) and _whole(folded.text, end):
            yield folded.span(found, end)
        found = folded.text.find(wanted, end)


def ground(quote: str, text: str | Folded, near: int | None = None) -> tuple[int, int] | None:
    """Where the quote stands: ``(start, end)`` into the text as given, or ``None`` if it is not there word for word.

    Of several places the one closest to ``near`` (an offset) is taken, or the first. Linear in the length of the text;
    pass a :class:`Folded` to look for many quotes in one text.
    """
    places = occurrences(quote, text)
    if near is None:
        return next(places, None)
    return min(places, key=lambda place: abs(place[0] - near), default=None)


def utterance_at(conversation: Conversation, start: int, end: int) -> int | None:
    """Index of the utterance whose words hold ``start:end``, or ``None`` when the span crosses or misses them."""
    at = bisect_right(conversation.utterances, start, key=lambda u: u.start) - 1
    if at < 0:
        return None
    utterance = conversation.utterances[at]
    return at if utterance.said <= start and end <= utterance.end else None


def ground_findings(
    findings: Sequence[Finding], conversation: Conversation
) -> tuple[tuple[Finding, ...], tuple[SetAside, ...]]:
    """Findings with the exact slice as quote and its place, and those set aside, each with the reason.

    Kept: the quote stands in the words of one utterance, and that utterance is by the named speaker (a finding that
    names nobody gets the speaker of the record; narration may be about anybody it names). ``finding.start`` only says
    where to look first.
    """
    folded = fold(conversation.text)
    kept: list[Finding] = []
    aside: list[SetAside] = []
    for finding in findings:
        settled = _settle(finding, conversation, folded)
        if isinstance(settled, Finding):
            kept.append(settled)
        else:
            aside.append(SetAside(finding=finding, reason=settled))
    return tuple(kept), tuple(aside)


def ground_heard(heard: Sequence[Heard], findings: Sequence[Finding], conversation: Conversation) -> tuple[Heard, ...]:
    """What is left of what was heard, numbered in the order of the notes; whatever is in doubt is not said at all.

    Kept: the exact words of the one named, with an answer in the words of somebody else and, if they agreed, their own
    words for it; and nothing that ``findings`` call unheard or unaddressed.
    """

    def said(quote: Quote | Heard, speaker: str | None) -> bool:
        at = utterance_at(conversation, quote.start, quote.end)
        if at is None or not quote.quote.strip() or conversation.text[quote.start : quote.end] != quote.quote:
            return False
        utterance = conversation.utterances[at]
        spoken = utterance.role in ("speech", "narration")
        return spoken and speaks(speaker, utterance.speaker, conversation.words(utterance))

    kept = [
        one
        for one in heard
        if said(one, one.speaker)
        and said(one.answer, one.answer.speaker)
        and one.answer.speaker != one.speaker
        and (one.confirmation is None or said(one.confirmation, one.speaker))
        and not any(f.start < one.end and one.start < f.end for f in findings if f.kind in UNHEARD.values())
    ]
    return tuple(one.model_copy(update={"id": f"h{n}"}) for n, one in enumerate(sorted(kept, key=lambda h: h.start), 1))


NOT_THERE = "The quote is not in the notes, letter for letter."
NOT_SAID = "The quote is not part of what one person said."


def _settle(finding: Finding, conversation: Conversation, folded: Folded) -> Finding | str:
    places = sorted(occurrences(finding.quote, folded), key=lambda place: abs(place[0] - finding.start))
    if not places:
        return NOT_THERE
    said = [(place, at) for place in places if (at := utterance_at(conversation, *place)) is not None]
    said = [(place, at) for place, at in said if conversation.utterances[at].role in ("speech", "narration")]
    if not said:
        return NOT_SAID
    for (start, end), at in said:
        utterance = conversation.utterances[at]
        if speaks(finding.speaker, utterance.speaker, conversation.words(utterance)):
            return finding.model_copy(
                update={
                    "quote": conversation.text[start:end],
                    "start": start,
                    "end": end,
                    "speaker": utterance.speaker or finding.speaker,
                }
            )
    return f"The notes do not give these words to {finding.speaker}."


def speaks(named: str | None, recorded: str | None, words: str) -> bool:
    """Whether words the record gives to ``recorded`` may be shown as said by ``named``."""
    if not named:
        return True
    if recorded:
        return _bare(named) == _bare(recorded)
    return _bare(named) in _bare(words)


def _bare(name: str) -> str:
    return " ".join(fold(name).text.split()).strip(" :.").casefold()


def _whole(text: str, at: int) -> bool:
    """Whether no word or number runs across ``at``, counting what joins letters (can't, non-issue) or digits (3.5)."""
    if not 0 < at < len(text):
        return True
    before, after = text[at - 1], text[at]
    if _UNSPACED.match(before) or _UNSPACED.match(after):
        return True
    if unicodedata.combining(after):
        return False
    if _joins(before, text[at - 2 : at - 1], after):
        before = text[at - 2]
    elif _joins(after, before, text[at + 1 : at + 2]):
        after = text[at + 1]
    return not (before.isalnum() and after.isalnum())


def _joins(mark: str, left: str, right: str) -> bool:
    return (mark in "'-\u2011" and left.isalnum() and right.isalnum()) or (
        mark in ".,:" and left.isdigit() and right.isdigit()
    )


def _compose(text: str) -> tuple[str, tuple[tuple[int, int], ...] | None]:
    """``text`` in NFC and, unless it already was, the part of ``text`` that each of its characters comes from."""
    if unicodedata.is_normalized("NFC", text):
        return text, None
    parts: list[str] = []
    clusters: list[tuple[int, int]] = []
    start = 0
    for at in range(1, len(text) + 1):
        if at < len(text) and (unicodedata.combining(text[at]) or _JOINS.match(text[at])):
            continue
        composed = unicodedata.normalize("NFC", text[start:at])
        parts.append(composed)
        # A cluster of several characters is never cut: each stands for the whole of it.
        clusters.extend([(start, at)] * len(composed))
        start = at
    return "".join(parts), tuple(clusters)
