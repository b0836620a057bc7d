"""``coach mcp`` and ``coach watch``: the coach where people already work."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from coach.cli import app

TOKEN = "COACH_MCP_TOKEN"


@app.command()
def mcp(
    http: Annotated[bool, typer.Option("--http", help="Serve HTTP on this machine instead of stdio.")] = False,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port for --http; 0 takes a free one.")] = 8848,
    write: Annotated[bool, typer.Option("--write", help="Let clients keep notes and mark objections.")] = False,
    names: Annotated[bool, typer.Option("--names", help="Show real names to clients instead of pseudonyms.")] = False,
) -> None:
    """Serve the coach to MCP clients, on stdio or, with --http, on this machine with a bearer token.

    The token is COACH_MCP_TOKEN, or else a new one is printed at the start.
    """
    from coach.errors import ConfigError
    from coach.mcp_server import PATH, SHORTEST_TOKEN, build_server, open_socket, serve_http
    from coach.wiring import Coach

    coach = Coach()
    if not http:
        build_server(coach, write=write, names=names).run("stdio")
        return
    from secrets import token_urlsafe

    given = os.environ.get(TOKEN, "").strip()
    if given and len(given) < SHORTEST_TOKEN:
        raise ConfigError(f"{TOKEN} is too short to be safe: give it {SHORTEST_TOKEN} characters or more, or unset it")
    token = given or token_urlsafe(32)
    socket = open_socket(port)
    print(f"MCP on http://127.0.0.1:{socket.getsockname()[1]}{PATH}", file=sys.stderr)
    print(f"Authorization: Bearer {token if not given else f'(the value of {TOKEN})'}", file=sys.stderr, flush=True)
    serve_http(build_server(coach, write=write, names=names, token=token), socket)


@app.command()
def watch(
    folder: Annotated[Path, typer.Argument(help="Folder of notes, such as an Obsidian vault.")],
    match: Annotated[str, typer.Option(help="Only files whose name looks like this, such as '*meeting*'.")] = "*",
    existing: Annotated[bool, typer.Option("--existing", help="Also notes already there without a review.")] = False,
    settle: Annotated[float, typer.Option(min=0, help="Seconds that a note must have been left alone.")] = 10.0,
    once: Annotated[bool, typer.Option("--once", help="Review the notes there without a review, then end.")] = False,
) -> None:
    """Review each new note in a folder: PLAN.md gets PLAN.md.review.md beside it, and stays untouched itself."""
    from coach import render
    from coach.watch import Folder
    from coach.wiring import Coach

    coach = Coach()

    def report(text: str) -> str:
        return render.markdown(coach.review(text))

    watched = Folder(folder, report, match, existing or once, 0 if once else settle)
    steps = watched.look(time.time()) if once else watched.follow()
    with contextlib.suppress(KeyboardInterrupt):
        for done in steps:
            if done.problem:
                print(f"coach: {done.note.name}: {done.problem}", file=sys.stderr, flush=True)
            else:
                print(done.review, flush=True)
