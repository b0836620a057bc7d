"""The words for kinds, stands, steps and moves: the same on the page, in reports, in debriefs and in the terminal.

Keys are the values that programs get; the words are for people.
"""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coach.concerns import Step
    from coach.schema import Finding

KINDS = {
    "unheard_objection": "Unheard objection",
    "unaddressed_need": "Unaddressed need",
    "categorical_phrasing": "Sounds categorical",
    "objection": "Objection",
    "need": "Need",
}
SUBTYPES = {
    "ignored": "passed over",
    "dismissed": "argued away",
    "deferred": "parked without an owner",
    "silence": "silence taken as agreement",
    "lukewarm": "half a yes counted as a yes",
    "absolute": "no exceptions",
    "certainty": "beyond doubt",
    "directive": "no option left",
    "presumed_consent": "agreement presumed",
    "prediction": "outcome told as fact",
    "either_or": "only two ways",
    "judgement": "a label",
    "savior": "trust me",
}
ALIGNMENT = "Shared view"
ALIGNMENTS = {"aligned": "sees it alike", "not_aligned": "sees it differently", "unknown": "unknown"}
BUY_IN = "Commitment"
BUY_INS = {
    "committed": "committed",
    "lukewarm": "lukewarm",
    "resistant": "has reservations",
    "unknown": "unknown",
}
STEPS = {
    "raised": "raised",
    "raised_again": "raised again",
    "dropped": "no more noticed of it",
    "acknowledged": "acknowledged",
    "paraphrased": "said back",
    "explored": "explored",
    "confirmed": "feels heard",
    "integrated": "in the plan",
    "handled": "settled already",
    "not_an_objection": "no concern after all",
}
"""How far a concern has come, in the ledger and on the ladder of a practice."""
HEARD = {
    "acknowledged": "answered",
    "explored": "asked about",
    "integrated": "acted on",
    "confirmed": "says that it helps",
}
"""The same where the notes show it: less than what only the person can say."""
BECAME = {
    "unheard": "not taken up",
    "acknowledged": "answered since",
    "explored": "asked about since",
    "integrated": "acted on since",
    "confirmed": "confirmed since",
    "handled": "settled since",
    "not_an_objection": "no concern after all",
}
"""What became of something said in an earlier meeting."""
ANSWERED = "Answered since; whether they feel heard, the notes do not say"
HEARD_TITLE = "What was heard"
HEARD_HINT = "As far as the notes show, this was taken up. Whether people feel heard, only they can say."
RUNGS = ("raised", "acknowledged", "paraphrased", "explored", "confirmed", "integrated")
"""The steps of the ladder, lowest first."""
MOVES = {
    "open_question": "an open question",
    "paraphrase": "saying it back",
    "acknowledge": "acknowledging it",
    "explore_need": "asking what is behind it",
    "check_back": "checking whether it was understood",
    "integrate": "changing the plan for it",
    "leading_question": "a question with the answer in it",
    "rebut": "arguing against it",
    "reassure": "reassurance before it was understood",
    "advise": "advice",
    "defer": "putting it off",
    "divert": "a change of subject",
    "steamroll": "a decision already made",
    "diagnose": "an explanation of the person",
    "moralise": "an appeal to duty",
    "flatter": "praise in place of an answer",
}


def kind_label(kind: str) -> str:
    """A kind as people say it; kinds of plug-ins by their own name."""
    return KINDS.get(kind, kind.replace("_", " ").capitalize())


def detail_label(finding: Finding) -> str:
    """The subtype or need as people say it, or an empty string."""
    if finding.need:
        return finding.need.replace("_", " ")
    return SUBTYPES.get(finding.subtype or "", (finding.subtype or "").replace("_", " "))


def became_label(status: str | None) -> str:
    """What became of something said in an earlier meeting, or an empty string where nobody followed it."""
    return BECAME.get(status or "", "")


def step_label(step: Step) -> str:
    """What happened to a concern, as people say it; of what notes show, less is said than of what the user marked."""
    return (HEARD if step.meeting else STEPS).get(step.status, STEPS[step.status])


def date_label(iso: str | None) -> str:
    """A date as people write it, ``3 May 2026``; anything but a full ISO date comes back unchanged."""
    try:
        day = date.fromisoformat(iso or "")
    except ValueError:
        return iso or ""
    return f"{day.day} {day:%B %Y}"
