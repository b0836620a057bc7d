"""What a detector is, and the values that pass between its steps.

A reading (`coach.acts`) gives numbers; a detector turns them into candidates, decides which are worth showing, and
`coach.wording` says them. Adding a kind of finding is one module with a `Detector` in it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from coach.acts import Reading
    from coach.schema import Conversation, Finding, Sentence


class ReplyAct(StrEnum):
    """What the first reply of somebody else did with what was said."""

    NONE = "none"
    BARE_OK = "bare_ok"
    ANOTHER_BENEFIT = "another_benefit"
    DISMISSAL = "dismissal"
    PARKED = "parked"
    SUBJECT_CHANGE = "subject_change"
    PARTIAL_ANSWER = "partial_answer"


@dataclass(frozen=True)
class UptakeRecord:
    """What the record shows about how a passage was received, from its own words to the end of the agenda item.

    proposal: the sentence of the plan or decision that the passage is about, if one was found.
    reply: the first sentence of the first turn after it by somebody else within the item, if there is one.
    reply_act: what that turn did.
    chair: the reply is by whoever chairs or facilitates.
    later_uptake: a later sentence that comes closest to taking it up, if any does (weakly: else it were no candidate).
    echoed: somebody else uses its words after the first reply, so that it may have come up again.
    end_of_item: nothing by anybody else follows before the item ends.
    next_topic: title of the section that follows, or None.
    """

    proposal: Sentence | None = None
    reply: Sentence | None = None
    reply_act: ReplyAct = ReplyAct.NONE
    chair: bool = False
    later_uptake: Sentence | None = None
    echoed: bool = False
    end_of_item: bool = False
    next_topic: str | None = None


@dataclass(frozen=True)
class Candidate:
    """A passage that might be worth raising, before it is put into words.

    kind, subtype, need: as in `coach.schema.Finding`.
    sentences: indexes into `conversation.sentences`, ascending.
    start, end: Unicode code point offsets; `conversation.text[start:end] == quote`.
    speaker: as in the notes, None where nobody is named.
    confidence: calibrated probability, 0 to 1, that an attentive facilitator would raise it.
    record: the evidence of (no) uptake; empty for categorical phrasing.
    """

    kind: str
    subtype: str | None
    need: str | None
    sentences: tuple[int, ...]
    start: int
    end: int
    quote: str
    speaker: str | None
    confidence: float
    record: UptakeRecord = field(default_factory=UptakeRecord)


class Detector(Protocol):
    """Finds one kind of finding."""

    kind: str
    source: str

    def detect(self, conversation: Conversation, reading: Reading) -> tuple[Finding, ...]:
        """Findings of this kind, those to act on first; empty when there is nothing to raise."""
        ...
