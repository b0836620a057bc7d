"""Prompts as files: ``prompts/<name>/vN.yaml``, and ``prompts/active.yaml`` that names the version in use.

A version is never edited once released: a change is a new file with a ``change`` line, so that every finding can name
the exact words that produced it. Templates are Mustache with three braces (two would turn quotation marks into HTML).
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from coach.answers import SHAPES, Shape
from coach.errors import ConfigError

ROLES = ("system", "user", "assistant")
FIELDS = frozenset({"description", "change", "output", "messages", "small"})


@dataclass(frozen=True)
class Prompt:
    """One version of a prompt. ``messages`` and ``small`` (for small models; may be empty) are roles and templates."""

    name: str
    version: int
    description: str
    change: str
    output: str
    messages: tuple[tuple[str, str], ...]
    small: tuple[tuple[str, str], ...] = ()

    @property
    def label(self) -> str:
        """How findings, recordings and reports call it: ``unheard_objections@1``."""
        return f"{self.name}@{self.version}"

    @property
    def shape(self) -> type[Shape]:
        """The type of its answer."""
        return SHAPES[self.output]

    @property
    def variables(self) -> frozenset[str]:
        """Names of everything its templates ask for."""
        return frozenset(_template(self.messages).input_variables) | frozenset(_template(self.small).input_variables)

    def render(self, variables: Mapping[str, object], *, small: bool = False) -> tuple[tuple[str, str], ...]:
        """Roles and texts with the variables filled in; the short variant if ``small`` and there is one.

        Values are data: braces in them stay braces. Raises :class:`ConfigError` when a variable is missing.
        """
        template = _template(self.small if small and self.small else self.messages)
        missing = sorted(set(template.input_variables) - set(variables))
        if missing:
            raise ConfigError(f"prompt {self.label} asks for {', '.join(missing)}, which nobody gives it")
        # format_messages, not invoke: nothing may be traced to a third party on the way.
        rendered = template.format_messages(**{name: variables[name] for name in template.input_variables})
        kinds = {"human": "user", "ai": "assistant"}
        return tuple((kinds.get(message.type, message.type), str(message.content).strip()) for message in rendered)


def load_prompt(name: str, version: int | None = None, root: Path | None = None) -> Prompt:
    """The prompt of that name: the active version, or the one asked for, from ``root`` or the installed prompts.

    Raises :class:`ConfigError` that names the file and what is wrong with it.
    """
    root = root or prompts_root()
    number = version if version is not None else _active(root, name)
    path = root / name / f"v{number}.yaml"
    return _load(path, name, number, path.stat().st_mtime_ns if path.is_file() else 0)


@cache
def _load(path: Path, name: str, number: int, changed: int) -> Prompt:  # noqa: ARG001
    """The prompt in a file as it was when last ``changed``; reading YAML takes longer than all else here."""
    data = _read(path)
    unknown = sorted(set(data) - FIELDS)
    absent = sorted({"description", "change", "output", "messages"} - set(data))
    if unknown or absent:
        raise ConfigError(f"{_short(path)}: unknown fields {unknown}, missing fields {absent}")
    if data["output"] not in SHAPES:
        raise ConfigError(f"{_short(path)}: output must be one of {', '.join(SHAPES)}")
    return Prompt(
        name=name,
        version=number,
        description=str(data["description"]).strip(),
        change=str(data["change"]).strip(),
        output=data["output"],
        messages=_messages(path, data["messages"]),
        small=_messages(path, data.get("small") or []),
    )


def active_versions(root: Path | None = None) -> dict[str, int]:
    """Name and active version of every prompt."""
    path = (root or prompts_root()) / "active.yaml"
    return dict(_versions(path, path.stat().st_mtime_ns if path.is_file() else 0))


@cache
def _versions(path: Path, changed: int) -> dict[str, int]:  # noqa: ARG001
    """What the file says as it was when last ``changed``."""
    data = _read(path)
    try:
        return {str(name): int(str(version).removeprefix("v")) for name, version in data.items()}
    except ValueError:
        raise ConfigError("prompts/active.yaml: each line must read like `unheard_objections: v1`") from None


def prompt_digests(root: Path | None = None) -> dict[str, str]:
    """Hex SHA-256 of every prompt version, by ``name/vN``; line endings do not count."""
    root = root or prompts_root()
    return {
        f"{path.parent.name}/{path.stem}": hashlib.sha256(path.read_text("utf-8").encode()).hexdigest()
        for path in sorted(root.glob("*/v*.yaml"))
    }


def prompts_root() -> Path:
    """The folder of the prompts: beside the package in a checkout, inside it when installed."""
    package = Path(__file__).parent
    checkout = package.parent / "prompts"
    return checkout if (checkout / "active.yaml").is_file() else package / "_prompts"


def _active(root: Path, name: str) -> int:
    versions = active_versions(root)
    if name not in versions:
        raise ConfigError(f"there is no prompt {name!r}: prompts/active.yaml names {', '.join(versions)}")
    return versions[name]


def _read(path: Path) -> dict[str, Any]:
    import yaml

    try:
        data = yaml.safe_load(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ConfigError(f"there is no {_short(path)}: check prompts/active.yaml and the version asked for") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" near line {mark.line + 1}" if mark else ""
        raise ConfigError(f"{_short(path)}: not YAML{where}") from None
    if not isinstance(data, dict):
        raise ConfigError(f"{_short(path)}: must be a YAML mapping")
    return data


def _messages(path: Path, items: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(items, list):
        raise ConfigError(f"{_short(path)}: messages must be a list of `role: text`")
    pairs: list[tuple[str, str]] = []
    for item in items:
        if not (isinstance(item, dict) and len(item) == 1 and next(iter(item)) in ROLES):
            raise ConfigError(f"{_short(path)}: each message must be `role: text` with a role of {', '.join(ROLES)}")
        role, text = next(iter(item.items()))
        pairs.append((role, str(text)))
    return tuple(pairs)


def _short(path: Path) -> str:
    return "/".join(path.parts[-2:] if path.stem == "active" else path.parts[-3:])


@cache
def _template(messages: tuple[tuple[str, str], ...]) -> Any:
    from langchain_core.prompts import ChatPromptTemplate

    return ChatPromptTemplate.from_messages(list(messages), template_format="mustache")
