"""Reading suites, cases and JSON with file and line on every refusal, and writing whole files or none.

A case file is one source note. Keys at the top are shared by its ``cases``; a file without ``cases`` is one case.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from coach.errors import InputError
from coach_eval.schema import Case, Run, Suite

if TYPE_CHECKING:
    from yaml import Node

    from coach_eval.tasks.base import Task

M = TypeVar("M", bound=BaseModel)
Loc = tuple[int | str, ...]


def digest(value: object) -> str:
    """SHA-256, in hex, of the canonical JSON of a value: sorted keys, no spaces, UTF-8."""
    plain = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def write_atomically(path: Path, text: str) -> None:
    """Write a file so that a reader, or a crash, sees the old one or the new one, never half of either.

    Raises :class:`InputError` that names the path when it can't be written.
    """
    import os
    import tempfile

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=".writing.", suffix=".part")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            Path(name).chmod(0o644)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror}. Choose another place, or make room.") from None


def load_suite(path: Path) -> Suite:
    """A suite from ``eval/suites/NAME.yaml``; raises :class:`InputError` naming file, line and what is allowed."""
    data, node = _read_yaml(path)
    suite = _validate(Suite, data, [node], path)
    if suite.suite != path.stem:
        raise InputError(
            f"{path}:{_line(node, ('suite',))}: the suite calls itself {suite.suite!r}: name it {path.stem!r}"
        )
    if suite.engine == "llm" and suite.model is None:
        line = _line(node, ("engine",))
        raise InputError(f"{path}:{line}: an llm suite pins its model: add `model:` with a snapshot name")
    return suite


def load_value(path: Path, model: type[M]) -> M:
    """A value from a YAML file; raises :class:`InputError` naming file, line and what is allowed."""
    data, node = _read_yaml(path)
    return _validate(model, data, [node], path)


def load_suites(root: Path, names: Sequence[str] = ()) -> tuple[Suite, ...]:
    """The named suites, or all, in order of name; raises :class:`InputError` when there are none or one is unknown."""
    folder = root / "suites"
    known = {path.stem: path for path in sorted(folder.glob("*.yaml"))}
    if not known:
        raise InputError(f"{folder} holds no suite: add NAME.yaml there, or point --root at a folder that has suites/")
    for name in names:
        if name not in known:
            raise InputError(f"there is no suite {name!r} in {folder}: choose from {', '.join(known)}")
    return tuple(load_suite(known[name]) for name in (names or known))


def load_cases(root: Path, suite: Suite, task: Task[Any, Any]) -> tuple[Case, ...]:
    """The cases of a suite, by file and order within; refuses anything that would make a verdict doubtful.

    Raises :class:`InputError` (file, line) for an unknown key, a missing value, two cases with one id, a gold quote
    that is not in its notes, and for a folder without cases.
    """
    folder = root / "cases" / suite.cases
    seen: dict[str, str] = {}
    cases: list[Case] = []
    for path in sorted(folder.glob("*.yaml")):
        for case, nodes in read_cases(path, task.case):
            where = f"{path}:{_where(nodes, ('id',))}"
            if case.id in seen:
                raise InputError(f"{where}: the id {case.id!r} is taken by {seen[case.id]}: choose another")
            seen[case.id] = where
            for loc, problem in task.problems(case):
                raise InputError(f"{path}:{_where(nodes, loc)}: {problem}")
            if suite.split in ("all", case.split):
                cases.append(case)
    if not cases:
        raise InputError(
            f"{folder} holds no case for suite {suite.suite!r} (split {suite.split}): nothing would be checked"
        )
    return tuple(cases)


def read_cases(path: Path, model: type[Case]) -> Iterator[tuple[Case, list[Node]]]:
    """Each case of a file, with the nodes (case first, then file) in which a complaint can be located."""
    data, node = _read_yaml(path)
    if "cases" not in data:
        yield _validate(model, data, [node], path), [node]
        return
    shared = {key: value for key, value in data.items() if key != "cases"}
    if not isinstance(data["cases"], list) or not data["cases"]:
        raise InputError(f"{path}:{_line(node, ('cases',))}: `cases` is a list of at least one case")
    for index, own in enumerate(data["cases"]):
        inner = _descend(node, ("cases", index))
        if not isinstance(own, dict):
            raise InputError(f"{path}:{inner.start_mark.line + 1}: a case is a mapping of keys to values")
        yield _validate(model, {**shared, **own}, [inner, node], path), [inner, node]


def case_schema(model: type[Case]) -> dict[str, Any]:
    """JSON schema (draft 2020-12) of a case file, for editors: shared keys at the top, or a list of ``cases``."""
    schema = model.model_json_schema(by_alias=True)
    definitions = schema.pop("$defs", {})
    own = {**schema, "required": ["id"], "title": "Case"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"{schema.get('title', model.__name__)} file",
        "description": "One source note. Keys at the top are shared by its cases.",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            **schema["properties"],
            "cases": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/Case"}},
        },
        "$defs": {**definitions, "Case": own},
    }


def load_run(path: Path) -> Run:
    """A run or baseline from JSON; raises :class:`InputError` for another schema, a damaged or a missing file."""
    return read_json(path, Run)


def read_json(path: Path, model: type[M]) -> M:
    """A value from a JSON file; raises :class:`InputError` naming file, line and what is allowed."""
    text = _text(path)
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(f"{path}:{error.lineno}: not JSON ({error.msg}): restore the file or delete it") from None
    expected = model.model_fields["schema_"].default if "schema_" in model.model_fields else None
    if not isinstance(data, dict) or (expected and data.get("schema") != expected):
        found = data.get("schema") if isinstance(data, dict) else None
        raise InputError(
            f"{path}:1: the schema is {found!r}, allowed is {expected!r}: it was written by another version"
        )
    try:
        return model.model_validate(data)
    except ValidationError as error:
        # JSON is YAML: composing it again, only now, finds the line.
        raise _complaint(error, model, [_compose(text, path)], path) from None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise InputError(f"{path} does not exist") from None
    except UnicodeDecodeError:
        raise InputError(f"{path} is not UTF-8 text: save it as UTF-8") from None


def _compose(text: str, path: Path) -> Node:
    import yaml

    try:
        node = yaml.compose(text, Loader=_loader())
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InputError(f"{path}:{line}: not YAML: {error.problem}") from None
    except yaml.YAMLError as error:
        raise InputError(f"{path}:1: not YAML: {str(error).splitlines()[0]}") from None
    if not isinstance(node, yaml.MappingNode):
        raise InputError(f"{path}:1: expected keys and values")
    return node


def _loader() -> Any:
    import yaml

    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def _read_yaml(path: Path) -> tuple[dict[str, Any], Node]:
    text = _text(path)
    node = _compose(text, path)
    _refuse_twins(node, path)
    import yaml

    try:
        data = yaml.load(text, Loader=_loader())  # a safe loader, the C one where it is built
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise InputError(f"{path}:{line}: not YAML: {error.problem}") from None
    return data, node


def _refuse_twins(node: Node, path: Path) -> None:
    """YAML lets a later key silently replace an earlier one, and with it a gold label."""
    import yaml

    if isinstance(node, yaml.MappingNode):
        keys: set[str] = set()
        for key, value in node.value:
            if key.value in keys:
                raise InputError(f"{path}:{key.start_mark.line + 1}: the key {key.value!r} is there twice: keep one")
            keys.add(key.value)
            _refuse_twins(value, path)
    elif isinstance(node, yaml.SequenceNode):
        for item in node.value:
            _refuse_twins(item, path)


def _validate(model: type[M], data: Mapping[str, Any], nodes: Sequence[Node], path: Path) -> M:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise _complaint(error, model, nodes, path) from None


def _complaint(error: ValidationError, model: type[BaseModel], nodes: Sequence[Node], path: Path) -> InputError:
    # A misspelt key is also a missing one; the misspelling is what helps.
    first = min(error.errors(include_input=False, include_url=False), key=lambda e: e["type"] != "extra_forbidden")
    loc: Loc = first["loc"]
    name = ".".join(str(part) for part in loc) or "the file"
    line = _where(nodes, loc)
    if first["type"] == "extra_forbidden":
        allowed = _allowed(model, loc[:-1])
        return InputError(f"{path}:{line}: unknown key {name!r}: allowed are {', '.join(allowed)}")
    message = str(first["msg"]).removeprefix("Value error, ")
    return InputError(f"{path}:{line}: {name}: {message[:1].lower()}{message[1:]}")


def _allowed(model: type[BaseModel], loc: Loc) -> list[str]:
    """The keys that a model takes at a place inside it."""
    variants: list[type[BaseModel]] = []
    for part in loc:
        if not isinstance(part, str):
            continue
        if part in model.model_fields:
            variants = list(_models(model.model_fields[part].annotation))
        else:  # the name that pydantic gives to a variant of a union: the value that tells them apart
            variants = [m for m in variants if part in _literals(m)]
        model = variants[0] if variants else model
    return [field.alias or name for name, field in model.model_fields.items()]


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)


def _literals(model: type[BaseModel]) -> set[Any]:
    return {value for field in model.model_fields.values() for value in get_args(field.annotation)}


def _where(nodes: Sequence[Node], loc: Loc) -> int:
    """The line, from 1, of the first node that knows the place; of the first node otherwise."""
    for node in nodes:
        if not loc or _knows(node, loc[0]):
            return _line(node, loc)
    return nodes[0].start_mark.line + 1


def _knows(node: Node, part: int | str) -> bool:
    return part in _keys(node)


def _keys(node: Node) -> dict[int | str, tuple[Node, Node]]:
    import yaml

    if isinstance(node, yaml.MappingNode):
        return {key.value: (key, value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return {index: (value, value) for index, value in enumerate(node.value)}
    return {}


def _line(node: Node, loc: Loc) -> int:
    line: int = node.start_mark.line
    for part in loc:
        found = _keys(node).get(part)
        if found is None:  # a name that pydantic adds for a variant of a union
            continue
        line, node = found[0].start_mark.line, found[1]
    return line + 1


def _descend(node: Node, loc: Loc) -> Node:
    for part in loc:
        node = _keys(node)[part][1]
    return node
