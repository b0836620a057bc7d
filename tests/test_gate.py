"""What stands before the servers: senseless requests are refused in a sentence, sessions belong to who began them, and
guessing does not pay."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import logging
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from coach.gate import MOST_BYTES, Gate
from coach.mcp_server.serving import FREE_GUESSES, GUESSES_AT_ONCE, OneToken
from coach.settings import load_settings
from coach.ui.sessions import MOST_SESSIONS, Sessions
from coach.ui.users import Users, add_user

CANARY = "canary-7d1f-in-the-notes"
PASSWORD = "a long enough one"


def asked(app: Any, body: bytes, kind: bytes = b"application/json", path: str = "/x") -> tuple[int, str]:
    """Status and body of the answer to a POST."""
    sent: list[dict[str, Any]] = []
    given = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        return given.pop()

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": path, "headers": [(b"content-type", kind)], "query_string": b""}
    asyncio.run(Gate(app)(scope, receive, send))
    return sent[0]["status"], b"".join(m.get("body", b"") for m in sent).decode()


async def echo(scope: Any, receive: Any, send: Any) -> None:
    body = (await receive())["body"]
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": body})


async def stumbling(scope: Any, receive: Any, send: Any) -> None:
    raise ValueError(f"could not read {CANARY}")


def test_a_good_request_arrives_as_it_was_sent() -> None:
    assert asked(echo, b'{"text": "Ana: hi \\ud83d\\ude00"}') == (200, '{"text": "Ana: hi \\ud83d\\ude00"}')


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"\xff\xfe{", 400),
        (b"{", 400),
        (b'{"a": "\\ud800"}', 400),
        (b"[" * 100_000, 400),
        (b"[" * 150 + b"]" * 150, 400),
        (b" " * (MOST_BYTES + 1), 413),
    ],
    ids=["no UTF-8", "no JSON", "half a character", "brackets without end", "too deep", "too large"],
)
def test_a_request_that_makes_no_sense_is_refused_before_anybody_reads_it(body: bytes, status: int) -> None:
    code, answer = asked(stumbling, body)
    assert code == status
    assert "\n" not in json.loads(answer)["error"]


def test_a_fault_behind_the_gate_is_told_without_what_was_sent(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        code, answer = asked(stumbling, json.dumps({"text": CANARY}).encode())
    assert code == 500
    assert "ValueError" in answer
    assert CANARY not in answer + caplog.text


# --- sessions ---


def request(user: str | None, **more: Any) -> dict[str, Any]:
    app = SimpleNamespace(cookie_id="c", tokens={f"token of {name}": name for name in ("ana", "ben")})
    cookie = [(b"cookie", f'access-token-c="token of {user}"'.encode())] if user else []
    return {"app": app, "path": "/gradio_api/queue/join", "headers": cookie, "query_string": b"", **more}


@pytest.mark.parametrize(
    ("more", "body"),
    [
        ({}, {"session_hash": "anas"}),
        ({"query_string": b"session_hash=anas"}, None),
        ({"path": "/gradio_api/heartbeat/anas"}, None),
        ({"path": "/gradio_api/stream/anas/1/2/playlist.m3u8"}, None),
    ],
    ids=["body", "query", "heartbeat", "stream"],
)
def test_a_session_belongs_to_who_used_it_first(more: dict[str, Any], body: Any) -> None:
    sessions = Sessions(signing_in=True)
    assert sessions.allowed(request("ana"), {"session_hash": "anas"})
    assert sessions.allowed(request("ana", **more), body)
    assert not sessions.allowed(request("ben", **more), body)
    assert sessions.allowed(request("ben"), {"session_hash": "bens"})


@pytest.mark.parametrize("path", ["cancel", "reset", "heartbeat/x", "queue/join", "upload", "vibe-edit", "deep_link"])
def test_nothing_but_the_way_in_answers_before_somebody_signed_in(path: str) -> None:
    assert not Sessions(signing_in=True).allowed(request(None, path=f"/gradio_api/{path}"), None)
    assert Sessions(signing_in=True).allowed(request(None, path="/gradio_api/login_check"), None)


def test_sessions_are_not_remembered_without_end() -> None:
    sessions = Sessions(signing_in=True)
    for number in range(MOST_SESSIONS + 10):
        sessions.allowed(request("ana"), {"session_hash": str(number)})
    assert len(sessions._owners) == MOST_SESSIONS


# --- guessing ---


def test_many_guesses_at_one_moment_are_no_more_than_the_free_ones(tmp_path: Path) -> None:
    path = tmp_path / "users"
    add_user(path, "ada", PASSWORD)
    users = Users(path, clock=lambda: 1_000.0)
    checked: list[bool] = []
    original = users._few

    class Counting:
        def __enter__(self) -> None:
            checked.append(True)
            original.acquire()

        def __exit__(self, *_: object) -> None:
            original.release()

    users._few = Counting()  # type: ignore[assignment]
    guesses = [threading.Thread(target=users.allow, args=("ada", f"guess {n}")) for n in range(40)]
    for guess in guesses:
        guess.start()
    for guess in guesses:
        guess.join()
    assert len(checked) <= 6
    assert not users.allow("ada", PASSWORD)


def test_guessing_a_token_is_slow_however_many_guess_at_once() -> None:
    async def guessed() -> None:
        right = "r" * 32
        token = OneToken(right, pause=0.2)
        for _ in range(FREE_GUESSES):
            assert await token.verify_token("wrong") is None
        began = time.monotonic()
        crowd = [asyncio.create_task(token.verify_token(f"wrong {n}")) for n in range(500)]
        await asyncio.sleep(0.02)
        assert token._waiting == GUESSES_AT_ONCE
        # While they wait nothing is looked at, not even the right one; afterwards it opens.
        assert await token.verify_token(right) is None
        await asyncio.gather(*crowd)
        assert time.monotonic() - began >= 0.2
        assert await token.verify_token(right) is not None

    asyncio.run(guessed())


# --- two users of one page, for real ---


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a page with two users; Ana keeps a note that holds the canary."""
    import gradio as gr

    from coach.ui import server
    from coach.ui.coaches import each_their_own
    from coach.ui.page import build_page
    from coach.wiring import Coach

    folder = tmp_path_factory.mktemp("team")
    for name in ("ana", "ben"):
        add_user(folder / "users", name, PASSWORD)
    settings = load_settings({}, home=folder / "home")
    coach = Coach(settings.model_copy(update={"home": folder / "home" / "users" / "ana"}))
    coach.keep(f"Dora: The {CANARY} roof leaks.\nEmil: Next item.\n", title=CANARY)
    coach.library.close()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    users = Users(folder / "users")
    made = build_page(settings, each_their_own(settings))
    server.launch(made, port=port, users=users, wait=False)
    yield port
    made.close()
    gr.close_all()


def _first(stream: http.client.HTTPResponse) -> bytes:
    read = b""
    with contextlib.suppress(OSError):
        while part := stream.read1(65_536):
            read += part
    return read


class Visitor:
    """Somebody with a cookie, or without."""

    def __init__(self, port: int, name: str | None = None) -> None:
        self.port, self.cookie = port, ""
        if name:
            status, _, headers = self.send("POST", "/login", f"username={name}&password={PASSWORD}", form=True)
            assert status == 200
            self.cookie = "; ".join(v.split(";")[0] for k, v in headers if k.lower() == "set-cookie")

    def send(self, method: str, path: str, body: Any = None, form: bool = False) -> tuple[int, str, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20 if "queue/data" not in path else 4)
        headers = {"Content-Type": "application/x-www-form-urlencoded" if form else "application/json"}
        if self.cookie:
            headers["Cookie"] = self.cookie
        connection.request(method, path, body if form or body is None else json.dumps(body), headers)
        answer = connection.getresponse()
        # Streams of events stay open: what comes in the first seconds is enough.
        text = _first(answer) if "event-stream" in str(answer.getheader("content-type")) else answer.read()
        found = answer.status, text.decode("utf-8", "replace"), answer.getheaders()
        connection.close()
        return found


def test_signing_in_gives_a_new_secret_each_time_and_takes_none_from_outside(page: int) -> None:
    one, two = Visitor(page, "ana"), Visitor(page, "ana")
    assert one.cookie != two.cookie
    fixed = Visitor(page)
    fixed.cookie = one.cookie.split("=")[0] + "=chosen-by-somebody-else"
    assert fixed.send("GET", "/config")[0] == 401
    status, _, headers = fixed.send("POST", "/login", f"username=ana&password={PASSWORD}", form=True)
    assert status == 200
    assert "chosen-by-somebody-else" not in str(headers)


@pytest.mark.slow
def test_a_thousand_tries_of_one_user_bring_nothing_of_another(page: int) -> None:
    ana, ben, nobody = Visitor(page, "ana"), Visitor(page, "ben"), Visitor(page)
    config = json.loads(ana.send("GET", "/config")[1])
    functions = [d["id"] for d in config["dependencies"]]
    for number, function in enumerate(functions):
        ana.send(
            "POST", "/gradio_api/queue/join", {"data": [], "fn_index": function, "session_hash": f"anas{number % 5}"}
        )
    # Ana herself is told what she kept, so a leak would be one.
    assert any(CANARY in ana.send("GET", f"/gradio_api/queue/data?session_hash=anas{n}")[1] for n in range(5))
    leaks, tries = [], 0
    dice = secrets.SystemRandom()
    while tries < 1_000:
        visitor = dice.choice((ben, ben, ben, nobody))
        session = dice.choice(("anas0", "anas1", "anas2", f"own{tries % 7}"))
        # He never says the word himself: what echoes his own question would be no leak.
        wanted = {
            "data": [dice.choice(("", "roof", "../ana", "ana"))] * dice.randrange(3),
            "fn_index": dice.choice(functions),
            "session_hash": session,
            "event_data": dice.choice((None, {"meeting": "", "query": "roof"}, {"query": "roof"})),
            "trigger_id": None,
        }
        way = dice.randrange(5)
        if way < 2:
            told = visitor.send("POST", "/gradio_api/queue/join", wanted)[1]
        elif way == 2:
            told = visitor.send("POST", "/gradio_api/run/predict", wanted)[1]
        elif way == 3:
            place = dice.choice(("cancel", "reset", "component_server"))
            told = visitor.send("POST", f"/gradio_api/{place}", {**wanted, "event_id": "x"})[1]
        else:
            folder = dice.choice(("users/ana/", "../users/ana/", "%2e%2e/users/ana/", "/"))
            told = visitor.send("GET", f"/gradio_api/file={folder}coach.db")[1]
        tries += 1
        if CANARY in told:
            leaks.append((way, wanted))
    leaks += [n for n in range(7) if CANARY in ben.send("GET", f"/gradio_api/queue/data?session_hash=own{n}")[1]]
    assert leaks == []
    # What Ben's own sessions were answered: his library is empty, and Ana's sessions are not his.
    assert ben.send("GET", "/gradio_api/queue/data?session_hash=anas0")[0] == 403
    assert (
        nobody.send("POST", "/gradio_api/cancel", {"session_hash": "anas0", "fn_index": 1, "event_id": "x"})[0] == 403
    )
