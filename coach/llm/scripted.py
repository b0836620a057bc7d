"""A chat model that plays a script: for tests, demonstrations and anyone who builds on the coach without a server."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pydantic import BaseModel

from coach.engine import Watch
from coach.llm.base import Answer, Request, estimate_tokens

Line = str | Mapping[str, Any] | BaseModel | Answer | Exception
"""One scripted answer: text, a value (sent as JSON), a whole answer, or an error to raise."""


class ScriptedChatModel:
    """Answers from a script and remembers what it was asked, in ``requests``.

    ``script`` is one of: a sequence of lines, played in order; a mapping from prompt name (``unheard_objections``) to a
    line, played whenever that prompt asks, and ``"*"`` for any other; or a function from request to line. When a
    sequence is used up, or nothing matches, the answer is the emptiest that the schema allows.
    """

    def __init__(
        self, script: Iterable[Line] | Mapping[str, Line] | Callable[[Request], Line] = (), *, name: str = "scripted"
    ) -> None:
        self.name = name
        self.requests: list[Request] = []
        self._lock = threading.Lock()
        self._next = self._player(script)

    def complete(self, request: Request, watch: Watch) -> Answer:
        """The next line of the script as an answer; raises it when it is an error."""
        watch.check()
        with self._lock:
            self.requests.append(request)
            line = self._next(request)
        if isinstance(line, Exception):
            raise line
        if isinstance(line, Answer):
            return line
        text = _as_text(line)
        watch.progress(1.0, request.label)
        asked = "\n".join(content for _, content in request.messages)
        return Answer(text, input_tokens=estimate_tokens(asked), output_tokens=estimate_tokens(text), model=self.name)

    @property
    def sent(self) -> str:
        """Every message it was sent, one after another: what would have left the machine."""
        return "\n".join(content for request in self.requests for _, content in request.messages)

    @staticmethod
    def _player(
        script: Iterable[Line] | Mapping[str, Line] | Callable[[Request], Line],
    ) -> Callable[[Request], Line]:
        if callable(script):
            return script
        if isinstance(script, Mapping):
            lines = dict(script)
            return lambda request: lines.get(request.label.partition("@")[0], lines.get("*", nothing_found(request)))
        rest = iter(tuple(script))
        return lambda request: next(rest, nothing_found(request))


def _as_text(line: str | Mapping[str, Any] | BaseModel) -> str:
    if isinstance(line, str):
        return line
    return line.model_dump_json() if isinstance(line, BaseModel) else json.dumps(line)


def nothing_found(request: Request) -> Line:
    """The emptiest answer the request's schema allows: empty lists and texts."""
    schema = request.schema or {}
    empty: dict[str, Any] = {"array": [], "string": "", "number": 0, "integer": 0, "boolean": False, "object": {}}
    properties: Mapping[str, Any] = schema.get("properties", {})
    return {name: empty.get(str(part.get("type"))) for name, part in properties.items()}
