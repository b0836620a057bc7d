"""The command line. Each room of commands is one module; this one makes the app and turns errors into one line."""

from __future__ import annotations

import io
import sys
from typing import TextIO, cast

import typer

from coach.cli.terminal import Inert, inert
from coach.errors import CoachError

app = typer.Typer(
    name="coach",
    help="A conversation coach that hears what a meeting did not.",
    epilog="Exit codes: 0 fine, 1 regression or leak, 2 wrong use, 3 unverifiable, 4 budget, 5 provider outage. "
    "Put --debug anywhere to see a traceback.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

# The harness is a room of its own; only the command line knows it, so that `coach eval` is there.
from coach_eval.cli import app as evaluation  # noqa: E402

# Importing a room registers its commands on the app above.
from coach.cli import forgetting, ledger, library, models, names, plugins, rehearsal, review, service  # noqa: E402

app.add_typer(evaluation, name="eval")

__all__ = [
    "app",
    "forgetting",
    "ledger",
    "library",
    "main",
    "models",
    "names",
    "plugins",
    "rehearsal",
    "review",
    "service",
]


def main() -> None:
    """Run the command line and exit; errors are one line on stderr that says what to do next."""
    debug = "--debug" in sys.argv
    for stream in (sys.stdout, sys.stderr):
        # In the locale C a name may have letters that ASCII has not.
        if isinstance(stream, io.TextIOWrapper) and stream.encoding.lower() in ("ascii", "ansi_x3.4-1968", "us-ascii"):
            stream.reconfigure(encoding="utf-8")
    if sys.stdout is not None and sys.stdout.isatty():
        sys.stdout = cast(TextIO, Inert(sys.stdout))
    try:
        app(args=[a for a in sys.argv[1:] if a != "--debug"], prog_name="coach")
    except Exception as error:
        if debug:
            raise
        if isinstance(error, CoachError):
            message, code = str(error), error.exit_code
        else:
            # Its message may quote notes, so only its type is told.
            message, code = f"unexpected {type(error).__name__}: please run again with --debug and report it", 2
        print(f"coach: {inert(' '.join(message.split()))}", file=sys.stderr)
        sys.exit(code)
