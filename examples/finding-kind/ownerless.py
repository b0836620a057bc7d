"""Decisions that name nobody who will carry them out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from coach.schema import Conversation, Finding

if TYPE_CHECKING:
    from coach.acts import Reading

DECIDED = re.compile(r"^(?:decided|decision|agreed|it was (?:decided|agreed))\b", re.I)


class OwnerlessDecision:
    """A sentence that records a decision and names none of those who were there."""

    kind = "ownerless_decision"
    source = "ownerless@1"

    def detect(self, conversation: Conversation, reading: Reading) -> tuple[Finding, ...]:
        """One finding for each such decision, in the order of the notes."""
        people = {*conversation.speakers, *(attendee.name for attendee in conversation.attendees)}
        parts = {part for name in people for part in name.split()}
        return tuple(
            Finding(
                kind=self.kind,
                quote=sentence.text,
                start=sentence.start,
                end=sentence.end,
                why="The notes record this as decided, and name nobody who will take it on.",
                ask="Who would like to look after this, and what would they need for it?",
                confidence=0.6,
                source=self.source,
            )
            for sentence in reading.sentences
            if DECIDED.match(sentence.text) and not parts & set(re.findall(r"\w+", sentence.text))
        )


DETECTOR = OwnerlessDecision()
