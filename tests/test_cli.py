"""The command line as a user meets it: in a process of its own, with its exit codes and its one-line errors."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from coach.samples import samples


def coach(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-m", "coach", *arguments], input=stdin, capture_output=True, timeout=120)


def review(text: str) -> dict[str, object]:
    done = coach("review", "-", "--json", stdin=text.encode())
    assert done.returncode == 0, done.stderr.decode()
    answer: dict[str, object] = json.loads(done.stdout)
    return answer


@pytest.mark.parametrize("sample", samples(), ids=lambda s: s.name)
def test_every_sample_is_reviewed_with_exact_quotes(sample: object) -> None:
    answer = review(sample.text)  # type: ignore[attr-defined]
    assert answer["schema"] == "coach.review/1"
    for found in answer["findings"]:  # type: ignore[attr-defined]
        assert sample.text[found["start"] : found["end"]] == found["quote"]  # type: ignore[attr-defined]
        assert found["why"]
        assert found["ask"]


def test_the_room_that_went_quiet_is_heard() -> None:
    found = review(samples()[0].text)["findings"]
    assert any(f["kind"] == "unheard_objection" and f["subtype"] == "silence" for f in found)  # type: ignore[attr-defined]


def test_the_healthy_meeting_has_nothing_to_raise() -> None:
    found = review(samples()[-1].text)["findings"]
    assert [f for f in found if f["tier"] == "finding"] == []  # type: ignore[attr-defined]


def test_reports_are_written_where_asked(tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text(samples()[0].text, encoding="utf-8")
    done = coach("review", str(notes), "--markdown", str(tmp_path / "r.md"), "--html", str(tmp_path / "r.html"))
    assert done.returncode == 0, done.stderr.decode()
    assert (tmp_path / "r.md").read_text(encoding="utf-8").startswith("# ")
    assert "<!doctype html>" in (tmp_path / "r.html").read_text(encoding="utf-8")


def test_top_and_kind_narrow_the_review(tmp_path: Path) -> None:
    text = samples()[0].text.encode()
    done = coach("review", "-", "--json", "--top", "1", "--kind", "unheard_objection", stdin=text)
    assert [f["kind"] for f in json.loads(done.stdout)["findings"]] == ["unheard_objection"]


def bad_inputs(folder: Path) -> dict[str, list[str]]:
    def file(name: str, data: bytes) -> str:
        (folder / name).write_bytes(data)
        return str(folder / name)

    return {
        "empty": [file("empty.txt", b"")],
        "whitespace": [file("blank.txt", b" \n\t\n  ")],
        "binary": [file("image.txt", bytes(range(256)) * 40)],
        "50 MB": [file("large.txt", b"Ana: yes and no.\n" * 3_100_000)],
        "a directory": [str(folder)],
        "a missing file": [str(folder / "nowhere.txt")],
        "an unknown kind": [file("ok.txt", b"Ana: hello there.\n"), "--kind", "gossip"],
        "an unknown format": [file("ok2.txt", b"Ana: hello there.\n"), "--format", "papyrus"],
        "a model without an endpoint": [file("ok3.txt", b"Ana: hello there.\n"), "--engine", "llm"],
        "an unwritable report": [file("ok4.txt", b"Ana: hello there.\n"), "--html", str(folder / "no" / "r.html")],
    }


CASES = (
    "empty",
    "whitespace",
    "binary",
    "50 MB",
    "a directory",
    "a missing file",
    "an unknown kind",
    "an unknown format",
    "a model without an endpoint",
    "an unwritable report",
)


@pytest.mark.parametrize("case", CASES)
def test_bad_input_gets_one_line_and_exit_code_2(case: str, tmp_path: Path) -> None:
    done = coach("review", *bad_inputs(tmp_path)[case])
    error = done.stderr.decode()
    assert done.returncode == 2, error
    assert error.startswith("coach: ")
    assert error.count("\n") == 1
    assert "Traceback" not in error


@pytest.mark.parametrize(
    "text",
    [
        b"Ana: caf\xe9 at the corner, \xfcber alles.\n" * 5,
        b"WEBVTT\n\n00:00 --> broken\nAna: hello\n\n1\n00:00:01.000 --> 00:00:02.000\n<v Ben>Fine.",
        ("x" * 200_000).encode(),
        "דנה: אני לא בטוח שזה יעבוד.\nיוסי: נמשיך.\n".encode(),
        "🙂🙃 👍👍 🎉\n🙂: 👎\n".encode(),
        "Ana: hi\r\nBen: I am not sure.\r\n".encode("utf-16"),
    ],
    ids=["legacy encoding", "broken cues", "one endless line", "right to left", "emoji only", "utf-16"],
)
def test_odd_input_still_gets_a_sensible_result(text: bytes) -> None:
    done = coach("review", "-", "--json", stdin=text)
    assert done.returncode == 0, done.stderr.decode()
    assert json.loads(done.stdout)["schema"] == "coach.review/1"


def test_debug_shows_where_an_error_came_from(tmp_path: Path) -> None:
    assert b"Traceback" in coach("review", str(tmp_path / "nowhere"), "--debug").stderr


def test_samples_can_be_listed_and_printed() -> None:
    assert coach("samples").stdout.decode().splitlines()[0].startswith("planning-tool.txt")
    assert coach("samples", "planning-tool.txt").stdout.decode() == samples()[0].text
    assert coach("samples", "no-such").returncode == 2


def test_doctor_shows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-canary-123")
    monkeypatch.setenv("COACH_MODEL", "some-model")
    done = coach("doctor", "--json")
    assert done.returncode == 0, done.stderr.decode()
    assert b"sk-canary-123" not in done.stdout + done.stderr
    assert json.loads(done.stdout)["engine"] == "llm"


def test_help_loads_nothing_heavy() -> None:
    heavy = {"numpy", "onnxruntime", "gradio", "chromadb", "openai", "sqlalchemy"}
    code = f"import sys; from coach.cli import app; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60)
    assert done.stdout.decode().strip() == "[]"
