"""Writes the pages of the reference that come from the code: python docs/reference/generate.py"""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import click
import typer

HERE = Path(__file__).resolve().parent


def pages() -> dict[str, str]:
    """The text of each page by its file name."""
    return {"commands.md": commands(), "settings.md": settings(), "python.md": python()}


def commands() -> str:
    """Every command with its arguments and options."""
    from coach.cli import app

    lines = ["# Commands", ""]
    _command(typer.main.get_command(app), "coach", lines)
    return "\n".join(lines).rstrip() + "\n"


def settings() -> str:
    """Every setting with its environment variable."""
    from coach.settings import Settings

    rows = []
    for name, field in Settings.model_fields.items():
        default = "" if field.default_factory or field.default is None else f"`{field.default}`"
        rows.append(f"| `{field.alias}` | {field.description or name.replace('_', ' ')} | {default} |")
    head = ["# Settings", "", "Environment variables; in Python, `load_settings(name=value)` in lower case.", ""]
    return "\n".join([*head, "| variable | what | default |", "| --- | --- | --- |", *rows]) + "\n"


def python() -> str:
    """The public methods of the coach, the library and the ledger."""
    from coach.ledger import Ledger
    from coach.library import Library
    from coach.wiring import Coach

    lines = ["# Python", "", "`from coach import Coach`; `coach.library` and `coach.ledger` are the other two.", ""]
    for thing in (Coach, Library, Ledger):
        lines += [f"## {thing.__name__}", "", _doc(thing), ""]
        for name, member in vars(thing).items():
            if name.startswith("_") or not (member.__doc__ and (callable(member) or hasattr(member, "func"))):
                continue
            shown = f"{name}{_signature(member)}" if callable(member) else name
            lines += [f"### {name}", "", f"```python\n{shown}\n```", "", _doc(member), ""]
    return "\n".join(lines).rstrip() + "\n"


def _command(command: Any, name: str, lines: list[str]) -> None:
    context = click.Context(command, info_name=name)
    lines += [f"## {name}", "", " ".join((command.help or "").split()), ""]
    rows = []
    for parameter in command.params:
        flags = parameter.opts if parameter.param_type_name == "option" else [parameter.name.upper()]
        if parameter.name not in ("help", "install_completion", "show_completion"):
            rows.append(f"| `{' '.join(flags)}` | {' '.join((getattr(parameter, 'help', None) or '').split())} |")
    if rows:
        lines += ["| | |", "| --- | --- |", *rows, ""]
    for below in command.list_commands(context) if hasattr(command, "list_commands") else ():
        _command(command.get_command(context, below), f"{name} {below}", lines)


def _doc(thing: Any) -> str:
    text = inspect.getdoc(thing) or ""
    text = re.sub(r":\w+:`~?([^`]+)`", r"`\1`", text)
    return text.replace("``", "`")


def _signature(member: Any) -> str:
    return str(inspect.signature(member)).replace("self, ", "").replace("(self)", "()").replace("'", "")


if __name__ == "__main__":
    for page, text in pages().items():
        (HERE / page).write_text(text, encoding="utf-8")
