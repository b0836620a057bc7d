"""Bytes as decisions: the same few bytes always build the same value, so any fuzzer can drive any target."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

T = TypeVar("T")

ODD = (
    "", " ", "\n", "\r", "\t", "\u2028", "\u200b", "\ufeff", "\x1b[31m", "\x07", "\ud800", "\udfff", "😀", "שלום", "é",
    "<img src=x onerror=alert(1)>", "=1+1", "../../etc/passwd", "%00", "${x}", "{{{x}}}", "null", "true", "-0", "1e999",
    "NaN", "0x1f", "2026-13-45", "2026-02-30", "9999-12-31", "&a [*a]", "*a",
    "!!python/object:os.system x", "? :", "- -",
    "[" * 300, "(" * 300, "a" * 300, " " * 300, "> " * 200, "é" * 99, ": " * 99, "A. " * 99, "9" * 400,
)  # fmt: skip
NUMBERS = (0, 1, -1, 2, 7, 255, 10**6, -(10**12), 2**63, 10**30, 0.5, -0.0, 1e308, float("inf"), float("nan"))


class Draw:
    """Takes bytes from the front; when they run out, every further choice is the first one."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def byte(self) -> int:
        """0 to 255."""
        if self._at >= len(self._data):
            return 0
        self._at += 1
        return self._data[self._at - 1]

    def bytes(self, count: int) -> bytes:
        """Up to so many bytes."""
        found = self._data[self._at : self._at + count]
        self._at += len(found)
        return found

    def rest(self) -> bytes:
        """Everything that is left."""
        return self.bytes(len(self._data))

    def choice(self, of: Sequence[T]) -> T:
        """One of these."""
        return of[self.byte() % len(of)]

    def text(self, words: Sequence[str] = ODD) -> str:
        """A few words, odd strings, or raw characters after one another."""
        parts = []
        for _ in range(self.byte() % 6):
            kind = self.byte() % 4
            if kind == 0:
                parts.append(self.bytes(self.byte() % 24).decode("utf-8", "replace"))
            elif kind == 1:
                parts.append(self.choice(ODD))
            else:
                parts.append(self.choice(words))
        return "".join(parts)

    def value(self, keys: Sequence[str], words: Sequence[str] = ODD, depth: int = 4) -> Any:
        """Any JSON value; objects have mostly these keys."""
        kind = self.byte() % 10
        if kind < 3 and depth:
            return {
                (self.choice(keys) if self.byte() % 8 else self.text(words)): self.value(keys, words, depth - 1)
                for _ in range(self.byte() % 8)
            }
        if kind < 5 and depth:
            return [self.value(keys, words, depth - 1) for _ in range(self.byte() % 5)]
        if kind == 5:
            return self.choice((None, True, False))
        if kind == 6:
            return self.choice(NUMBERS)
        return self.text(words)
