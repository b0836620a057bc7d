"""What an engine is: something that reads a conversation and says what went unheard."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from coach.errors import CancelledError
from coach.schema import Analysis, Conversation, Passage


@dataclass(frozen=True)
class Watch:
    """How a caller follows long work: ``progress(share, what)`` hears the share done, 0 to 1; ``stopped()`` may end it.

    Progress may be told from several threads. The defaults ignore everything.
    """

    progress: Callable[[float, str], None] = lambda share, what: None
    stopped: Callable[[], bool] = lambda: False

    def check(self) -> None:
        """Return quietly, or raise :class:`CancelledError` when the caller asked to stop."""
        if self.stopped():
            raise CancelledError("stopped: nothing was kept")


class Engine(Protocol):
    """``local`` or ``llm``; both give the same :class:`Analysis`, with offsets into ``conversation.text``."""

    @property
    def name(self) -> str: ...

    def analyse(self, conversation: Conversation, earlier: Sequence[Passage], watch: Watch) -> Analysis:
        """The analysis of a conversation; ``earlier`` are (pseudonymised) passages of earlier meetings."""
        ...
