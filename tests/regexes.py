"""Every regular expression of the package, where it stands, how it is used, and text made to slow it down.

Patterns are found twice: read from the source (every call of ``re``), and noted while the package is imported, its
lexicons are loaded and its samples go through it, which also tells those that are put together at run time.
"""

from __future__ import annotations

import ast
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PACKAGES = (ROOT / "coach", ROOT / "eval" / "coach_eval")
CALLS = ("compile", "search", "match", "fullmatch", "split", "findall", "finditer", "sub", "subn")


@dataclass
class Found:
    """A pattern, the places that compile it, and the methods it is called with (empty when that is not known)."""

    pattern: str
    flags: int
    places: set[str] = field(default_factory=set)
    methods: set[str] = field(default_factory=set)


def sites() -> dict[str, tuple[str | None, str]]:
    """``file:line`` of every call of ``re`` in the source, with its pattern if it is written there, and its method."""
    found = {}
    for package in PACKAGES:
        for path in sorted(package.rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Attribute)
                    and isinstance(node.func.value, ast.Name)
                    and node.func.value.id == "re"
                    and node.func.attr in CALLS
                ):
                    given = node.args[0]
                    value = given.value if isinstance(given, ast.Constant) else None
                    value = value.decode("latin-1") if isinstance(value, bytes) else value
                    written = value if isinstance(value, str) else None
                    for line in range(node.lineno, (node.end_lineno or node.lineno) + 1):
                        found[f"{path.relative_to(ROOT)}:{line}"] = (written, node.func.attr)
    return found


def uses() -> dict[str, set[str]]:
    """``file:line`` of each pattern that has a name: the methods that are called on the name anywhere in the package.

    Left out when the name is also used in another way (passed on, put into a list).
    """
    trees = {path: ast.parse(path.read_text("utf-8")) for package in PACKAGES for path in package.rglob("*.py")}
    methods: dict[tuple[str, str], set[str]] = {}
    loose = set()
    for path, tree in trees.items():
        called = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CALLS:
                called.add(id(node.func.value))
                if isinstance(node.func.value, ast.Name):
                    methods.setdefault(_known(path, node.func.value.id), set()).add(node.func.attr)
        loose |= {
            _known(path, node.id)
            for node in ast.walk(tree)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and id(node) not in called
        }
    found = {}
    for path, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                name = _known(path, node.targets[0].id)
                if name in methods and name not in loose:
                    for line in range(node.lineno, (node.end_lineno or node.lineno) + 1):
                        found[f"{path.relative_to(ROOT)}:{line}"] = methods[name]
    return found


def _known(path: Path, name: str) -> tuple[str, str]:
    """A name as the package knows it: those with an underscore belong to their module."""
    return (str(path) if name.startswith("_") else "", name)


def compiled() -> list[Found]:
    """Every pattern that the package compiled while it was imported and used; run in a process of its own."""
    import importlib
    import pkgutil
    import tempfile

    seen: dict[tuple[str, int], Found] = {}
    original = re._compile  # type: ignore[attr-defined]

    def noting(pattern: Any, flags: int) -> Any:
        frame: Any = sys._getframe(1)
        method = frame.f_code.co_name
        while frame and "/re/" in frame.f_code.co_filename:
            frame = frame.f_back
        file = Path(frame.f_code.co_filename)
        if isinstance(pattern, str) and any(package in file.parents for package in PACKAGES):
            found = seen.setdefault((pattern, int(flags)), Found(pattern, int(flags)))
            found.places.add(f"{file.relative_to(ROOT)}:{frame.f_lineno}")
            found.methods.add(method)
        return original(pattern, flags)

    re._compile = noting  # type: ignore[attr-defined]
    import coach_eval

    import coach

    for package in (coach, coach_eval):
        for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
            if not module.name.endswith("__main__"):
                importlib.import_module(module.name)
    _exercise(Path(tempfile.mkdtemp(prefix="unheard-regex-")))
    re._compile = original  # type: ignore[attr-defined]
    named, written = uses(), {}
    for found in seen.values():
        for place in found.places:
            if found.methods == {"compile"}:
                found.methods = set(named.get(place, ()))
    for place, (pattern, method) in sites().items():
        if pattern is None:
            continue
        noted = next((found for (known, _), found in seen.items() if known == pattern), None)
        if noted is None:
            written.setdefault(pattern, Found(pattern, 0)).places.add(place)
            written[pattern].methods.add(method)
        else:
            noted.places.add(place)
    return [*seen.values(), *written.values()]


def _exercise(home: Path) -> None:
    from coach import render
    from coach.anonymise import leaks_in, restore
    from coach.rehearsal.brief import guess_need
    from coach.rehearsal.moves import find_moves
    from coach.rehearsal.plan import make_plan
    from coach.rewriting import question, rewrite
    from coach.samples import samples
    from coach.settings import load_settings
    from coach.wiring import Coach

    coach = Coach(load_settings({}, home=home))
    for sample in samples():
        coach.keep(sample.text)
        review = coach.review(sample.text, engine="local")
        render.markdown(review)
        render.html(review, sample.text)
        done = coach.anonymise(sample.text)
        restore(done.text, done.identities)
        leaks_in(done.text, done.identities)
        for line in sample.text.splitlines():
            rewrite(line)
            question(line)
            find_moves(line)
            guess_need(line)
        coach.library.search(sample.text[:60])
    people = coach.library.list()[0].attendees
    plan = make_plan(
        {"purpose": "roof", "stage": "action", "attendees": list(people)[:2], "opening": "We must move.", "fears": []}
    )
    session = coach.rehearse(plan)
    session = coach.say(session, "So what you need is time, is that right?")
    render.debrief_markdown(coach.debrief(session.end())) if hasattr(render, "debrief_markdown") else None
    coach.library.close()


if __name__ == "__main__":
    import json

    rows = [[f.pattern, f.flags, sorted(f.places), sorted(f.methods)] for f in compiled()]
    Path(sys.argv[1]).write_text(json.dumps(rows))
