"""The opening heard with the ears of those who come: its strong words, its order, what it passes over, what is missing.

Rules over words, the same for everybody: no model is asked, and nothing is said about why somebody wrote it so.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from coach.lexicon import cues, load, scope
from coach.rehearsal.aim import speaks_to
from coach.rehearsal.plan import Plan
from coach.rehearsal.values import Opening, PassedOver, Phrase, Point, SafePart
from coach.rewriting import question, rewrite
from coach.schema import Sentence
from coach.topics import about, topic
from coach.wording import snippet


def hear(plan: Plan, points: Sequence[Point]) -> Opening:
    """The opening as those may hear it who hold these open points; deterministic."""
    sentences = sentences_of(plan.opening)
    phrases = tuple(phrase for s in sentences if (phrase := _phrase(s)) is not None)
    passed = tuple(p for p in points if not any(speaks_to(s.text, p.quote) for s in sentences))
    return Opening(
        text=plan.opening,
        phrases=phrases,
        rewritten=_rewritten(plan, phrases, passed),
        phase=_phase(plan, sentences),
        passes_over=tuple(_passed(p, sentences) for p in passed),
    )


def safe_to_try(plan: Plan, points: Sequence[Point]) -> tuple[SafePart, ...]:
    """The parts of a proposal that is safe enough to try, in the plan's own words, or else as a question."""
    texts = words()
    parts = []
    for part, told in texts["safe"].items():
        said = None
        if part == "tests":
            first = next((p for p in points if p.origin == "ledger"), None)
            if first is not None:
                said = texts["safe_tests"].format(name=first.attendee, said=snippet(first.quote))
        else:
            looked_for = pattern("safe_words", part)
            statements = (s.text for s in sentences_of(plan.opening) if not s.text.endswith("?"))
            said = next((text for text in statements if looked_for.search(text)), None)
        parts.append(SafePart(part=part, title=told["title"], said=said, ask=None if said else told["ask"]))
    return tuple(parts)


def proposal_in(text: str) -> str | None:
    """The first sentence that offers or orders a way to go, shortened and quoted; None when there is none."""
    found = next((s.text for s in sentences_of(text) if _proposes(s.text)), None)
    return snippet(found, 60) if found else None


def sentences_of(text: str) -> tuple[Sentence, ...]:
    """The sentences of a draft, with offsets into it."""
    from coach import notes

    return notes.sentences(notes.parse(text, "draft"))


@cache
def words() -> dict[str, Any]:
    """The coach's sentences around a rehearsal, and the patterns of an opening."""
    return load("rehearsal.yaml")


@cache
def pattern(*keys: str) -> re.Pattern[str]:
    """Any of the expressions listed under these keys of the data."""
    found: Any = words()
    for key in keys:
        found = found[key]
    return re.compile(rf"\b(?:{'|'.join(found)})", re.I)


def _proposes(sentence: str) -> bool:
    return not sentence.rstrip().endswith("?") and bool(pattern("proposal").search(sentence))


def _phrase(sentence: Sentence) -> Phrase | None:
    """The sentence as a categorical phrase, if a strong word stands in it out of any harmless scope."""
    for cue in cues(sentence.text):
        if cue.kind == "categorical" and scope(sentence.text, cue) is None:
            return Phrase(
                quote=sentence.text,
                start=sentence.start,
                end=sentence.end,
                subtype=cue.subtype,
                words=cue.text.strip(),
                rewrite=rewrite(sentence.text, cue.subtype) or rewrite(sentence.text),
                ask=question(sentence.text, cue.subtype),
            )
    return None


def _rewritten(plan: Plan, phrases: Sequence[Phrase], passed: Sequence[Point]) -> str:
    """The whole opening once more: strong sentences softened, what it passes over named, a question at its end."""
    texts, at, made = words(), 0, ""
    for phrase in phrases:
        # What has no good softer version is asked instead.
        made += plan.opening[at : phrase.start] + (phrase.rewrite or phrase.ask)
        at = phrase.end
    made = (made + plan.opening[at:]).strip()
    asks = "?" in made
    added = []
    if passed:
        first = passed[0]
        noun = topic(first.quote)
        template = texts["rewritten_concern"] if noun else texts["rewritten_concern_said"]
        added.append(template.format(name=first.attendee, topic=about(noun or ""), said=snippet(first.quote)))
    if not asks:
        added.append(texts["rewritten_question"][plan.stage])
    return " ".join([made, *added])


def _phase(plan: Plan, sentences: Sequence[Sentence]) -> tuple[str, ...]:
    texts, remarks = words()["phase"], []
    proposal = next((n for n, s in enumerate(sentences) if _proposes(s.text)), None)
    # A need named in the very sentence that proposes something ("we must, because ...") is a reason, not a question.
    need = next((n for n, s in enumerate(sentences) if pattern("need").search(s.text) and not _proposes(s.text)), None)
    asks = any(s.text.rstrip().endswith("?") for s in sentences)
    several = any(pattern("options").search(s.text) for s in sentences)
    if proposal is not None:
        quoted = snippet(sentences[proposal].text, 60)
        if plan.stage == "needs":
            remarks.append(texts["needs_stage"].format(plan=quoted))
        elif need is None or need > proposal:
            remarks.append(texts["proposal_first"].format(plan=quoted))
        if not several:
            one = "possibilities_stage" if plan.stage == "possibilities" else "one_way"
            remarks.append(texts[one].format(plan=quoted))
    elif need is None and plan.stage != "needs":
        remarks.append(texts["no_need"])
    if not asks:
        remarks.append(texts["no_question"])
    return tuple(remarks)


def _passed(point: Point, sentences: Sequence[Sentence]) -> PassedOver:
    texts = words()["passes_over"]
    plan = next((snippet(s.text, 60) for s in sentences if _proposes(s.text)), None)
    noun = topic(point.quote)
    key = ("plan_" if plan else "") + ("topic" if noun else "said")
    remark = texts[key].format(
        plan=plan, name=point.attendee, topic=about(noun) if noun else "", said=snippet(point.quote)
    )
    remark = remark if remark.endswith((".", "”")) else remark + "."
    return PassedOver(attendee=point.attendee, quote=point.quote, date=point.date, remark=remark)
