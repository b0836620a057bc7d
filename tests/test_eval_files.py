"""Suites, cases and runs on disk: refused with file and line, written whole or not at all."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from coach_eval.files import case_schema, digest, load_cases, load_run, load_suite, load_suites, write_atomically
from coach_eval.schema import Suite
from coach_eval.tasks import TASKS
from coach_eval.tasks.review import ReviewCase

from coach.errors import InputError

SUITE = "suite: notes\ncases: notes\ngates:\n  - metric: recall\n"
CASE = """cluster: depot
notes: |
  Ines: We move the night shift to ten.
  Tom: I will miss the last bus then.
  Ines: Next, the forklift.
cases:
  - id: depot
    required:
      - {kind: unheard_objection, quote: "I will miss the last bus then."}
  - id: depot.answered
    changes:
      - {replace: "Next, the forklift.", with: "Then you start at nine."}
    expect_none: true
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "suites").mkdir()
    (tmp_path / "cases" / "notes").mkdir(parents=True)
    (tmp_path / "suites" / "notes.yaml").write_text(SUITE)
    (tmp_path / "cases" / "notes" / "depot.yaml").write_text(CASE)
    return tmp_path


def cases_of(root: Path) -> tuple[object, ...]:
    suite = load_suite(root / "suites" / "notes.yaml")
    return load_cases(root, suite, TASKS[suite.task])


def test_a_file_holds_the_cases_of_one_note_and_shares_what_is_at_its_top(root: Path) -> None:
    first, second = cases_of(root)
    assert isinstance(first, ReviewCase) and isinstance(second, ReviewCase)
    assert first.cluster == second.cluster == "depot"
    assert "forklift" in first.text and "forklift" not in second.text


@pytest.mark.parametrize(
    ("old", "new", "line", "complaint"),
    [
        ("cluster: depot", "clutser: depot", 1, "unknown key 'clutser': allowed are id, cluster, split"),
        ("quote: ", "qoute: ", 9, "allowed are kind, quote, occurrence"),
        ("kind: unheard_objection", "kind: rant", 9, "'unheard_objection', 'unaddressed_need'"),
        ('I will miss the last bus then."}', 'I will miss it."}', 9, "not in the notes, letter for letter"),
        ("id: depot.answered", "id: depot", 10, "the id 'depot' is taken by"),
        ("    expect_none: true\n", "", 10, "say what must be found under `required`"),
        ('Next, the forklift.", with', 'Then, the forklift.", with', 12, "0 times: a change needs it once"),
        ("cluster: depot", "cluster: depot\ncluster: yard", 2, "the key 'cluster' is there twice"),
        ("  - id: depot\n", "  - id: depot\n   required: [\n", 8, "not YAML"),
        ('with: "Then', 'insert: "Then', 12, "a change is {after, insert}, {replace, with} or {delete}"),
    ],
)
def test_a_malformed_case_is_refused_with_file_and_line(
    root: Path, old: str, new: str, line: int, complaint: str
) -> None:
    path = root / "cases" / "notes" / "depot.yaml"
    assert old in CASE
    path.write_text(CASE.replace(old, new, 1) if old != 'I will miss the last bus then."}' else CASE.replace(old, new))
    with pytest.raises(InputError) as refused:
        cases_of(root)
    assert f"{path}:{line}:" in str(refused.value)
    assert complaint in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "line", "complaint"),
    [
        ("suite: other\ncases: notes\n", 1, "name it 'notes'"),
        ("suite: notes\ncases: notes\nrepeats: 0\n", 3, "greater than or equal to 1"),
        ("suite: notes\ncases: notes\nengine: llm\n", 3, "pins its model"),
        ("suite: notes\ncases: notes\ngates:\n  - {metric: recall, margn: 0.1}\n", 4, "allowed are metric, margin"),
        ("- suite\n", 1, "expected keys and values"),
    ],
)
def test_a_malformed_suite_is_refused_with_file_and_line(root: Path, text: str, line: int, complaint: str) -> None:
    path = root / "suites" / "notes.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as refused:
        load_suite(path)
    assert f"{path}:{line}:" in str(refused.value)
    assert complaint in str(refused.value)


def test_a_relation_with_an_unknown_key_names_what_is_allowed(root: Path) -> None:
    path = root / "cases" / "notes" / "depot.yaml"
    path.write_text(CASE + "    relations:\n      - {relation: swap_names, nmaes: {Tom: Ann}}\n")
    with pytest.raises(InputError, match=r"depot\.yaml:15: .*allowed are relation, names|depot\.yaml:15: .*names"):
        cases_of(root)


def test_a_suite_without_cases_and_a_folder_without_suites_are_refused(root: Path, tmp_path: Path) -> None:
    (root / "cases" / "notes" / "depot.yaml").unlink()
    with pytest.raises(InputError, match="holds no case"):
        cases_of(root)
    with pytest.raises(InputError, match="holds no suite"):
        load_suites(tmp_path / "nowhere")
    with pytest.raises(InputError, match="choose from notes"):
        load_suites(root, ["noten"])


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('{"schema": "coach.eval-run/9"}', ":1: the schema is 'coach.eval-run/9', allowed is 'coach.eval-run/1'"),
        ('{"schema": "coach.eval-run/1",\n "suite": 3', ":2: not JSON"),
        ('{"schema": "coach.eval-run/1",\n "suite": "a",\n "colour": 1}', "colour"),
        ("[]", "the schema is None"),
    ],
)
def test_a_damaged_baseline_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "notes.json"
    path.write_text(text)
    with pytest.raises(InputError) as refused:
        load_run(path)
    assert str(path) in str(refused.value)
    assert complaint in str(refused.value)


def test_the_exported_schema_accepts_our_own_cases_and_refuses_unknown_keys() -> None:
    import jsonschema
    import yaml

    for task, folder in (
        ("review", "meetings"),
        ("rewriting", "rewriting"),
        ("participants", "participants"),
        ("brief", "brief"),
        ("rehearsal", "rehearsal"),
    ):
        schema = case_schema(TASKS[task].case)
        for path in (Path(__file__).parent.parent / "eval" / "cases" / folder).glob("*.yaml"):
            data = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
            jsonschema.validate(data, schema)
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate({"id": "x", "clutser": "y"}, schema)


def test_a_digest_depends_on_content_and_not_on_order() -> None:
    assert digest({"a": 1, "b": "é"}) == digest({"b": "é", "a": 1})
    assert digest(Suite(suite="a", cases="a")) != digest(Suite(suite="a", cases="b"))


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    write_atomically(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_atomically(path, "half \ud800 and half")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


WRITER = """
import itertools, json, sys
from pathlib import Path
from coach_eval.files import write_atomically
for n in itertools.count():
    write_atomically(Path(sys.argv[1]) / f"{n % 7}.json", json.dumps({"n": n, "text": "x" * 20000}))
    print(n, flush=True)
"""


def test_a_killed_writer_leaves_whole_files_only(tmp_path: Path) -> None:
    eval_folder = Path(__file__).parent.parent / "eval"
    environment = {**os.environ, "PYTHONPATH": f"{eval_folder.parent}{os.pathsep}{eval_folder}"}
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    writer = subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, text=True)
    assert writer.stdout is not None
    writer.stdout.readline()
    time.sleep(0.05)
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    files = list(tmp_path.glob("*.json"))
    assert files
    assert all(len(json.loads(path.read_text())["text"]) == 20000 for path in files)
