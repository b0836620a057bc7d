"""A watched folder: a review appears beside each new note, and nothing else is touched."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from coach.errors import InputError
from coach.watch import Folder, review_of

NOW = 2_000_000_000.0


def note(path: Path, text: str = "Ada: Fine.\n", *, changed: float = NOW) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    os.utime(path, (changed, changed))
    return path


def folder(path: Path, **options: object) -> Folder:
    return Folder(path, lambda text: f"# Review of {text}", **options)  # type: ignore[arg-type]


def look(watched: Folder, now: float) -> list[str]:
    return [done.note.name for done in watched.look(now)]


def test_only_notes_that_come_later_are_reviewed_once_they_are_left_alone(tmp_path: Path) -> None:
    note(tmp_path / "old.md")
    watched = folder(tmp_path)
    assert look(watched, NOW) == []
    new = note(tmp_path / "club" / "new.md", changed=NOW + 5)
    assert look(watched, NOW + 6) == []
    assert look(watched, NOW + 20) == ["new.md"]
    assert look(watched, NOW + 30) == []
    assert review_of(new).read_text(encoding="utf-8") == "# Review of Ada: Fine.\n"
    assert sorted(p.name for p in tmp_path.rglob("*.md")) == ["new.md", "new.md.review.md", "old.md"]
    assert new.read_text(encoding="utf-8") == "Ada: Fine.\n"


def test_a_changed_note_is_reviewed_again_unless_its_review_was_edited(tmp_path: Path) -> None:
    watched = folder(tmp_path)
    assert look(watched, NOW) == []
    new = note(tmp_path / "new.md", changed=NOW)
    assert look(watched, NOW + 20) == ["new.md"]
    note(new, "Ada: Better.\n", changed=NOW + 30)
    (again,) = watched.look(NOW + 50)
    assert again.problem is None
    assert "Better" in review_of(new).read_text(encoding="utf-8")
    review_of(new).write_text("my own words", encoding="utf-8")
    os.utime(review_of(new), (1, 1))
    note(new, "Ada: Best.\n", changed=NOW + 60)
    (kept,) = watched.look(NOW + 80)
    assert "stays" in (kept.problem or "")
    assert review_of(new).read_text(encoding="utf-8") == "my own words"


def test_existing_notes_are_reviewed_when_asked_for_and_others_never(tmp_path: Path) -> None:
    note(tmp_path / "a.md")
    note(tmp_path / "done.md")
    note(tmp_path / "done.md.review.md")
    note(tmp_path / ".obsidian" / "x.md")
    note(tmp_path / "photo.png")
    note(tmp_path / "b.json", "{}")
    note(tmp_path / "shopping.txt")
    assert look(folder(tmp_path, existing=True, match="?.*"), NOW + 20) == ["a.md"]


def test_a_chat_export_is_a_note_and_other_json_is_none(tmp_path: Path) -> None:
    export = '[{"type": "message", "ts": "1772442000.1", "client_msg_id": "a", "user": "Ada", "text": "We close."}]'
    note(tmp_path / "chat.json", export)
    note(tmp_path / "settings.json", '{"theme": "dark"}')
    assert look(folder(tmp_path, existing=True), NOW + 20) == ["chat.json"]


def test_an_unreadable_note_is_told_and_leaves_no_review(tmp_path: Path) -> None:
    watched = folder(tmp_path, existing=True)
    empty = note(tmp_path / "empty.md", "")
    (done,) = watched.look(NOW + 20)
    assert "empty" in (done.problem or "")
    assert not review_of(empty).exists()
    with pytest.raises(InputError, match="not a folder"):
        look(folder(empty), NOW)


def test_the_command_reviews_what_is_there_and_ends(tmp_path: Path) -> None:
    new = note(tmp_path / "plan.md", "Ada: We close at noon.\nBo: I doubt that.\nAda: Next point.\n")
    before = new.read_bytes()
    command = [sys.executable, "-m", "coach", "watch", str(tmp_path), "--once"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == str(review_of(new))
    assert review_of(new).read_text(encoding="utf-8").startswith("# ")
    assert new.read_bytes() == before
