"""Chat completions over the OpenAI API: OpenAI, Azure, vLLM, llama.cpp, Ollama, LM Studio. Nothing else imports openai.

Answers are always streamed, so that a caller sees progress and can stop at any moment: the stream is read on a thread
of its own, and left behind when the caller stops. Endpoints differ in what they take; the first refusal of a
parameter teaches this client to do without it (:class:`Dialect`). Errors never repeat what the endpoint said: it may
hold note text or a key.
"""

from __future__ import annotations

import contextlib
import json
import queue
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from coach.engine import Watch
from coach.errors import ConfigError, ModelError, ModelRejectedError, ModelShapeError
from coach.llm.base import ANSWER_LIMIT, Answer, Finish, Messages, Request, TransientError, estimate_tokens
from coach.settings import Settings, is_loopback

if TYPE_CHECKING:
    import openai

POLL = 0.05
"""Seconds between two looks at whether the caller wants to stop."""
AZURE_VERSION = "2024-10-21"


@dataclass(frozen=True)
class Dialect:
    """What an endpoint is taken to understand: shaped answers, the name of the token limit, other parameters."""

    schema: Literal["json_schema", "json_object", "none"] = "json_schema"
    limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    temperature: bool = True
    usage: bool = True

    def after_refusal(self, words: str) -> Dialect | None:
        """The next dialect to try when an endpoint refused this one with these words; ``None`` when nothing is left."""
        if "context_length" in words or "context length" in words:
            return None
        if "max_completion_tokens" in words or "max_tokens" in words:
            other: Literal["max_tokens", "max_completion_tokens"] = (
                "max_tokens" if self.limit == "max_completion_tokens" else "max_completion_tokens"
            )
            return replace(self, limit=other)
        if "temperature" in words and self.temperature:
            return replace(self, temperature=False)
        if "stream_options" in words and self.usage:
            return replace(self, usage=False)
        if self.schema == "json_schema":
            return replace(self, schema="json_object")
        return replace(self, schema="none") if self.schema == "json_object" else None


class OpenAIChat:
    """A :class:`~coach.llm.base.ChatModel` behind the endpoint that the settings name.

    One attempt a call: retries, deadline and concurrency belong to :class:`coach.llm.retry.Steady`.
    """

    def __init__(self, settings: Settings) -> None:
        if not settings.model:
            raise ConfigError("no model is named: set COACH_MODEL")
        self._settings = settings
        self.name = settings.model
        self._dialect = Dialect(limit="max_tokens" if settings.base_url else "max_completion_tokens")

    def __repr__(self) -> str:
        return f"OpenAIChat(model={self.name!r})"

    def complete(self, request: Request, watch: Watch) -> Answer:
        """The streamed answer; raises :class:`TransientError` for what may pass, else another ``ModelError``."""
        # Four parameters can each be refused once; the schema twice.
        for _ in range(6):
            dialect = self._dialect
            outcome = self._attempt(request, dialect, watch)
            if isinstance(outcome, Answer):
                return outcome
            if isinstance(outcome, ModelError):
                raise outcome
            self._dialect = outcome
        raise ModelRejectedError("the endpoint refuses the request (400): check that it speaks the OpenAI chat API")

    def _attempt(self, request: Request, dialect: Dialect, watch: Watch) -> Answer | ModelError | Dialect:
        import openai

        try:
            return self._stream(request, dialect, watch)
        except openai.APIStatusError as error:
            told = f"{error.param} {error.code} {error.message}".lower()
            if error.status_code in (400, 422) and (simpler := dialect.after_refusal(told)):
                return simpler
            return _status_error(error.status_code, told, _retry_after(error))
        except openai.APIConnectionError:
            return TransientError(
                "the model endpoint can't be reached or broke off: check that it runs and OPENAI_BASE_URL is right"
            )
        except openai.APIError:
            return TransientError("the model endpoint reported an error in mid-answer: try again in a moment")
        except (openai.OpenAIError, ValueError, TypeError, AttributeError):
            return ModelShapeError("the endpoint's answer is not the OpenAI chat API: check OPENAI_BASE_URL")

    def _stream(self, request: Request, dialect: Dialect, watch: Watch) -> Answer:
        text: list[str] = []
        received = 0
        finish: Finish | None = None
        counted: tuple[int, int] | None = None
        served = self.name
        for chunk in _pumped(lambda: self._open(request, dialect), watch):
            served = chunk.model or served
            if chunk.usage:
                counted = (chunk.usage.prompt_tokens or 0, chunk.usage.completion_tokens or 0)
            for choice in chunk.choices or ():
                if getattr(choice.delta, "refusal", None) or choice.finish_reason == "content_filter":
                    finish = "refusal"
                elif choice.finish_reason and finish is None:
                    finish = "length" if choice.finish_reason == "length" else "stop"
                if choice.delta and choice.delta.content:
                    text.append(choice.delta.content)
                    received += len(choice.delta.content)
            if received > ANSWER_LIMIT:
                raise ModelShapeError("the model's answer does not end: choose another model")
            # How long an answer gets is unknown; most end well before their limit.
            watch.progress(received / (received + 2_000), request.label)
        said = "".join(text)
        if finish is None and said:
            raise TransientError("the model endpoint broke off in mid-answer: check that it runs")
        asked = sum(estimate_tokens(content) for _, content in request.messages)
        tokens = counted or (asked, estimate_tokens(said))
        return Answer(said, finish or "stop", *tokens, model=served)

    def _open(self, request: Request, dialect: Dialect) -> Any:
        parameters: dict[str, Any] = {dialect.limit: request.max_tokens}
        if dialect.temperature:
            parameters["temperature"] = request.temperature
        if dialect.usage:
            parameters["stream_options"] = {"include_usage": True}
        messages = request.messages
        if request.schema is not None:
            if dialect.schema == "json_schema":
                shape = {"name": request.schema_name or "answer", "schema": request.schema, "strict": True}
                parameters["response_format"] = {"type": "json_schema", "json_schema": shape}
            else:
                messages = _with_schema(messages, request.schema)
                if dialect.schema == "json_object":
                    parameters["response_format"] = {"type": "json_object"}
        sent: Any = [{"role": role, "content": content} for role, content in messages]
        return self._client.chat.completions.create(
            model=self.name,
            messages=sent,
            stream=True,
            **parameters,
        )

    @cached_property
    def _client(self) -> openai.OpenAI:
        import openai

        settings = self._settings
        where = settings.azure_endpoint or settings.base_url
        # A redirect could carry notes to another host, and a proxy has no business between two ends of one machine.
        # The deadline is kept by the caller; this one only ends a thread that was left behind.
        http = openai.DefaultHttpx2Client(
            follow_redirects=False,
            trust_env=not on_this_machine(where),
            timeout=openai.Timeout(settings.deadline + 5, connect=min(10.0, settings.deadline)),
        )
        quiet: Any = {f"X-Stainless-{what}": openai.Omit() for what in ("OS", "Arch", "Runtime", "Runtime-Version")}
        if settings.azure_endpoint:
            key = settings.azure_key or settings.api_key
            if key is None:
                raise ConfigError("Azure asks for a key: set AZURE_OPENAI_API_KEY")
            return openai.AzureOpenAI(
                azure_endpoint=settings.azure_endpoint,
                api_version=settings.api_version or AZURE_VERSION,
                api_key=key.get_secret_value(),
                http_client=http,
                max_retries=0,
                default_headers=quiet,
            )
        return openai.OpenAI(
            # The SDK insists on a key, local servers do not.
            api_key=settings.api_key.get_secret_value() if settings.api_key else "none",
            base_url=with_path(settings.base_url) if settings.base_url else None,
            http_client=http,
            max_retries=0,
            default_headers=quiet,
        )


def on_this_machine(url: str | None) -> bool:
    """Whether the address is this machine's own."""
    return is_loopback((urlsplit(url).hostname or "") if url else "")


def with_path(url: str) -> str:
    """The address with the usual ``/v1`` if it names no path at all."""
    return url.rstrip("/") + "/v1" if urlsplit(url).path in ("", "/") else url


def _pumped(open_stream: Any, watch: Watch) -> Iterator[Any]:
    """Chunks of a stream that is read on another thread, so that a silent server can't hold the caller.

    Raises :class:`CancelledError` soon after ``watch.stopped()``; the connection is shut down behind it.
    """
    chunks: queue.Queue[tuple[str, Any]] = queue.Queue(maxsize=1_000)
    left = threading.Event()
    opened: list[Any] = []

    def put(kind: str, value: Any) -> None:
        while not left.is_set():
            try:
                chunks.put((kind, value), timeout=POLL)
                return
            except queue.Full:
                continue

    def read() -> None:
        try:
            stream = open_stream()
            opened.append(stream)
            with stream:
                for chunk in stream:
                    if left.is_set():
                        return
                    put("chunk", chunk)
            put("end", None)
        except BaseException as error:  # noqa: BLE001 - raised again by the caller's thread
            put("error", error)

    threading.Thread(target=read, name="coach-model-stream", daemon=True).start()
    try:
        while True:
            watch.check()
            try:
                kind, value = chunks.get(timeout=POLL)
            except queue.Empty:
                continue
            if kind == "error":
                raise value
            if kind == "end":
                return
            yield value
    finally:
        left.set()
        for stream in opened:
            _hang_up(stream)


def _hang_up(stream: Any) -> None:
    """Wake a reader that waits for this connection; closing alone would leave it waiting."""
    with contextlib.suppress(Exception):
        wire = stream.response.extensions["network_stream"].get_extra_info("socket")
        wire.shutdown(socket.SHUT_RDWR)


def _with_schema(messages: Messages, schema: Any) -> Messages:
    rule = f"Answer with one JSON object and nothing else. It follows this JSON schema:\n{json.dumps(schema)}"
    return (
        (("system", rule), *messages)
        if messages[0][0] != "system"
        else (
            ("system", f"{messages[0][1]}\n\n{rule}"),
            *messages[1:],
        )
    )


def _retry_after(error: openai.APIStatusError) -> float | None:
    """Seconds the server asks to wait, from ``retry-after-ms`` or ``Retry-After`` (seconds or a date)."""
    from datetime import UTC, datetime
    from email.utils import parsedate_to_datetime

    headers = error.response.headers
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        with contextlib.suppress(KeyError, ValueError):
            return max(0.0, float(headers[name]) * unit)
    with contextlib.suppress(KeyError, TypeError, ValueError):
        return max(0.0, (parsedate_to_datetime(headers["retry-after"]) - datetime.now(UTC)).total_seconds())
    return None


def _status_error(status: int, told: str, retry_after: float | None) -> ModelError:
    if status == 429 and ("insufficient_quota" in told or "billing" in told):
        return ModelRejectedError(
            "the provider's quota is used up (429): check its billing page, or use --engine local"
        )
    if status in (408, 409, 425, 429) or status >= 500:
        reason = "is asked too often" if status == 429 else "has a problem"
        return TransientError(f"the model endpoint {reason} ({status}): try again later", retry_after)
    advice = {
        401: "refuses the key (401): check OPENAI_API_KEY or AZURE_OPENAI_API_KEY",
        403: "does not allow this (403): check the rights of your key",
        404: "does not know the model or the address (404): check COACH_MODEL and OPENAI_BASE_URL",
    }.get(status)
    if advice is None and 300 <= status < 400:
        advice = f"points elsewhere ({status}), and notes do not follow: set OPENAI_BASE_URL to the final address"
    if advice is None and ("context_length" in told or "context length" in told):
        advice = f"can't take so much text ({status}): lower COACH_CONTEXT_TOKENS"
    return ModelRejectedError(f"the model endpoint {advice or f'refuses the request ({status}): check COACH_MODEL'}")
