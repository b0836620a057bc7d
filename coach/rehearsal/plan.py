"""The plan of a meeting to come, as its owner writes it down in YAML or in the form on the page."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from coach.errors import InputError
from coach.schema import Value

LONGEST = 200_000
MOST_BRACKETS = 300
"""Characters, and brackets among them, of a plan's file; a YAML reader is slow on brackets that never end."""
Stage = Literal["needs", "possibilities", "action"]

QUESTIONS: dict[str, str] = {
    "purpose": "What is the meeting for, in one sentence?",
    "stage": "What should it reach: needs (understand), possibilities (explore) or action (decide)?",
    "attendees": "Who comes? Names as in your notes.",
    "opening": "What do you plan to say first, or to propose, in your own words?",
    "fears": "What do you fear might happen? An empty list is an answer, too.",
}
"""What to ask for when a part of the plan is missing; nothing is guessed."""


class Plan(Value):
    """A meeting to come. ``attendees`` are names as in the library; ``fears`` may be empty, the rest may not."""

    purpose: str = Field(min_length=1, max_length=2_000)
    stage: Stage
    attendees: tuple[Annotated[str, Field(max_length=200)], ...] = Field(min_length=1, max_length=50)
    opening: str = Field(min_length=1, max_length=20_000)
    fears: tuple[Annotated[str, Field(max_length=2_000)], ...] = Field((), max_length=50)


def missing(given: Mapping[str, Any]) -> tuple[str, ...]:
    """The keys that still have to be asked for, in the order in which to ask; ``QUESTIONS`` words them."""
    return tuple(key for key in QUESTIONS if key not in given or (key != "fears" and not _filled(given[key])))


def make_plan(given: Mapping[str, Any]) -> Plan:
    """The plan; raises :class:`InputError` that names the first thing wrong and asks for it."""
    unknown = sorted(set(given) - set(QUESTIONS))
    if unknown:
        raise InputError(f"the plan has an unknown key {unknown[0]!r}: it may have {', '.join(QUESTIONS)}.")
    lacking = missing(given)
    if lacking:
        raise InputError(f"the plan lacks {lacking[0]!r}: {QUESTIONS[lacking[0]]}")
    tidy = {key: _listed(value) if key in ("attendees", "fears") else value for key, value in given.items()}
    try:
        return Plan.model_validate(tidy)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        key = str(first["loc"][0])
        raise InputError(f"the plan's {key!r} does not fit ({first['msg']}). {QUESTIONS[key]}") from None


def load_plan(path: Path) -> Plan:
    """The plan in a YAML file; raises :class:`InputError` naming the file and, for broken YAML, the line."""
    import yaml

    from coach import notes

    text = notes.read_file(path)
    if len(text) > LONGEST or text.count("[") + text.count("{") > MOST_BRACKETS:
        raise InputError(f"{path}: too long or too nested for a plan: give {', '.join(QUESTIONS)} and nothing else.")
    try:
        given = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise InputError(f"{path}{line}: this is not YAML ({error.problem}).") from None
    except (yaml.YAMLError, ValueError, RecursionError):
        # A date such as 2026-13-45, a number of thousands of digits, brackets without end.
        raise InputError(f"{path}: this is not YAML, or a value in it is none: put texts in quotes.") from None
    if not isinstance(given, dict):
        raise InputError(f"{path}: a plan is a list of keys and values: {', '.join(QUESTIONS)}.")
    try:
        return make_plan({str(key): value for key, value in given.items()})
    except InputError as error:
        raise InputError(f"{path}: {error}") from None


def _filled(value: Any) -> bool:
    return bool(value.strip()) if isinstance(value, str) else bool(value)


def _listed(value: Any) -> Any:
    """A list given as one string ("Ana, Ben"), or nothing at all, is a list too."""
    if value is None:
        return ()
    if isinstance(value, str):
        return tuple(part.strip() for part in value.replace(";", ",").split(",") if part.strip())
    return tuple(value) if isinstance(value, list) else value
