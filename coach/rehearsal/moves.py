"""Which conversational moves somebody makes, with the words that show each.

Listening moves let a person feel heard; dismissing moves are the roadblocks. The categories rest on Gordon's twelve
roadblocks to communication (Gordon 1970), the open questions, affirmations, reflections and summaries of motivational
interviewing (Miller and Rollnick 2013), conversational receptiveness (Yeomans et al. 2020) and the Feeling Heard scale
(Roos et al. 2023). A small linear model decides; it sees cue patterns and what the encoder of the local engine makes of
the sentence (:func:`coach.acts.states`). ``python -m training.moves`` fits it and prints its cross-validated confusion
matrix.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from coach.acts import states
from coach.rehearsal.aim import nameless

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Move(StrEnum):
    """A conversational move."""

    OPEN_QUESTION = "open_question"
    PARAPHRASE = "paraphrase"
    ACKNOWLEDGE = "acknowledge"
    EXPLORE_NEED = "explore_need"
    CHECK_BACK = "check_back"
    INTEGRATE = "integrate"
    LEADING_QUESTION = "leading_question"
    REBUT = "rebut"
    REASSURE = "reassure"
    ADVISE = "advise"
    DEFER = "defer"
    DIVERT = "divert"
    STEAMROLL = "steamroll"
    DIAGNOSE = "diagnose"
    MORALISE = "moralise"
    FLATTER = "flatter"


LISTENING = frozenset(
    {Move.OPEN_QUESTION, Move.PARAPHRASE, Move.ACKNOWLEDGE, Move.EXPLORE_NEED, Move.CHECK_BACK, Move.INTEGRATE}
)
DISMISSING = frozenset(Move) - LISTENING
THRESHOLD = 0.5

CARRIED = frozenset({Move.STEAMROLL, Move.REASSURE, Move.ADVISE, Move.DEFER, Move.REBUT, Move.DIVERT})
"""Moves whose cues may stand in what the speaker only gives back of the other's words."""

_GIVEN_BACK = re.compile(
    r"(?:so,? )?(?:you(?:'d| would| said| mean| told| asked| want| need to (?:know|see)| have been|'ve been)\b"
    r"(?! (?:better|rather|to))"
    r"|if i (?:hear|understand|understood|heard|got|get|have)|if i've|what i(?:'m)? (?:hear|pick|take|get|understand)"
    r"|it sounds|in other words|from what you|as you (?:see|tell|describe|put)"
    r"|your (?:worry|fear|point|concern|condition)\b|so you(?:'re| are) (?:worried|afraid|saying|left)|the fear is)"
)
_CONTRAST = re.compile(r"\b(?:but|however|anyway|still|so (?:get|stop|just))\b")
_QUOTED_OR_CONDITION = re.compile(
    r"[\"“][^\"”]*[\"”]|\b(?:before|until|unless|whether|so that|nothing(?: else)? is) [^,.;?!]*"
    r"|\bif (?!i were)[^,.;?!]*"
)
_OPENER = re.compile(
    r"(?:(?:ok(?:ay)?|right|alright|all right|well|h+m+|mm+|ah|oh|yeah|yes|look|listen|sure|fine|good|honestly|and"
    r"|please|then|now)\b[,.!:;–-]*\s+)+(?=\w)"
)
"""Words that only open a turn: they make no move, and "OK, so the worry is ..." changes no subject."""
_ASKS = re.compile(
    r"(?:what|how|why|who|where|when|which"
    r"|(?:can|could|would|will|do|did|does|is|are|am|have|has) (?:you|i|it|that|we|they))\b"
)
"""A sentence typed without any end that begins like this is a question."""
_SENTENCE = re.compile(r"[^.!?\n]+[.!?]*")


@dataclass(frozen=True)
class MoveFound:
    """A move, the sentence that makes it (``words == text[start:end]``) and how sure the model is, 0 to 1."""

    move: Move
    words: str
    start: int
    end: int
    confidence: float


def find_moves(text: str, names: Sequence[str] = ()) -> tuple[MoveFound, ...]:
    """The moves of one turn, in order; each at most once per sentence, several per turn. Empty for neutral talk.

    ``names`` are left out of account, and he and she are taken alike: who is spoken of changes no move.
    """
    found = []
    for start, end in _sentences(text):
        words = text[start:end]
        scores = probabilities(nameless(words, names))
        leaning = _leaning(words, scores)
        for move in Move:
            # A question that gives back what was said, or asks whether one understood, does not lead.
            if move is Move.LEADING_QUESTION and min(scores[Move.PARAPHRASE], scores[Move.CHECK_BACK]) >= THRESHOLD:
                continue
            if scores[move] >= THRESHOLD and move in leaning:
                found.append(MoveFound(move, words, start, end, round(scores[move], 3)))
    return tuple(found)


def move_scores(words: str, names: Sequence[str] = ()) -> dict[Move, float]:
    """How likely words make each move, 0 to 1, at their likeliest sentence; names left out."""
    scores = [probabilities(nameless(words[start:end], names)) for start, end in _sentences(words)]
    return {move: max((score[move] for score in scores), default=0.0) for move in Move}


def probabilities(sentence: str) -> dict[Move, float]:
    """How likely one sentence makes each move, 0 to 1, independently."""
    model, present, seen = _model(), features(sentence), states(sentence)
    scores = {}
    for move in Move:
        part = model[move.value]
        score = part.bias + sum(part.cues.get(name, 0.0) for name in present) + float(part.states @ seen)
        scores[move] = 1 / (1 + math.exp(-max(-30.0, min(30.0, score))))
    return scores


def features(sentence: str) -> frozenset[str]:
    """What can be named about a sentence: the cue patterns it holds, and whether it asks."""
    plain = sentence.lower().replace("’", "'").strip()
    plain = _OPENER.sub("", plain, count=1)
    if plain[-1:].isalnum() and _ASKS.match(plain):
        plain += "?"
    own = _own_words(plain)
    found = {
        f"cue:{move}:{n}"
        for move, patterns in _cues().items()
        for n, p in enumerate(patterns)
        if p.search(own if move in CARRIED else plain)
    }
    found |= {f"any:{name.split(':')[1]}" for name in found}
    found.add("ends:?" if plain.endswith("?") else "ends:.")
    return frozenset(found)


def _own_words(sentence: str) -> str:
    """The sentence without what it gives back of the other's words: "you'd want a say before it is decided" decides
    nothing, and "so you need to know" is no advice."""
    if _GIVEN_BACK.match(sentence) and not _CONTRAST.search(sentence):
        return ""
    return _QUOTED_OR_CONDITION.sub(" ", sentence)


def _leaning(words: str, scores: dict[Move, float]) -> frozenset[Move]:
    """The moves a sentence may make: it listens or it dismisses, whichever is likelier.

    "So it is decided and nobody asked you" gives back and presses nothing. After a "but" what follows it decides: "I
    understand, but the decision is made" acknowledges nothing.
    """
    listens, dismisses = (max(scores[m] for m in moves) for moves in (LISTENING, DISMISSING))
    if min(listens, dismisses) < THRESHOLD:
        return frozenset(Move)
    return DISMISSING if _CONTRAST.search(words.lower()) or dismisses > listens else LISTENING


def _sentences(text: str) -> list[tuple[int, int]]:
    spans = []
    for match in _SENTENCE.finditer(text):
        start, end = match.span()
        start += len(match.group()) - len(match.group().lstrip())
        end -= len(match.group()) - len(match.group().rstrip())
        if end > start:
            spans.append((start, end))
    return spans


@cache
def _cues() -> dict[str, tuple[re.Pattern[str], ...]]:
    import yaml

    raw = yaml.safe_load((files("coach") / "data" / "moves.yaml").read_text(encoding="utf-8"))
    return {move: tuple(re.compile(p, re.I) for p in patterns) for move, patterns in raw.items()}


@dataclass(frozen=True)
class _Part:
    """The weights of one move: of named features, and of the states of the encoder."""

    bias: float
    cues: dict[str, float]
    states: NDArray[np.float32]


@cache
def _model() -> dict[str, _Part]:
    import numpy as np

    model = json.loads((files("coach") / "data" / "moves.json").read_text(encoding="utf-8"))
    return {
        move: _Part(part["bias"], part["cues"], np.asarray(part["states"], dtype=np.float32))
        for move, part in model.items()
    }
