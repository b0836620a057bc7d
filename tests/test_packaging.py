"""What a stranger installs: the built wheel, in a fresh virtual environment, outside the checkout."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def run(*command: str, cwd: Path) -> str:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT), cwd=out)
    return next(out.glob("*.whl"))


@pytest.mark.wheel
def test_the_wheel_holds_the_coach_its_prompts_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    tops = {n.split("/")[0] for n in names}
    assert {t for t in tops if not t.endswith(".dist-info")} == {"coach", "coach_eval"}
    assert "coach/_prompts/active.yaml" in names
    assert wheel.stat().st_size < 40e6


@pytest.mark.wheel
def test_the_installed_wheel_reviews_notes_outside_the_checkout(wheel: Path, tmp_path: Path) -> None:
    home = tmp_path / "venv"
    venv.create(home, with_pip=True)
    python = str(home / "bin" / "python")
    pins = str(ROOT / "constraints.txt")
    run(python, "-m", "pip", "install", "-q", "--disable-pip-version-check", "-c", pins, str(wheel), cwd=tmp_path)
    notes = run(str(home / "bin" / "coach"), "samples", "planning-tool.txt", cwd=tmp_path)
    (tmp_path / "notes.txt").write_text(notes, encoding="utf-8")
    answer = json.loads(run(str(home / "bin" / "coach"), "review", "notes.txt", "--json", cwd=tmp_path))
    assert answer["findings"]
    assert str(ROOT) not in run(python, "-c", "import coach; print(coach.__file__)", cwd=tmp_path)


def test_pins_hold_no_registry_addresses() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert all(re.fullmatch(r"(#.*|[A-Za-z0-9_.-]+==[A-Za-z0-9.+!]+)?", line) for line in lines)
