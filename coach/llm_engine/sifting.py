"""From what a model answered to findings about notes as pasted; what can't be shown is set aside with the reason."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from coach.anonymise import Anonymised
from coach.answers import (
    CONFIDENCE,
    CategoricalPhrase,
    UnaddressedNeed,
    UnheardObjection,
    inert,
)
from coach.grounding import NOT_SAID, NOT_THERE, Folded, fold, occurrences, speaks, utterance_at
from coach.identities.value import SHAPE
from coach.llm_engine.parts import Line, Part, line_of, lines_of
from coach.participants import attendance
from coach.schema import Conversation, Evidence, Finding, Participant, Passage, Quote, SetAside

Answer = UnheardObjection | UnaddressedNeed | CategoricalPhrase
MOST = 40
"""Findings of one answer that are looked at; nobody raises more after a meeting."""


@dataclass(frozen=True)
class Notes:
    """A conversation as pasted beside its pseudonymised double, and the ways between them."""

    original: Conversation
    anonymised: Anonymised
    earlier: tuple[Passage, ...] = ()

    @property
    def shown(self) -> Conversation:
        """What the model sees."""
        return self.anonymised.conversation

    @cached_property
    def lines(self) -> tuple[Line, ...]:
        return lines_of(self.shown)

    @cached_property
    def folded(self) -> Folded:
        return fold(self.shown.text)

    @cached_property
    def real_names(self) -> dict[str, str]:
        """From the pseudonym of a speaker or attendee to the name in the notes."""
        names: dict[str, str] = {}
        for mine, real in zip(self.shown.utterances, self.original.utterances, strict=True):
            if mine.speaker and real.speaker:
                names.setdefault(mine.speaker, real.speaker)
        for here, there in zip(self.shown.attendees, self.original.attendees, strict=True):
            names.setdefault(here.name, there.name)
        return names

    @cached_property
    def people(self) -> tuple[Participant, ...]:
        """Everybody in the notes; where they stand is not known yet."""
        return attendance(self.original)

    @cached_property
    def asked_about(self) -> dict[str, str]:
        """From the pseudonym of each of ``people`` to the name they have there."""
        forms = {a.name: {a.name, *a.aliases} for a in self.original.attendees}
        labels: dict[str, str] = {}
        for label, name in self.real_names.items():
            person = next((p.name for p in self.people if name in forms.get(p.name, {p.name})), None)
            if person is not None and person not in labels.values():
                labels[label] = person
        return labels

    def named(self, text: str) -> str:
        """Model text as plain text, with the real names of those who occur in these notes or in the passages shown.

        A pseudonym of anybody else stays one: a model can't make the coach tell who else is in the library.
        """
        return SHAPE.sub(lambda match: self._known.get(match.group(), match.group()), inert(text))

    @cached_property
    def _known(self) -> dict[str, str]:
        sources = [self.shown.text, *(passage.text for passage in self.earlier)]
        met = {match.group() for source in sources for match in SHAPE.finditer(source)}
        originals = self.anonymised.identities.originals
        return {pseudonym: originals[pseudonym] for pseudonym in met if pseudonym in originals} | self.real_names

    def canonical(self, name: str | None) -> str | None:
        """A speaker's name as the model gave it, as the notes call that speaker in pseudonyms."""
        if not name:
            return None
        return self.anonymised.identities.canonical(name.strip().rstrip(":")) or None

    def place(self, quote: str, line: int, speaker: str | None, part: Part) -> tuple[int, int] | str:
        """Where a quote stands in the pseudonymised text, nearest to the line the model named; else the reason."""
        near = self._start_of(line)
        places = sorted(occurrences(quote, self.folded), key=lambda place: abs(place[0] - near))
        if not places:
            return NOT_THERE
        said = [place for place in places if self._is_said(*place)]
        if not said:
            return NOT_SAID
        mine = [place for place in said if self._is_by(speaker, *place)]
        if not mine:
            return (
                f"The notes do not give these words to {self.real_names.get(speaker or '', speaker or 'that person')}."
            )
        for place in mine:
            if line_of(self.lines, place[0]) in part.core:
                return place
        return ELSEWHERE

    def to_text(self, start: int, end: int) -> Quote:
        """The slice of the pasted text that a stretch of the pseudonymised text stands for."""
        first, last = self.anonymised.to_original(start, end)
        return Quote(quote=self.original.text[first:last], start=first, end=last)

    def speaker_at(self, start: int, end: int) -> str | None:
        """Who says what stands at ``start:end`` of the pseudonymised text, by real name."""
        at = utterance_at(self.shown, start, end)
        return None if at is None else self.original.utterances[at].speaker

    def _start_of(self, line: int) -> int:
        return self.shown.utterances[line - 1].said if 0 < line <= len(self.shown.utterances) else 0

    def _is_said(self, start: int, end: int) -> bool:
        at = utterance_at(self.shown, start, end)
        return at is not None and self.shown.utterances[at].role in ("speech", "narration")

    def _is_by(self, speaker: str | None, start: int, end: int) -> bool:
        at = utterance_at(self.shown, start, end)
        if at is None:
            return False
        utterance = self.shown.utterances[at]
        if speaker and not utterance.speaker and SHAPE.fullmatch(speaker):
            words = self.anonymised.identities.canonical(self.shown.words(utterance))
            return speaker in SHAPE.findall(words)
        return speaks(speaker, utterance.speaker, self.shown.words(utterance))


ELSEWHERE = "another part of the notes answers for this line"
"""Not shown to anybody: the part whose core holds the line reports it."""


def sift(
    answers: Sequence[Answer], kind: str, source: str, notes: Notes, part: Part
) -> tuple[list[Finding], list[SetAside]]:
    """Findings whose words are in the core of this part, and those set aside."""
    kept: list[Finding] = []
    aside: list[SetAside] = []
    for answer in answers[:MOST]:
        speaker = notes.canonical(answer.speaker)
        place = notes.place(answer.quote, answer.line, speaker, part)
        if place == ELSEWHERE:
            continue
        if isinstance(place, str):
            quote = Quote(quote=notes.named(answer.quote), start=0, end=0)
            aside.append(SetAside(finding=_finding(answer, kind, source, notes, quote, None), reason=place))
            continue
        quote = notes.to_text(*place)
        by = notes.speaker_at(*place) or notes.real_names.get(speaker or "")
        kept.append(_finding(answer, kind, source, notes, quote, by))
    return kept, aside


def without_doubles(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Each passage once per kind, the surest version of it; surest first, then in the order of the notes."""
    kept: list[Finding] = []
    for finding in sorted(findings, key=lambda f: (-f.confidence, f.start)):
        if not any(same_passage(finding, other) for other in kept):
            kept.append(finding)
    return tuple(kept)


def same_passage(one: Finding, other: Finding) -> bool:
    """Whether two findings of a kind share at least half of the shorter quote."""
    shared = min(one.end, other.end) - max(one.start, other.start)
    shorter = min(one.end - one.start, other.end - other.start)
    return one.kind == other.kind and shared > 0 and 2 * shared >= shorter


def _finding(answer: Answer, kind: str, source: str, notes: Notes, quote: Quote, speaker: str | None) -> Finding:
    return Finding(
        kind=kind,
        subtype=None if isinstance(answer, UnaddressedNeed) else answer.subtype,
        need=answer.need if isinstance(answer, UnaddressedNeed) else None,
        quote=quote.quote,
        start=quote.start,
        end=quote.end,
        speaker=speaker,
        why=notes.named(answer.why),
        ask=notes.named(answer.ask),
        rewrite=notes.named(answer.rewrite) if isinstance(answer, CategoricalPhrase) else None,
        confidence=CONFIDENCE[answer.sure],
        tier="look" if answer.sure == "doubtful" else "finding",
        source=source,
        evidence=() if isinstance(answer, CategoricalPhrase) else _evidence(answer, notes),
    )


def _evidence(answer: UnheardObjection | UnaddressedNeed, notes: Notes) -> tuple[Evidence, ...]:
    """What that speaker said in the earlier passages the model points at, word for word."""
    speaker = notes.canonical(answer.speaker)
    found: list[Evidence] = []
    for number in dict.fromkeys(answer.earlier):
        if not 0 < number <= len(notes.earlier) or not speaker:
            continue
        passage = notes.earlier[number - 1]
        canonical = notes.anonymised.identities.canonical
        words = next(
            (said.strip() for name, _, said in (line.partition(":") for line in passage.text.splitlines())
             if said and canonical(name.strip()) == speaker), None
        )  # fmt: skip
        if words:
            title = passage.title or passage.meeting
            found.append(
                Evidence(
                    meeting=notes.named(title),
                    date=passage.date,
                    quote=SHAPE.sub(lambda match: notes._known.get(match.group(), match.group()), words),
                    speaker=notes.real_names.get(speaker),
                )
            )
    return tuple(found)
