"""The people in the notes you keep: what each of them raised, and what became of it, meeting by meeting."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import gradio as gr

from coach.anonymise import restore
from coach.ui import strings, views
from coach.ui.acting import QUIET, region, sent
from coach.ui.faults import Update, telling

if TYPE_CHECKING:
    from coach.concerns import Concern, Mark
    from coach.identities import Identities
    from coach.ui.coaches import CoachOf
    from coach.wiring import Coach

TEMPLATE = "people.html.j2"


@dataclass(frozen=True)
class Person:
    """Someone, with their concerns (open ones first); ``shown`` is the concern that stands unfolded."""

    name: str
    meetings: int
    concerns: tuple[Concern, ...]
    shown: str = ""

    @property
    def waiting(self) -> tuple[Concern, ...]:
        return tuple(concern for concern in self.concerns if concern.open)

    def guessed(self, concern: Concern) -> tuple[Concern, ...]:
        """The likeliest of those that a concern may be the same as, at most two."""
        return tuple(one for key in concern.perhaps[:2] for one in self.concerns if one.id == key)

    @property
    def done(self) -> tuple[Concern, ...]:
        """What was answered or is closed: folded, so that it does not hide what waits."""
        return tuple(concern for concern in self.concerns if not concern.open)


def build_people(coach_of: CoachOf, tab: gr.Tab) -> gr.HTML:
    """The components and events of the tab; gives back the list, from which a meeting can be opened."""
    people = region("", "mark", "join", "keep_apart", "split_off", "open")

    def listed(request: gr.Request, shown: str = "", message: str = "") -> Update:
        return {people: views.part(TEMPLATE, "page", everybody(coach_of(request), shown), message)}

    @telling(people)
    def enter(request: gr.Request) -> Update:
        return listed(request)

    @telling(people)
    def mark(request: gr.Request, event: gr.EventData) -> Update:
        concern = coach_of(request).ledger.mark(sent(event, "concern"), cast("Mark", sent(event, "mark")))
        return listed(request, concern.id, strings.MARKED)

    @telling(people)
    def join(request: gr.Request, event: gr.EventData) -> Update:
        concern = coach_of(request).ledger.merge(sent(event, "concern"), sent(event, "other"))
        return listed(request, concern.id, strings.JOINED)

    @telling(people)
    def keep_apart(request: gr.Request, event: gr.EventData) -> Update:
        concern = coach_of(request).ledger.apart(sent(event, "concern"), sent(event, "other"))
        return listed(request, concern.id, strings.KEPT_APART)

    @telling(people)
    def split_off(request: gr.Request, event: gr.EventData) -> Update:
        concern = coach_of(request).ledger.split(sent(event, "concern"), sent(event, "sighting"))
        return listed(request, concern.id, strings.SPLIT_DONE)

    functions: tuple[tuple[Any, Callable[..., Update]], ...] = (
        (tab.select, enter),
        (people.mark, mark),
        (people.join, join),
        (people.keep_apart, keep_apart),
        (people.split_off, split_off),
    )
    for listener, function in functions:
        listener(function, None, [people], **QUIET)
    return people


def everybody(coach: Coach, shown: str = "") -> list[Person]:
    """Everyone in the library or the ledger, those with most open concerns first, with real names."""
    known = coach.identities.load()
    meetings = Counter(restore(name, known) for entry in coach.library.list() for name in entry.attendees)
    concerns: dict[str, list[Concern]] = {name: [] for name in meetings}
    for concern in coach.ledger.all():
        real = with_names(concern, known)
        concerns.setdefault(real.speaker, []).append(real)
    people = [
        Person(name, meetings[name], tuple(sorted(own, key=lambda c: (not c.open, not c.answered, -c.times))), shown)
        for name, own in concerns.items()
    ]
    return sorted(people, key=lambda p: (-len(p.waiting), -len(p.concerns), p.name.casefold()))


def with_names(concern: Concern, known: Identities) -> Concern:
    """The concern with real names in place of pseudonyms, for the person at the screen."""

    def real(text: str | None) -> str | None:
        return restore(text, known) if text else text

    steps = tuple(
        step.model_copy(update={name: real(getattr(step, name)) for name in ("title", "quote", "answer", "by", "note")})
        for step in concern.steps
    )
    return concern.model_copy(update={"speaker": real(concern.speaker), "quote": real(concern.quote), "steps": steps})
