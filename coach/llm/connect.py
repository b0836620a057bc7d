"""From settings to a chat model ready for use."""

from __future__ import annotations

from collections.abc import Callable

from coach.llm.base import ChatModel
from coach.registry import Registry
from coach.settings import Settings

CHAT_MODELS: Registry[Callable[[Settings], ChatModel]] = Registry("coach.chat_models", needs=("__call__",))
"""What makes a chat model out of the settings, by the name that COACH_PROVIDER takes."""


@CHAT_MODELS.register("openai")
def openai(settings: Settings) -> ChatModel:
    """Any OpenAI-compatible endpoint."""
    from coach.llm.openai_chat import OpenAIChat

    return OpenAIChat(settings)


def open_model(settings: Settings) -> ChatModel | None:
    """The configured model with retries, deadline, circuit and concurrency limit; ``None`` when none is configured.

    Opens no connection: that happens with the first question.
    """
    if not settings.llm_configured:
        return None
    from coach.llm.retry import Steady

    return Steady(
        CHAT_MODELS[settings.provider](settings), deadline=settings.deadline, concurrency=settings.concurrency
    )
