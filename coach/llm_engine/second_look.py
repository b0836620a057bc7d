"""A second look at findings that the local encoder sees answered: the model is asked once more, and its word stands."""

from __future__ import annotations

from collections.abc import Sequence

from coach.acts import Reading
from coach.answers import SecondLook
from coach.detectors.uptake import Record
from coach.engine import Watch
from coach.errors import ModelRefusedError, ModelShapeError, ModelTruncatedError
from coach.fencing import marked
from coach.grounding import occurrences
from coach.llm_engine.asking import Asker
from coach.llm_engine.parts import line_of
from coach.llm_engine.sifting import Notes
from coach.schema import Finding, Sentence, SetAside

OBVIOUS = 0.8
"""Probability, by the local encoder's link from a passage to a later sentence, from which uptake counts as obvious."""
AROUND = 2
FAR = 40
"""Lines shown around passage and answer, and at most between them."""


def second_look(
    findings: Sequence[Finding], notes: Notes, reading: Reading, asker: Asker, watch: Watch
) -> tuple[list[Finding], list[SetAside], list[str]]:
    """Findings that stay, those set aside because they were taken up after all, and a sentence if nobody could tell.

    One question for all of them. Without an answer, or without words of the notes that took a passage up, it stays.
    """
    record = Record(notes.original, reading)
    doubtful = [(f, reply) for f in findings if (reply := obvious_uptake(f, record)) is not None]
    if not doubtful:
        return list(findings), [], []
    lines, passages = _excerpts(doubtful, notes)
    try:
        done = asker.ask("second_look", SecondLook, {"notes": lines, "passages": passages}, watch)
    except (ModelRefusedError, ModelTruncatedError, ModelShapeError):
        return list(findings), [], ["A second look at possibly answered passages got no usable answer; they are shown."]
    aside: dict[int, SetAside] = {}
    for verdict in done.value.verdicts:
        if not verdict.taken_up or not verdict.quote or not 0 < verdict.number <= len(doubtful):
            continue
        finding = doubtful[verdict.number - 1][0]
        words = _words_after(verdict.quote, finding, notes)
        if words:
            aside[id(finding)] = SetAside(finding=finding, reason=f"A second look saw it taken up: “{words}”")
    return [f for f in findings if id(f) not in aside], list(aside.values()), []


def obvious_uptake(finding: Finding, record: Record) -> Sentence | None:
    """The later sentence by somebody else that plainly takes a finding up, as the local encoder sees it, if any."""
    if finding.kind == "categorical_phrasing":
        return None
    said = [n for n, s in enumerate(record.sentences) if s.start < finding.end and s.end > finding.start]
    after = record.others_after(said[-1]) if said else ()
    if not after:
        return None
    take = record.reading.links(said[-1], after)[0]
    best = int(take.argmax())
    return record.sentences[after[best]] if take[best] >= OBVIOUS else None


def _words_after(quote: str, finding: Finding, notes: Notes) -> str | None:
    """The exact words of the notes that a verdict rests on: after the finding and by somebody else."""
    for place in occurrences(quote, notes.folded):
        words = notes.to_text(*place)
        by = notes.speaker_at(*place)
        if words.start >= finding.end and (by is None or by != finding.speaker):
            return words.quote
    return None


def _excerpts(doubtful: Sequence[tuple[Finding, Sentence]], notes: Notes) -> tuple[list[str], list[str]]:
    shown: set[int] = set()
    passages: list[str] = []
    for number, (finding, reply) in enumerate(doubtful, 1):
        first, last = (line_of(notes.lines, _shown_start(notes, at)) for at in (finding.start, reply.start))
        shown.update(range(max(0, first - AROUND), min(len(notes.lines), first + AROUND + 1)))
        shown.update(range(max(first, last - FAR), min(len(notes.lines), last + AROUND + 1)))
        start, end = notes.anonymised.to_pseudonymised(finding.start, finding.end)
        quoted = notes.shown.text[start:end]
        lines = f"line {notes.lines[first].utterance + 1}, answered perhaps in line {notes.lines[last].utterance + 1}"
        passages.append(marked(number, f"{lines}: {quoted}"))
    return [notes.lines[at].text for at in sorted(shown)], passages


def _shown_start(notes: Notes, start: int) -> int:
    return notes.anonymised.to_pseudonymised(start, start + 1)[0]
