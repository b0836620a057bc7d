"""Doors by which files of the coach's own formats come in, settings and answers of models among them."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from fuzz.base import Target, file_of
from fuzz.draw import NUMBERS, Draw

PLAN_KEYS = ("purpose", "stage", "attendees", "opening", "fears")
PLAN_WORDS = ("needs", "possibilities", "action", "Ana", "Ben, Cy", "We have to move.", "roof")
PLAN = b"purpose: Decide about the roof\nstage: action\nattendees: [Ana, Ben]\nopening: We have to move.\nfears: []\n"


def _yaml(draw: Draw, keys: tuple[str, ...], words: tuple[str, ...]) -> bytes:
    import yaml

    if draw.byte() % 2:
        return draw.rest()
    value = {key: draw.value(keys, words) for key in keys if draw.byte() % 4} or draw.value(keys, words)
    return yaml.safe_dump(value, allow_unicode=True).encode("utf-8", "surrogatepass")


def _plan(data: bytes) -> None:
    from coach.rehearsal.plan import load_plan

    with file_of("plan.yaml", _yaml(Draw(data), PLAN_KEYS, PLAN_WORDS)) as path:
        load_plan(path)


def _plan_seeds() -> list[bytes]:
    return [b"\1" + PLAN, b"\0\1\7\1\2\3\1\7\1\2\4", b"\1{purpose: &a [*a]}", b"\1? [a]\n: b\n", b"\1a: 2026-99-99\n"]


EVAL = Path(__file__).parents[2] / "eval"


def _suite_keys() -> tuple[str, ...]:
    from coach_eval.schema import Suite

    return tuple(Suite.model_fields)


def _suite(data: bytes) -> None:
    from coach_eval.files import load_suite

    with file_of(
        "x.yaml", _yaml(Draw(data), _suite_keys(), ("x", "review", "local", "llm", "meetings", "all"))
    ) as path:
        load_suite(path)


def _suite_seeds() -> list[bytes]:
    return [b"\1" + path.read_bytes() for path in sorted((EVAL / "suites").glob("*.yaml"))]


@cache
def _tasks() -> tuple[Any, ...]:
    from coach_eval.tasks import TASKS

    return tuple(TASKS[name] for name in TASKS)


def _case_keys() -> tuple[str, ...]:
    keys = {key: None for task in _tasks() for key in task.case.model_fields}
    return (*keys, "cases")


def _cases(data: bytes) -> None:
    from coach_eval.files import load_cases
    from coach_eval.schema import Suite

    draw = Draw(data)
    task = draw.choice(_tasks())
    given = _yaml(draw, _case_keys(), ("Ana: It leaks.\nBen: Next.\n", "It leaks.", "dev", "unheard_objection", "x"))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "cases", "x", "one.yaml")
        path.parent.mkdir(parents=True)
        path.write_bytes(given)
        suite = Suite.model_validate({"suite": "x", "task": task.name, "cases": "x", **_suite_rest()})
        load_cases(Path(folder), suite, task)


@cache
def _suite_rest() -> dict[str, Any]:
    import yaml

    given = yaml.safe_load((EVAL / "suites" / "meetings.yaml").read_text())
    return {key: value for key, value in given.items() if key not in ("suite", "task", "cases")}


def _case_seeds() -> list[bytes]:
    names = [task.name for task in _tasks()]
    found = []
    for path in sorted((EVAL / "cases").glob("*/*.yaml")):
        if path.stat().st_size < 4_000:
            found += [bytes([n, 1]) + path.read_bytes() for n in range(len(names))]
    return found[:120]


def _json(draw: Draw, keys: tuple[str, ...], words: tuple[str, ...], schema: str) -> bytes:
    if draw.byte() % 2:
        return draw.rest()
    value = {key: draw.value(keys, words) for key in keys if draw.byte() % 4}
    return json.dumps({"schema": schema, **value}).encode()


def _recording(data: bytes) -> None:
    from coach_eval.recordings import Recording, Store

    draw = Draw(data)
    given = _json(draw, tuple(Recording.model_fields), ("stop", "length", "authored", "x"), "coach.recording/1")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "ab", "x.json")
        path.parent.mkdir()
        path.write_bytes(given)
        store = Store(Path(folder))
        store.check()
        store.stale()


def _recording_seeds() -> list[bytes]:
    return [b"\1" + path.read_bytes() for path in sorted((EVAL / "recordings").rglob("*.json"))[:12]]


def _run(data: bytes) -> None:
    from coach_eval.files import load_run
    from coach_eval.schema import Run

    draw = Draw(data)
    given = _json(draw, tuple(Run.model_fields), ("x", "2026-03-02", "local"), str(Run.model_fields["schema_"].default))
    with file_of("x.json", given) as path:
        load_run(path)


def _run_seeds() -> list[bytes]:
    return [b"\1" + path.read_bytes()[:60_000] for path in sorted((EVAL / "baselines").glob("*.json"))[:4]]


EXPORT = {
    "schema": "coach.library/1", "library": "k",
    "meetings": [{"id": "0123456789abcdef", "title": "Roof", "date": "2026-03-02", "format": "minutes",
                  "attendees": ["Person A"], "tags": ["x"], "lines": [{"speaker": "Person A", "text": "It leaks."}]}],
}  # fmt: skip
EXPORT_KEYS = ("id", "title", "date", "format", "attendees", "tags", "lines", "speaker", "text", "meetings", "library")


def _export(data: bytes) -> None:
    from coach.retrieval import transfer

    given = _json(Draw(data), EXPORT_KEYS, ("Person A", "2026-03-02", "It leaks."), "coach.library/1")
    with file_of("x.json", given) as path:
        _, meetings = transfer.read(path)
    for entry, lines in meetings:
        entry.model_dump_json().encode()
        transfer.conversation(lines, entry.format)


def _export_seeds() -> list[bytes]:
    return [b"\1" + json.dumps(EXPORT).encode(), bytes(range(64))]


def _settings(data: bytes) -> None:
    from coach.settings import Settings, load_settings

    draw = Draw(data)
    names = [str(field.alias) for field in Settings.model_fields.values()]
    given = {draw.choice(names): draw.text(("openai", "llm", "http://127.0.0.1:1", "1", "x")) for _ in range(8)}
    chosen = load_settings(given)
    _ = (chosen.llm_configured, chosen.endpoint, chosen.on_this_machine)


def _users(data: bytes) -> None:
    from coach.ui.users import _read, hashed

    draw = Draw(data)
    lines = [
        draw.choice(("ada:", "", "#", "../x:")) + draw.choice((hashed_once(hashed), draw.text())) for _ in range(4)
    ]
    with file_of("users", draw.choice(("\n".join(lines).encode("utf-8", "surrogatepass"), draw.rest()))) as path:
        path.chmod(0o600)
        _read(path)


@cache
def hashed_once(hashed: Callable[[str], str]) -> str:
    return hashed("correct horse")


def _answer(data: bytes) -> None:
    """What a model says, whatever it says, through the engine that asks it."""
    from coach.engine import Watch
    from coach.identities import Identities
    from coach.llm.base import Answer
    from coach.llm_engine import LLMEngine
    from coach.notes import parse
    from coach.settings import load_settings

    draw = Draw(data)
    keys = ("findings", "line", "quote", "speaker", "subtype", "why", "ask", "sure", "earlier", "record", "need",
            "rewrite", "participants", "name", "alignment", "buy_in", "evidence", "about")  # fmt: skip
    words = ("It leaks.", "Person A", "ignored", "likely", "workload", "absolute", "aligned", "committed", "1")

    def said(schema: dict[str, Any]) -> str:
        if draw.byte() % 8 == 0:
            return draw.bytes(200).decode("utf-8", "replace")
        return json.dumps(_fitting(draw, schema, schema.get("$defs", {}), keys, words))

    class Model:
        name = "fuzz"

        def complete(self, request: Any, watch: Watch) -> Answer:
            return Answer(said(request.schema or {}))

    engine = LLMEngine(Model(), load_settings({}, concurrency=1), identities=Identities)
    found = engine.analyse(parse("Ana: It leaks.\nBen: Next item.\nAna: We have to move.\n"), (), Watch())
    for finding in found.findings:
        finding.model_dump_json().encode()


def _fitting(draw: Draw, schema: dict[str, Any], shapes: dict[str, Any], keys: Any, words: Any) -> Any:
    """A value that mostly fits a JSON schema."""
    if draw.byte() % 32 == 31:
        return draw.value(keys, words, 2)
    if "$ref" in schema:
        schema = shapes[schema["$ref"].rsplit("/", 1)[-1]]
    if "anyOf" in schema:
        return _fitting(draw, draw.choice(schema["anyOf"]), shapes, keys, words)
    if "enum" in schema:
        return draw.choice(schema["enum"])
    if "const" in schema:
        return schema["const"]
    kind = schema.get("type")
    if kind == "object":
        return {key: _fitting(draw, inner, shapes, keys, words) for key, inner in schema.get("properties", {}).items()}
    if kind == "array":
        return [_fitting(draw, schema.get("items", {}), shapes, keys, words) for _ in range(draw.byte() % 4)]
    if kind in ("integer", "number"):
        return draw.byte() % 8 if draw.byte() % 4 else draw.choice(NUMBERS)
    return {"boolean": True, "null": None}.get(str(kind), draw.text(words))


FILES = (
    Target("plans", _plan, _plan_seeds),
    Target("suites", _suite, _suite_seeds),
    Target("cases", _cases, _case_seeds),
    Target("recordings", _recording, _recording_seeds),
    Target("baselines", _run, _run_seeds),
    Target("library exports", _export, _export_seeds),
    Target("settings", _settings, lambda: [b"\0\1\2\3"]),
    Target("users", _users, lambda: [b"\0\0\0\0"]),
    Target("model answers", _answer, lambda: [bytes(range(n, n + 100)) for n in range(0, 150, 9)]),
)
