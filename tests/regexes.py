"""Every regular expression of the package, where it stands, how it is used, and text made to slow it down.

Patterns are found twice: read from the source (every call of ``re``), and noted while the package is imported, its
lexicons are loaded and its samples go through it, which also tells those that are put together at run time.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from re import _constants as c  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

ROOT = Path(__file__).parents[1]
PACKAGES = (ROOT / "coach", ROOT / "eval" / "coach_eval")
CALLS = ("compile", "search", "match", "fullmatch", "split", "findall", "finditer", "sub", "subn")
ALPHABET = (" ", "a", "A", "0", "-", ".", "_", "\n", ":", "(", "<", "*")
MOST_PREFIXES = 12
KILLERS = ("", "\x00")


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
                    written = given.value if isinstance(given, ast.Constant) and isinstance(given.value, str) else None
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
        if pattern is not None and not any(pattern == known for known, _ in seen):
            written.setdefault(pattern, Found(pattern, 0)).places.add(place)
            written[pattern].methods.add(method)
    return [*seen.values(), *written.values()]


def _exercise(home: Path) -> None:
    from coach import render
    from coach.anonymise import leaks_in, restore
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
        coach.library.search(sample.text[:60])
    people = coach.library.list()[0].attendees
    plan = make_plan(
        {"purpose": "roof", "stage": "action", "attendees": list(people)[:2], "opening": "We must move.", "fears": []}
    )
    session = coach.rehearse(plan)
    session = coach.say(session, "So what you need is time, is that right?")
    render.debrief_markdown(coach.debrief(session.end())) if hasattr(render, "debrief_markdown") else None
    coach.library.close()


def loops(found: Found) -> bool:
    """Whether the pattern can go round more than eight times, or in loops within loops. If not, what it does at each
    place of a text is bounded by its own length, and its time grows with the text."""
    return _loops(parser.parse(found.pattern, found.flags), inside=False)


def _loops(nodes: Any, inside: bool) -> bool:
    for op, value in nodes:
        if op in (c.MAX_REPEAT, c.MIN_REPEAT, c.POSSESSIVE_REPEAT):
            again = value[1] > 1
            if value[1] > 8 or (again and inside) or _loops(value[2], inside or again):
                return True
        elif (
            (op is c.SUBPATTERN and _loops(value[3], inside))
            or (op is c.BRANCH and any(_loops(branch, inside) for branch in value[1]))
            or (op in (c.ASSERT, c.ASSERT_NOT) and _loops(value[1], inside))
            or (op is c.ATOMIC_GROUP and _loops(value, inside))
        ):
            return True
    return False


def attacks(found: Found) -> Iterator[tuple[str, str, str]]:
    """Triples of (before, again, after): text of any length that may make the pattern try and try again."""
    tried = set()
    prefixes = sorted(_prefixes(parser.parse(found.pattern, found.flags)), key=lambda p: (len(p), p)) or [""]
    # Of the many beginnings of a long alternation some stand for all.
    for before in prefixes[:: max(1, len(prefixes) // MOST_PREFIXES)]:
        for again in (*ALPHABET, before):
            for start, middle in ((before, again), ("", before + again)):
                for killer in KILLERS:
                    if middle and (start, middle, killer) not in tried:
                        tried.add((start, middle, killer))
                        yield start, middle, killer


def text(attack: tuple[str, str, str], length: int) -> str:
    """The attack at about so many characters."""
    before, again, after = attack
    return before + again * max(1, length // len(again)) + after


def _prefixes(nodes: Any, before: str = "") -> set[str]:
    """What leads up to each loop of a pattern, and what one turn of it looks like."""
    found = set()
    at = before
    for op, value in nodes:
        if op in (c.MAX_REPEAT, c.MIN_REPEAT, c.POSSESSIVE_REPEAT):
            _, most, body = value
            if most > 8:
                found |= {at, at + _sample(body)}
            found |= _prefixes(body, at)
        elif op is c.SUBPATTERN:
            found |= _prefixes(value[3], at)
        elif op is c.ATOMIC_GROUP:
            found |= _prefixes(value, at)
        elif op is c.BRANCH:
            for branch in value[1][:40]:
                found |= _prefixes(branch, at)
        elif op in (c.ASSERT, c.ASSERT_NOT):
            found |= _prefixes(value[1], at)
        at += _sample([(op, value)])
    return found


def _sample(nodes: Any) -> str:
    """Some text that the nodes match, lookarounds aside."""
    out = []
    for op, value in nodes:
        if op is c.LITERAL:
            out.append(chr(value))
        elif op in (c.NOT_LITERAL, c.ANY):
            out.append("a" if value != ord("a") else "b")
        elif op is c.IN:
            out.append(_member(value))
        elif op in (c.MAX_REPEAT, c.MIN_REPEAT, c.POSSESSIVE_REPEAT):
            least, _, body = value
            out.append(_sample(body) * min(max(least, 0), 4))
        elif op is c.SUBPATTERN:
            out.append(_sample(value[3]))
        elif op is c.ATOMIC_GROUP:
            out.append(_sample(value))
        elif op is c.BRANCH:
            out.append(_sample(value[1][0]))
        elif op is c.ASSERT and value[0] < 0:
            out.append(_sample(value[1]))
    return "".join(out)


def _member(items: Any) -> str:
    whole = re.compile("[" + "".join(_written(item) for item in items) + "]") if items else None
    for one in (
        *"aA0 -.:,(_",
        "\n",
        "é",
        *(chr(v if isinstance(v, int) else v[0]) for o, v in items if o in (c.LITERAL, c.RANGE)),
    ):
        if whole is None or whole.match(one):
            return one
    return "a"


_CATEGORIES = {
    c.CATEGORY_DIGIT: r"\d", c.CATEGORY_NOT_DIGIT: r"\D", c.CATEGORY_SPACE: r"\s", c.CATEGORY_NOT_SPACE: r"\S",
    c.CATEGORY_WORD: r"\w", c.CATEGORY_NOT_WORD: r"\W",
}  # fmt: skip


def _written(item: tuple[Any, Any]) -> str:
    op, value = item
    if op is c.NEGATE:
        return "^"
    if op is c.LITERAL:
        return re.escape(chr(value))
    if op is c.RANGE:
        return f"{re.escape(chr(value[0]))}-{re.escape(chr(value[1]))}"
    return _CATEGORIES[value]


if __name__ == "__main__":
    import json

    rows = [[f.pattern, f.flags, sorted(f.places), sorted(f.methods)] for f in compiled()]
    Path(sys.argv[1]).write_text(json.dumps(rows))
