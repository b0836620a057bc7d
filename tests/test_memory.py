"""What a review says about earlier meetings: who said the same before, and what became of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from coach import notes, render
from coach.identities import IdentityLedger
from coach.ledger import Ledger
from coach.library import Library
from coach.memory import KeptMemory
from coach.schema import Answer, Finding, Heard, Meeting, Review
from coach.settings import load_settings

NIGHTS, AGAIN = "The pager woke me up five nights this week.", "The pager woke me up again, five nights in a row."
MAY = f"Date: 2026-05-03\n\nMarisa: {NIGHTS}\nTobias: Then you come off the rota.\nYuki: Fine.\nTobias: Thanks.\n"
JULY = f"Date: 2026-07-01\n\nMarisa: {AGAIN}\nTobias: Later.\nYuki: Fine.\nTobias: Hm.\n"
PLACE: dict[str, Any] = {"start": 0, "end": 1, "speaker": "Marisa", "confidence": 0.8, "source": "test"}


def found(quote: str) -> Finding:
    return Finding(kind="unheard_objection", subtype="ignored", quote=quote, why="w", ask="a?", **PLACE)


UNHEARD = {"findings": (found(NIGHTS),)}
ANSWER = Answer(quote="Then you come off the rota.", start=0, end=1, speaker="Tobias")
HEARD = {"heard": (Heard(kind="objection", quote=NIGHTS, stage="acknowledged", answer=ANSWER, **PLACE),)}


@pytest.mark.parametrize(
    ("reviewed", "marks", "status", "told"),
    [
        (UNHEARD, (), "unheard", " (not taken up)"),
        (HEARD, (), "acknowledged", " (answered since)"),
        (UNHEARD, (("confirmed", "2026-05-10"),), "confirmed", " (confirmed since)"),
        (UNHEARD, (("confirmed", "2026-08-01"),), "unheard", " (not taken up)"),
        (HEARD, (("reopened", "2026-05-10"),), "unheard", " (not taken up)"),
        ({}, (), None, ""),
    ],
)
def test_evidence_says_what_became_of_it_by_the_day_of_the_meeting(
    a_home_of_its_own: Path, reviewed: dict[str, Any], marks: tuple[Any, ...], status: str | None, told: str
) -> None:
    settings = load_settings({"COACH_HOME": str(a_home_of_its_own)})
    review = Review(engine="local", seconds=0, meeting=Meeting(format="t", utterances=1, speakers=()), **reviewed)
    with Library(settings) as library, Ledger(settings) as ledger:
        for concern in ledger.record(review, library.add(notes.parse(MAY)).id):
            for mark, date in marks:
                ledger.mark(concern.id, mark, date=date)
        memory = KeptMemory(library, ledger, IdentityLedger(settings))
        (evidence,) = memory.evidence(found(AGAIN), notes.parse(JULY))
    assert (evidence.quote, evidence.speaker, evidence.status) == (NIGHTS, "Marisa", status)
    shown = found(AGAIN).model_copy(update={"evidence": (evidence,)})
    assert f"“{NIGHTS}”{told}\n" in render.markdown(review.model_copy(update={"findings": (shown,)})).replace("\\", "")
