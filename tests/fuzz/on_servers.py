"""Doors by which requests come in: tools of MCP, MCP over HTTP, and the page."""

from __future__ import annotations

import asyncio
import json
from functools import cache
from typing import Any

from fuzz.base import FaultError, Target
from fuzz.draw import Draw
from fuzz.on_files import PLAN_KEYS
from fuzz.on_notes import one_coach

TOOLS = (
    "review_notes", "rewrite_tentatively", "anonymise", "search_library", "open_objections", "brief_meeting",
    "rehearse_turn", "keep_notes", "mark_objection", "nothing",
)  # fmt: skip
TOOL_KEYS = (
    "text", "format", "engine", "sentence", "query", "k", "attendee", "since", "until", "meeting", "plan", "practice",
    "say", "temperament", "end", "title", "date", "attendees", "tags", "concern", "status", "note", *PLAN_KEYS,
)  # fmt: skip
METHODS = (
    "tools/call", "tools/list", "resources/list", "resources/read", "prompts/get", "prompts/list", "ping", "initialize",
    "logging/setLevel", "completion/complete", "resources/subscribe", "notifications/cancelled", "x",
)  # fmt: skip


@cache
def _loop() -> asyncio.AbstractEventLoop:
    return asyncio.new_event_loop()


@cache
def _mcp() -> Any:
    """The low-level server: what a transport hands it after reading JSON."""
    from coach.mcp_server import build_server

    return build_server(one_coach(), write=False)


def _mcp_tool(data: bytes) -> None:
    """A tool called with any arguments: an answer, or a sentence that holds no traceback."""
    from mcp.types import CallToolRequest, CallToolRequestParams

    draw = Draw(data)
    name = draw.choice(TOOLS)
    words = (
        "Ana: It leaks.\nBen: Next.\n",
        "roof",
        "2026",
        "needs",
        "Ana",
        "reserved",
        "local",
        "coach://library",
        "1",
    )
    arguments = {key: draw.value(TOOL_KEYS, words, 3) for key in TOOL_KEYS if draw.byte() % 3 == 0}
    server = _mcp()._mcp_server
    handler = server.request_handlers[CallToolRequest]
    request = CallToolRequest(method="tools/call", params=CallToolRequestParams(name=name, arguments=arguments))
    result = _loop().run_until_complete(handler(request)).root
    for content in result.content:
        told = getattr(content, "text", "")
        told.encode()
        if result.isError and ("Traceback" in told or "unexpected " in told):
            raise FaultError(told)


def _tool_seeds() -> list[bytes]:
    import random

    dice = random.Random(1)
    return [bytes([n]) + dice.randbytes(160) for n in range(len(TOOLS)) for _ in range(6)]


@cache
def _mcp_app() -> Any:
    from coach.gate import Gate
    from coach.mcp_server import MOST_BYTES, build_server

    server = build_server(one_coach(), token="t" * 32)
    server.settings.stateless_http = True
    server.settings.json_response = True
    app = Gate(server.streamable_http_app(), most_bytes=MOST_BYTES)
    running = server.session_manager.run()
    _loop().run_until_complete(running.__aenter__())
    return app, running


def _mcp_http(data: bytes) -> None:
    """An HTTP request to the MCP server."""
    draw = Draw(data)
    app, _ = _mcp_app()
    headers = [(b"host", b"127.0.0.1:8000"), (b"authorization", b"Bearer " + b"t" * 32)]
    headers.append((b"accept", draw.choice((b"application/json, text/event-stream", b"*/*", b""))))
    headers.append(
        (b"content-type", draw.choice((b"application/json", b"text/plain", b"\xff", b"application/json;x=" * 20)))
    )
    if draw.byte() % 4 == 0:
        headers.append(
            (draw.choice((b"mcp-session-id", b"mcp-protocol-version", b"last-event-id", b"origin")), draw.bytes(12))
        )
    if draw.byte() % 3:
        message = {"jsonrpc": draw.choice(("2.0", "1.0", "")), "id": draw.choice((1, "a", None, -1, 1.5, [], {}))}
        keys = ("name", "arguments", "uri", "cursor", "protocolVersion", "capabilities", "clientInfo", "_meta", "level")
        message |= {
            "method": draw.choice(METHODS),
            "params": draw.value((*keys, *TOOL_KEYS), (*TOOLS, "coach://notes/x"), 3),
        }
        body = json.dumps(message if draw.byte() % 5 else [message, message]).encode()
    else:
        body = draw.rest()
    status, answer = _asked(app, draw.choice(("POST", "POST", "POST", "DELETE", "PUT")), "/mcp", headers, body)
    _no_fault(status, answer)


def _asked(
    app: Any, method: str, path: str, headers: list[tuple[bytes, bytes]], body: bytes, query: bytes = b""
) -> tuple[int, bytes]:
    """Status and body of an answer of an ASGI app in this process."""
    sent: list[dict[str, Any]] = []
    given = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        return given.pop() if given else {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "path": path,
        "raw_path": path.encode("utf-8", "replace"), "root_path": "", "scheme": "http", "query_string": query,
        "headers": headers, "client": ("127.0.0.1", 5), "server": ("127.0.0.1", 8000), "state": {},
    }  # fmt: skip

    async def limited() -> None:
        async with asyncio.timeout(120):
            await app(scope, receive, send)

    _loop().run_until_complete(limited())
    status = next((m["status"] for m in sent if m["type"] == "http.response.start"), 0)
    return status, b"".join(m.get("body", b"") for m in sent if m["type"] == "http.response.body")


def _no_fault(status: int, answer: bytes) -> None:
    if status >= 500 or b"Traceback" in answer or b'File "/' in answer:
        raise FaultError(f"{status}: {answer[:300]!r}")


def _mcp_http_seeds() -> list[bytes]:
    import random

    dice = random.Random(2)
    plain = [json.dumps({"jsonrpc": "2.0", "id": 1, "method": m, "params": {}}).encode() for m in METHODS]
    return [b"\0\0\1\0" + body for body in plain] + [b"\0\0\1\1" + dice.randbytes(120) for _ in range(40)]


@cache
def _page() -> Any:
    from coach.ui import build_ui
    from coach.ui.sessions import gated

    page = build_ui(one_coach())
    page.queue(max_size=200, default_concurrency_limit=8)
    from gradio.routes import App

    page.run_startup_events()
    page.is_running = True
    page.max_file_size = 20_000_000
    return App.create_app(page, mcp_server=False, app_kwargs={"middleware": gated(signing_in=False)})


PATHS = (
    "/gradio_api/call/review", "/gradio_api/queue/join", "/gradio_api/run/review", "/gradio_api/upload", "/login",
    "/gradio_api/cancel", "/gradio_api/reset", "/gradio_api/component_server", "/gradio_api/run/predict", "/config",
    "/gradio_api/file=", "/gradio_api/proxy=", "/theme.css", "/gradio_api/info", "/gradio_api/stream/",
    "/gradio_api/heartbeat/", "/gradio_api/deep_link", "/gradio_api/upload_progress", "/gradio_api/api/review",
)  # fmt: skip
PAGE_KEYS = (
    "data", "fn_index", "session_hash", "event_data", "event_id", "trigger_id", "simple_format", "batched", "path",
    "meta", "_type", "url", "username", "password", "component_id", "fn_name", "orig_name",
)  # fmt: skip


KINDS = (b"application/json", b"text/plain", b"multipart/form-data; boundary=x", b"application/x-www-form-urlencoded")


def _page_http(data: bytes) -> None:
    """An HTTP request to the page."""
    draw = Draw(data)
    app = _page()
    path = draw.choice(PATHS)
    if path.endswith(("=", "/")):
        path += draw.text(("../../../etc/passwd", "/etc/passwd", "%2e%2e/", "http://127.0.0.1:1/", "x"))
    headers = [(b"host", b"127.0.0.1:7860")]
    headers.append((b"content-type", draw.choice(KINDS)))
    if draw.byte() % 3:
        body = json.dumps(
            draw.value(PAGE_KEYS, ("Ana: It leaks.", "gradio.FileData", "/etc/passwd", "s1", "x"), 4)
        ).encode()
    else:
        body = draw.rest()
    method = draw.choice(("POST", "POST", "POST", "GET", "DELETE"))
    if method == "GET" and ("heartbeat" in path or "upload_progress" in path):
        method = "POST"  # these answer for as long as the client listens
    status, answer = _asked(app, method, path, headers, body, draw.bytes(8).hex().encode())
    if b"Traceback" in answer or b'File "/' in answer or b"root:" in answer:
        raise FaultError(f"{method} {path} {status}: {answer[:300]!r}")


def _page_seeds() -> list[bytes]:
    import random

    dice = random.Random(3)
    return [bytes([n]) + dice.randbytes(120) for n in range(len(PATHS)) for _ in range(4)]


SERVERS = (
    Target("mcp tools", _mcp_tool, _tool_seeds),
    Target("mcp http", _mcp_http, _mcp_http_seeds),
    Target("page http", _page_http, _page_seeds),
)
