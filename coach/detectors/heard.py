"""What was heard: objections and needs of a named person that the record shows taken up, and how far that went.

The other detectors look for what nobody picked up. This one says what somebody did pick up, with the words that show
it, and says nothing where it is not sure: somebody who was not answered must not be told that they were. Four small
logistic models (data/heard.json, fitted by `training.heard` on readings of records that the encoder never saw) judge
which later sentence takes a passage up, whether the passage is an objection or need that was taken up at all, and
whether the one who took it up asked about it or changed the plan for it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from coach.acts import ACTS
from coach.detectors.decision import (
    SENTENCE_FEATURES,
    Logistic,
    Passage,
    logistic,
    need_of,
    passages,
    sentence_features,
)
from coach.detectors.uptake import REPLY_WORDS, UPTAKE_FEATURES, Record, agreed_after, is_bare, log_odds
from coach.schema import UNHEARD, Answer, Conversation, Finding, Heard, HeardStage, Quote

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from coach.acts import Reading

    Numbers = NDArray[np.float64]

SOURCE = "local:heard@1"
LATER, CONFIRMS = 40, 6
"""Sentences of others after a passage that may take it up; sentences after that in which its speaker may agree."""

ANSWER_FEATURES = (
    "takes up",
    "takes up, of the best",
    "brushes off",
    "takes up and is uptake",
    *ACTS,
    *(f"words {name}" for name in REPLY_WORDS),
    "asks",
    "bare words",
    "words",
    "chair",
    "no speaker",
    "then the first again",
    "distance",
    "turns between",
    "next turn",
    "in the reply",
    "starts the reply",
    "overlap",
    "others after",
)
"""Of a passage and one later sentence of somebody else."""

RAISED_FEATURES = (
    *SENTENCE_FEATURES,
    *UPTAKE_FEATURES,
    "answered best",
    "answered mass",
    "answered at once",
    "asked or changed",
)
"""Of a passage and all that followed."""


@dataclass(frozen=True)
class Judge:
    """The fitted models and from which probability each is believed (docs/design/offline-engine.md)."""

    answers: Logistic
    raised: Logistic
    explored: Logistic
    integrated: Logistic
    limits: Mapping[str, float]


@cache
def judge() -> Judge:
    """The models that ship with the coach."""
    kept = json.loads(files("coach").joinpath("data/heard.json").read_text("utf-8"))
    models = {name: logistic(model) for name, model in kept["models"].items()}
    return Judge(**models, limits=kept["limits"])


def heard(conversation: Conversation, reading: Reading, findings: Sequence[Finding] = ()) -> tuple[Heard, ...]:
    """What the record shows as taken up, in the order of the notes; empty where nothing is sure.

    Nothing that ``findings`` call unheard or worth a look, or that was said in the same breath, is among it.
    """
    record = Record(conversation, reading)
    said = Replies(record)
    taken = [f for f in findings if f.kind in UNHEARD.values()]
    found = [
        one
        for passage in seeds(record)
        if not any(_same_breath(record, passage, f) for f in taken)
        if (one := _heard(said, passage)) is not None
    ]
    return tuple(sorted(found, key=lambda one: one.start))


def seeds(record: Record) -> tuple[Passage, ...]:
    """Passages of somebody named that may be an objection or a need."""
    from coach.wording import is_name

    p = record.probabilities
    score = p["objection"] + 0.8 * p["need"] + 0.3 * (p["raise_objection"] + p["raise_need"])
    found = passages(record, score, p["objection"] + p["need"] + p["continuation"])
    return tuple(one for one in found if is_name(record.sentences[one.seed].speaker or ""))


def doubt(record: Record, passage: Passage) -> float:
    """How likely a sentence of the passage is an objection or a need, whatever came of it: 0 to 1."""
    p = record.probabilities
    return max(float(max(p["objection"][i], p["need"][i])) for i in passage.sentences)


class Replies:
    """What followed each passage of a record; what every pair of sentences needs is worked out once."""

    def __init__(self, record: Record) -> None:
        self.record = record

    @cached_property
    def _alone(self) -> Numbers:
        """Features that a sentence has whatever it may answer: (sentences, features)."""
        import numpy as np

        record, sentences = self.record, self.record.sentences
        rows = []
        for j, sentence in enumerate(sentences):
            cues = record.cues(j)
            rows.append(
                (
                    *(float(("reply", name) in cues) for name in REPLY_WORDS),
                    float("?" in sentence.text),
                    float(is_bare(sentence.text)),
                    float(np.log1p(len(sentence.text.split()))),
                    float(sentence.speaker in record.chairs),
                    float(sentence.speaker is None),
                )
            )
        acts = np.stack([_odds(record.probabilities[act]) for act in ACTS], axis=1)
        return np.hstack([acts, np.array(rows, float)])

    @cached_property
    def _turns(self) -> Numbers:
        """How many turns were begun up to each sentence: (sentences,)."""
        import numpy as np

        begun = [float(not self.record.same_voice(j - 1, j)) for j in range(1, len(self.record.sentences))]
        return np.concatenate([[0.0], np.cumsum(begun)])

    def after(self, index: int) -> tuple[int, ...]:
        """Sentences that may take up the one at ``index``."""
        return self.record.others_after(index)[:LATER]

    def features(self, index: int) -> Numbers:
        """Numbers in the order of ``ANSWER_FEATURES`` for each of :meth:`after`: (sentences, features)."""
        import numpy as np

        record, sentences, after = self.record, self.record.sentences, list(self.after(index))
        take, brush = record.reading.links(index, after)
        reply, mine = record.reply(index), record.words[index]
        turns = self._turns[after] - self._turns[index]
        again = [j + 1 < len(sentences) and sentences[j + 1].speaker == sentences[index].speaker for j in after]
        shared = [len(mine & record.words[j]) / (1 + len(mine)) ** 0.5 for j in after]
        columns = (
            np.array(again, float),
            np.log1p(np.array(after) - index),
            np.log1p(turns),
            (turns <= 2).astype(float),
            np.array([j in reply for j in after], float),
            np.array([j == reply.start for j in after], float),
            np.array(shared),
            np.full(len(after), np.log1p(len(after))),
        )
        links = (_odds(take), _odds(0.99 * take / max(float(take.max()), 1e-6)), _odds(brush))
        uptake = _odds(take * record.probabilities["uptake"][after])
        return np.column_stack([*links, uptake, self._alone[after], *columns])

    def summary(self, index: int, answers: Numbers, moved: Numbers) -> tuple[float, ...]:
        """Numbers in the order of ``RAISED_FEATURES``, given how likely each later sentence takes it up and how likely
        one that does asks about it or changes the plan."""
        import numpy as np

        record, after, reply = self.record, self.after(index), self.record.reply(index)
        first = [k for k, j in enumerate(after) if j in reply]
        return (
            *sentence_features(record, index, "objection"),
            *record.uptake(index),
            log_odds(float(answers.max())),
            float(np.minimum(answers, 0.95).sum()) ** 0.5,
            log_odds(float(answers[first].max(initial=0.0))),
            log_odds(float((answers * moved).max())),
        )


def _heard(said: Replies, passage: Passage) -> Heard | None:
    record, model = said.record, judge()
    index, limits = passage.seed, model.limits
    after = said.after(index)
    if not after:
        return None
    pairs = said.features(index)
    answers = probabilities(model.answers, pairs)
    moves = {name: probabilities(getattr(model, name), pairs) for name in ("explored", "integrated")}
    moved = moves["integrated"] + moves["explored"]
    sure = float(probabilities(model.raised, [said.summary(index, answers, moved)])[0])
    if not believed(sure, doubt(record, passage), float(answers.max()), limits):
        return None
    stage, best = stage_of(answers, moves, limits)
    p, conversation = record.probabilities, record.conversation
    need = p["need"][passage.seed] > p["objection"][passage.seed]
    answer = record.sentences[after[best]]
    return Heard(
        kind="need" if need else "objection",
        quote=conversation.text[passage.start : passage.end],
        start=passage.start,
        end=passage.end,
        speaker=record.sentences[passage.seed].speaker or "",
        need=need_of(record, passage.seed) if need else None,
        stage=stage,
        answer=Answer(quote=answer.text, start=answer.start, end=answer.end, speaker=answer.speaker),
        confirmation=_confirmation(record, index, after[best], limits["confirmed"]),
        confidence=round(sure, 3),
        source=SOURCE,
    )


def believed(raised: float, doubt: float, answered: float, limits: Mapping[str, float]) -> bool:
    """Whether that is enough to say that something was heard: all three, or, of a plainer answer, less of a doubt."""
    if raised >= limits["raised"] and doubt >= limits["doubt"] and answered >= limits["answers"]:
        return True
    return min(raised, answered) >= limits["plain"] and doubt >= limits["doubt_answered_plainly"]


def stage_of(answers: Numbers, moves: Mapping[str, Numbers], limits: Mapping[str, float]) -> tuple[HeardStage, int]:
    """How far the answers went, and which of them shows it best."""
    near = answers >= min(limits["answers"], 0.6 * float(answers.max()))
    stages: tuple[HeardStage, ...] = ("integrated", "explored")
    for stage in stages:
        score = near * moves[stage]
        if float(score.max()) >= limits[stage]:
            return stage, int((score * answers).argmax())
    return "acknowledged", int(answers.argmax())


def confirmed_at(record: Record, index: int, answer: int, limit: float) -> int | None:
    """The sentence in which the speaker of ``index`` agrees soon after ``answer``, or None."""
    return agreed_after(record, index, answer, min(record.item_end(index), answer + 1 + CONFIRMS), limit)


def _confirmation(record: Record, index: int, answer: int, limit: float) -> Quote | None:
    """Where the one who raised it agrees after the answer, if they do: their own words, without another doubt."""
    at = confirmed_at(record, index, answer, limit)
    said = record.sentences[at] if at is not None else None
    return Quote(quote=said.text, start=said.start, end=said.end) if said else None


def _same_breath(record: Record, passage: Passage, finding: Finding) -> bool:
    turn = record.turn(passage.seed)
    return finding.start < record.sentences[turn[-1]].end and record.sentences[turn[0]].start < finding.end


def probabilities(model: Logistic, values: Any) -> Numbers:
    """Of each row: (rows,)."""
    import numpy as np

    z = np.clip((np.asarray(values, float) - model.mean) / np.array(model.scale), -4, 4) @ model.weights + model.bias
    return np.asarray(1 / (1 + np.exp(-z)))


def _odds(p: Any) -> Numbers:
    """Log odds, bounded as by `log_odds`."""
    import numpy as np

    p = np.clip(np.asarray(p, float), 0.002, 0.998)
    return np.asarray(np.log(p / (1 - p)))


__all__ = [
    "ANSWER_FEATURES",
    "RAISED_FEATURES",
    "Judge",
    "Replies",
    "believed",
    "doubt",
    "heard",
    "judge",
    "seeds",
    "stage_of",
]
