"""The LLM engine under test: on recordings, on a model that is being recorded, or on a live one."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from coach.engine import Watch
from coach.errors import ConfigError
from coach.identities import Identities
from coach.llm.base import Answer, ChatModel, Request, estimate_tokens
from coach.llm.budget import Budgeted, price_of
from coach.settings import Settings
from coach_eval.recordings import RecordingModel, ReplayingModel, Store, key
from coach_eval.running import Subjects
from coach_eval.schema import Case, Mode, Origin, Suite
from coach_eval.subject import ModelSubject
from coach_eval.tasks import TASKS

if TYPE_CHECKING:
    from coach_eval.evaluation import Evaluation
    from coach_eval.judging import Judge

CONTEXT_TOKENS = 16_000
"""Pinned: it decides how notes are cut, and with that what is asked and which recording answers."""


def model_subjects(
    suite: Suite, store: Store, mode: Mode, settings: Settings, max_usd: float | None, origin: Origin
) -> Subjects:
    """A subject for each repeat of each case.

    Raises :class:`ConfigError` when a model is to be asked and none is configured, or another than the suite pins.
    """
    if mode == "replay":
        return lambda case, repeat: _subject(
            suite, settings, ReplayingModel(store, _name(suite), suite.provider, repeat)
        )
    if origin == "authored" and mode == "record":
        from coach_eval.authored import AuthoredModel

        return lambda case, repeat: _subject(
            suite,
            settings,
            RecordingModel(
                AuthoredModel(_name(suite), case), store, suite.provider, repeat, origin, identities_in(case)
            ),
        )
    model = _open(f"suite {suite.suite!r}", suite.model, settings, suite.budget.usd if max_usd is None else max_usd)
    if mode == "live":
        return lambda case, repeat: _subject(suite, settings, model)
    secrets = _secrets(settings)
    return lambda case, repeat: _subject(
        suite, settings, RecordingModel(model, store, suite.provider, repeat, origin, identities_in(case), secrets)
    )


def _secrets(settings: Settings) -> tuple[str, ...]:
    return tuple(s.get_secret_value() for s in (settings.api_key, settings.azure_key) if s is not None)


def judge_model(evaluation: Evaluation, judge: Judge, record: bool) -> ChatModel:
    """The model of a judge: its recordings, or the configured model, recorded; raises :class:`ConfigError`."""
    store = Store(evaluation.root / "recordings" / f"judge-{judge.judge}")
    store.check()
    if not record:
        return ReplayingModel(store, judge.model, judge.provider, 0)
    settings = evaluation.settings
    model = _open(f"judge {judge.judge!r}", judge.model, settings, evaluation.max_usd)
    return RecordingModel(model, store, judge.provider, 0, "api", Identities(), _secrets(settings))


def identities_in(case: Case) -> Identities:
    """Everybody the coach knows in a case's notes: no recording of it may hold one of their names."""
    from coach import notes
    from coach.anonymise import anonymise

    text = getattr(case, "text", None) or getattr(case, "notes", "")
    if not text:
        return Identities()
    return anonymise(notes.parse(text, getattr(case, "format", None)), Identities()).identities


def estimates(evaluation: Evaluation, suite: Suite) -> str:
    """What recording a suite would take: calls not recorded yet, tokens, and the most it can cost. Calls nothing."""
    store = evaluation.store(suite)
    counter = _Counter(_name(suite), suite.provider, store)
    task = TASKS[suite.task]
    for case in evaluation.cases(suite):
        for repeat in range(suite.repeats):
            task.run(case, suite, _subject(suite, evaluation.settings, _Repeat(counter, repeat)))
    price = price_of(evaluation.settings)(_name(suite), counter.asked, counter.answered)
    cost = f"at most ${price:.2f}" if price is not None else "at a price that nobody told"
    return (
        f"{suite.suite}: {counter.calls} calls to make, about {counter.asked:,} tokens in "
        f"and at most {counter.answered:,} out, {cost}"
    )


def prune_recordings(evaluation: Evaluation, suite: Suite) -> int:
    """How many recordings were deleted because no case asks for them any more."""
    store = evaluation.store(suite)
    counter = _Counter(_name(suite), suite.provider, store)
    task = TASKS[suite.task]
    for case in evaluation.cases(suite):
        # Fresh repeats, as the verdict makes them to confirm a loss, are asked for too.
        for repeat in range(2 * suite.repeats):
            task.run(case, suite, _subject(suite, evaluation.settings, _Repeat(counter, repeat)))
    idle = [recording for recording in store.check() if recording.key not in counter.known]
    for recording in idle:
        store.path(recording.key).unlink()
    return len(idle)


def _subject(suite: Suite, settings: Settings, model: ChatModel) -> ModelSubject:
    from coach.llm_engine import LLMEngine
    from coach.llm_engine.engine import PROMPTS, STANDING

    kinds = suite.findings or ((STANDING,) if suite.task == "participants" else tuple(PROMPTS))
    # Without hints and without the encoder's second look, what is asked depends on notes and prompts alone.
    pinned = settings.model_copy(update={"context_tokens": CONTEXT_TOKENS, "hints": False, "max_usd": None})
    return ModelSubject(LLMEngine(model, pinned, kinds=kinds))


def _open(what: str, pinned: str | None, settings: Settings, max_usd: float | None) -> Budgeted:
    from coach.llm.connect import open_model

    model = open_model(settings)
    if model is None:
        raise ConfigError("no model is configured: set COACH_MODEL and OPENAI_API_KEY or OPENAI_BASE_URL")
    if model.name != pinned:
        raise ConfigError(f"{what} is for the model {pinned!r}, COACH_MODEL is another: set it likewise")
    return Budgeted(model, price_of(settings), max_usd)


def _name(suite: Suite) -> str:
    return suite.model or ""


@dataclass
class _Counter:
    """Answers every question from its recording, or with nothing found, and counts what was not recorded."""

    name: str
    provider: str
    store: Store
    calls: int = 0
    asked: int = 0
    answered: int = 0
    known: set[str] = field(default_factory=set)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, request: Request, repeat: int) -> Answer:
        from coach.llm.scripted import ScriptedChatModel

        asked = key(request, provider=self.provider, model=self.name, repeat=repeat)
        recorded = self.store.get(asked) is not None
        with self.lock:
            self.known.add(asked)
            if not recorded:
                self.calls += 1
                self.asked += sum(estimate_tokens(text) for _, text in request.messages)
                self.answered += request.max_tokens
        if recorded:
            return ReplayingModel(self.store, self.name, self.provider, repeat).complete(request, Watch())
        return ScriptedChatModel().complete(request, Watch())


@dataclass(frozen=True)
class _Repeat:
    """The counter as a chat model, for one repeat."""

    counter: _Counter
    repeat: int

    @property
    def name(self) -> str:
        return self.counter.name

    def complete(self, request: Request, _watch: Watch) -> Answer:
        return self.counter.answer(request, self.repeat)
