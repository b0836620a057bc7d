"""Answers written from the gold labels instead of by a model, for recordings that need neither key nor server.

They show that everything around a model works: prompts, pseudonyms, line numbers, shapes, grounding, offsets, scoring.
They say nothing about how well a model reads. So that the nets are tried too, about one case in seven also gets an
invented quote, and in about one in nine a finding is left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from coach.engine import Watch
from coach.errors import UnverifiableError
from coach.llm.base import Answer, Request, estimate_tokens
from coach_eval.files import digest
from coach_eval.schema import Case
from coach_eval.tasks.participants import ParticipantsCase
from coach_eval.tasks.review import Gold, ReviewCase

_LINE = re.compile(r"^(\d+)\| (.*)$", re.MULTILINE)
_SPEAKER = re.compile(r"^([^:\n]{1,60}): ")
INVENTED = "We never said that and it stands nowhere in these notes."


@dataclass(frozen=True)
class AuthoredModel:
    """A chat model that knows the gold of one case."""

    name: str
    case: Case

    def complete(self, request: Request, watch: Watch) -> Answer:
        """The gold as the prompt's answer; raises :class:`UnverifiableError` for a prompt without written answers."""
        watch.check()
        prompt = request.label.partition("@")[0]
        if prompt not in ANSWERS:
            raise UnverifiableError(f"there are no authored answers for {prompt}: record it with a model")
        text = json.dumps(ANSWERS[prompt](self.case, _lines(request)), ensure_ascii=False)
        asked = sum(estimate_tokens(words) for _, words in request.messages)
        return Answer(text, input_tokens=asked, output_tokens=estimate_tokens(text), model=self.name)


def _lines(request: Request) -> dict[int, str]:
    """The numbered lines of the record, as the prompt shows them."""
    lines: dict[int, str] = {}
    for number, words in _LINE.findall(request.messages[-1][1]):
        lines.setdefault(int(number), words)
    return lines


def _findings(case: Case, kind: str, lines: dict[int, str]) -> Iterator[tuple[Gold, dict[str, Any]]]:
    assert isinstance(case, ReviewCase)
    luck = int(digest([case.id, kind])[:8], 16)
    gold = [g for g in case.required if g.kind == kind]
    if gold and luck % 9 == 0:
        gold = gold[1:]
    for one in gold:
        placed = _placed(case, one, lines)
        if placed is not None:
            number, quote = placed
            speaker = _SPEAKER.match(lines[number])
            yield one, {"line": number, "quote": quote, "speaker": speaker[1] if speaker else None}
    if luck % 7 == 0 and lines:
        yield Gold(kind=kind, quote=INVENTED), {"line": min(lines), "quote": INVENTED, "speaker": None}


def _placed(case: ReviewCase, gold: Gold, lines: dict[int, str]) -> tuple[int, str] | None:
    """Line and words of a gold passage as the prompt shows them: with pseudonyms, within one line."""
    from coach import notes
    from coach.anonymise import anonymise
    from coach.identities import Identities

    text = case.text
    shown = anonymise(notes.parse(text, case.format), Identities())
    for span in gold.places(text):
        start, end = shown.to_pseudonymised(span.start, span.end)
        words = shown.conversation.text[start:end]
        for number, line in lines.items():
            for piece in (words, *words.splitlines()):
                if len(piece) > 3 and piece in line:
                    return number, piece
    return None


def _objections(case: Case, lines: dict[int, str]) -> dict[str, Any]:
    return {
        "findings": [
            {
                **place,
                "about": "what was proposed",
                "record": "nobody comes back to it",
                "subtype": (gold.subtypes or ("ignored",))[0],
                "why": "It looks as if nobody came back to this.",
                "ask": "What would need to be true for this to work for you?",
                "earlier": [],
                "sure": "likely",
            }
            for gold, place in _findings(case, "unheard_objection", lines)
        ]
    }


def _needs(case: Case, lines: dict[int, str]) -> dict[str, Any]:
    return {
        "findings": [
            {
                **place,
                "record": "nobody comes back to it",
                "need": (gold.needs or ("being_heard",))[0],
                "why": "It looks as if nobody asked what would help here.",
                "ask": "What would help you most with this?",
                "earlier": [],
                "sure": "likely",
            }
            for gold, place in _findings(case, "unaddressed_need", lines)
        ]
    }


def _categorical(case: Case, lines: dict[int, str]) -> dict[str, Any]:
    return {
        "findings": [
            {
                **place,
                "subtype": (gold.subtypes or ("certainty",))[0],
                "why": "It may leave others little room for another view.",
                "rewrite": "As I see it, it may be so; how do you see it?",
                "ask": "What makes this so clear from where you stand?",
                "sure": "likely",
            }
            for gold, place in _findings(case, "categorical_phrasing", lines)
        ]
    }


def _participants(case: Case, lines: dict[int, str]) -> dict[str, Any]:
    """Everyone in the case who has a line of their own, with that line as evidence."""
    from coach import notes
    from coach.anonymise import anonymise
    from coach.identities import Identities

    assert isinstance(case, ParticipantsCase)
    shown = anonymise(notes.parse(case.notes, case.format), Identities())
    stands: list[dict[str, Any]] = []
    for name, standing in case.people.items():
        at = case.notes.rfind(name)
        start, end = shown.to_pseudonymised(at, at + len(name))
        label = shown.conversation.text[start:end]
        own = [(number, line) for number, line in lines.items() if line.startswith(f"{label}: ")]
        about = own or [(number, line) for number, line in lines.items() if label in line and ": " not in line]
        if about:
            number, line = about[-1]
            quote = line.removeprefix(f"{label}: ")
            stands.append(
                {
                    "name": label,
                    "evidence": [{"line": number, "quote": quote}],
                    "alignment": standing.alignment[0],
                    "buy_in": standing.buy_in[0],
                    "ask": "What would you need to stand behind this?",
                }
            )
    return {"participants": stands}


ANSWERS = {
    "unheard_objections": _objections,
    "unaddressed_needs": _needs,
    "categorical_phrasing": _categorical,
    "participants": _participants,
}
"""Prompt name -> the answer for a case and the lines that the prompt shows."""
