"""What a chat model is, and how its answer becomes a typed value.

A :class:`ChatModel` does one thing: it completes a :class:`Request`. Everything around it (retries, budget, recording,
scripting) is another chat model that wraps it, so a caller never knows which one it holds.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Generic, Literal, Protocol, TypeVar

from pydantic import BaseModel, ValidationError

from coach.engine import Watch
from coach.errors import ModelRefusedError, ModelShapeError, ModelTruncatedError, ModelUnreachableError
from coach.schema import Usage

Messages = tuple[tuple[str, str], ...]
"""Pairs of role (``system``, ``user`` or ``assistant``) and text."""

Finish = Literal["stop", "length", "refusal"]
Shape = TypeVar("Shape", bound=BaseModel)

NONCE_IN_DIGEST = "NONCE"
ANSWER_LIMIT = 2_000_000
"""Characters. A longer answer is no review of anything; reading stops there."""


@dataclass(frozen=True)
class Request:
    """One question to a model.

    label: what is asked, for progress, usage and recordings (``unheard_objections@1``).
    schema: JSON schema of the answer, or ``None`` for free text.
    max_tokens: most tokens of the answer. temperature: 0 asks for the likeliest words.
    nonce: the random part of the delimiters around note text; it differs in every call and does not count as content.
    """

    messages: Messages
    label: str = ""
    schema: Mapping[str, Any] | None = None
    schema_name: str = ""
    max_tokens: int = 4_000
    temperature: float = 0.0
    nonce: str = ""

    def digest(self, model: str = "") -> str:
        """Hex SHA-256 of everything that shapes the answer, the nonce set aside: same question, same digest."""
        text = json.dumps(
            {
                "model": model,
                "messages": self.messages,
                "schema": self.schema,
                "max_tokens": self.max_tokens,
                "temperature": self.temperature,
            },
            ensure_ascii=False,
            sort_keys=True,
        )
        if self.nonce:
            text = text.replace(self.nonce, NONCE_IN_DIGEST)
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True)
class Answer:
    """What came back: the text, why it ended, and what it took. ``model`` is the name the server gives itself."""

    text: str
    finish: Finish = "stop"
    input_tokens: int = 0
    output_tokens: int = 0
    model: str = ""
    usd: float | None = None


class ChatModel(Protocol):
    """Completes requests; safe to call from several threads."""

    @property
    def name(self) -> str:
        """The model's name, as findings and recordings show it."""
        ...

    def complete(self, request: Request, watch: Watch) -> Answer:
        """The answer. Tells ``watch`` the share received, and stops soon after ``watch.stopped()``.

        Raises a :class:`~coach.errors.ModelError` or :class:`~coach.errors.CancelledError`.
        """
        ...


class TransientError(ModelUnreachableError):
    """A failure that may pass: worth another attempt, ``retry_after`` seconds from now if the server said so."""

    def __init__(self, message: str, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


@dataclass(frozen=True)
class Completion(Generic[Shape]):
    """A typed answer and what all attempts at it took."""

    value: Shape
    usage: Usage


def complete_as(
    model: ChatModel, request: Request, shape: type[Shape], watch: Watch | None = None
) -> Completion[Shape]:
    """The model's answer as a ``shape``, asked for by JSON schema; an answer of another shape gets one repair turn.

    Raises :class:`ModelRefusedError`, :class:`ModelTruncatedError`, :class:`ModelShapeError` (empty, no JSON, or still
    of the wrong shape) and whatever the model raises. The repair turn never repeats the bad answer: nothing a model
    made up travels back to it.
    """
    watch = watch or Watch()
    typed = replace(request, schema=schema_of(shape), schema_name=shape.__name__)
    first = model.complete(typed, watch)
    try:
        return Completion(_read(first, shape), usage_of(model.name, first))
    except ModelShapeError as problem:
        repair = replace(typed, messages=(*typed.messages, ("user", _repair_turn(str(problem), typed.schema or {}))))
    second = model.complete(repair, watch)
    return Completion(_read(second, shape), usage_of(model.name, first, second))


@cache
def schema_of(shape: type[BaseModel]) -> Mapping[str, Any]:
    """The JSON schema of a shape; read it, don't change it."""
    return shape.model_json_schema()


def usage_of(model: str, *answers: Answer) -> Usage:
    """What these answers took together; ``usd`` is ``None`` as soon as one of them has no known price."""
    return add_usage(
        *(
            Usage(calls=1, input_tokens=a.input_tokens, output_tokens=a.output_tokens, usd=a.usd, model=model)
            for a in answers
        )
    )


def add_usage(*parts: Usage) -> Usage:
    """The sum; an unknown price makes the sum unknown."""
    known = [part.usd for part in parts if part.usd is not None]
    return Usage(
        calls=sum(part.calls for part in parts),
        input_tokens=sum(part.input_tokens for part in parts),
        output_tokens=sum(part.output_tokens for part in parts),
        usd=sum(known) if parts and len(known) == len(parts) else None,
        model=next((part.model for part in parts if part.model), None),
    )


def estimate_tokens(text: str) -> int:
    """At least as many tokens as common tokenizers make of ``text``: a count without a download.

    Latin words cost a token per four characters or less in the usual byte-pair vocabularies; 3.2 leaves room for names,
    numbers and mark-up. Other scripts are counted one token per UTF-8 byte pair, their usual worst case.
    """
    plain = len(text) if text.isascii() else sum(1 for character in text if character < "\u0250")
    rest = len(text) - plain
    return int(plain / 3.2) + 2 * rest + 1


_THOUGHT = re.compile(r"<(/?)think(?:ing)?>")


def _read(answer: Answer, shape: type[Shape]) -> Shape:
    if answer.finish == "refusal":
        raise ModelRefusedError("the model declined to answer: try another model, or use --engine local")
    if answer.finish == "length":
        raise ModelTruncatedError(
            "the model's answer was cut at its token limit: raise COACH_CONTEXT_TOKENS or choose another model"
        )
    text = _without_thoughts(answer.text).strip()
    if not text:
        raise ModelShapeError("the model's answer was empty: try again, or choose another model")
    start = text.find("{")
    try:
        data, _ = json.JSONDecoder().raw_decode(text, max(start, 0))
        return shape.model_validate(data)
    except ValidationError as error:
        where = ", ".join(_place(item["loc"]) + ": " + item["type"] for item in error.errors(include_input=False)[:5])
    except (ValueError, RecursionError):
        where = "no JSON object"
    raise ModelShapeError(f"the model's answer has the wrong shape ({where}): try again, or choose another model")


def _without_thoughts(text: str) -> str:
    """The text without what some models think aloud first; a thought that never ends stays."""
    said, at, begun = list[str](), 0, -1
    for mark in _THOUGHT.finditer(text):
        if not mark[1] and begun < 0:
            begun = mark.start()
        elif mark[1] and begun >= 0:
            said.append(text[at:begun])
            at, begun = mark.end(), -1
    return "".join((*said, text[at:]))


def _place(loc: tuple[int | str, ...]) -> str:
    # Keys can be the model's own words when it invents fields; only indexes and plain short names are shown.
    shown = [str(part) if isinstance(part, int) or re.fullmatch(r"[a-z_]{1,24}", part) else "?" for part in loc]
    return ".".join(shown) or "answer"


def _repair_turn(problem: str, schema: Mapping[str, Any]) -> str:
    found = problem.partition("(")[2].partition(")")[0] or "empty answer"
    return (
        f"Your last answer could not be read: {found}. Answer the same question again with one JSON object and nothing "
        f"else, no code fence and no comment, that follows this JSON schema:\n{json.dumps(schema)}"
    )
