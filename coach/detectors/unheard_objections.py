"""Objections that nobody took up, silence taken for consent, and a lukewarm yes counted as a yes."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from coach.detectors.base import Candidate, ReplyAct
from coach.detectors.decision import (
    SENTENCE_FEATURES,
    Passage,
    around,
    candidate,
    decisions,
    fate,
    findings,
    passages,
    sentence_features,
)
from coach.detectors.uptake import UPTAKE_FEATURES, Record, agreed_after, log_odds
from coach.schema import OBJECTION_SUBTYPES, Conversation, Finding

if TYPE_CHECKING:
    from coach.acts import Reading

KIND = "unheard_objection"
NEAR = 2
"""Sentences apart at which two passages record the same silence."""
SHORT, LUKEWARM = 14, 0.32
"""Words in a turn, and the confidence of a yes that the lexicon calls lukewarm: of 22 such sentences in the records
that the engine learnt from, 7 were findings, and those were at hand when the lexicon was written."""
BEFORE = 12
"""Sentences of an agenda item before "hearing none" in which there should be something to object to."""
_HEARD_NONE = re.compile(
    r"\b(?:(?:hearing|seeing|heard) (?:none|no\b|nothing)"
    r"|no (?:further )?(?:objections?|clarifications?|comments?|questions)"
    r"|(?:no one|nobody) (?:else )?(?:has |had )?(?:raised|asked for|brought up) (?:any|other|anything)"
    r"|everyone approves|consensus (?:on|to|is)\b)|^\W*none\W*$",
    re.I,
)
_NOBODY = re.compile(
    r"\b(?:no one|nobody) (?:else )?(?:has |had )?(?:said|objected|spoke|raised|asked|brought up)\b", re.I
)
FEATURES = (*SENTENCE_FEATURES, *UPTAKE_FEATURES, *(f"subtype {s}" for s in OBJECTION_SUBTYPES))
ANSWERED = UPTAKE_FEATURES.index("answer best")
TAKEN_UP = log_odds(0.85)
DOUBTED = 0.2
"""Probability of an objection from which on what became of it is looked up in the record."""


class UnheardObjections:
    """Judges an objection by its net uptake until the end of the agenda item."""

    kind = KIND
    source = f"local:{KIND}@1"

    def detect(self, conversation: Conversation, reading: Reading) -> tuple[Finding, ...]:
        """Findings of this kind, surest first; empty when there is nothing to raise."""
        record, model = Record(conversation, reading), decisions()[KIND]
        return findings(record, candidates(record), model, self.source)


def candidates(record: Record) -> tuple[Candidate, ...]:
    """Everything that may be an unheard objection, with its confidence; most of it is never shown."""
    model = decisions()[KIND]

    def confidence(index: int) -> float:
        received = record.uptake(index)
        sure = model.confidence(features(record, index), fate().logit(received))
        # Few records teach this, but a wrong accusation costs more than a missed one.
        if _formality(record, index) or _settled(record, index):
            return sure / 5  # The encoder is often surer of the words than half would undo.
        return sure / 2 if received[ANSWERED] > TAKEN_UP else sure

    found = tuple(_candidate(record, p, confidence(p.seed)) for p in seeds(record))
    echoes = _echoes(record, found)
    kept = [c for c in found if c.start not in echoes]
    return (*kept, *_half_a_yes(record, {i for c in kept for i in c.sentences}))


def _echoes(record: Record, found: Sequence[Candidate]) -> frozenset[int]:
    """Where passages start that tell what a surer one tells: one silence, one scene in brackets, is told once."""
    utterances, surest_first = record.conversation.utterances, sorted(found, key=lambda c: -c.confidence)
    hushed = [c for c in surest_first if c.subtype == "silence"]
    again = {
        c.start
        for n, c in enumerate(hushed)
        for surer in hushed[:n]
        if abs(c.sentences[0] - surer.sentences[0]) <= NEAR
    }
    scenes: set[int] = set()
    for c in surest_first:
        where = record.sentences[c.sentences[0]].utterance
        if c.speaker is None and record.conversation.words(utterances[where]).startswith(("(", "[")):
            # "(Nobody said anything. Jonas looked at the wall.)"
            again |= {c.start} if where in scenes else set()
            scenes.add(where)
    return frozenset(again)


def _settled(record: Record, index: int) -> bool:
    """Whether the one who objected says, after others spoke, that it works for them now, and has no further doubt."""
    after = record.others_after(index)
    return bool(after) and agreed_after(record, index, after[0], record.item_end(index)) is not None


def _formality(record: Record, index: int) -> bool:
    """Whether "hearing none" closes a step of procedure, since nothing was proposed or doubted before it."""
    if not _HEARD_NONE.search(record.sentences[index].text):
        return False
    before = range(max(0, index - BEFORE), index)
    same = [j for j in before if record.sections[j] == record.sections[index]]
    p = record.probabilities
    return not any(p["proposal"][j] > 0.5 or p["objection"][j] > 0.5 for j in same)


def _half_a_yes(record: Record, taken: set[int]) -> Iterator[Candidate]:
    """Short turns whose words are a yes without commitment: the encoder saw few and passes over most of them."""
    from coach.lexicon import cues

    for i, sentence in enumerate(record.sentences):
        if i in taken or len(sentence.text.split()) > SHORT:
            continue
        if any((cue.kind, cue.subtype) == ("assent", "lukewarm") for cue in cues(sentence.text)):
            passage = around(record, i, [0.0] * len(record.sentences), taken)
            yield candidate(record, passage, KIND, "lukewarm", None, LUKEWARM)


def seeds(record: Record) -> tuple[Passage, ...]:
    """The passages that are looked at closely."""
    p = record.probabilities
    score = p["raise_objection"] + 0.5 * p["objection"] * p["unheard"] + 0.4 * p["silence"] + 0.3 * p["lukewarm"]
    for i in (p["objection"] > DOUBTED).nonzero()[0]:
        # Of objections that the encoder takes for heard, those that nothing in the record answers are looked at, too.
        score[i] += 0.3 * p["objection"][i] / (1 + math.exp(-fate().logit(record.uptake(int(i)))))
    return passages(record, score, p["objection"] + p["continuation"])


def features(record: Record, index: int) -> tuple[float, ...]:
    """Numbers in the order of ``FEATURES``."""
    subtype = record.probabilities["objection_subtype"][index]
    return (*sentence_features(record, index, "raise_objection"), *record.uptake(index), *map(float, subtype))


def _candidate(record: Record, passage: Passage, confidence: float) -> Candidate:
    found = candidate(record, passage, KIND, None, None, confidence)
    return Candidate(**{**vars(found), "subtype": _subtype(record, passage.seed, found.record.reply_act)})


def _subtype(record: Record, index: int, reply: ReplyAct) -> str:
    share = dict(zip(OBJECTION_SUBTYPES, record.probabilities["objection_subtype"][index].tolist(), strict=True))
    if _NOBODY.search(record.sentences[index].text):
        return "silence"  # "No one said they were less happy with it."
    # The record decides between the three that are about the reply; the words decide the other two.
    if reply in (ReplyAct.NONE, ReplyAct.BARE_OK, ReplyAct.SUBJECT_CHANGE):
        share["ignored"] += 0.2
    elif reply in (ReplyAct.DISMISSAL, ReplyAct.ANOTHER_BENEFIT):
        share["dismissed"] += 0.3
    elif reply is ReplyAct.PARKED:
        share["deferred"] += 0.5
    return max(share, key=lambda s: share[s])
