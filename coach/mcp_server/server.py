"""The server itself: a coach with tools, resources and prompts on FastMCP."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from mcp.server.auth.settings import AuthSettings
from mcp.server.fastmcp import FastMCP
from mcp.server.fastmcp.exceptions import ToolError
from mcp.types import Resource
from pydantic import AnyHttpUrl, AnyUrl, ValidationError

from coach.mcp_server.desk import Desk
from coach.mcp_server.resources import add_prompts, add_resources, entries
from coach.mcp_server.serving import MOST_BYTES, OneToken
from coach.mcp_server.tools import add_preparing, add_remembering, add_reviewing, add_writing

if TYPE_CHECKING:
    from coach.wiring import Coach

INSTRUCTIONS = """\
A conversation coach for whoever runs meetings. It points out objections nobody took up, needs nobody asked about and
phrasing that sounds too categorical, each with its quote and a question to ask next time. It never judges a person:
pass on what it says as questions and hypotheses. Names in answers are pseudonyms (Person A) that stay the same."""


class CoachServer(FastMCP[None]):
    """A FastMCP server that lists each meeting of the library among its resources."""

    desk: Desk

    async def call_tool(self, name: str, arguments: dict[str, Any]) -> Any:
        """What the tool gives; arguments that do not fit are refused in one line that does not repeat them."""
        try:
            return await super().call_tool(name, arguments)
        except ToolError as error:
            if not isinstance(error.__cause__, ValidationError):
                raise
            first = error.__cause__.errors(include_input=False, include_url=False, include_context=False)[0]
            where = ".".join(map(str, first["loc"]))[:100]
            raise ToolError(f"{where}: {first['msg']}") from None

    async def list_resources(self) -> list[Resource]:
        """The library, the ledger and every meeting, newest first."""
        kept = await self.desk.run(lambda watch: entries(self.desk))
        return [
            *await super().list_resources(),
            *(
                Resource(
                    uri=AnyUrl(f"coach://notes/{entry.id}"),
                    name=entry.title or entry.id,
                    description=", ".join(filter(None, [entry.date, *entry.attendees])),
                    mimeType="text/plain",
                )
                for entry in kept
            ),
        ]


def build_server(coach: Coach, *, write: bool = False, names: bool = False, token: str | None = None) -> FastMCP[None]:
    """The server of a coach. With ``token``, HTTP requests have to bring it as ``Authorization: Bearer``."""

    @contextlib.asynccontextmanager
    async def quiet(_: FastMCP[None]) -> AsyncIterator[None]:
        # On stdio, standard output is the wire: what a library prints must not land on it.
        with contextlib.redirect_stdout(sys.stderr):
            yield

    server = CoachServer(
        "unheard",
        instructions=INSTRUCTIONS,
        # Validation errors quote their input, and logs hold no note text.
        log_level="CRITICAL",
        max_request_body_size=MOST_BYTES,
        lifespan=quiet,
        token_verifier=OneToken(token) if token else None,
        auth=AuthSettings(issuer_url=AnyHttpUrl("http://127.0.0.1"), resource_server_url=None) if token else None,
    )
    server.desk = Desk(coach, write=write, names=names)
    add_reviewing(server, server.desk)
    add_remembering(server, server.desk)
    add_preparing(server, server.desk)
    if write:
        add_writing(server, server.desk)
    add_resources(server, server.desk)
    add_prompts(server)
    return server
