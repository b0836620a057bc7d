"""Chat exports: read in place when pasted, written out as a chat when given as a file."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from coach import notes
from coach.notes.exports import NAME, as_chat, messages

SLACK = [
    {"type": "message", "subtype": "channel_join", "user": "U1", "text": "<@U1> has joined", "ts": "1772440000.0001"},
    {
        "type": "message",
        "user": "U2",
        "text": "We move on Friday",
        "ts": "1772440440.0002",
        "user_profile": {"real_name": "Oda Lind"},
    },
    {
        "type": "message",
        "user": "U1",
        "text": "Friday?\nI doubt it, the café isn't free",
        "ts": "1772440500.5",
        "user_profile": {"real_name": "Per Moe"},
    },
]
GRAPH = {
    "value": [
        {
            "createdDateTime": "2026-03-02T09:15:00Z",
            "from": {"user": {"displayName": "Per Moe"}},
            "body": {"contentType": "html", "content": "<p>Friday?</p><p>I doubt it</p>"},
        },
        {
            "createdDateTime": "2026-03-02T09:14:00Z",
            "from": {"user": {"displayName": "Oda Lind"}},
            "body": {"contentType": "html", "content": "<p>We move on Friday</p>"},
        },
    ]
}
PERSONAL = {
    "conversations": [
        {
            "MessageList": [
                {
                    "displayName": "Oda Lind",
                    "originalarrivaltime": "2026-03-02T09:14:00Z",
                    "content": "We move on Friday",
                }
            ]
        }
    ]
}


@pytest.mark.parametrize("export", [SLACK, GRAPH, PERSONAL], ids=["slack", "teams by graph", "teams, personal"])
@pytest.mark.parametrize("indent", [None, 2])
def test_a_pasted_export_is_read_in_place(export: object, indent: int | None) -> None:
    text = json.dumps(export, indent=indent)
    conversation = notes.parse(text)
    assert conversation.format == NAME
    assert conversation.date == "2026-03-02"
    said = [(u.speaker, conversation.words(u)) for u in conversation.utterances if u.role == "speech"]
    assert ("Oda Lind", "We move on Friday") in said
    if export is not PERSONAL:
        assert ("Per Moe", "Friday?") in said
        assert any(speaker == "Per Moe" and words.startswith("I doubt it") for speaker, words in said)
    assert not any("joined" in words for _, words in said)


@pytest.mark.parametrize("export", [SLACK, GRAPH], ids=["slack", "teams"])
def test_an_export_in_a_file_becomes_a_chat(export: object, tmp_path: Path) -> None:
    file = tmp_path / "general.json"
    file.write_text(json.dumps(export), encoding="utf-8")
    text = notes.read_file(file)
    assert "] Oda Lind: We move on Friday\n" in text
    assert text.index("Oda Lind") < text.index("Per Moe")
    conversation = notes.parse(text)
    assert conversation.format == "chat"
    assert set(conversation.speakers) == {"Oda Lind", "Per Moe"}


def test_of_the_json_in_a_folder_only_exports_are_notes(tmp_path: Path) -> None:
    export, users, gone = tmp_path / "2026-03-02.json", tmp_path / "users.json", tmp_path / "gone.json"
    export.write_text(json.dumps(SLACK), encoding="utf-8")
    users.write_text(json.dumps([{"id": "U1", "name": "oda", "real_name": "Oda Lind"}]), encoding="utf-8")
    assert [notes.is_note(path) for path in (export, users, gone, tmp_path / "a.md", tmp_path / "a.png")] == [
        True,
        False,
        False,
        True,
        False,
    ]


def test_a_folder_of_exports_goes_into_the_library(tmp_path: Path) -> None:
    channel = tmp_path / "general"
    channel.mkdir()
    (channel / "2026-03-02.json").write_text(json.dumps(SLACK), encoding="utf-8")
    (channel / "users.json").write_text("[]", encoding="utf-8")
    command = [sys.executable, "-m", "coach", "library", "add", str(channel), "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    (entry,) = json.loads(done.stdout)
    assert entry["date"] == "2026-03-02"
    (channel / "2026-03-02.json").unlink()
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert "or chat exports" in done.stderr


@pytest.mark.parametrize("text", ['{"a": 1}', "[]", '{"text": "hi", "ts": ', '[{"ts": "1", "text": 3, "user": "U1"}]'])
def test_other_json_is_no_export(text: str) -> None:
    assert messages(text) == ()
    assert as_chat(text) is None
    notes.parse(text)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.text(min_size=1, max_size=40), min_size=1, max_size=5), st.booleans())
def test_messages_stand_where_they_say(texts: list[str], ascii_only: bool) -> None:
    export = [{"type": "message", "user": "U1", "text": text, "ts": str(n)} for n, text in enumerate(texts)]
    raw = json.dumps(export, ensure_ascii=ascii_only)
    found = messages(raw)
    assert [json.loads(f'"{raw[m.start : m.end]}"') for m in found] == texts
