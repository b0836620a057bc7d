"""The command line. Each room of commands is one module; this one makes the app and turns errors into one line."""

from __future__ import annotations

import io
import re
import sys
from typing import Annotated, TextIO, cast

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


def _print_version(wanted: bool) -> None:
    if wanted:
        from coach import __version__

        print(__version__)
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_print_version, is_eager=True)
    ] = False,
) -> None:
    """A conversation coach that hears what a meeting did not."""


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
    arguments = [a for a in sys.argv[1:] if a != "--debug"]
    try:
        sys.exit(app(args=arguments, prog_name="coach", standalone_mode=False))
    except Exception as error:
        if debug:
            raise
        message, code = _said(error, arguments)
        print(message, file=sys.stderr)
        sys.exit(code)


def _said(error: Exception, arguments: list[str]) -> tuple[str, int]:
    """What is printed of an error, and the exit code."""
    if isinstance(error, typer.Abort):
        message, code = "stopped: nothing more was done", 2
    elif isinstance(error, CoachError):
        message, code = str(error), error.exit_code
    elif told := getattr(error, "format_message", None):
        # Wrong use. The classes of such errors are in another package from one version of Typer to the next.
        if type(error).__name__ == "NoArgsIsHelpError":
            return told(), 2
        what = re.sub(r"Value error, |Input should be", lambda m: "it should be" if m[0][0] == "I" else "", told())
        message, code = f"{what.strip().rstrip('.')}: {_command_in(arguments)} --help says what it takes", 2
    else:
        # Its message may quote notes, so only its type is told.
        message, code = f"unexpected {type(error).__name__}: please run again with --debug and report it", 2
    return f"coach: {inert(' '.join(message.split()))}", code


def _command_in(arguments: list[str]) -> str:
    """The command that was meant, as far as there is one."""
    from typer.main import get_command

    words, command = ["coach"], get_command(app)
    for argument in arguments:
        below = getattr(command, "commands", {}).get(argument)
        if below is None:
            break
        words, command = [*words, argument], below
    return " ".join(words)
