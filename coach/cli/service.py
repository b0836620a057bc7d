"""``coach serve`` and ``coach doctor``: the page, and what is installed and would run."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from coach.cli import app


class Log(StrEnum):
    """How the service logs."""

    plain = "plain"
    json = "json"


@app.command()
def serve(
    host: Annotated[
        str, typer.Option(help="Address to listen on; anything but this machine needs --auth.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 takes a free one.")] = 7860,
    auth: Annotated[Path | None, typer.Option(help="File of users with salted password hashes.")] = None,
    metrics: Annotated[str | None, typer.Option(help="HOST:PORT at which Prometheus finds figures.")] = None,
    log: Annotated[Log, typer.Option(help="json: one object a line on stderr, without note text.")] = Log.plain,
) -> None:
    """Serve the page (the same as python app.py)."""
    from coach.settings import load_settings
    from coach.ui import serve as serve_page

    if log is Log.json:
        from coach.monitoring import log_json

        log_json()
    serve_page(load_settings(), host=host, port=port, auth=auth, metrics=metrics)


@app.command()
def doctor(
    repair: Annotated[
        bool, typer.Option("--repair", help="Put right what a full disk, a damaged file or a crash left.")
    ] = False,
    new_key: Annotated[bool, typer.Option("--new-key", help="Print a fresh key for COACH_KEY, and no more.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")] = False,
) -> None:
    """Say what is installed, which engine would run, where data lives and who can read it."""
    import json

    from coach.wiring import Coach

    if new_key:
        from coach.identities import keys

        print(keys.new_key())
        return
    if repair:
        done = Coach.repair()
        print(json.dumps(done, indent=1) if as_json else "\n".join(done) or "nothing to repair")
        return
    report = Coach().doctor()
    if as_json:
        print(json.dumps(report, indent=1))
        return
    from rich.table import Table

    from coach.cli.terminal import console

    table = Table(show_header=False, box=None, pad_edge=False)
    for name, value in report.items():
        table.add_row(name.replace("_", " "), "\n".join(value) if isinstance(value, list) else str(value))
    console().print(table)
