"""What other packages add: the examples, built, installed and run; and plug-ins that do not work."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest

import coach.detectors
from coach import notes
from coach.engine import Watch
from coach.errors import InputError
from coach.local_engine import LocalEngine
from coach.registry import Registry

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = tuple(sorted(path.parent for path in (ROOT / "examples").glob("*/pyproject.toml")))

TRY_THEM = """
import json, sys
from pathlib import Path
from coach import Coach, notes
from coach.llm.base import Request
from coach.engine import Watch
from coach.settings import load_settings
from coach_eval.schema import Suite
from coach_eval.tasks import TASKS
from coach_eval.tasks.review import ReviewCase

LOG = '09:05 | Ada | The pump is late.\\n09:06 | Bo | Agreed to order another one.\\n09:09 | Ada | Thanks.\\n'
coach = Coach()
review = coach.review(LOG, engine='local')
entry = coach.keep(LOG)
answer = coach.model.complete(Request((('user', 'Hello'),)), Watch())
suite = Suite(suite='s', cases='c', scorers=('restraint',))
case = ReviewCase(id='c1', cluster='c', notes=LOG, expect_none=True)
score = TASKS['review'].score(case, suite, TASKS['review'].seen())
print(json.dumps({
    'format': review.meeting.format,
    'ownerless': [f.quote for f in review.findings if f.kind == 'ownerless_decision'],
    'notices': review.notices,
    'found': [p.speakers for p in coach.library.search('pump')],
    'answer': answer.text,
    'metrics': score.metrics,
    'digest': len(TASKS['review'].scorer_digest(suite)),
    'doctor': coach.doctor(),
}))
"""


def test_every_example_package_builds_installs_and_runs(tmp_path: Path) -> None:
    assert len(PACKAGES) == 5
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--no-index"]
    where = ["--disable-pip-version-check", "--target", str(tmp_path / "plugins")]
    done = subprocess.run([*pip, *where, *map(str, PACKAGES)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    environment = {
        **os.environ,
        "PYTHONPATH": str(tmp_path / "plugins"),
        "COACH_PROVIDER": "command",
        "COACH_MODEL": f"{sys.executable} -c \"print('Hi')\"",
        "COACH_EMBEDDER": "trigrams",
    }
    run = [sys.executable, "-c", TRY_THEM]
    done = subprocess.run(run, capture_output=True, text=True, timeout=300, env=environment, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)
    assert shown["format"] == "logbook"
    assert shown["ownerless"] == ["Agreed to order another one."]
    assert not [notice for notice in shown["notices"] if "plug-in" in notice]
    assert shown["found"]
    assert shown["answer"] == "Hi\n"
    assert shown["metrics"] == {"restraint": 1.0}
    assert shown["digest"] == 64
    assert shown["doctor"]["plugin_problems"] == ["none"]
    assert shown["doctor"]["plugins"] == [
        "ownerless_decision (coach.detectors)",
        "logbook (coach.note_formats)",
        "trigrams (coach.embedders)",
        "command (coach.chat_models)",
        "restraint (coach_eval.scorers)",
    ]


@pytest.mark.parametrize("script", ["asynchronous.py", "langchain_chain.py"])
def test_every_example_script_runs(script: str) -> None:
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / script)], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


class Careless:
    """A plug-in that is everything at once, and fails at all of it."""

    kind = name = "careless"
    source = "local:careless@1"

    def detect(self, *_: Any) -> Any:
        return ["not a finding"]

    def sniff(self, text: str) -> Any:
        return 9.0

    def read(self, text: str) -> Any:
        raise KeyError(text)


class Silent(Careless):
    """A format that cannot even tell whether it fits."""

    def sniff(self, text: str) -> Any:
        raise OSError


careless, silent = Careless(), Silent()


@pytest.fixture
def careless_plugins(monkeypatch: pytest.MonkeyPatch) -> None:
    """Registries as if a package with bad plug-ins were installed."""
    groups = {"coach.detectors": ("careless", "lacking"), "coach.note_formats": ("careless", "silent", "lacking")}
    points = {
        group: [EntryPoint(n, f"{__name__}:{n}" if n != "lacking" else "json:dumps", group) for n in names]
        for group, names in groups.items()
    }
    registries: tuple[Registry[Any], ...] = (coach.detectors.DETECTORS, notes.FORMATS)
    ours = [registry.items() for registry in registries]
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: points.get(group, []))
    for registry, items in zip(registries, ours, strict=True):
        fresh: Registry[Any] = Registry(registry.group, registry.needs)
        for name, thing in items:
            fresh.register(name)(thing)
        for module in (coach.detectors, coach.notes):
            for attribute in ("DETECTORS", "FORMATS"):
                if getattr(module, attribute, None) is registry:
                    monkeypatch.setattr(module, attribute, fresh)


TEXT = "Ada: The pump is late.\nBo: Then we wait.\nAda: Thanks, Bo.\n"


def test_a_bad_note_format_never_keeps_notes_from_being_read(careless_plugins: None) -> None:
    assert notes.parse(TEXT).format == "speaker-labels"
    with pytest.raises(InputError, match="'careless' of a plug-in failed"):
        notes.parse(TEXT, "careless")


def test_a_bad_finding_kind_is_left_out_of_a_review_and_named(careless_plugins: None) -> None:
    analysis = LocalEngine().analyse(notes.parse(TEXT), (), Watch())
    assert any("careless" in notice for notice in analysis.notices)


def test_doctor_says_what_a_plugin_lacks(careless_plugins: None) -> None:
    from coach.wiring import Coach

    problems = Coach().doctor()["plugin_problems"]
    assert "lacking: json:dumps has no kind, source, detect" in problems
    assert "lacking: json:dumps has no name, sniff, read" in problems
