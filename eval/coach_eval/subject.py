"""The coach as the suites exercise it: the same parts as a user's, wired for a suite's engine and model."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from coach.engine import Engine, Watch
from coach.errors import BudgetError, LeakError, ModelError, UnverifiableError
from coach.schema import Analysis, Conversation, Passage, Review

if TYPE_CHECKING:
    from coach.rehearsal.past import Past
    from coach.rehearsal.plan import Plan
    from coach.rehearsal.values import Brief, Debrief


class EngineFailedError(UnverifiableError):
    """The engine under test failed; its cause says how. A review would fall back to the other engine and hide it."""


@dataclass(frozen=True)
class Unforgiving:
    """An engine whose failures are not caught on the way: the suite is about this engine and no other."""

    engine: Engine

    @property
    def name(self) -> str:
        """The name of the engine."""
        return self.engine.name

    def analyse(self, conversation: Conversation, earlier: Sequence[Passage], watch: Watch) -> Analysis:
        """What the engine says; raises :class:`EngineFailedError` where it raises."""
        try:
            return self.engine.analyse(conversation, earlier, watch)
        except (ModelError, BudgetError, LeakError) as error:
            raise EngineFailedError(str(error)) from error


@dataclass(frozen=True)
class Rules:
    """What needs no engine and is the same with each: rewriting, briefs and practices by rules."""

    def rewrite(self, sentence: str, subtype: str | None) -> str | None:
        """The rewrite by the rules."""
        from coach.rewriting import rewrite

        return rewrite(sentence, subtype)

    def brief(self, plan: Plan, past: Past) -> Brief:
        """The brief for a plan, with what a case says of the past."""
        from coach.rehearsal.brief import make_brief

        return make_brief(plan, past)

    def rehearse(self, plan: Plan, past: Past, attendee: str, temperament: str, replies: Sequence[str]) -> Debrief:
        """The debrief of a scripted practice."""
        from coach.rehearsal.debrief import make_debrief
        from coach.rehearsal.ladder import Temperament
        from coach.rehearsal.session import start

        session = start(plan, self.brief(plan, past), attendee=attendee, temperament=Temperament(temperament))
        for reply in replies:
            session = session.say(reply)
        return make_debrief(session.end())


@dataclass(frozen=True)
class LocalSubject(Rules):
    """The engine on this machine. It is deterministic, so that notes that several suites share are read once."""

    remember: bool = True
    _known: dict[tuple[str, str | None], Review] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def review(self, notes: str, format: str | None) -> Review:
        """The review by the local engine."""
        from coach.local_engine import LocalEngine
        from coach.review import review

        key = (notes, format)
        with self._lock:
            known = self._known.get(key) if self.remember else None
        if known is None:
            known = review(notes, local=LocalEngine(), engine="local", format=format)
            with self._lock:
                self._known[key] = known
        return known


@dataclass(frozen=True)
class ModelSubject(Rules):
    """The engine that asks a chat model, without a way back to the local one."""

    engine: Engine

    def review(self, notes: str, format: str | None) -> Review:
        """The review by the model; raises :class:`EngineFailedError` and what replaying raises."""
        from coach.local_engine import LocalEngine
        from coach.review import review

        return review(notes, local=LocalEngine(), llm=Unforgiving(self.engine), engine="llm", format=format)
