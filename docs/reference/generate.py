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
    return {"commands.md": commands(), "settings.md": settings(), "python.md": python(), "model-sees.md": sees()}


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


NOTES = """Weekly meeting, 3 May 2026
Attendees: Marisa Quill, Tobias Ember

Marisa Quill: I am worried that the new rota breaks the night shift.
Tobias Ember: Next item. Call Brightwater Ltd on +44 20 7946 0123.
Marisa: It is still open for me. My address is marisa.quill@mill.example.
"""


def sees() -> str:
    """What a model provider gets to see of a meeting: asked of the coach itself, which sends nothing."""
    from tempfile import TemporaryDirectory

    from coach.settings import load_settings
    from coach.wiring import Coach

    with TemporaryDirectory() as home:
        requests = Coach(load_settings({"COACH_HOME": home})).requests(NOTES)
    shown = next(request for request in requests if request.label.startswith("unheard_objections"))
    said = "\n".join(text for role, text in shown.messages if role == "user").replace(shown.nonce, "NONCE")
    labels = ", ".join(f"`{request.label}`" for request in requests)
    return f"""# What a model provider gets to see

Nothing, unless you configure an endpoint. Then a review asks one question for each prompt, all with the same lines:
{labels}. These notes:

```text
{NOTES.rstrip()}
```

are sent as follows; this is the whole message, `NONCE` stands for a random word that differs in every call:

```text
{said.rstrip()}
```

Before it goes the instruction of the prompt, the same for everybody (`prompts/NAME/vN.yaml`). If there is a library,
passages of earlier meetings with the same people may be added, in pseudonyms as well. Findings that a later line may
have settled are asked about once more. The names, and the table from pseudonyms to names, never leave the machine; a
text in which a known name is left is not sent (`coach.errors.LeakError`). A name that was not recognised is sent:
[what is not found](../design/privacy.md#what-is-not-found).

For your own notes, before you decide: `coach review FILE --dry-run` prints all of it, word for word, and sends nothing.
This page is made by the same code (`python docs/reference/generate.py`), and a test fails when it is out of date.
"""


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
