"""From settings to a chat model ready for use."""

from __future__ import annotations

from coach.llm.base import ChatModel
from coach.settings import Settings


def open_model(settings: Settings) -> ChatModel | None:
    """The configured model with retries, deadline, circuit and concurrency limit; ``None`` when none is configured.

    Opens no connection: that happens with the first question.
    """
    if not settings.llm_configured:
        return None
    from coach.llm.openai_chat import OpenAIChat
    from coach.llm.retry import Steady

    return Steady(OpenAIChat(settings), deadline=settings.deadline, concurrency=settings.concurrency)
