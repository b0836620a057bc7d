"""Talking to a language model: one protocol, one real implementation, one scripted one.

``base`` says what a chat model is and turns its answers into typed values; ``openai_chat`` is the only file that knows
the vendor; ``retry`` and ``budget`` wrap any chat model; ``scripted`` plays one from a list of answers; ``connect``
builds what the settings ask for; ``discover`` looks for a model server on this machine.
"""

from coach.llm.base import Answer, ChatModel, Completion, Request, complete_as

__all__ = ["Answer", "ChatModel", "Completion", "Request", "complete_as"]
