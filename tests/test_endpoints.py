"""What is called is what the user configured, and nobody else: no odd scheme, no redirect, no proxy between two ends of
one machine. Each call here is made for real, beside a second server that must not hear of it."""

from __future__ import annotations

import contextlib
import json
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from openai_server import says, serving

from coach.cli import main
from coach.engine import Watch
from coach.errors import CoachError, ConfigError
from coach.llm import discover
from coach.llm.base import Request
from coach.llm.connect import open_model
from coach.retrieval.embedders import load_embedder
from coach.settings import is_web_address, load_settings

KEY = "sk-canary-of-this-test-000000000000"
ADDRESSES = ("OPENAI_BASE_URL", "AZURE_OPENAI_ENDPOINT", "COACH_CHROMA_URL")
ODD = (
    "file:///etc/passwd", "gopher://127.0.0.1:70/", "ftp://127.0.0.1/", "dict://127.0.0.1:11211/", "127.0.0.1",
    "javascript:alert(1)", "unix:///run/docker.sock", "data:text/plain,x", "http://", "http:///v1", "https:127.0.0.1",
    "//127.0.0.1/v1", "http://127.0.0.1:99999/", "http://127.0.0.1:x/", "http://127.0.0.1:0/", "http://[::1/",
    "http://a b/", "http://a\r\nHost: b/", "http://a\\@b/",
)  # fmt: skip


@pytest.mark.parametrize("address", ODD)
@pytest.mark.parametrize("variable", ADDRESSES)
def test_an_odd_address_is_refused_in_one_line_that_does_not_repeat_it(variable: str, address: str) -> None:
    with pytest.raises(ConfigError) as refused:
        load_settings({variable: f"{address}", "COACH_MODEL": "m"})
    told = str(refused.value)
    assert variable in told and "http://HOST:PORT" in told and "\n" not in told
    assert address == "http://" or address not in told


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:8000", "https://a.example/v1", "http://[::1]:8000/v1", "https://u:p@a.example"]
)
def test_an_address_of_a_server_is_taken(address: str) -> None:
    assert is_web_address(address)
    for variable in ADDRESSES:
        load_settings({variable: address})


def test_a_password_in_an_address_is_shown_to_nobody() -> None:
    shown = load_settings({"OPENAI_BASE_URL": "https://user:canary@a.example/v1", "COACH_MODEL": "m"}).endpoint
    assert shown == "https://a.example/v1"


@dataclass
class Elsewhere:
    """A server that nobody configured, and what reached it all the same."""

    url: str = ""
    heard: list[str] = field(default_factory=list)


@contextlib.contextmanager
def elsewhere(status: int = 200, location: str = "") -> Iterator[Elsewhere]:
    """A server that notes every request of any method; with ``location`` it sends all of them there."""
    state = Elsewhere()

    class Handler(BaseHTTPRequestHandler):
        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline(65_537)
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            self.rfile.read(int(self.headers.get("content-length") or 0))
            state.heard.append(f"{self.requestline}\n{self.headers}")
            self.send_response(status)
            if location:
                self.send_header("Location", location + self.path)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    state.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()


def port_of(url: str) -> int:
    return int(url.split(":")[2].split("/")[0])


def chat(url: str) -> None:
    model = open_model(
        load_settings(
            {"OPENAI_BASE_URL": f"{url}/v1", "OPENAI_API_KEY": KEY, "COACH_MODEL": "m", "COACH_DEADLINE": "3"}
        )
    )
    assert model is not None
    model.complete(Request(messages=(("user", "Hello."),)), Watch())


def azure(url: str) -> None:
    settings = {"AZURE_OPENAI_ENDPOINT": url, "AZURE_OPENAI_API_KEY": KEY, "COACH_MODEL": "m", "COACH_DEADLINE": "3"}
    model = open_model(load_settings(settings))
    assert model is not None
    model.complete(Request(messages=(("user", "Hello."),)), Watch())


def embed(url: str) -> None:
    settings = {"COACH_EMBEDDER": "openai:tiny", "OPENAI_BASE_URL": f"{url}/v1", "OPENAI_API_KEY": KEY}
    load_embedder(load_settings(settings))(["It leaks."])


def chroma(url: str) -> None:
    from coach.library import Library

    with Library(load_settings({"COACH_CHROMA_URL": url, "COACH_CHROMA_API_KEY": KEY})) as library:
        library.list()


def look(url: str) -> None:
    discover.find_servers(dict.fromkeys(discover.PORTS, port_of(url)), timeout=5)


def fetch(url: str) -> None:
    discover.pull("qwen3:4b", Watch(), port_of(url), timeout=5)


CALLS: dict[str, Callable[[str], None]] = {
    "chat": chat,
    "azure": azure,
    "embeddings": embed,
    "chroma": chroma,
    "look for models": look,
    "fetch a model": fetch,
}


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("call", CALLS)
def test_no_redirect_is_followed(call: str, status: int) -> None:
    with elsewhere() as other, elsewhere(status, other.url) as asked:
        with contextlib.suppress(CoachError):
            CALLS[call](asked.url)
        assert asked.heard, "it was asked"
        assert other.heard == []


@pytest.mark.parametrize("call", CALLS)
def test_no_proxy_hears_of_a_call_within_this_machine(call: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with elsewhere() as proxy, elsewhere() as asked:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, proxy.url)
        for name in ("NO_PROXY", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
        with contextlib.suppress(CoachError):
            CALLS[call](asked.url)
        assert asked.heard, "it was asked"
        assert proxy.heard == []


@pytest.mark.parametrize("where", ["NO_PROXY", "no_proxy", None])
def test_what_the_user_says_of_proxies_is_as_before_afterwards(
    where: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    import os

    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    if where:
        monkeypatch.setenv(where, "intranet.example")
    before = dict(os.environ)
    with elsewhere() as asked, contextlib.suppress(CoachError):
        chroma(asked.url)
    assert dict(os.environ) == before


def test_a_review_asks_nobody_but_the_endpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The whole command: every address that a socket is opened to, whoever opens it."""
    import socket

    reached: list[object] = []
    connect = socket.socket.connect

    def noted(self: socket.socket, address: object) -> None:
        reached.append(address)
        connect(self, address)  # type: ignore[arg-type]

    monkeypatch.setattr(socket.socket, "connect", noted)
    notes = tmp_path / "notes.txt"
    notes.write_text("Ana: See http://127.0.0.1:9/x.png and file:///etc/passwd.\nBen: ![x](http://127.0.0.1:9/y)\n")
    said = json.dumps({"findings": [], "participants": []})
    with serving(says(said)) as server:
        monkeypatch.setenv("OPENAI_BASE_URL", server.url)
        monkeypatch.setenv("COACH_MODEL", "m")
        monkeypatch.setattr(sys, "argv", ["coach", "review", str(notes), "--engine", "llm", "--json"])
        with contextlib.suppress(SystemExit):
            main()
        assert server.bodies
        assert {address for address in reached if isinstance(address, tuple)} == {("127.0.0.1", port_of(server.url))}


@pytest.mark.parametrize(
    "address",
    [
        "http://evil.example/v1", "http://127.0.0.1@evil.example/v1", "http://127.0.0.1.evil.example/v1",
        "file://127.0.0.1/etc/passwd", "http://evil.example\\@127.0.0.1/v1", "http://[::ffff:1.2.3.4]/v1", "http://0/v1",
        "http://2130706433.evil/v1", "https://localhost.evil.example/v1", "http://127.0.0.1 .evil.example/", "", "x",
    ],
)  # fmt: skip
def test_a_remembered_model_elsewhere_is_not_believed(address: str, a_home_of_its_own: Path) -> None:
    settings = load_settings()
    model = discover.LocalModel("Ollama", address, "m")
    discover.remember(settings, model)
    assert discover.chosen(settings) is None
    assert discover.with_choice(settings).base_url is None
