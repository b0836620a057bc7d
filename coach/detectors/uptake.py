"""How a passage was received: from its own words to the end of the agenda item, as numbers and as a record.

The numbers feed the decision; the record says it in the terms a reader can check (who spoke next, what they did).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any

from coach.detectors.base import ReplyAct, UptakeRecord
from coach.schema import Conversation, Sentence

if TYPE_CHECKING:
    from coach.acts import Reading

CONTENT = frozenset({("assent", "agreed"), ("assent", "withdrawn")})
"""Lists of words by which somebody says that an answer helps, whatever the encoder makes of a short thanks."""
RARE = 4
"""Sentences with a word, at most, for it to tell by itself that one of them is about another."""
FAR = 60
"""Sentences after a passage that can still take it up, where notes have no agenda items."""

_WORD = re.compile(r"[^\W\d_]{4,}")
_COMMON = frozenset(
    """about above after again also always another anything because been before being below between both cannot could
    does doing done down during each either enough even ever every from have having here into just know like
    look made make many maybe might mine more most much must need never nothing okay only other ours over
    really right said same says shall should since some something still such sure take than that their them
    then there these they thing things think this those though through time under until very want well were
    what when where which while will with without would yeah year years your yours going gonna come came goes
    """.split()  # noqa: SIM905 - a word list reads better than quotation marks
)


_BARE = re.compile(
    r"\W*(?:(?:ok(?:ay)?|yeah|yes|yep|no|right|sure|noted|thanks?(?: you)?|cheers|mm+|mhm|hmm+|uh-?huh|great|good|fine"
    r"|alright|all right|agreed?|absolutely|got it|understood|fair|true|i see|cool|ha|well|so|point taken"
    r"|(?:good|great|lots of good|fair) (?:point|points|question))\W*){1,4}$",
    re.I,
)


@dataclass(frozen=True)
class Record:
    """A conversation beside its reading, with what every candidate asks of it computed once."""

    conversation: Conversation
    reading: Reading

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        return self.reading.sentences

    @cached_property
    def probabilities(self) -> dict[str, Any]:
        """Every yes/no head by name: (sentences,), and every choice: (sentences, options)."""
        from coach.acts import ACTS, CHOICES, WORTH

        return {name: self.reading.probability(name) for name in (*ACTS, *WORTH, "unheard", *CHOICES)}

    @cached_property
    def sections(self) -> tuple[str | None, ...]:
        return tuple(self.conversation.utterances[s.utterance].section for s in self.sentences)

    @cached_property
    def words(self) -> tuple[frozenset[str], ...]:
        """Content words of each sentence, cut to stems of five letters."""
        return tuple(
            frozenset(w[:5] for w in map(str.lower, _WORD.findall(s.text)) if w not in _COMMON) for s in self.sentences
        )

    @cached_property
    def word_counts(self) -> Counter[str]:
        """In how many sentences each of these words stands."""
        return Counter(word for words in self.words for word in words)

    def shares_words(self, passage: Sequence[int], other: int) -> bool:
        """Whether a sentence has two content words in common with a passage, or one that is rare in these notes."""
        common = frozenset().union(*(self.words[i] for i in passage)) & self.words[other]
        return len(common) > 1 or any(self.word_counts[word] <= RARE for word in common)

    @cached_property
    def lines_of(self) -> Counter[str | None]:
        """How many sentences each speaker has; under ``None`` those without one."""
        return Counter(s.speaker for s in self.sentences)

    @cached_property
    def cues(self) -> Callable[[int], frozenset[tuple[str, str]]]:
        """The lists of `coach.lexicon` that a sentence draws on: (kind, subtype)."""
        from coach.lexicon import cues

        return cache(lambda index: frozenset((cue.kind, cue.subtype) for cue in cues(self.sentences[index].text)))

    @cached_property
    def chairs(self) -> frozenset[str]:
        from coach.acts import is_chair

        return frozenset(a.name for a in self.conversation.attendees if a.role and is_chair(a.role))

    def item_end(self, index: int) -> int:
        """The first sentence after the agenda item that ``index`` belongs to."""
        section, stop = self.sections[index], index + 1
        last = min(len(self.sentences), index + 1 + FAR * (3 if section else 1))
        while stop < last and self.sections[stop] == section:
            stop += 1
        return stop

    def turn(self, index: int) -> range:
        """Sentences of the same speaker around ``index`` that follow on each other without anybody between."""
        start, stop = index, index + 1
        while start > 0 and self.same_voice(start - 1, index):
            start -= 1
        while stop < len(self.sentences) and self.same_voice(stop, index):
            stop += 1
        return range(start, stop)

    def same_voice(self, a: int, b: int) -> bool:
        """Whether two sentences are of one turn: one speaker and section, or one utterance where nobody is named."""
        one, other = self.sentences[a], self.sentences[b]
        if self.sections[a] != self.sections[b]:
            return False
        return one.utterance == other.utterance or (one.speaker is not None and one.speaker == other.speaker)

    @cached_property
    def others_after(self) -> Callable[[int], tuple[int, ...]]:
        """Later sentences of the item that are somebody else's, or might be, because nobody is named."""
        speakers = [s.speaker for s in self.sentences]

        def after(index: int) -> tuple[int, ...]:
            mine = speakers[index]
            later = range(index + 1, self.item_end(index))
            return tuple(later) if mine is None else tuple(j for j in later if speakers[j] != mine)

        return cache(after)

    @cached_property
    def uptake(self) -> Callable[[int], tuple[float, ...]]:
        """The numbers of :func:`uptake_features`; each of the three detectors asks for them."""
        return cache(lambda index: uptake_features(self, index))

    def reply(self, index: int) -> range:
        """The first turn by somebody else within the item; empty when there is none."""
        after = self.others_after(index)
        if not after:
            return range(0)
        turn = self.turn(after[0])
        return range(after[0], min(turn.stop, self.item_end(index)))


def agreed_after(record: Record, index: int, answer: int, stop: int, sure: float | None = None) -> int | None:
    """The sentence between ``answer`` and ``stop`` in which the speaker of ``index`` says that it helps, or None.

    Told by words of ``CONTENT`` or, from a probability of ``sure`` on, by the encoder; never beside another doubt.
    """
    p, speaker = record.probabilities, record.sentences[index].speaker
    own = [j for j in range(answer + 1, stop) if speaker is not None and record.sentences[j].speaker == speaker]
    if any(p[act][j] > 0.5 for act in ("objection", "lukewarm") for j in own):
        return None
    return next((j for j in own if CONTENT & record.cues(j) or (sure is not None and p["assent"][j] >= sure)), None)


REPLY_WORDS = ("bare_ok", "parked", "moving_on", "dismissed", "paraphrase", "ask", "answer", "change", "own")
LATER_WORDS = ("change", "own")
"""An owner or a change of plan may come some sentences after the first reply."""

UPTAKE_FEATURES = (
    "link best",
    "link mass",
    "link reply",
    "answer best",
    "answer reply",
    "brush best",
    "brush reply",
    "reply uptake",
    "reply dismissal",
    "reply parking",
    "reply bare",
    "reply assent",
    "reply objection",
    "overlap best",
    "overlap reply",
    "reply asks",
    *(f"words {name}" for name in REPLY_WORDS),
    "bare words",
    "no reply",
    "others after",
    "end of document",
    "item length",
    "own after",
    "chair replies",
    "no speaker",
)


def uptake_features(record: Record, index: int) -> tuple[float, ...]:
    """Numbers in the order of ``UPTAKE_FEATURES`` for the passage whose main sentence is ``index``."""
    import numpy as np

    sentences, p = record.sentences, record.probabilities
    after, reply = record.others_after(index), record.reply(index)
    take = brush = np.zeros(0, np.float32)
    if after:
        take, brush = record.reading.links(index, after)
    answer = take * p["uptake"][list(after)] if after else take
    first = [k for k, j in enumerate(after) if j in reply]
    mine = record.words[index] | (
        record.words[index - 1] if index and record.same_voice(index - 1, index) else frozenset()
    )
    near = after[:12]
    shared = [len(mine & record.words[j]) / (1 + len(mine)) ** 0.5 for j in near]
    said = [sentences[j].text for j in reply]
    end = record.item_end(index)

    def top(values: Any, picked: Sequence[int]) -> float:
        return float(max((values[k] for k in picked), default=0.0))

    return (
        log_odds(float(take.max(initial=0.0))),
        float(np.minimum(take, 0.95).sum() if len(take) else 0.0) ** 0.5,
        log_odds(top(take, first)),
        log_odds(float(answer.max(initial=0.0))),
        log_odds(top(answer, first)),
        log_odds(float(brush.max(initial=0.0))),
        log_odds(top(brush, first)),
        *(log_odds(top(p[act], reply)) for act in ("uptake", "dismissal", "parking", "bare_ok", "assent", "objection")),
        max(shared, default=0.0),
        max((s for s, j in zip(shared, near, strict=True) if j in reply), default=0.0),
        float(any("?" in text for text in said)),
        *(
            float(any(("reply", name) in record.cues(j) for j in (near if name in LATER_WORDS else near[:4])))
            for name in REPLY_WORDS
        ),
        float(bool(said) and all(map(is_bare, said))),
        float(not after),
        float(np.log1p(len(after))),
        float(end == len(sentences) and index >= len(sentences) - 3),
        float(np.log1p(end - index)),
        float(np.log1p(sum(sentences[j].speaker == sentences[index].speaker for j in range(index + 1, end)))),
        float(bool(reply) and sentences[reply.start].speaker in record.chairs),
        float(sentences[index].speaker is None),
    )


def uptake_record(record: Record, passage: Sequence[int]) -> UptakeRecord:
    """What the record shows about a passage, in terms that a reader can check."""
    sentences, p, last = record.sentences, record.probabilities, passage[-1]
    after, reply = record.others_after(last), record.reply(last)
    end = record.item_end(last)
    before = [
        j
        for j in range(max(0, passage[0] - 25), passage[0])
        if record.sections[j] == record.sections[last] and p["proposal"][j] > 0.5
    ]
    later = None
    if after:
        take = record.reading.links(last, after)[0]
        best = int(take.argmax())
        later = sentences[after[best]] if take[best] > 0.3 else None
    return UptakeRecord(
        proposal=sentences[before[-1]] if before else None,
        reply=sentences[reply.start] if reply else None,
        reply_act=reply_act(record, last, reply),
        chair=bool(reply) and sentences[reply.start].speaker in record.chairs,
        later_uptake=later,
        echoed=any(record.shares_words(passage, j) for j in after if j not in reply),
        end_of_item=not after,
        next_topic=record.sections[end] if end < len(sentences) else None,
    )


def reply_act(record: Record, index: int, reply: range) -> ReplyAct:
    """What the first turn of somebody else did; the surest of the possibilities."""
    if not reply:
        return ReplyAct.NONE
    p = record.probabilities
    texts = [record.sentences[j].text for j in reply]
    take, brush = record.reading.links(index, reply)
    if all(map(is_bare, texts)):
        return ReplyAct.BARE_OK
    parked = any(("reply", "parked") in record.cues(j) for j in reply)
    if max(p["parking"][j] for j in reply) > 0.3 or (parked and max(brush) > 0.3):
        return ReplyAct.PARKED
    strength = {
        ReplyAct.DISMISSAL: max(p["dismissal"][j] for j in reply),
        ReplyAct.PARTIAL_ANSWER: float(max(take)),
        ReplyAct.BARE_OK: p["bare_ok"][reply.start] if len(reply) == 1 else 0.0,
    }
    act = max(strength, key=lambda a: float(strength[a]))
    return act if strength[act] > 0.3 else ReplyAct.SUBJECT_CHANGE


def is_bare(text: str) -> bool:
    """Whether a reply is nothing but "okay", "thanks" or "good point"."""
    return bool(_BARE.match(text))


def log_odds(p: float) -> float:
    """Log odds of a probability, bounded at about six."""
    import math

    p = min(max(p, 0.002), 0.998)
    return math.log(p / (1 - p))
