"""HTTP at this machine's own address, for whoever brings the token."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

import anyio
from mcp.server.auth.provider import AccessToken
from mcp.server.fastmcp import FastMCP

from coach.errors import ConfigError
from coach.gate import Gate

if TYPE_CHECKING:
    import socket

PATH = "/mcp"
MOST_BYTES = 10_000_000
"""Of one HTTP request: the longest notes that a review takes, and room to spare."""
FREE_GUESSES, GUESSES_AT_ONCE, GUESS_PAUSE = 5, 4, 2.0
"""Wrong tokens in a row that are answered at once; after them, four may wait at a time, two seconds each."""
SHORTEST_TOKEN = 16


def serve_http(server: FastMCP[None], socket: socket.socket) -> None:
    """Serves on a socket that listens already, until interrupted."""
    import uvicorn

    config = uvicorn.Config(
        Gate(server.streamable_http_app(), most_bytes=MOST_BYTES), log_level="critical", timeout_graceful_shutdown=3
    )
    uvicorn.Server(config).run(sockets=[socket])


def open_socket(port: int) -> socket.socket:
    """A socket on this machine's own address; raises :class:`ConfigError` when the port is taken."""
    import socket

    made = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind(("127.0.0.1", port))
        made.listen()
    except OSError as error:
        made.close()
        raise ConfigError(f"port {port} can't be used ({error.strerror}): choose another with --port") from None
    return made


class OneToken:
    """Accepts one secret, compared in constant time, and checks few guesses a second however many come at once."""

    def __init__(self, token: str, pause: float = GUESS_PAUSE) -> None:
        self._token = token.encode()
        self._pause = pause
        self._wrong = 0
        self._waiting = 0

    async def verify_token(self, token: str) -> AccessToken | None:
        """The access of the right token. While many wrong ones wait for their answer, none is looked at."""
        if self._waiting >= GUESSES_AT_ONCE:
            return None
        if hmac.compare_digest(token.encode(), self._token):
            self._wrong = 0
            return AccessToken(token=token, client_id="local", scopes=[])
        self._wrong += 1
        if self._wrong > FREE_GUESSES:
            self._waiting += 1
            try:
                await anyio.sleep(self._pause)
            finally:
                self._waiting -= 1
        return None
