"""Where each attendee stands: alignment (a shared view of the facts) and buy-in (commitment to act), kept apart.

Only a person's own words count, or what the notes say that this person said or did. "All agreed" makes nobody committed,
a bare "yes" says nothing, and silence stays ``unknown``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from coach.lexicon import Cue, cues, fold, scope
from coach.schema import Alignment, Attendee, BuyIn, Participant, Quote
from coach.wording import is_name, participant_question

if TYPE_CHECKING:
    from coach.acts import Reading
    from coach.schema import Conversation, Sentence

Side = Literal["alignment", "buy_in"]

_OWN = {
    "committed": ("buy_in", "committed"),
    "promised": ("buy_in", "committed"),
    "lukewarm": ("buy_in", "lukewarm"),
    "resistant": ("buy_in", "resistant"),
    "agreed": ("alignment", "aligned"),
    "withdrawn": ("alignment", "aligned"),
    "disagreed": ("alignment", "not_aligned"),
}
_WEIGHT = {"resistant": 3, "not_aligned": 3, "lukewarm": 2, "committed": 1, "aligned": 1}
_UNSURE = {"promised": "assent", "agreed": "assent"}
"""Cues that everyday talk is full of: with a reading, they count only where the encoder hears assent too."""
_HEARD = 0.5

_LONG = 220
_BARE = re.compile(r"^\W*(?:yes|yeah|yep|ok|okay|agreed|agree|right|sure|exactly|absolutely|fine|good|true)\W*$")
_PROCEDURE = re.compile(
    r"\bi(?:'ll| will| can) (?:take (?:that|it|this|questions|minutes|notes|the minutes|your|comments|them|silence|no)|record|note|put (?:that|it|you|this) (?:down|to)|"
    r"come (?:back|to)|get (?:back|to)|start|open|ask (?:again|you|for|everyone)|show you|share my|do my|make (?:it|this) (?:short|quick|brief)|see|try|think|"
    r"find (?:it|this|that)|talk (?:about|to that)|speak (?:to|about)|call (?:it|that|on))"
)


@dataclass(frozen=True)
class _Stance:
    """One thing a person said about where they stand."""

    side: Side
    value: str
    quote: Quote
    section: str | None


def participants(conversation: Conversation, reading: Reading | None = None) -> tuple[Participant, ...]:
    """One value per attendee who was there, in the order of the notes; those who never spoke have ``spoke=False``.

    ``evidence`` holds the exact words behind a stance (those that decided it, at most two per side), ``ask`` the question
    that would find out. A reading adds the encoder's ear for assent; without one, the words alone decide.
    """
    people = _people(conversation)
    if reading is not None:
        said: Sequence[Sentence] = reading.sentences
    else:
        from coach.notes import sentences

        said = sentences(conversation)
    own = _by_person(people, said, conversation)
    assent = reading.probability("assent") if reading is not None and said else None
    lukewarm = reading.probability("lukewarm") if reading is not None and said else None
    told = tuple(_told(people, said, own, conversation))
    out = []
    for person in people:
        stances: list[_Stance] = []
        for index in own.get(person.name, ()):
            heard = None if assent is None or lukewarm is None else float(max(assent[index], lukewarm[index]))
            stances.extend(_stances(said[index], conversation, heard))
        stances.extend(stance for name, stance in told if name == person.name and stance)
        spoke = bool(own.get(person.name)) or any(name == person.name for name, _ in told)
        out.append(_participant(person.name, spoke, sorted(stances, key=lambda s: s.quote.start)))
    return tuple(out)


def _people(conversation: Conversation) -> tuple[Attendee, ...]:
    """Those present: the attendees, and speakers whom no attendee accounts for."""
    known = [a for a in conversation.attendees if is_name(a.name)]
    forms = {fold(form) for a in known for form in _forms(a)}
    firsts = {fold(a.name.split()[0]) for a in known}
    extra = [
        Attendee(name=s.strip())
        for s in conversation.speakers
        if is_name(s) and fold(s.strip()) not in forms and fold(s.strip()) not in firsts
    ]
    return tuple(a for a in (*known, *extra) if a.present or a.name in conversation.speakers)


def _forms(person: Attendee) -> tuple[str, ...]:
    return (person.name, *person.aliases)


def _by_person(
    people: Sequence[Attendee], said: Sequence[Sentence], conversation: Conversation
) -> dict[str, list[int]]:
    """Indexes of the sentences that each person speaks."""
    whose: dict[str, str] = {}
    for person in people:
        for form in _forms(person):
            whose.setdefault(fold(form), person.name)
    for person in people:  # "Ana" is Ana Brandt where no other Ana sits at the table
        first = fold(person.name.split()[0])
        if sum(fold(p.name.split()[0]) == first for p in people) == 1:
            whose.setdefault(first, person.name)
    out: dict[str, list[int]] = {}
    for index, sentence in enumerate(said):
        if sentence.speaker and conversation.utterances[sentence.utterance].role in ("speech", "narration"):
            name = whose.get(fold(sentence.speaker.strip()))
            if name:
                out.setdefault(name, []).append(index)
    return out


def _stances(sentence: Sentence, conversation: Conversation, heard: float | None) -> Iterator[_Stance]:
    """What a sentence in someone's own words says about where they stand."""
    text = sentence.text
    folded = fold(text)
    if _BARE.match(folded):
        return
    found = [c for c in cues(text) if c.kind == "assent" and c.subtype in (*_OWN, "conditional")]
    conditional = any(c.subtype == "conditional" for c in found)
    for cue in found:
        if cue.subtype == "conditional" or scope(text, cue) is not None or _quoting(folded, cue):
            continue
        side, value = _OWN[cue.subtype]
        if value == "committed" and (conditional or any(c.subtype in ("lukewarm", "resistant") for c in found)):
            continue
        if value == "aligned" and any(
            c.subtype in ("disagreed", "resistant") or c.subtype == "conditional" for c in found
        ):
            continue
        if value == "aligned" and re.search(r"\bbut\b", folded[cue.end :]):
            continue
        if cue.subtype == "promised" and _PROCEDURE.search(folded):
            continue
        if cue.subtype in _UNSURE and heard is not None and heard < _HEARD:
            continue
        if cue.subtype == "agreed" and len(folded.split()) < 3:
            continue
        yield _stance(side, value, sentence, cue, conversation)


def _stance(side: str, value: str, sentence: Sentence, cue: Cue, conversation: Conversation) -> _Stance:
    start, end = sentence.start, sentence.end
    if end - start > _LONG:  # the clause around the cue stands for a long sentence
        text = sentence.text
        left = max((m.end() for m in re.finditer(r"[,;:.!?–—] ", text[: cue.start])), default=0)
        right = (
            next((m.start() for m in re.finditer(r"[,;:.!?–—](?:\s|$)", text[cue.end :])), len(text) - cue.end)
            + cue.end
        )
        start, end = sentence.start + left, sentence.start + right
    quote = Quote(quote=conversation.text[start:end], start=start, end=end)
    section = conversation.utterances[sentence.utterance].section
    return _Stance("buy_in" if side == "buy_in" else "alignment", value, quote, section)


def _quoting(folded: str, cue: Cue) -> bool:
    """Whether the words are told as somebody else's: "she said I'm in"."""
    return bool(
        re.search(
            r"\b(?:he|she|they|[a-z]+) (?:said|says|told me|was like|goes),? [\"'“]?$",
            folded[max(0, cue.start - 30) : cue.start],
        )
    )


def _told(
    people: Sequence[Attendee], said: Sequence[Sentence], own: dict[str, list[int]], conversation: Conversation
) -> Iterator[tuple[str, _Stance | None]]:
    """What the notes tell of a person by name ("Ana objected"): the name, and a stance where there is one."""
    forms = {fold(form): p.name for p in people for form in (*_forms(p), p.name.split()[0]) if len(form) > 1}
    if not forms:
        return
    pattern = re.compile(
        r"(?<![\w'])(" + "|".join(sorted(map(re.escape, forms), key=len, reverse=True)) + r")(?![\w'])"
    )
    mine = {index: name for name, indexes in own.items() for index in indexes}
    for index, sentence in enumerate(said):
        folded = fold(sentence.text)
        match = pattern.match(folded.lstrip(" -*•|"))
        if not match or mine.get(index) == forms[match.group(1)]:
            continue
        after = len(folded) - len(folded.lstrip(" -*•|")) + match.end()
        near = [c for c in cues(sentence.text) if c.kind == "reported" and after <= c.start <= after + 40]
        if near:
            yield forms[match.group(1)], None
        for cue in near:
            if cue.subtype != "spoke" and scope(sentence.text, cue) is None:
                side, value = _OWN[cue.subtype]
                yield forms[match.group(1)], _stance(side, value, sentence, cue, conversation)


def _participant(name: str, spoke: bool, stances: Sequence[_Stance]) -> Participant:
    alignment, aligned_by = _settle([s for s in stances if s.side == "alignment"])
    buy_in, bought_by = _settle([s for s in stances if s.side == "buy_in"])
    evidence = tuple(dict.fromkeys((*bought_by[-2:], *aligned_by[-2:])))
    said = bought_by[-1].quote if bought_by else (aligned_by[-1].quote if aligned_by else None)
    heading = (
        buy_in
        if buy_in != "unknown"
        else ("resistant" if alignment == "not_aligned" else "unknown" if spoke else "silent")
    )
    return Participant(
        name=name,
        alignment=_ALIGNMENTS.get(alignment, "unknown"),
        buy_in=_BUY_INS.get(buy_in, "unknown"),
        spoke=spoke,
        ask=participant_question(heading, name, said),
        evidence=evidence,
    )


_ALIGNMENTS: dict[str, Alignment] = {"aligned": "aligned", "not_aligned": "not_aligned"}
_BUY_INS: dict[str, BuyIn] = {"committed": "committed", "lukewarm": "lukewarm", "resistant": "resistant"}


def _settle(stances: Iterable[_Stance]) -> tuple[str, tuple[Quote, ...]]:
    """The stance that stands: the last one on each item of the agenda, and among items the one most worth asking about."""
    last: dict[str | None, _Stance] = {}
    everything = tuple(stances)
    for stance in everything:
        last[stance.section] = stance
    if not last:
        return "unknown", ()
    value = max(last.values(), key=lambda s: _WEIGHT[s.value]).value
    kept = {id(s) for s in last.values()}
    quotes = [
        s.quote
        for s in everything
        if s.value == value and (id(s) in kept or s.section in last and last[s.section].value == value)
    ]
    return value, tuple(dict.fromkeys(quotes))
