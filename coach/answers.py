"""The shapes of model answers: what each prompt may say, and nothing else.

Every field is required and unknown fields are refused, so that the JSON schema of a shape is what strict structured
output asks for. Fields stand in the order in which a careful reader would fill them in: first what the record holds,
then the judgement. Model text becomes shown text only through :func:`inert`.
"""

from __future__ import annotations

import unicodedata
from typing import Literal

from pydantic import BaseModel, ConfigDict

from coach.schema import Alignment, BuyIn, CategoricalSubtype, Need, ObjectionSubtype

Sure = Literal["clear", "likely", "doubtful"]
CONFIDENCE: dict[str, float] = {"clear": 0.85, "likely": 0.65, "doubtful": 0.35}
"""Probability shown for each word of certainty; models are better judges in words than in numbers."""


class Shape(BaseModel):
    """A frozen answer that refuses unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class UnheardObjection(Shape):
    """``line`` is the number at the start of the line that holds the quote; ``earlier`` are numbers of passages."""

    line: int
    quote: str
    speaker: str | None
    about: str
    record: str
    subtype: ObjectionSubtype
    why: str
    ask: str
    earlier: list[int]
    sure: Sure


class UnheardObjections(Shape):
    """The answer of the prompt ``unheard_objections``."""

    findings: list[UnheardObjection]


class UnaddressedNeed(Shape):
    """``record`` says what the record shows after the quote."""

    line: int
    quote: str
    speaker: str | None
    record: str
    need: Need
    why: str
    ask: str
    earlier: list[int]
    sure: Sure


class UnaddressedNeeds(Shape):
    """The answer of the prompt ``unaddressed_needs``."""

    findings: list[UnaddressedNeed]


class CategoricalPhrase(Shape):
    """``rewrite`` says the same tentatively."""

    line: int
    quote: str
    speaker: str | None
    subtype: CategoricalSubtype
    why: str
    rewrite: str
    ask: str
    sure: Sure


class CategoricalPhrasing(Shape):
    """The answer of the prompt ``categorical_phrasing``."""

    findings: list[CategoricalPhrase]


class Words(Shape):
    """Words of the record, with the number of their line."""

    line: int
    quote: str


class Stand(Shape):
    """Where one attendee stands, with the words that show it."""

    name: str
    evidence: list[Words]
    alignment: Alignment
    buy_in: BuyIn
    ask: str


class Participants(Shape):
    """The answer of the prompt ``participants``."""

    participants: list[Stand]


class Verdict(Shape):
    """Whether the passage of that number was taken up after all; ``quote`` are the words that did it, or null."""

    number: int
    quote: str | None
    taken_up: bool
    reason: str


class SecondLook(Shape):
    """The answer of the prompt ``second_look``."""

    verdicts: list[Verdict]


class Rewritten(Shape):
    """One tentative version, and in a few words what it opens."""

    text: str
    opens: str


class Rewrites(Shape):
    """The answer of the prompt ``rewrite``."""

    rewrites: list[Rewritten]


class LikelyObjection(Shape):
    """What an attendee may object, the need that may be behind it, and a question to ask before defending anything."""

    attendee: str
    earlier: list[int]
    objection: str
    need: Need | None
    because: str
    ask: str
    sure: Sure


class LikelyObjections(Shape):
    """The answer of the prompt ``likely_objections``."""

    objections: list[LikelyObjection]


MoveName = Literal[
    "open_question",
    "paraphrase",
    "acknowledge",
    "explore_need",
    "check_back",
    "integrate",
    "leading_question",
    "rebut",
    "reassure",
    "advise",
    "defer",
    "divert",
    "steamroll",
    "diagnose",
    "moralise",
    "flatter",
]


class MoveSaid(Shape):
    """A conversational move and the exact words that make it."""

    words: str
    move: MoveName


class MovesSaid(Shape):
    """The answer of the prompt ``moves``."""

    moves: list[MoveSaid]


class PartnerReply(Shape):
    """The answer of the prompt ``partner``: what the simulated attendee says."""

    reply: str


SHAPES: dict[str, type[Shape]] = {
    shape.__name__: shape
    for shape in (
        UnheardObjections,
        UnaddressedNeeds,
        CategoricalPhrasing,
        Participants,
        SecondLook,
        Rewrites,
        LikelyObjections,
        MovesSaid,
        PartnerReply,
    )
}
"""Shapes by the name under which a prompt file gives its output."""

LONGEST = 600


def inert(text: str) -> str:
    """Model text as one short line of plain text that no renderer turns into a link, an image or mark-up."""
    seen = "".join(c for c in unicodedata.normalize("NFC", text) if c.isspace() or unicodedata.category(c)[0] != "C")
    line = " ".join(seen.split())
    line = line.replace("](", "] (").replace("://", ": //").replace("<", "\u2039").replace(">", "\u203a")
    return line if len(line) <= LONGEST else line[: LONGEST - 1].rstrip() + "…"
