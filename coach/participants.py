"""Where each attendee stands: alignment (a shared view of the facts) and buy-in (commitment to act), kept apart.

Only a person's own words count, or what the notes say that this person said or did. "All agreed" makes nobody
committed, a bare "yes" says nothing, and silence stays ``unknown``.
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

_OWN: dict[str, tuple[tuple[Side, str], ...]] = {
    "committed": (("buy_in", "committed"),),
    "promised": (("buy_in", "committed"),),
    "lukewarm": (("buy_in", "lukewarm"),),
    "resistant": (("buy_in", "resistant"),),
    "opposed": (("buy_in", "resistant"), ("alignment", "not_aligned")),
    "agreed": (("alignment", "aligned"),),
    "withdrawn": (("alignment", "aligned"),),
    "disagreed": (("alignment", "not_aligned"),),
}
_WEIGHT = {"resistant": 3, "not_aligned": 3, "lukewarm": 2, "committed": 1, "aligned": 1}
_HEARD = 0.3
"""Everyday talk is full of promises and of "that makes sense": with a reading, they count only where the encoder hears
assent or uptake with at least this probability."""
_OBJECTED = 0.6
"""Probability from which an objection that nobody took up shows that its speaker sees the matter differently."""

_PROPOSED = 0.5
"""Probability from which a sentence puts something forward: whoever did so is not asked whether they back it."""
_PLAN = 5
"""Words that a plan has at least; fewer say too little to ask about."""

_LONG, _NEAR_BY = 220, 30
_BARE = re.compile(
    r"^\W*(?:yes|yeah|yep|ok|okay|agreed|agree|right|sure|exactly|absolutely|fine|good|true|gladly|happily|"
    r"of course)\W*$"
)
_YES = re.compile(r"^\W*(?:yes|yeah|yep|absolutely|definitely|certainly|of course|agreed|exactly)\b(?!\W+but\b)")
"""Says nothing by itself; with a commitment in the same turn, that its speaker sees the proposal the same way."""
_NO = re.compile(r"^\W*(?:no|nope|nah)\b(?=\W+\w)(?!\W+(?:problem|worries|objection|doubt|idea|more|questions?)\b)")
_TAGGED = re.compile(r"(?:yes|right|ok|okay|agreed|all right|isn't it|aren't we|don't we|shall we)\?\W*$")
"""A proposal that asks for a yes: "we take the wall down, yes?". A no to it, with more to say, is a different view."""
_NO_MORE = re.compile(r"\W*more\b")
"""I could not agree more: the words of a refusal, and the opposite."""
_NEAR = 5
"""Sentences back to the question that a yes or no answers: others may have answered first."""
_UNABLE = re.compile(
    r"^\W*but i (?:can't|cannot|can not|won't be able|have no|haven't|don't have|am not able|'m not able)\b"
)
_RESERVED = re.compile(r"\b(?:but|reservations?|in principle|maybe|perhaps|might|not sure|though)\b")
_OTHERS = re.compile(
    r"\b(?:they|he|she|you|people|folks|everyone|everybody)(?:'re|'s| are| is| were| was) (?:all |both )?\Z"
)
_CONJOINED = re.compile(r"\band \Z")
_FIRM = re.compile(
    r"\b(?:today|tomorrow|tonight|now|this (?:week|month|afternoon|evening|morning)|next week|before \w+|\w+day|"
    r"by (?:the end|end|next|noon|then|\d)|(?:by|in|from) (?:january|february|march|april|may|june|july|august|"
    r"september|october|november|december)|first thing|\d+|myself)\b|^ (?:it|that|this|them)\b(?: \w+){0,3}\W*$"
)
"""A promise that can be kept: with a time, or about the very thing spoken of."""
_PROCEDURE = re.compile(
    r"\bi(?:'ll| will| can) (?:take (?:that|it|this|questions|minutes|notes|the minutes|your|comments|them|silence|no)|"
    r"record|note|put (?:that|it|you|this) (?:down|to)|come (?:back|to)|get (?:back|to)|start|open|"
    r"ask (?:again|you|for|everyone)|show you|share my|do my|make (?:it|this) (?:short|quick|brief)|see|try|think|"
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

    ``evidence`` holds the exact words behind a stance (those that decided it, at most two per side), ``ask`` the
    question that would find out. A reading adds the encoder's ear for assent and for objections that went unheard;
    without one, the words alone decide.
    """
    people = _people(conversation)
    if reading is not None:
        said: Sequence[Sentence] = reading.sentences
    else:
        from coach.notes import sentences

        said = sentences(conversation)
    own = _by_person(people, said, conversation)
    heard, objected, proposed = _ear(reading, len(said))
    told = tuple(_told(people, said, own, conversation))
    out = []
    for person in people:
        stances: list[_Stance] = []
        for index in own.get(person.name, ()):
            found = tuple(_stances(said[index], conversation, heard[index]))
            stances.extend(found)
            stances.extend(_answer(said, index, found, conversation))
            if objected[index] >= _OBJECTED and not found:
                stances.append(_stance("alignment", "not_aligned", said[index], None, conversation))
        stances.extend(stance for name, stance in told if name == person.name and stance)
        spoke = bool(own.get(person.name)) or any(name == person.name for name, _ in told)
        plans = [i for i in own.get(person.name, ()) if proposed[i] >= _PROPOSED and _is_plan(said[i].text)]
        proposal = said[max(plans, key=lambda index: proposed[index])] if plans else None
        out.append(_participant(person.name, spoke, sorted(stances, key=lambda s: s.quote.start), proposal))
    return tuple(out)


def attendance(conversation: Conversation) -> tuple[Participant, ...]:
    """Those who were there and whether they spoke, as in :func:`participants`; where they stand is left ``unknown``."""
    from coach.notes import sentences

    people, said = _people(conversation), sentences(conversation)
    own = _by_person(people, said, conversation)
    told = {name for name, _ in _told(people, said, own, conversation)}
    return tuple(_participant(p.name, bool(own.get(p.name)) or p.name in told, ()) for p in people)


def _ear(reading: Reading | None, size: int) -> tuple[Sequence[float], Sequence[float], Sequence[float]]:
    """Per sentence how likely the encoder hears: assent or uptake, an objection that went unheard, a proposal."""
    if reading is None or not size:
        return (1.0,) * size, (0.0,) * size, (0.0,) * size
    assent, lukewarm, uptake = (reading.probability(name) for name in ("assent", "lukewarm", "uptake"))
    objection = reading.probability("objection") * reading.probability("raise_objection")
    heard = [float(max(p)) for p in zip(assent, lukewarm, uptake, strict=True)]
    return heard, objection.tolist(), reading.probability("proposal").tolist()


def _is_plan(text: str) -> bool:
    return "?" not in text and len(text.split()) >= _PLAN


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


def _answer(
    said: Sequence[Sentence], index: int, found: Sequence[_Stance], conversation: Conversation
) -> Iterator[_Stance]:
    """What a yes or a no says, judged by the turn it opens and the question it answers."""
    sentence = said[index]
    first = index
    while first and said[first - 1].utterance == sentence.utterance:
        first -= 1
    if any(s.value == "committed" for s in found) and _YES.match(fold(said[first].text)):
        yield _stance("alignment", "aligned", said[first], None, conversation)
    if index == first and any(
        s.speaker != sentence.speaker and _TAGGED.search(fold(s.text)) for s in said[max(0, first - _NEAR) : first]
    ):
        turn = " ".join(s.text for s in said[first : first + 3] if s.utterance == sentence.utterance)
        if _NO.match(fold(turn)):
            yield _stance("alignment", "not_aligned", sentence, None, conversation)


def _stances(sentence: Sentence, conversation: Conversation, heard: float) -> Iterator[_Stance]:
    """What a sentence in someone's own words says about where they stand."""
    text = sentence.text
    folded = fold(text)
    if _BARE.match(folded):
        return
    found = [
        c
        for c in cues(text)
        if c.kind in ("assent", "stance")
        and c.subtype in (*_OWN, "conditional")
        and not (c.subtype == "resistant" and _NO_MORE.match(folded[c.end :]))
    ]
    conditional = any(c.subtype == "conditional" for c in found)
    for cue in found:
        if cue.subtype == "conditional" or scope(text, cue) is not None or _quoting(folded, cue):
            continue
        if _OTHERS.search(folded, max(0, cue.start - _NEAR_BY), cue.start):
            continue  # "they're happy to do it" commits nobody who is here
        values = {value for _, value in _OWN[cue.subtype]}
        against = any(c.subtype in ("disagreed", "opposed", "resistant") for c in found)
        if "committed" in values and (conditional or against or any(c.subtype == "lukewarm" for c in found)):
            continue
        if "aligned" in values:
            but = re.search(r"\bbut\b", folded[cue.end :])
            # "I'm for it, but I can't take it on": one mind about it, and no commitment.
            unable = but and _UNABLE.match(folded[cue.end + but.start() :])
            if conditional or ((against or but) and not unable):
                continue
        if "committed" in values and _RESERVED.search(folded):
            continue
        if cue.subtype == "promised" and (_PROCEDURE.search(folded) or not _FIRM.search(folded[cue.end :])):
            continue
        everyday = cue.subtype == "promised" or (cue.kind, cue.subtype) == ("assent", "agreed")
        if everyday and heard < _HEARD:
            continue
        if cue.subtype == "agreed" and len(folded.split()) < 2:
            continue
        for side, value in _OWN[cue.subtype]:
            yield _stance(side, value, sentence, cue, conversation)


def _stance(side: Side, value: str, sentence: Sentence, cue: Cue | None, conversation: Conversation) -> _Stance:
    start, end = sentence.start, sentence.end
    if cue and end - start > _LONG:  # the clause around the cue stands for a long sentence
        text = sentence.text
        left = max((m.end() for m in re.finditer(r"[,;:.!?–—] ", text[: cue.start])), default=0)
        right = (
            next((m.start() for m in re.finditer(r"[,;:.!?–—](?:\s|$)", text[cue.end :])), len(text) - cue.end)
            + cue.end
        )
        start, end = sentence.start + left, sentence.start + right
    quote = Quote(quote=conversation.text[start:end], start=start, end=end)
    section = conversation.utterances[sentence.utterance].section
    return _Stance(side, value, quote, section)


def _quoting(folded: str, cue: Cue) -> bool:
    """Whether the words are told or quoted as somebody else's: "she said I'm in"."""
    before = folded[max(0, cue.start - _LONG) : cue.start]
    told = re.search(r"\b(?:he|she|they|[a-z]+) (?:said|says|told me|was like|goes),? [\"'“]?$", before)
    return bool(told) or before.count("“") > before.count("”") or before.count('"') % 2 == 1


def _told(
    people: Sequence[Attendee], said: Sequence[Sentence], own: dict[str, list[int]], conversation: Conversation
) -> Iterator[tuple[str, _Stance | None]]:
    """What the notes tell of a person by name ("Ana objected"): the name, and a stance where there is one."""
    from coach.notes.people import TITLES

    forms = {
        fold(form): p.name
        for p in people
        for form in (p.name.split()[0], *_forms(p))
        if len(form) > 1 and fold(form).rstrip(".") not in TITLES | {"the"}
    }
    if not forms:
        return
    pattern = re.compile(
        r"(?<![\w'])(" + "|".join(sorted(map(re.escape, forms), key=len, reverse=True)) + r")(?![\w'])"
    )
    mine = {index: name for name, indexes in own.items() for index in indexes}
    for index, sentence in enumerate(said):
        folded = fold(sentence.text)
        match = pattern.match(folded.lstrip(" -*•|"))
        if not match:
            continue
        after = len(folded) - len(folded.lstrip(" -*•|")) + match.end()
        role = conversation.utterances[sentence.utterance].role
        hearsay = role == "speech" and sentence.speaker is not None and mine.get(index) != forms[match.group(1)]
        if (
            hearsay or folded[after : after + 1] == ","
        ):  # only the note-taker, or the person, says where a person stands
            continue
        near = [
            cue
            for cue in cues(sentence.text)
            if cue.kind == "reported"
            and after <= cue.start
            and not _quoting(folded, cue)
            and (
                cue.start <= after + (2 if cue.subtype == "promised" else 40)
                or (_CONJOINED.search(folded, after, cue.start) and not pattern.search(folded, after, cue.start))
            )
        ]
        if near:
            yield forms[match.group(1)], None
        for cue in near:
            if cue.subtype == "promised" and not _FIRM.search(folded[cue.end :]):
                continue
            for side, value in _OWN.get(cue.subtype, ()) if scope(sentence.text, cue) is None else ():
                yield forms[match.group(1)], _stance(side, value, sentence, cue, conversation)


def _participant(name: str, spoke: bool, stances: Sequence[_Stance], proposal: Sentence | None = None) -> Participant:
    alignment, aligned_by = _settle([s for s in stances if s.side == "alignment"])
    buy_in, bought_by = _settle([s for s in stances if s.side == "buy_in"])
    evidence = tuple(dict.fromkeys((*bought_by[-2:], *aligned_by[-2:])))
    deciding = bought_by or (aligned_by if alignment == "not_aligned" else ())
    if buy_in != "unknown":
        heading = buy_in
    elif alignment == "not_aligned":
        heading = "not_aligned"
    elif proposal is not None:
        heading = "proposed"
    else:
        heading = "unknown" if spoke else "silent"
    said = deciding[-1].quote if deciding else proposal.text if proposal is not None else None
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
    """The stance that stands: the last one on each item, and among items the one most worth asking about."""
    last: dict[str | None, _Stance] = {}
    everything = tuple(stances)
    for stance in everything:
        last[stance.section] = stance
    if not last:
        return "unknown", ()
    value = max(last.values(), key=lambda s: _WEIGHT[s.value]).value
    quotes = (s.quote for s in everything if s.value == value and last[s.section].value == value)
    return value, tuple(dict.fromkeys(quotes))
