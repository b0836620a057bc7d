"""What a review asks of earlier meetings: the library's passages, with what the ledger knows became of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from coach.anonymise import restore
from coach.concerns import is_open

if TYPE_CHECKING:
    from coach.concerns import Concern
    from coach.identities import IdentityLedger
    from coach.ledger import Ledger
    from coach.library import Library
    from coach.schema import Conversation, Evidence, Finding, Passage


@dataclass(frozen=True)
class KeptMemory:
    """A :class:`coach.review.Memory` of notes that were kept; ``identities`` puts the names back."""

    library: Library
    ledger: Ledger
    identities: IdentityLedger

    def earlier(self, conversation: Conversation) -> Sequence[Passage]:
        """Pseudonymised passages of earlier meetings that this conversation calls to mind."""
        return self.library.earlier(conversation)

    def evidence(self, finding: Finding, conversation: Conversation) -> tuple[Evidence, ...]:
        """Where the same person said the same before, and what became of it by the day of this meeting."""
        found = self.library.evidence(finding, conversation)
        concerns = self.ledger.all(finding.speaker, guesses=False) if found else ()
        return tuple(one.model_copy(update={"status": self._became(one, concerns, conversation.date)}) for one in found)

    def _became(self, evidence: Evidence, concerns: Sequence[Concern], until: str | None) -> str | None:
        known = self.identities.load()
        for concern in concerns:
            steps = [step for step in concern.steps if until is None or (step.date or "") < until]
            if any(
                step.date == evidence.date and step.quote and _same_words(restore(step.quote, known), evidence.quote)
                for step in steps
            ):
                return "unheard" if is_open(steps[-1]) else steps[-1].status
        return None


def _same_words(one: str, other: str) -> bool:
    return one in other or other in one
