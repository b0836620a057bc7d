"""How far an objection has been heard, and what moves it: computed from moves by code, never left to a model.

The ladder: raised, acknowledged, paraphrased, explored, confirmed ("yes, that is what worries me"), integrated. It
follows the order in which being heard builds up: people first need to see that their point counts, then that it was
understood, then what is behind it, and confirm that themselves before a solution means anything to them.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from enum import StrEnum

from coach.rehearsal.moves import DISMISSING, Move


class Status(StrEnum):
    """The rungs, lowest first."""

    RAISED = "raised"
    ACKNOWLEDGED = "acknowledged"
    PARAPHRASED = "paraphrased"
    EXPLORED = "explored"
    CONFIRMED = "confirmed"
    INTEGRATED = "integrated"


RUNGS = tuple(Status)

# What lifts an objection off each rung; any one of these moves will do.
LIFTS: dict[Status, frozenset[Move]] = {
    Status.RAISED: frozenset({Move.ACKNOWLEDGE, Move.PARAPHRASE, Move.OPEN_QUESTION, Move.EXPLORE_NEED}),
    Status.ACKNOWLEDGED: frozenset({Move.PARAPHRASE}),
    Status.PARAPHRASED: frozenset({Move.EXPLORE_NEED, Move.OPEN_QUESTION}),
    Status.EXPLORED: frozenset({Move.CHECK_BACK, Move.PARAPHRASE}),
    Status.CONFIRMED: frozenset({Move.INTEGRATE}),
    Status.INTEGRATED: frozenset(),
}


class Temperament(StrEnum):
    """How somebody shows it; what earns their trust is the same for all."""

    RESERVED = "reserved"
    BLUNT = "blunt"
    WORRIED = "worried"


@dataclass(frozen=True)
class Ladder:
    """Where one objection stands. ``hardness`` counts the dismissals that have not been made good yet."""

    status: Status = Status.RAISED
    hardness: int = 0


# A reserved person takes one step at a time; a worried one hardens once more when reassured or pressed.
STEPS_A_TURN = {Temperament.RESERVED: 1, Temperament.BLUNT: 2, Temperament.WORRIED: 2}
HARDEST = 3


def after(ladder: Ladder, moves: Collection[Move], *, on_topic: bool, temperament: Temperament) -> Ladder:
    """Where the objection stands after one turn of the user with these moves.

    ``on_topic`` says whether the turn speaks to what was objected (its words or their meaning come back): a paraphrase
    of something else is none. A turn that dismisses lifts nothing, whatever else it does; it hardens, and takes an
    unconfirmed objection one rung down. Hardness has to be made good by acknowledging, paraphrasing or asking before
    anything moves up again.
    """
    made = set(moves)
    if not on_topic:
        made -= {Move.PARAPHRASE, Move.INTEGRATE}
    dismissals = made & DISMISSING
    if dismissals:
        pressed = temperament is Temperament.WORRIED and bool(dismissals & {Move.REASSURE, Move.STEAMROLL})
        return Ladder(_down(ladder.status), min(HARDEST, ladder.hardness + 1 + pressed))
    if ladder.hardness and made:
        return replace(ladder, hardness=ladder.hardness - 1)
    status = ladder.status
    for _ in range(STEPS_A_TURN[temperament]):
        used = made & LIFTS[status]
        if not used:
            break
        # One move lifts once: a single question neither acknowledges, explores and confirms at the same time.
        made -= {sorted(used)[0]}
        status = RUNGS[RUNGS.index(status) + 1]
    return replace(ladder, status=status)


def _down(status: Status) -> Status:
    """One rung down; what was confirmed was heard, and only the plan can still be lost."""
    if status in (Status.RAISED, Status.CONFIRMED):
        return status
    return RUNGS[RUNGS.index(status) - 1]
