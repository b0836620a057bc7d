"""What rehearsing gives back: the brief, the turns of a practice, the debrief. Names are those of the plan.

Dates are ISO strings as far as the notes name them. Turns are counted from 1 and include the simulated attendee's.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from coach.rehearsal.ladder import Ladder, Status, Temperament
from coach.rehearsal.moves import Move
from coach.rehearsal.plan import Stage
from coach.schema import Alignment, BuyIn, Evidence, Value

Origin = Literal["ledger", "library", "plan", "model", "opening"]
"""Where a point comes from. *Ledger*: the person said it, and it is open. All others are hypotheses: something like it
was said before (*library*), the plan fears it, a model or the opening itself suggests it."""


class Point(Value):
    """An open objection or need of one person. ``quote`` is its last wording, ``quotes`` all of them, oldest first."""

    attendee: str
    kind: str = "unheard_objection"
    quote: str
    quotes: tuple[Evidence, ...] = ()
    meeting: str | None = None
    date: str | None = None
    status: str = "raised"
    times: int = 1
    need: str | None = None
    origin: Origin = "ledger"


class Likely(Value):
    """An objection nobody has voiced yet: a hypothesis, with what suggests it and a question to ask first."""

    attendee: str
    objection: str
    because: str
    ask: str
    need: str | None = None
    origin: Origin
    evidence: tuple[Evidence, ...] = ()


class Person(Value):
    """One attendee of the plan. ``known`` says whether the library has met them; ``note`` says so in a sentence."""

    name: str
    known: bool
    note: str | None = None
    open: tuple[Point, ...] = ()
    alignment: Alignment = "unknown"
    buy_in: BuyIn = "unknown"
    evidence: tuple[Evidence, ...] = ()
    ask: str
    likely: tuple[Likely, ...] = ()


class Phrase(Value):
    """A categorical phrase of the opening: ``quote == opening[start:end]``."""

    quote: str
    start: int
    end: int
    subtype: str
    words: str
    rewrite: str | None = None
    ask: str


class PassedOver(Value):
    """An open objection that the opening does not mention, and a sentence that says so."""

    attendee: str
    quote: str
    date: str | None = None
    remark: str


class Opening(Value):
    """The opening as the attendees may hear it. ``phase``: remarks on the order of needs, possibilities, action."""

    text: str
    phrases: tuple[Phrase, ...] = ()
    rewritten: str
    phase: tuple[str, ...] = ()
    passes_over: tuple[PassedOver, ...] = ()


class SafePart(Value):
    """One part of a proposal that is safe enough to try: what the plan says of it, or else the question for it."""

    part: Literal["scope", "end", "stop", "way_back", "review", "tests"]
    title: str
    said: str | None = None
    ask: str | None = None


class OpenQuestion(Value):
    """A question for the conversation, and whom it is for if not for everybody."""

    question: str
    attendee: str | None = None
    need: str | None = None


class PlanStep(Value):
    """One of the three steps of the conversation: needs, possibilities, action."""

    stage: Stage
    title: str
    aim: str
    questions: tuple[OpenQuestion, ...]


class Brief(Value):
    """What to know before the meeting: ``coach.brief/1``."""

    schema_: Literal["coach.brief/1"] = Field("coach.brief/1", alias="schema")
    engine: Literal["local", "llm"] = "local"
    purpose: str
    stage: Stage
    fears: tuple[str, ...] = ()
    attendees: tuple[Person, ...]
    opening: Opening
    safe_to_try: tuple[SafePart, ...]
    steps: tuple[PlanStep, ...]
    notices: tuple[str, ...] = ()


class MoveMade(Value):
    """A move and the words that make it."""

    move: Move
    words: str


class Turn(Value):
    """One turn of a practice. ``about`` is the index of the objection it speaks to; ``ladders`` is where each objection
    stands after it."""

    turn: int
    speaker: str
    text: str
    moves: tuple[MoveMade, ...] = ()
    about: int | None = None
    ladders: tuple[Ladder, ...] = ()
    lines: tuple[str, ...] = ()

    @property
    def mine(self) -> bool:
        """Whether the user speaks, rather than the simulated attendee."""
        return self.speaker == YOU


YOU = "you"


class StepMade(Value):
    """A turn of the user after which an objection stood elsewhere, and the move that did it."""

    turn: int
    status: Status
    move: Move


class ObjectionHeard(Value):
    """How far one objection came."""

    attendee: str
    quote: str
    meeting: str | None = None
    date: str | None = None
    origin: Origin = "ledger"
    status: Status
    steps: tuple[StepMade, ...] = ()


class TurnShown(Value):
    """A turn as the debrief shows it."""

    turn: int
    speaker: str
    text: str
    moves: tuple[MoveMade, ...] = ()


class Redo(Value):
    """The turn worth another try, why, and words that might do."""

    turn: int
    suggestion: str
    why: str = ""


class Counts(Value):
    """Over the user's replies: moves, questions, share of all words (0 to 1), categorical words per 100 words."""

    replies: int = 0
    listening: int = 0
    dismissing: int = 0
    questions: int = 0
    open_questions: int = 0
    words: int = 0
    share_of_words: float = 0.0
    categorical_per_100_words: float = 0.0
    moves: dict[str, int] = Field(default_factory=dict)


class Remark(Value):
    """Something to take along, and the turn that shows it."""

    turn: int
    text: str


class Attempt(Value):
    """How another attempt, or an earlier rehearsal with the same person, ended: rungs climbed over all objections."""

    label: str
    replies: int
    rungs: int
    statuses: tuple[Status, ...]
    listening: int
    dismissing: int


class Debrief(Value):
    """How a practice went: ``coach.debrief/1``. Every claim names a turn."""

    schema_: Literal["coach.debrief/1"] = Field("coach.debrief/1", alias="schema")
    engine: Literal["local", "llm"] = "local"
    partner: str
    temperament: Temperament
    objections: tuple[ObjectionHeard, ...]
    turns: tuple[TurnShown, ...]
    best_turn: int | None = None
    best_why: str = ""
    redo: Redo | None = None
    counts: Counts
    remarks: tuple[Remark, ...] = ()
    progress: tuple[Attempt, ...] = ()
    ladder: tuple[tuple[Status, ...], ...] = ()
    notices: tuple[str, ...] = ()


Heard = Literal["heard", "partly", "passed_over", "not_raised"]


class AfterPoint(Value):
    """What became of a prepared objection in the real meeting, with the words of the notes that show it."""

    attendee: str
    quote: str
    heard: Heard
    status: Status
    why: str
    evidence: tuple[str, ...] = ()


class After(Value):
    """Which prepared objections the real meeting heard: ``coach.after/1``."""

    schema_: Literal["coach.after/1"] = Field("coach.after/1", alias="schema")
    meeting: str | None = None
    date: str | None = None
    points: tuple[AfterPoint, ...]
    notices: tuple[str, ...] = ()
