"""Whose session it is.

A browser names its session itself, and gradio would give what is kept under that name to anybody who names it, too; so
a session belongs to whoever signed in and used it first.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import MutableMapping
from threading import Lock
from typing import Any
from urllib.parse import parse_qs

from coach.gate import Gate

MOST_SESSIONS = 100_000
OPEN = ("/login", "/login_check", "/token", "/user", "/app_id", "/startup-events", "/theme.css")
"""Below ``/gradio_api``: what the sign-in page needs before anybody has signed in."""
_API = "/gradio_api"
_IN_PATH = ("heartbeat", "stream")


class Sessions:
    """Remembers for each session who used it first; to be asked by a :class:`~coach.gate.Gate` for each request."""

    def __init__(self, signing_in: bool) -> None:
        self._signing_in = signing_in
        self._owners: OrderedDict[str, str] = OrderedDict()
        self._lock = Lock()

    def allowed(self, scope: MutableMapping[str, Any], body: Any) -> bool:
        """Whether the request comes from whoever owns the sessions it names."""
        if not self._signing_in:
            return True
        path = str(scope["path"])
        user = _user(scope)
        if path.startswith(_API) and user is None:
            return path.removeprefix(_API).rstrip("/") in OPEN
        named = _sessions(scope, path, body)
        return user is None or all(self._belongs(session, user) for session in named)

    def _belongs(self, session: str, user: str) -> bool:
        with self._lock:
            owner = self._owners.setdefault(session, user)
            self._owners.move_to_end(session)
            while len(self._owners) > MOST_SESSIONS:
                self._owners.popitem(last=False)
        return owner == user


def gated(signing_in: bool) -> list[Any]:
    """The middleware for gradio's app."""
    from starlette.middleware import Middleware

    return [Middleware(Gate, allowed=Sessions(signing_in).allowed)]


def _user(scope: MutableMapping[str, Any]) -> str | None:
    """Who signed in, as gradio itself finds out."""
    from http.cookies import CookieError, SimpleCookie

    app = scope["app"]
    for name, value in scope["headers"]:
        if name != b"cookie":
            continue
        try:
            cookies = SimpleCookie(value.decode("latin-1"))
        except CookieError:
            continue
        for kind in ("access-token", "access-token-unsecure"):
            if (cookie := cookies.get(f"{kind}-{app.cookie_id}")) and cookie.value in app.tokens:
                return str(app.tokens[cookie.value])
    return None


def _sessions(scope: MutableMapping[str, Any], path: str, body: Any) -> set[str]:
    """Every session that a request names: in its address, its query, its headers or its body."""
    named = set(parse_qs(scope["query_string"].decode("latin-1")).get("session_hash", ()))
    named |= {value.decode("latin-1") for name, value in scope["headers"] if name in (b"session_hash", b"session-hash")}
    parts = path.strip("/").split("/")
    if len(parts) > 2 and parts[1] in _IN_PATH:
        named.add(parts[2])
    if isinstance(body, dict) and isinstance(body.get("session_hash"), str):
        named.add(body["session_hash"])
    return named
