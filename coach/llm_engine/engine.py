"""The LLM engine: prompts that see between the lines, and nothing shown that is not in the notes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from coach.acts import Reading
from coach.anonymise import anonymise, leaks_in
from coach.answers import (
    CategoricalPhrasing,
    Participants,
    Shape,
    UnaddressedNeeds,
    UnheardObjections,
)
from coach.detectors.heard import heard
from coach.engine import Watch
from coach.errors import ModelError, ModelRefusedError, ModelShapeError, ModelTruncatedError
from coach.fencing import marked, new_nonce, passage_lines
from coach.grounding import utterance_at
from coach.identities import Identities
from coach.llm.base import ChatModel, Completion, Request, estimate_tokens
from coach.llm.budget import Budgeted, Price
from coach.llm.discover import SMALL_CONTEXT
from coach.llm_engine.asking import Asker, Nonce
from coach.llm_engine.parts import Part, cut
from coach.llm_engine.second_look import second_look
from coach.llm_engine.sifting import Notes, sift, without_doubles
from coach.llm_engine.standing import standing
from coach.schema import Analysis, Conversation, Finding, Passage, SetAside
from coach.settings import Settings

PROMPTS: dict[str, tuple[str, type[Shape]]] = {
    "unheard_objection": ("unheard_objections", UnheardObjections),
    "unaddressed_need": ("unaddressed_needs", UnaddressedNeeds),
    "categorical_phrasing": ("categorical_phrasing", CategoricalPhrasing),
}
"""Kind of finding, the prompt that looks for it, and the shape of its answer."""
STANDING = "participants"
LEAST = 300
"""Tokens of notes that a part may always have."""


@dataclass(frozen=True)
class _Task:
    """One call: a prompt on a part."""

    kind: str
    part: Part
    number: int
    of: int

    @property
    def what(self) -> str:
        what = f"Reading for {PROMPTS[self.kind][0] if self.kind in PROMPTS else 'where people stand'}"
        where = f" (part {self.number} of {self.of})" if self.of > 1 else ""
        return what.replace("_", " ") + where


class LLMEngine:
    """An :class:`coach.engine.Engine` behind any :class:`~coach.llm.ChatModel`.

    identities: who is known so far (nothing is saved). price: of the model, for the budget. read: the local encoder,
    whose view of uptake asks for a second look. hints: the local engine's findings, for ``Settings.hints``. root:
    folder of prompts. kinds: which findings to look for. small: prompts for small models, one topic at a time.
    """

    name = "llm"

    def __init__(
        self,
        model: ChatModel,
        settings: Settings,
        *,
        identities: Callable[[], Identities] = Identities,
        price: Price = lambda model, asked, answered: None,
        free: bool = False,
        read: Callable[[Conversation], Reading] | None = None,
        hints: Callable[[Conversation], Sequence[Finding]] | None = None,
        root: Path | None = None,
        kinds: Sequence[str] = (*PROMPTS, STANDING),
        small: bool | None = None,
        nonce: Nonce = new_nonce,
    ) -> None:
        self._model, self._settings = model, settings
        self._identities, self._price, self._free = identities, price, free
        self._read, self._hints = read, hints if settings.hints else None
        self._root, self._kinds, self._nonce = root, tuple(kinds), nonce
        self._small = settings.context_tokens < SMALL_CONTEXT if small is None else small

    def analyse(self, conversation: Conversation, earlier: Sequence[Passage], watch: Watch) -> Analysis:
        """What the model sees in the conversation, as far as its words are there; offsets are into the text as given.

        Raises :class:`ModelError` when the endpoint fails for good or no prompt got an answer, ``BudgetError`` before a
        call that could pass the budget, ``LeakError`` before a known identity leaves, ``CancelledError`` when stopped.
        """
        watch.progress(0.05, "Replacing names by pseudonyms")
        anonymised = anonymise(conversation, self._identities())
        notes = Notes(conversation, anonymised, self._fitting(earlier, anonymised.identities))
        watch.check()
        budgeted = Budgeted(self._model, self._price, self._settings.max_usd, free=self._free)
        asker = Asker(
            budgeted,
            notes.anonymised.identities,
            root=self._root,
            small=self._small,
            max_tokens=max(500, self._settings.context_tokens // 4),
            nonce=self._nonce,
        )
        tasks = self._tasks(asker, notes)
        if not tasks:
            return Analysis(participants=notes.people, usage=budgeted.usage)
        hints = self._hint_lines(conversation)
        # All are made, and checked for leaks, before the first one leaves.
        requests = [self._request(task, asker, notes, hints) for task in tasks]
        # The local reading runs while the model thinks; it costs no waiting.
        with ThreadPoolExecutor(max_workers=self._settings.concurrency + 1) as pool:
            reading = pool.submit(self._read, conversation) if self._read else None
            answers, failures = self._ask_all(tasks, requests, asker, pool, watch)
            found, aside = self._findings(answers, asker, notes)
            if reading is not None and found:
                watch.progress(0.9, "Looking again at what may have been answered")
                found, again, problem = second_look(found, notes, reading.result(), asker, watch)
                aside.extend(again)
                failures.extend(problem)
            findings = without_doubles(found)
            # What was heard is for the local engine to say: it costs no call, and it is asked anyway.
            answered = heard(conversation, reading.result(), findings) if reading is not None else ()
        stands = [(task.part, done.value.participants) for task, done in answers if task.kind == STANDING]
        return Analysis(
            findings=findings,
            heard=answered,
            participants=standing(stands, notes),
            set_aside=_once(aside),
            notices=tuple(dict.fromkeys(failures)),
            usage=budgeted.usage,
        )

    def _fitting(self, earlier: Sequence[Passage], identities: Identities) -> tuple[Passage, ...]:
        """The first passages, as many as leave the context to this meeting.

        A passage that holds a name which was not known when it was stored, but is now, stays at home.
        """
        left = self._settings.context_tokens // 8
        kept: list[Passage] = []
        for passage in earlier:
            if any(leaks_in(f"{passage.text}\n{passage.date or ''}", identities)):
                continue
            left -= estimate_tokens(passage.text)
            if left < 0:
                break
            kept.append(passage)
        return tuple(kept)

    def _tasks(self, asker: Asker, notes: Notes) -> list[_Task]:
        """Every prompt on every part that fits the context beside that prompt."""
        tasks: list[_Task] = []
        before = sum(estimate_tokens(line) + 1 for line in passage_lines(notes.earlier))
        for kind in self._kinds:
            name = PROMPTS[kind][0] if kind in PROMPTS else kind
            room = self._settings.context_tokens - asker.overhead(name) - asker.max_tokens - before
            parts = cut(notes.lines, max(room, LEAST), by_topic=self._small)
            parts = tuple(part for part in parts if _has_words(notes, part))
            tasks.extend(_Task(kind, part, n, len(parts)) for n, part in enumerate(parts, 1))
        return tasks

    def _ask_all(
        self,
        tasks: Sequence[_Task],
        requests: Sequence[Request],
        asker: Asker,
        pool: ThreadPoolExecutor,
        watch: Watch,
    ) -> tuple[list[tuple[_Task, Completion[Any]]], list[str]]:
        """The answers in the order of the tasks, and a sentence for each question that got none."""
        halt = threading.Event()
        progress = _Progress(watch, len(tasks))
        followed = [
            Watch(progress.of(n, task.what), lambda: halt.is_set() or watch.stopped()) for n, task in enumerate(tasks)
        ]
        shapes: list[type[Shape]] = [PROMPTS[task.kind][1] if task.kind in PROMPTS else Participants for task in tasks]
        futures: list[Future[Completion[Any]]] = [
            pool.submit(asker.send, request, shape, follow)
            for request, shape, follow in zip(requests, shapes, followed, strict=True)
        ]
        answered: dict[int, Completion[Any]] = {}
        failures: list[str] = []
        first: ModelError | None = None
        number = {future: n for n, future in enumerate(futures)}
        try:
            for future in as_completed(futures):
                try:
                    answered[number[future]] = future.result()
                except (ModelRefusedError, ModelTruncatedError, ModelShapeError) as error:
                    first = first or error
                    what = tasks[number[future]].what
                    failures.append(f"{what}: no usable answer, so something may be missing here ({error}).")
        except BaseException:
            halt.set()
            for future in futures:
                future.cancel()
            raise
        if first is not None and not answered:
            raise first
        return [(tasks[n], answered[n]) for n in sorted(answered)], sorted(failures)

    def _request(self, task: _Task, asker: Asker, notes: Notes, hints: str) -> Request:
        name = PROMPTS[task.kind][0] if task.kind in PROMPTS else task.kind
        fenced: dict[str, Sequence[str]] = {"notes": [notes.lines[at].text for at in task.part.shown]}
        if notes.earlier and "earlier" in asker.prompt(name).variables:
            fenced["earlier"] = passage_lines(notes.earlier)
        if task.kind == STANDING:
            fenced["attendees"] = [marked(n, label) for n, label in enumerate(notes.asked_about, 1)]
        plain = {"part": f"part {task.number} of {task.of}" if task.of > 1 else "", "hints": hints}
        return asker.request(name, fenced, plain)

    def _findings(
        self, answers: Sequence[tuple[_Task, Completion[Any]]], asker: Asker, notes: Notes
    ) -> tuple[list[Finding], list[SetAside]]:
        found: list[Finding] = []
        aside: list[SetAside] = []
        for task, done in answers:
            if task.kind in PROMPTS:
                source = f"{asker.prompt(PROMPTS[task.kind][0]).label} {asker.model.name}"
                kept, rest = sift(done.value.findings, task.kind, source, notes, task.part)
                found.extend(kept)
                aside.extend(rest)
        return found, aside

    def _hint_lines(self, conversation: Conversation) -> str:
        """Numbers of the lines in which the local engine sees something; no words of the notes."""
        if self._hints is None:
            return ""
        found = (utterance_at(conversation, f.start, f.end) for f in self._hints(conversation))
        numbers = sorted({at + 1 for at in found if at is not None})
        return ", ".join(map(str, numbers))


class _Progress:
    """Many shares told as one: between a tenth and nine tenths of the whole review."""

    def __init__(self, watch: Watch, tasks: int) -> None:
        self._watch = watch
        self._lock = threading.Lock()
        self._shares = [0.0] * tasks

    def of(self, task: int, what: str) -> Callable[[float, str], None]:
        def tell(share: float, _: str) -> None:
            with self._lock:
                self._shares[task] = max(share, self._shares[task])
                total = sum(self._shares) / len(self._shares)
            self._watch.progress(0.1 + 0.8 * total, what)

        return tell


def _has_words(notes: Notes, part: Part) -> bool:
    used = {notes.lines[at].utterance for at in part.core}
    return any(notes.shown.utterances[at].role in ("speech", "narration") for at in used)


def _once(aside: Sequence[SetAside]) -> tuple[SetAside, ...]:
    return tuple({(a.finding.kind, a.finding.quote, a.reason): a for a in aside}.values())
