"""The values that travel through the coach. All are frozen; none import anything of ours.

Offsets named ``start`` and ``end`` are Unicode code points into the text as given, end exclusive, so that
``text[start:end]`` is the quote, always. Dates are ISO strings (``2026-05-03``) as far as the notes name them.
Times are seconds from the start of the meeting.
"""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field

KINDS = ("unheard_objection", "unaddressed_need", "categorical_phrasing")
"""The kinds of finding the coach ships with; plug-ins may add others."""

ObjectionSubtype = Literal["ignored", "dismissed", "deferred", "silence", "lukewarm"]
CategoricalSubtype = Literal[
    "absolute", "certainty", "directive", "presumed_consent", "prediction", "either_or", "judgement", "savior"
]
Need = Literal[
    "autonomy",
    "influence",
    "being_heard",
    "competence",
    "recognition",
    "belonging",
    "trust",
    "safety",
    "fairness",
    "clarity",
    "workload",
    "support",
    "purpose",
]
OBJECTION_SUBTYPES: tuple[str, ...] = get_args(ObjectionSubtype)
CATEGORICAL_SUBTYPES: tuple[str, ...] = get_args(CategoricalSubtype)
NEEDS: tuple[str, ...] = get_args(Need)

Tier = Literal["finding", "look"]
EngineName = Literal["local", "llm", "both"]
Alignment = Literal["aligned", "not_aligned", "unknown"]
BuyIn = Literal["committed", "lukewarm", "resistant", "unknown"]
HeardKind = Literal["objection", "need"]
HeardStage = Literal["acknowledged", "explored", "integrated"]
Role = Literal["speech", "narration", "heading", "roster", "markup"]


UNHEARD: dict[str, str] = {"objection": "unheard_objection", "need": "unaddressed_need"}
"""The kind of finding that each kind of concern is as long as nobody takes it up."""


class Value(BaseModel):
    """A frozen value that refuses unknown keys; the base of everything here."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True)


class Utterance(Value):
    """One turn, bullet, paragraph, heading or cue of the notes, as an exact slice of the text.

    ``start:end`` covers everything that belongs to it (label, time, mark-up); ``said:end`` only the words. ``role``
    tells speech and narration (which detectors read) from headings, attendee lists and mark-up (which they do not).
    """

    speaker: str | None = None
    start: int
    said: int
    end: int
    role: Role = "speech"
    seconds: float | None = None
    section: str | None = None


class Sentence(Value):
    """One sentence of an utterance: ``text == conversation.text[start:end]``; ``utterance`` is an index."""

    utterance: int
    speaker: str | None
    start: int
    end: int
    text: str


class Attendee(Value):
    """Someone the notes name as taking part, or as absent (``present=False``). ``aliases``: other forms in the text."""

    name: str
    present: bool = True
    role: str | None = None
    aliases: tuple[str, ...] = ()


class Conversation(Value):
    """Notes as read: the text unchanged, its utterances in order, who took part, and what kind of notes they are."""

    text: str
    format: str
    title: str | None = None
    date: str | None = None
    attendees: tuple[Attendee, ...] = ()
    utterances: tuple[Utterance, ...] = ()

    def words(self, utterance: Utterance) -> str:
        """The words of an utterance, without label, time or mark-up."""
        return self.text[utterance.said : utterance.end]

    @property
    def speakers(self) -> tuple[str, ...]:
        """Everyone who says something, in order of first appearance."""
        return tuple(
            dict.fromkeys(u.speaker for u in self.utterances if u.speaker and u.role in ("speech", "narration"))
        )


class Quote(Value):
    """A slice of the text as given."""

    quote: str
    start: int
    end: int


class Evidence(Value):
    """What the same people said in an earlier meeting.

    ``status`` says what has become of it since, as far as the ledger followed it: *unheard*, or a status of
    :mod:`coach.concerns` such as *acknowledged* or *confirmed*.
    """

    meeting: str
    date: str | None = None
    quote: str
    speaker: str | None = None
    status: str | None = None


class Finding(Value):
    """One passage worth raising with the person who ran the meeting. ``LABELS`` in docs/explanation defines the kinds.

    ``confidence`` is a calibrated probability, 0 to 1, that a careful facilitator would raise it. ``source`` names what
    produced it, for example ``local:unheard_objection@1``.
    """

    id: str = ""
    kind: str
    subtype: str | None = None
    quote: str
    start: int
    end: int
    speaker: str | None = None
    need: str | None = None
    why: str
    ask: str
    rewrite: str | None = None
    confidence: float = Field(ge=0, le=1)
    tier: Tier = "finding"
    source: str
    evidence: tuple[Evidence, ...] = ()


class Answer(Quote):
    """The words that take something up, and whose they are, where the notes name them."""

    speaker: str | None = None


class Heard(Value):
    """An objection or need of somebody named that the record shows taken up: what went well.

    ``stage`` is how far that went by the record: *acknowledged* (answered), *explored* (asked about, or put in other
    words), *integrated* (somebody changes the plan for it or takes it on); ``answer`` are the words that show it.
    ``confirmation`` are words in which its speaker agrees afterwards; only then do the notes say that they feel heard.
    """

    id: str = ""
    kind: HeardKind
    quote: str
    start: int
    end: int
    speaker: str
    need: str | None = None
    stage: HeardStage
    answer: Answer
    confirmation: Quote | None = None
    confidence: float = Field(ge=0, le=1)
    source: str


class SetAside(Value):
    """A finding that is not shown, and the reason in one sentence."""

    finding: Finding
    reason: str


class Participant(Value):
    """Where one attendee stands, as far as the record says. ``ask`` is the question that would find out."""

    name: str
    alignment: Alignment = "unknown"
    buy_in: BuyIn = "unknown"
    spoke: bool = False
    ask: str = ""
    evidence: tuple[Quote, ...] = ()


class Meeting(Value):
    """What the notes say about themselves; ``utterances`` is how many were read."""

    title: str | None = None
    date: str | None = None
    format: str
    utterances: int
    speakers: tuple[str, ...]


class Usage(Value):
    """What model calls took. ``usd`` is ``None`` when the price of the model is unknown."""

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    usd: float | None = None
    model: str | None = None


class Analysis(Value):
    """What an engine says about a conversation, before grounding numbers and orders the findings."""

    findings: tuple[Finding, ...] = ()
    heard: tuple[Heard, ...] = ()
    participants: tuple[Participant, ...] = ()
    set_aside: tuple[SetAside, ...] = ()
    notices: tuple[str, ...] = ()
    usage: Usage | None = None


class Review(Value):
    """The answer to one pasted text: ``coach.review/1``. Findings come in the order in which they matter.

    ``notices`` are plain sentences about the review itself ("the notes are too thin to tell …"); ``fell_back`` says why
    the local engine answered although another was asked for.
    """

    schema_: Literal["coach.review/1"] = Field("coach.review/1", alias="schema")
    engine: EngineName
    fell_back: str | None = None
    seconds: float
    meeting: Meeting
    findings: tuple[Finding, ...] = ()
    heard: tuple[Heard, ...] = ()
    participants: tuple[Participant, ...] = ()
    set_aside: tuple[SetAside, ...] = ()
    notices: tuple[str, ...] = ()
    usage: Usage | None = None


class Passage(Value):
    """A few utterances of an earlier meeting, found by the library; text and names are pseudonyms.

    ``before`` and ``after`` are the lines around it. ``scores`` holds the parts of the fused score: ``bm25`` and
    ``dense`` as z-scores, ``fused``, their sum, and the raw ``cosine``.
    """

    id: str
    meeting: str
    title: str | None = None
    date: str | None = None
    speakers: tuple[str, ...] = ()
    text: str
    before: str = ""
    after: str = ""
    scores: dict[str, float] = {}
