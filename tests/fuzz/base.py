"""What a door is to a fuzzer: a function of bytes that answers, or refuses in one line, within the limits."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from coach.errors import CoachError

SECONDS = 2.0
"""CPU time of one execution; more is a hang."""

WORDS = (
    "Ana: ", "Ben Ott: ", "**Cy:** ", "- ", "  - ", "> ", "# ", "## Item\n", "1. ", "| a | b |\n", "|---|---|\n",
    "\n", "\n\n", "\r\n", " ", "[00:01:02] ", "19:02 ", "Ana  0:15\n", "WEBVTT\n\n", "00:01.000 --> 00:02.000\n",
    "1\n00:00:01,000 --> 00:00:02,000\n", "<v Ana>", "</v>", "From: Ana\n", "To: Ben\n", "Subject: roof\n",
    "On Monday Ana wrote:\n", "Present: Ana (chair), Ben\n", "Apologies: Cy\n", "Ana asked why. ", "I am not sure. ",
    "We have to decide. ", "Nobody said anything. ", "Next item.\n", "It always fails! ", "e.g. ", "https://a.example ",
    "Decision: no\n", "---\n", "(laughs)\n", '"', "Mr. ", "J. P. ", "a@b.example ", "+44 20 7946 0000 ", "@ana ",
    '[{"ts": "1", "text": "', '"}]', "I need help. ", "Fine, whatever. ", "obviously ", "you must ", "Person A ",
    "Minutes of the board\n", "RESOLVED that ", "-- \n", "________\n", "NOTE x\n", "STYLE\n", "</", "<", "{", "\\u00e9",
)  # fmt: skip


@dataclass(frozen=True)
class Target:
    """A door: ``run`` takes any bytes; ``seeds`` are inputs that get through."""

    name: str
    run: Callable[[bytes], None]
    seeds: Callable[[], list[bytes]]


class FaultError(AssertionError):
    """What a target may not do."""


def execute(target: Target, data: bytes) -> bool:
    """Whether the input was taken (``False``: refused in one line). Raises whatever is a fault."""
    began = time.thread_time()
    try:
        target.run(data)
        taken = True
    except CoachError as refusal:
        if len(str(refusal).strip().splitlines()) != 1:
            raise FaultError(f"a refusal is one line, not {str(refusal)!r}") from refusal
        str(refusal).encode()
        taken = False
    if (took := time.thread_time() - began) > SECONDS:
        raise FaultError(f"took {took:.1f} s of CPU")
    return taken


@contextmanager
def file_of(name: str, data: bytes) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, name)
        path.write_bytes(data)
        yield path


def sample_texts() -> list[str]:
    from coach.samples import samples

    return [sample.text for sample in samples()]
