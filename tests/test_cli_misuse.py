"""Wrong use of any command: one line on stderr that says what to do, exit code 2, and nothing is done.

The cases are read from the tree of commands itself, so that a new command or option is among them.
"""

from __future__ import annotations

import io
import typing
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from commands import Commands
from typer.main import get_command

from coach.cli import app


def tree(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every group and command below, itself included, with the words that name it."""
    yield path, command
    for name, below in getattr(command, "commands", {}).items():
        yield from tree(below, (*path, name))


def taken(hint: Any) -> type | None:
    """The type of one value of a parameter."""
    inner = [part for part in typing.get_args(hint) if part is not type(None)]
    return taken(inner[0]) if inner else hint if isinstance(hint, type) else None


def misuses() -> Iterator[tuple[str, ...]]:
    for path, command in tree(get_command(app)):
        yield (*path, "--no-such-option")
        if getattr(command, "commands", None):
            yield (*path, "no-such-command")
            continue
        arguments = [p for p in command.params if p.param_type_name == "argument"]
        given = ["1"] * sum(p.required for p in arguments)
        if given:
            yield (*path, *given[1:])
        if not any(p.nargs == -1 for p in arguments):
            yield (*path, *["1"] * (len(arguments) + 1))
        hints = typing.get_type_hints(command.callback, include_extras=True)
        for option in (p for p in command.params if p.param_type_name == "option" and not getattr(p, "is_flag", False)):
            yield (*path, *given, option.opts[-1])
            hint = hints.get(option.name)
            kind = taken(hint)
            if kind and (issubclass(kind, int | float | Enum) and kind is not bool):
                yield (*path, *given, option.opts[-1], "nonsense")
            if any(getattr(about, "min", None) is not None for about in getattr(hint, "__metadata__", ())):
                yield (*path, *given, f"{option.opts[-1]}=-1")


CASES = sorted(set(misuses()))


def test_the_cases_are_many() -> None:
    assert len(CASES) > 200
    assert {("library", "search", "1", "--top=-1"), ("review", "1", "--engine", "nonsense"), ("review",)} <= set(CASES)


@pytest.mark.parametrize("command", CASES, ids=" ".join)
def test_wrong_use_gets_one_line_and_exit_code_2(
    command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    done = Commands(monkeypatch, capsys)(*command)
    assert (done.code, done.out) == (2, ""), done
    assert done.err.startswith("coach: ") and done.err.count("\n") == 1 and len(done.err) < 400, done.err
    words = " ".join(["coach", *command])
    assert any(
        done.err.endswith(f": {words[:end].rstrip()} --help says what it takes\n") for end in range(4, len(words) + 1)
    ), done.err
    assert not set("╭│╰") & set(done.err) and "Input should" not in done.err


def test_a_no_to_a_question_ends_with_one_line(coach_with_a_meeting: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    for answer in ("n\n", ""):
        monkeypatch.setattr("sys.stdin", io.StringIO(answer))
        done = coach_with_a_meeting("library", "purge", "--everything")
        assert done.code == 2 and done.err.splitlines()[-1] == "coach: stopped: nothing more was done"
    assert "Ana" in coach_with_a_meeting("library", "list").out


@pytest.fixture
def coach_with_a_meeting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Commands:
    coach = Commands(monkeypatch, capsys)
    (tmp_path / "notes.txt").write_text("Ana: We start on Monday.\nBen: Fine.\n", encoding="utf-8")
    coach("library", "add", str(tmp_path / "notes.txt"))
    return coach
