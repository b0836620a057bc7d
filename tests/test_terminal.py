"""A terminal shows what notes say and does not obey it, and reports are for their owner alone."""

from __future__ import annotations

import io
import stat
from pathlib import Path

import pytest

from coach import render
from coach.cli.review import write
from coach.cli.terminal import Inert, inert
from coach.schema import Finding, Meeting, Review

CLEAR = "\x1b[2J\x1b]0;owned\x07"
TITLE = "\x9d0;owned\x9c"


@pytest.mark.parametrize("words", [CLEAR, TITLE, "a\x08b", "a\x00b", "Ana\rBen"])
def test_control_characters_are_left_out(words: str) -> None:
    out = io.StringIO()
    Inert(out).write(f"said {words}\n\tnext")
    assert not any((ord(c) < 32 and c not in "\n\t") or 127 <= ord(c) < 160 for c in out.getvalue())
    assert out.getvalue().endswith("\n\tnext")


def test_text_without_them_stays_as_it_is() -> None:
    assert inert("Ana: é 😀 שלום\n\t…") == "Ana: é 😀 שלום\n\t…"


def test_a_report_in_the_terminal_holds_no_escape_of_the_notes() -> None:
    from rich.console import Console

    found = Finding(
        kind="unheard_objection", quote=CLEAR, start=0, end=len(CLEAR), speaker=CLEAR, why=CLEAR, ask=CLEAR,
        rewrite=CLEAR, confidence=0.9, source="x",
    )  # fmt: skip
    meeting = Meeting(format="speaker-labels", utterances=1, speakers=(CLEAR,))
    review = Review(engine="local", seconds=0.1, meeting=meeting, findings=(found,), notices=(CLEAR,))
    out = io.StringIO()
    Console(file=out, width=200, highlight=False).print(render.terminal(review))
    assert "\x1b" not in out.getvalue() and "\x07" not in out.getvalue()
    assert "owned" in out.getvalue()


def test_a_new_report_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    write(tmp_path / "report.md", "Ana said")
    assert stat.S_IMODE((tmp_path / "report.md").stat().st_mode) == 0o600
