"""A server on the loopback that speaks the OpenAI chat API, well or badly: what an endpoint does on a bad day."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Behaviour = Callable[["Handler", dict[str, Any]], None]


@dataclass
class Server:
    """Where it listens, what it was asked, and how it behaves: one behaviour a call, the last one ever after."""

    behaviours: list[Behaviour]
    url: str = ""
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    closing: threading.Event = field(default_factory=threading.Event)


class Handler(BaseHTTPRequestHandler):
    """Hands each POST to the next behaviour; GETs come from ``pages``."""

    protocol_version = "HTTP/1.1"
    state: Server
    pages: Mapping[str, Any] = {}

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        state = self.state
        state.bodies.append(body)
        state.headers.append({name.lower(): value for name, value in self.headers.items()})
        state.paths.append(self.path)
        behave = state.behaviours.pop(0) if len(state.behaviours) > 1 else state.behaviours[0]
        with contextlib.suppress(OSError):
            behave(self, body)

    def do_GET(self) -> None:
        page = self.pages.get(self.path)
        self.json(200 if page is not None else 404, page if page is not None else {})

    def json(self, status: int, data: object, **headers: str) -> None:
        text = json.dumps(data).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(text)

    def start_stream(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()

    def event(self, data: object) -> None:
        line = f"data: {data if isinstance(data, str) else json.dumps(data)}\n\n".encode()
        self.wfile.write(f"{len(line):x}\r\n".encode() + line + b"\r\n")
        self.wfile.flush()

    def end_stream(self) -> None:
        self.event("[DONE]")
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, format: str, *args: object) -> None:
        return


def chunk(content: str | None = None, finish: str | None = None, **delta: object) -> dict[str, Any]:
    """One event of a streamed chat completion."""
    said = {**({"content": content} if content is not None else {}), **delta}
    return {
        "id": "c", "object": "chat.completion.chunk", "created": 1, "model": "served-model",
        "choices": [{"index": 0, "delta": said, "finish_reason": finish}],
    }  # fmt: skip


def says(text: str, *, finish: str = "stop", piece: int = 7, pause: float = 0.0) -> Behaviour:
    """Streams the text in pieces, then the reason and the tokens it took."""

    def behave(handler: Handler, body: dict[str, Any]) -> None:
        handler.start_stream()
        for at in range(0, len(text), piece):
            handler.event(chunk(text[at : at + piece]))
            if pause and handler.state.closing.wait(pause):
                return
        handler.event(chunk(finish=finish))
        if body.get("stream_options", {}).get("include_usage"):
            handler.event(
                {**chunk(), "choices": [], "usage": {"prompt_tokens": 11, "completion_tokens": 5, "total_tokens": 16}}
            )
        handler.end_stream()

    return behave


def status(code: int, message: str = "no", error_code: str | None = None, **headers: str) -> Behaviour:
    """Refuses with a status and the provider's kind of error body."""
    return lambda handler, body: handler.json(
        code, {"error": {"message": message, "type": "e", "param": None, "code": error_code}}, **headers
    )


def refuses(feature: str, then: Behaviour) -> Behaviour:
    """400 as long as the body has that field (``response_format.json_schema`` looks one deeper), then behaves."""

    def behave(handler: Handler, body: dict[str, Any]) -> None:
        name, _, value = feature.partition(".")
        has = name in body and (not value or body[name].get("type") == value)
        if has:
            return handler.json(
                400, {"error": {"message": f"Unsupported parameter: {name}", "param": name, "code": "x"}}
            )
        return then(handler, body)

    return behave


def reset_midway(handler: Handler, body: dict[str, Any]) -> None:
    """Half an answer, then a TCP reset."""
    handler.start_stream()
    handler.event(chunk('{"findings": ['))
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    handler.close_connection = True
    for end in (handler.rfile, handler.wfile, handler.connection):
        end.close()


def ends_midway(handler: Handler, body: dict[str, Any]) -> None:
    """Half an answer, then a tidy end without a reason."""
    handler.start_stream()
    handler.event(chunk('{"findings": ['))
    handler.end_stream()


def silent(handler: Handler, body: dict[str, Any]) -> None:
    """Takes the question and says nothing until the test is over."""
    handler.state.closing.wait(30)


def drips(handler: Handler, body: dict[str, Any]) -> None:
    """A character every now and then, for ever."""
    handler.start_stream()
    while not handler.state.closing.wait(0.05):
        handler.event(chunk("x"))


def endless(handler: Handler, body: dict[str, Any]) -> None:
    """Ten megabytes of answer."""
    handler.start_stream()
    for _ in range(160):
        handler.event(chunk("y" * 65_536))
    handler.event(chunk(finish="stop"))
    handler.end_stream()


def not_the_api(handler: Handler, body: dict[str, Any]) -> None:
    """Something else listens here."""
    handler.start_stream()
    handler.event("<html>")
    handler.end_stream()


def error_midway(handler: Handler, body: dict[str, Any]) -> None:
    """The provider reports a failure inside the stream."""
    handler.start_stream()
    handler.event({"error": {"message": "overloaded", "type": "server_error", "code": "x"}})
    handler.end_stream()


def redirects(handler: Handler, body: dict[str, Any]) -> None:
    """Sends the question on to somebody else."""
    handler.json(307, {}, location="http://127.0.0.1:9/v1/chat/completions")


@contextlib.contextmanager
def serving(*behaviours: Behaviour, pages: Mapping[str, Any] | None = None) -> Iterator[Server]:
    """A server with these behaviours on a free loopback port."""
    state = Server(list(behaviours) or [says("{}")])
    handler = type("BoundHandler", (Handler,), {"state": state, "pages": pages or {}})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    state.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        state.closing.set()
        server.shutdown()
        server.server_close()
        time.sleep(0)
