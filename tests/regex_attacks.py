"""Text made to slow a regular expression down, and whether it does.

``python tests/regex_attacks.py PATTERNS.json --seconds 1`` sweeps over what ``tests/regexes.py`` found, within so many
seconds of CPU for each pattern, and prints a line of JSON for each that is slow, then one for all.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import signal
import time
import warnings
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from re import _constants as c  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

from regexes import Found

ALPHABET = (" ", "a", "A", "0", "-", ".", "_", "\n", ":", "(", "<", "*")
MOST_PREFIXES = 12
KILLERS = ("", "\x00")

LONG = 3_000
"""Characters at which a linear pattern takes well below ``QUICK`` and a quadratic one well above."""
QUICK = 0.004


def load(path: Path) -> list[Found]:
    """What ``tests/regexes.py`` wrote."""
    return [Found(p, flags, set(places), set(methods)) for p, flags, places, methods in json.loads(path.read_text())]


def sweep(patterns: list[Found], budget: float) -> Iterator[dict[str, Any]]:
    """What is slow, one by one; last how many were looked at, and how many of their attacks there was no time for."""
    looked, cut, shares = 0, 0, 0.0
    for found in patterns:
        why, share = slow_attack(found, budget)
        looked += 1
        cut += share < 1
        shares += share
        if why:
            yield {"places": sorted(found.places), "pattern": found.pattern[:300], "slow": why}
    yield {"patterns": looked, "cut_short": cut, "attacks_tried": round(shares / max(looked, 1), 4)}


class _TooSlowError(Exception):
    pass


def seconds(pattern: re.Pattern[str], found: Found, words: str) -> float:
    """CPU time of going through the text with it; a full second stands for anything longer."""

    def stop(*_: object) -> None:
        raise _TooSlowError

    before = signal.signal(signal.SIGVTALRM, stop)
    began = time.thread_time()
    signal.setitimer(signal.ITIMER_VIRTUAL, 1.0)
    try:
        if found.methods and found.methods <= {"match", "fullmatch"}:
            pattern.match(words)
            pattern.fullmatch(words)
        else:
            for _ in pattern.finditer(words):
                pass
    except _TooSlowError:
        return 1.0
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
    return time.thread_time() - began


def slow_attack(found: Found, budget: float = 1e9) -> tuple[str | None, float]:
    """The attack under which the pattern's time grows faster than the text, or ``None``; and the share of all attacks
    that were tried within ``budget`` seconds of CPU, in an order that mixes them.

    Most attacks end at the first look, being thousands of times faster than a square would be. A suspect has to triple
    its time three times over as its text doubles, each the best of three, before it is believed.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pattern = re.compile(found.pattern, found.flags)
        given = list(attacks(found)) if loops(found) else []
    if budget < 1e9:
        random.Random(0).shuffle(given)
    ends = time.thread_time() + budget
    for number, attack in enumerate(given):
        if time.thread_time() > ends:
            return None, number / len(given)
        # Short ones first: a pattern that is exponential would not come back from a long one.
        for length in (24, 36, 200, LONG):
            took = seconds(pattern, found, text(attack, length))
            if took >= 1.0:
                return f"{attack!r}: more than a second of CPU for {length} characters", 1.0
            if took >= QUICK:
                break
        else:
            continue
        times = [
            min(seconds(pattern, found, text(attack, length)) for _ in range(3))
            for length in (24, LONG // 4, LONG // 2, LONG, 2 * LONG)
        ]
        growing = all(later >= min(3 * sooner, 1.0) for sooner, later in pairwise(times[1:]))
        if times[0] > 0.1 or times[1] >= 1.0 or growing:
            return f"{attack!r}: {', '.join(f'{t:.4f}' for t in times)} s of CPU", 1.0
    return None, 1.0


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


def main() -> None:
    """Sweep."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("patterns", type=Path)
    options.add_argument("--seconds", type=float, default=1.0)
    options.add_argument("--every", type=int, default=1)
    given = options.parse_args()
    for said in sweep(load(given.patterns)[:: given.every], given.seconds):
        print(json.dumps(said), flush=True)


if __name__ == "__main__":
    main()
