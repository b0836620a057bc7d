"""Recording and replaying at the coach's chat model."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import pytest
from coach_eval.recordings import MissingRecordingError, RecordingModel, ReplayingModel, Store, key, scan
from coach_eval.schema import Origin
from openai_server import says, serving

from coach.engine import Watch
from coach.errors import InputError, LeakError, ModelUnreachableError
from coach.identities import Identities
from coach.llm.base import Answer, Request
from coach.llm.scripted import ScriptedChatModel

ASK = Request(messages=(("system", "Be kind."), ("user", "Notes between XQ7: Person A waits. XQ7")), nonce="XQ7")


def recording(store: Store, *lines: object, origin: Origin = "api", secrets: tuple[str, ...] = ()) -> RecordingModel:
    model = ScriptedChatModel(lines, name="m-1")  # type: ignore[arg-type]
    return RecordingModel(model, store, "openai", 0, origin, Identities(), secrets)


def replaying(store: Store, repeat: int = 0, name: str = "m-1") -> ReplayingModel:
    return ReplayingModel(store, name, "openai", repeat)


def test_what_was_recorded_is_replayed_word_for_word(tmp_path: Path) -> None:
    store = Store(tmp_path)
    said = Answer("{“é”}\n", finish="length", input_tokens=7, output_tokens=3, model="m-1-2026-01", usd=0.01)
    recording(store, said).complete(ASK, Watch())
    again = replaying(store).complete(ASK, Watch())
    assert (again.text, again.finish, again.input_tokens, again.model) == ("{“é”}\n", "length", 7, "m-1-2026-01")
    assert again.usd == 0.0


def test_the_same_question_with_other_random_delimiters_has_the_same_key() -> None:
    other = Request(messages=tuple((r, t.replace("XQ7", "B52")) for r, t in ASK.messages), nonce="B52")
    assert key(ASK, provider="p", model="m", repeat=0) == key(other, provider="p", model="m", repeat=0)


@pytest.mark.parametrize(
    "change",
    [
        {"messages": (("user", "Other words."),)},
        {"temperature": 0.7},
        {"max_tokens": 10},
        {"schema": {"type": "object"}},
    ],
)
def test_whatever_shapes_an_answer_changes_the_key(change: dict[str, object]) -> None:
    from dataclasses import replace

    keys = {key(request, provider="p", model="m", repeat=0) for request in (ASK, replace(ASK, **change))}  # type: ignore[arg-type]
    assert len(keys) == 2


def test_model_provider_and_repeat_change_the_key() -> None:
    keys = {key(ASK, provider=p, model=m, repeat=r) for p in "ab" for m in "ab" for r in (0, 1)}
    assert len(keys) == 8


def test_a_missing_recording_is_an_error_and_calls_nobody(tmp_path: Path) -> None:
    with pytest.raises(MissingRecordingError, match="run coach eval record"):
        replaying(Store(tmp_path)).complete(ASK, Watch())


def test_what_is_recorded_already_is_not_asked_again(tmp_path: Path) -> None:
    store = Store(tmp_path)
    recording(store, "first").complete(ASK, Watch())
    assert recording(store, ModelUnreachableError("down")).complete(ASK, Watch()).text == "first"


def test_a_failed_call_records_nothing(tmp_path: Path) -> None:
    with pytest.raises(ModelUnreachableError):
        recording(Store(tmp_path), ModelUnreachableError("down")).complete(ASK, Watch())
    assert list(tmp_path.rglob("*")) == []


@pytest.mark.parametrize(
    "text",
    [
        "use sk-proj-abcdefghijklmnop1234",
        "AKIAABCDEFGHIJKLMNOP",
        "Authorization: Bearer abcdefghijklmnopqrstuvwx",
        "-----BEGIN RSA PRIVATE KEY-----",
        "the key is hunter2-hunter2",
    ],
)
def test_a_secret_in_an_answer_is_never_written(tmp_path: Path, text: str) -> None:
    with pytest.raises(LeakError) as refused:
        recording(Store(tmp_path), text, secrets=("hunter2-hunter2",)).complete(ASK, Watch())
    assert list(tmp_path.rglob("*.json")) == []
    assert text not in str(refused.value)


def test_a_known_name_in_an_answer_is_never_written() -> None:
    from coach import notes
    from coach.anonymise import anonymise

    people = anonymise(notes.parse("Ottoline: I don't think so.\nBaptiste: Why?\n"), Identities()).identities
    with pytest.raises(LeakError):
        scan("Ottoline seems to doubt it.", people)
    assert scan("Person A seems to doubt it.", people)


def test_a_recording_is_one_sorted_readable_json_file(tmp_path: Path) -> None:
    recording(Store(tmp_path), "ja", origin="server").complete(ASK, Watch())
    (path,) = tmp_path.rglob("*.json")
    data = json.loads(path.read_text())
    assert list(data) == sorted(data)
    assert path.stem == data["key"] and path.parent.name == data["key"][:2]
    assert {"text", "finish", "served_model", "date", "origin", "input_tokens", "output_tokens"} <= set(data)
    assert "messages" not in data and "Person A waits" not in path.read_text()


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (lambda text: text[:40], "not JSON"),
        (lambda text: text.replace("coach.recording/1", "coach.recording/0"), "the schema is 'coach.recording/0'"),
        (lambda text: text.replace('"origin": "api"', '"origin": "guess"'), "'api', 'server' or 'authored'"),
    ],
)
def test_a_damaged_recording_is_refused_with_its_file(tmp_path: Path, damage: object, complaint: str) -> None:
    store = Store(tmp_path)
    recording(store, "ja").complete(ASK, Watch())
    (path,) = tmp_path.rglob("*.json")
    path.write_text(damage(path.read_text()))  # type: ignore[operator]
    with pytest.raises(InputError) as refused:
        store.check()
    assert str(path) in str(refused.value) and complaint in str(refused.value)


def test_recordings_of_a_model_go_stale_and_authored_ones_do_not(tmp_path: Path) -> None:
    from datetime import timedelta

    for origin, sentences in (("api", 1), ("authored", 0)):
        store = Store(tmp_path / origin)
        recording(store, "ja", origin=origin).complete(ASK, Watch())  # type: ignore[arg-type]
        made = date.fromisoformat(store.check()[0].date[:10])
        assert len(store.stale(made + timedelta(days=31))) == sentences
        assert store.stale(made + timedelta(days=30)) == ()


# --- a whole suite, against a server on this machine -------------------------------------------------------------


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """One note, and a suite of one prompt with two repeats."""
    (tmp_path / "suites").mkdir()
    (tmp_path / "cases" / "notes").mkdir(parents=True)
    (tmp_path / "suites" / "prompts.yaml").write_text(
        "suite: prompts\ncases: notes\nengine: llm\nmodel: m-1\nprompt: unheard_objections\n"
        "findings: [unheard_objection]\nscorers: [spans, grounding]\nrepeats: 2\ngates: [{metric: f1}]\n"
    )
    (tmp_path / "cases" / "notes" / "bus.yaml").write_text(
        "id: bus\ncluster: bus\nexpect_none: true\nnotes: |\n"
        "  Ottoline: The shift starts at ten.\n  Baptiste: Good, I like ten.\n  Ottoline: Then we are done.\n"
    )
    return tmp_path


def coach_eval(server: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    names = {"COACH_MODEL": "m-1", "OPENAI_BASE_URL": server, "OPENAI_API_KEY": "sk-test", **environment}
    command = [sys.executable, "-m", "coach", "eval", *arguments]
    return subprocess.run(command, env={**os.environ, **names}, capture_output=True, text=True)


def test_a_suite_is_recorded_from_a_server_once_and_replayed_without_it(root: Path) -> None:
    options = ("prompts", "--root", str(root))
    with serving(says('{"findings": []}')) as server:
        estimate = coach_eval(server.url, "record", *options, "--estimate")
        assert "2 calls to make" in estimate.stdout and server.bodies == []
        recorded = coach_eval(server.url, "record", *options, "--origin", "server")
        assert recorded.returncode == 0, recorded.stderr + recorded.stdout
        assert len(server.bodies) == 2
        assert not any("Ottoline" in json.dumps(body) for body in server.bodies)
        assert coach_eval(server.url, "record", *options, "--origin", "server").returncode == 0
        assert len(server.bodies) == 2
    replayed = coach_eval("http://127.0.0.1:9/v1", "run", *options, "--json", str(root / "r.json"))
    assert replayed.returncode == 3 and "There is no baseline" in replayed.stdout
    (run,) = json.loads((root / "r.json").read_text())["runs"]
    assert not [trial["error"] for trial in run["trials"] if "error" in trial]
    assert run["origins"] == ["server"] and len(run["trials"]) == 2
    assert coach_eval("http://127.0.0.1:9/v1", "bless", *options).returncode == 0
    assert coach_eval("http://127.0.0.1:9/v1", "run", *options).returncode == 0
    assert "sk-test" not in "".join(path.read_text() for path in root.rglob("*.json"))


def test_no_call_is_made_that_could_pass_the_budget(root: Path) -> None:
    with serving(says('{"findings": []}')) as server:
        stopped = coach_eval(server.url, "record", "prompts", "--root", str(root), "--max-usd", "0.01")
        assert stopped.returncode == 4, stopped.stdout + stopped.stderr
        assert server.bodies == []


def test_an_outage_leaves_with_5_and_another_model_with_2(root: Path) -> None:
    gone = coach_eval("http://127.0.0.1:9/v1", "record", "prompts", "--root", str(root), COACH_DEADLINE="2")
    assert gone.returncode == 5, gone.stdout + gone.stderr
    other = coach_eval("http://127.0.0.1:9/v1", "record", "prompts", "--root", str(root), COACH_MODEL="m-2")
    assert other.returncode == 2 and "'m-1'" in other.stderr
