"""A changed copy of the coach, evaluated in a process of its own: what ``mutate`` and ``blame`` try things on."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from coach.errors import UnverifiableError
from coach_eval.evaluation import Evaluation, Results
from coach_eval.files import read_json
from coach_eval.schema import Run

WEIGHTS = (".onnx", ".npz", ".npy", ".safetensors")
"""Large files that no mutation touches: linked, not copied."""


@contextmanager
def copy_of_coach() -> Iterator[Path]:
    """A folder with ``coach/`` and ``prompts/`` as they are now; it is gone at the end."""
    import coach
    from coach.prompts import prompts_root

    with tempfile.TemporaryDirectory(prefix="coach-eval-") as name:
        folder = Path(name)
        ignore = shutil.ignore_patterns("__pycache__")
        shutil.copytree(Path(coach.__file__).parent, folder / "coach", ignore=ignore, copy_function=_copy)
        shutil.copytree(prompts_root(), folder / "prompts", ignore=ignore)
        yield folder


def evaluate_copy(copy: Path, evaluation: Evaluation, suite: str) -> Run:
    """The run of a suite on a copy; raises :class:`UnverifiableError` with the last line of what went wrong."""
    import coach_eval

    results = copy / "results.json"
    results.unlink(missing_ok=True)
    options: Sequence[str] = ["--root", str(evaluation.root), "--json", str(results), "--quiet", "--keep-nothing"]
    if evaluation.mode == "live":
        options = [*options, "--live"]
    for case in evaluation.only:
        options = [*options, "--only", case]
    path = os.pathsep.join([str(copy), str(Path(coach_eval.__file__).parent.parent)])
    done = subprocess.run(
        [sys.executable, "-m", "coach", "eval", "run", suite, *options],
        env={**os.environ, "PYTHONPATH": path},
        cwd=copy,
        capture_output=True,
        text=True,
    )
    if not results.exists():
        last = (done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1]
        raise UnverifiableError(f"{suite}: the changed copy could not be evaluated: {last}")
    return read_json(results, Results).runs[0]


def _copy(source: str, target: str) -> None:
    if source.endswith(WEIGHTS):
        Path(target).symlink_to(Path(source).resolve())
    else:
        shutil.copy2(source, target)
