"""What stands before a server of ours: requests that make no sense are refused in a sentence before anybody reads them,
and whatever still fails behind it is told by its kind only. Plain ASGI, for the page and for MCP.

The frameworks behind it answer such requests, too, but log the whole request with a traceback when they stumble; a
request holds note text, and logs do not.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from traceback import extract_tb
from typing import Any

log = logging.getLogger("coach.gate")

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]
Allowed = Callable[[MutableMapping[str, Any], Any], bool]

MOST_BYTES = 20_000_000
"""Of a request that is no upload."""
MOST_BRACKETS = 100
"""How deep JSON may be nested; deeper than any request of ours, and shallow enough for every parser."""


class Gate:
    """The app, guarded. ``allowed(scope, body)`` is asked for each request; ``body`` is its JSON, or ``None``."""

    def __init__(self, app: App, allowed: Allowed | None = None, most_bytes: int = MOST_BYTES) -> None:
        self._app = app
        self._allowed = allowed
        self._most = most_bytes

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Passes a good request on; answers 4xx itself otherwise."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        body: Any = None
        kind = dict(scope["headers"]).get(b"content-type", b"").lower()
        if scope["method"] in ("POST", "PUT", "PATCH", "DELETE") and not kind.startswith(b"multipart/"):
            raw = await _read(receive, self._most)
            if raw is None:
                await _refuse(send, 413, f"The request is larger than {self._most:,} bytes.")
                return
            if kind.startswith(b"application/json") or raw.lstrip()[:1] in (b"{", b"["):
                try:
                    body = _json(raw) if raw else None
                except (ValueError, RecursionError):
                    await _refuse(send, 400, "The request is not JSON in UTF-8, or nested too deep.")
                    return
            receive = _again(raw, receive)
        if self._allowed is not None and not self._allowed(scope, body):
            await _refuse(send, 403, "This is not yours: sign in, or reload the page.")
            return
        started = False

        async def noted(message: Message) -> None:
            nonlocal started
            started = started or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except Exception as error:  # noqa: BLE001  its message may quote the request
            frames = extract_tb(error.__traceback__)
            log.error("%s at %s:%s", type(error).__name__, frames[-1].filename, frames[-1].lineno)
            if not started:
                await _refuse(send, 500, f"The request could not be answered ({type(error).__name__}).")


async def _read(receive: Receive, most: int) -> bytes | None:
    """The body of a request, or ``None`` as soon as it is longer than ``most`` bytes."""
    parts, length = list[bytes](), 0
    while True:
        message = await receive()
        if message["type"] != "http.request":
            break
        parts.append(message.get("body", b""))
        length += len(parts[-1])
        if length > most:
            return None
        if not message.get("more_body"):
            break
    return b"".join(parts)


def _again(raw: bytes, receive: Receive) -> Receive:
    """A ``receive`` that gives the body that was read, and after it whatever else comes."""
    left = [raw]

    async def given() -> Message:
        return {"type": "http.request", "body": left.pop(), "more_body": False} if left else await receive()

    return given


def _json(raw: bytes) -> Any:
    """The value in a body; raises :class:`ValueError` for what is no JSON, holds half a character or is too deep."""
    text = raw.decode("utf-8")
    value = json.loads(text)
    if "\\ud" in text or "\\uD" in text:
        json.dumps(value, ensure_ascii=False).encode()
    if _depth(value) > MOST_BRACKETS:
        raise ValueError("nested too deep")
    return value


def _depth(value: Any) -> int:
    deepest, below = 0, [value]
    while below and deepest <= MOST_BRACKETS:
        deepest += 1
        inner: list[Any] = []
        for one in below:
            if isinstance(one, dict | list):
                inner += one.values() if isinstance(one, dict) else one
        below = [one for one in inner if isinstance(one, dict | list)]
    return deepest


async def _refuse(send: Send, status: int, sentence: str) -> None:
    body = json.dumps({"error": sentence, "detail": sentence}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
