"""One request: pasted text in, :class:`Review` out. Every hop is called from here, and no hop calls back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Protocol

from coach.engine import Engine, Watch
from coach.errors import BudgetError, ConfigError, LeakError, ModelError
from coach.grounding import ground_heard
from coach.schema import Analysis, Conversation, EngineName, Evidence, Finding, Meeting, Passage, Review, SetAside
from coach.settings import EngineChoice

NO_MODEL = (
    "no model endpoint is configured: set COACH_MODEL and OPENAI_API_KEY or OPENAI_BASE_URL, or use --engine local"
)


class Memory(Protocol):
    """What a review asks of earlier meetings; everything it gives back is readable by the person at the screen."""

    def earlier(self, conversation: Conversation) -> Sequence[Passage]:
        """Pseudonymised passages of earlier meetings that this conversation calls to mind."""
        ...

    def evidence(self, finding: Finding, conversation: Conversation) -> tuple[Evidence, ...]:
        """Where the same person said the same before."""
        ...


def review(
    text: str,
    *,
    local: Engine,
    llm: Engine | None = None,
    merge: Callable[[Analysis, Analysis], Analysis] | None = None,
    engine: EngineChoice = "auto",
    format: str | None = None,
    memory: Memory | None = None,
    watch: Watch | None = None,
) -> Review:
    """The review of one pasted text.

    ``engine`` chooses: ``auto`` takes ``llm`` when there is one. When the model fails, the local engine answers and
    ``fell_back`` says why. Raises :class:`coach.errors.InputError` for text that can't be read and
    :class:`ConfigError` when a model is asked for and none is configured.
    """
    from coach import notes

    if engine in ("llm", "both") and llm is None:
        raise ConfigError(NO_MODEL)
    watch = watch or Watch()
    started = perf_counter()
    watch.progress(0.02, "Reading the notes")
    conversation = notes.parse(text, format)
    answered, fell_back, analysis = _analyse(conversation, local, llm, merge, engine, memory, watch)
    shown, doubtful = _grounded(text, analysis.findings)
    if memory is not None:
        # A model may point at passages itself; what it found by reading is worth more than what is merely similar.
        shown = tuple(
            f if f.evidence else f.model_copy(update={"evidence": memory.evidence(f, conversation)}) for f in shown
        )
    watch.progress(1.0, "Done")
    return Review(
        engine=answered,
        fell_back=fell_back,
        seconds=round(perf_counter() - started, 3),
        meeting=Meeting(
            title=conversation.title,
            date=conversation.date,
            format=conversation.format,
            utterances=sum(u.role in ("speech", "narration") for u in conversation.utterances),
            speakers=conversation.speakers,
        ),
        findings=tuple(f.model_copy(update={"id": f"f{n}"}) for n, f in enumerate(shown, 1)),
        heard=ground_heard(analysis.heard, shown, conversation),
        participants=analysis.participants,
        set_aside=analysis.set_aside + doubtful,
        notices=analysis.notices,
        usage=analysis.usage,
    )


def _analyse(
    conversation: Conversation,
    local: Engine,
    llm: Engine | None,
    merge: Callable[[Analysis, Analysis], Analysis] | None,
    engine: EngineChoice,
    memory: Memory | None,
    watch: Watch,
) -> tuple[EngineName, str | None, Analysis]:
    """Which engine answered, why not the one asked for, and what it says."""
    if engine == "local" or llm is None:
        return "local", None, local.analyse(conversation, (), watch)
    try:
        theirs = llm.analyse(conversation, memory.earlier(conversation) if memory else (), watch)
    except (ModelError, BudgetError, LeakError) as error:
        return "local", str(error), local.analyse(conversation, (), watch)
    if engine == "both" and merge is not None:
        return "both", None, merge(local.analyse(conversation, (), watch), theirs)
    return "llm", None, theirs


def _grounded(text: str, findings: Sequence[Finding]) -> tuple[tuple[Finding, ...], tuple[SetAside, ...]]:
    """Findings whose quote is the exact slice, in order of tier; the rest with the reason. The last gate."""
    exact = [f for f in findings if f.quote.strip() and text[f.start : f.end] == f.quote]
    wrong = tuple(
        SetAside(finding=f, reason="The quote is not in the notes, letter for letter.")
        for f in findings
        if f not in exact
    )
    return tuple(sorted(exact, key=lambda f: f.tier != "finding")), wrong
