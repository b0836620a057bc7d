"""The folders in which Chroma 1.5 keeps the vectors of an index: whose they are, and whether they can be read."""

from __future__ import annotations

import contextlib
from pathlib import Path


def segments(generation: Path) -> list[Path]:
    """The folders in which an index keeps its vectors."""
    return [path for path in generation.iterdir() if path.is_dir()]


def take_from_others(segment: Path) -> None:
    """Takes a folder and its files away from everybody else; Chroma makes them by the umask of the process."""
    for path in (segment, *segment.iterdir()):
        with contextlib.suppress(FileNotFoundError):
            mode = path.stat().st_mode
            if mode & 0o077:
                path.chmod(mode & 0o700)


def is_torn(segment: Path) -> bool:
    """Whether a process was killed while it wrote these vector files: reading them may crash the interpreter.

    Chroma 1.5 rewrites them in place every thousand passages, ``index_metadata.pickle`` last.
    """
    names = segment / "index_metadata.pickle"
    if not names.exists():
        return False  # Never written yet: Chroma reads its log instead.
    try:
        files = {name: (segment / f"{name}.bin").stat() for name in ("header", "data_level0", "length", "link_lists")}
    except OSError:
        return True
    passages, rest = divmod(files["length"].st_size, 4)
    return (
        bool(rest)
        or not passages
        or files["header"].st_size == 0
        or files["data_level0"].st_size < passages * 4
        or files["data_level0"].st_size % passages != 0
        or max(file.st_mtime_ns for file in files.values()) > names.stat().st_mtime_ns
    )
