"""Where sentences end: abbreviations, initials, ellipses, numbered lists, and speech that nobody punctuated."""

from __future__ import annotations

import re
from collections.abc import Iterator

from coach.notes.people import words
from coach.schema import Conversation, Sentence

LONGEST = 60
"""Words after which a run without punctuation is cut, at a pause if there is one."""

_STOP = re.compile(
    r"(?:(?<![.!?…])[.!?…]++[\"'”’»)\]*_]*+(?=\s))|(?<![。！？])[。！？]++[」』”]*+|(?<!\s)[ \t]*+\r?\n[ \t>]*+\r?\n"
)
_LAST_WORD = re.compile(r"[^\s(\[\"'“‘*_]+$")
_ABBREVIATIONS = words(
    "mr mrs ms dr prof rev hon sgt capt lt col gen cllr st sr jr messrs mme mlle fr hr frau dipl ing vs v "
    "e.g eg i.e ie cf "
    "etc approx ca circa no nos nr vol p pp ch fig figs sec sect art para inc ltd co corp dept est ext tel max min avg "
    "incl excl poss resp op al u.s u.k a.m p.m am pm jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues wed "
    "thu thur thurs fri sat sun z.b d.h u.a bzw usw ggf evtl vgl wk wks yr yrs hr hrs mtg"
)
_ONLY_BEFORE_LOWER = words(
    "etc a.m p.m am pm inc ltd co corp no jan feb mar apr jun jul aug sep sept oct nov dec mon tue tues "
    "wed thu thur thurs fri "
    "sat sun max min hrs yrs wks hr yr wk est ext art p usw mtg op al poss"
)
_WORDS = re.compile(r"\S+")
_PAUSES = words("and but so because or then which although though while if when")


def sentences(conversation: Conversation) -> tuple[Sentence, ...]:
    """The sentences of everything said or narrated, in order, each an exact slice inside its utterance."""
    text = conversation.text
    found = []
    for index, utterance in enumerate(conversation.utterances):
        if utterance.role not in ("speech", "narration"):
            continue
        for start, end in spans(text, utterance.said, utterance.end):
            found.append(
                Sentence.model_construct(
                    utterance=index, speaker=utterance.speaker, start=start, end=end, text=text[start:end]
                )
            )
    return tuple(found)


def spans(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Start and end of each sentence in ``text[start:end]``, blanks left out, together covering all else."""
    at = start
    for match in _STOP.finditer(text, start, end):
        if match.start() > at and _ends(text, at, match, end):
            yield from _cut(text, at, match.end())
            at = match.end()
    yield from _cut(text, at, end)


def _ends(text: str, at: int, match: re.Match[str], end: int) -> bool:
    mark = match.group()
    if mark[0] not in ".…!?":
        return True
    rest = match.end()
    while rest < end and text[rest].isspace():
        rest += 1
    if rest >= end:
        return False
    following = text[rest]
    if following in "\"'“‘«([*_-–—" and rest + 1 < end:
        opened = text[rest + 1]
        lower = opened.islower()
    else:
        lower = following.islower()
    if mark[0] in "!?":
        return not lower
    if mark.startswith("...") or mark[0] == "…":
        return not lower
    word_match = _LAST_WORD.search(text, max(at, match.start() - 24), match.start())
    word = word_match.group() if word_match else ""
    bare = word.casefold().rstrip(".")
    if lower:
        return False
    if len(mark.rstrip("\"'”’»)]*_")) > 1:
        return True
    if len(word) == 1 and word.isalpha() and word.isupper() and word != "I":
        return False
    if re.fullmatch(r"(?:[A-Za-z]\.)+[A-Za-z]", word) and bare not in _ONLY_BEFORE_LOWER:
        return False
    if word.isdigit() and len(word) <= 3 and match.start() - len(word) == at:
        return False
    return bare not in _ABBREVIATIONS or (bare in _ONLY_BEFORE_LOWER and not following.isdigit())


def _cut(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    if start >= end:
        return
    if end - start <= LONGEST * 2:
        yield start, end
        return
    parts = [(m.start(), m.end()) for m in _WORDS.finditer(text, start, end)]
    first = 0
    while len(parts) - first > LONGEST:
        last = _pause(text, parts, first)
        yield parts[first][0], parts[last - 1][1]
        first = last
    yield parts[first][0], end


def _pause(text: str, parts: list[tuple[int, int]], first: int) -> int:
    middle, latest = first + LONGEST // 2, min(first + LONGEST, len(parts) - 5)
    for marks in (";:", ",–—-"):
        for at in range(latest, middle, -1):
            if text[parts[at - 1][1] - 1] in marks:
                return at
    for at in range(latest, middle, -1):
        if text[parts[at][0] : parts[at][1]].casefold() in _PAUSES:
            return at
    return max(latest, middle)
