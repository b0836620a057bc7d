"""A folder of notes, watched: each new note gets a review beside it, and no note is ever touched."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

from coach.errors import CoachError, InputError
from coach.notes import SUFFIXES, is_note, read_file

REVIEW = ".review.md"


@dataclass(frozen=True)
class Written:
    """A note that was reviewed: ``review`` is the file beside it, or ``problem`` says in one line why there is none."""

    note: Path
    review: Path | None = None
    problem: str | None = None


def review_of(note: Path) -> Path:
    """The file in which the review of a note is written: ``plan.md`` has ``plan.md.review.md``."""
    return note.with_name(note.name + REVIEW)


@dataclass
class Folder:
    """The notes below a folder. ``report(text)`` is the review of a text as Markdown.

    A note counts as new when it appeared or changed after the first look, unless ``existing`` asks for all that have no
    review yet. It is reviewed once it has been left alone for ``settle`` seconds. A review is written again when its
    note changes, but never over one that somebody else wrote or edited. Hidden folders and
    links are left out: a shared folder tells of no file elsewhere.
    """

    path: Path
    report: Callable[[str], str]
    match: str = "*"
    existing: bool = False
    settle: float = 10.0
    _seen: dict[Path, int] = field(default_factory=dict)
    _written: dict[Path, int] = field(default_factory=dict)
    _looked: bool = False

    def look(self, now: float) -> Iterator[Written]:
        """Reviews what is new since the last look; ``now`` is the time in seconds since 1970."""
        if not self.path.is_dir():
            raise InputError(f"{self.path} is not a folder: name the folder of your notes.")
        for note in self._notes():
            changed = _changed(note)
            if changed is None:
                continue
            if not self._looked and not (self.existing and not review_of(note).exists()):
                self._seen[note] = changed
            elif self._seen.get(note) != changed and not 0 <= now - changed / 1e9 < self.settle:
                self._seen[note] = changed
                if is_note(note):
                    yield self._reviewed(note)
        self._looked = True

    def follow(self, every: float = 2.0) -> Iterator[Written]:
        """Looks again and again, until interrupted."""
        while True:
            yield from self.look(time.time())
            time.sleep(every)

    def _notes(self) -> list[Path]:
        found = []
        for folder, below, names in os.walk(self.path):
            below[:] = sorted(name for name in below if not name.startswith("."))
            found += [
                Path(folder, name)
                for name in sorted(names)
                if name.lower().endswith((*SUFFIXES, ".json"))
                and not name.endswith(REVIEW)
                and not name.startswith(".")
                and fnmatch(name.lower(), self.match.lower())
                and not Path(folder, name).is_symlink()
            ]
        return found

    def _reviewed(self, note: Path) -> Written:
        target = review_of(note)
        if target.exists() and self._written.get(target) != _changed(target):
            return Written(note, problem=f"{target.name} is not as this watch wrote it, so it stays: delete or move it")
        waiting = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            report = self.report(read_file(note))
            # Never through a link that somebody who shares the folder put there.
            made = os.open(waiting, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(made, "w", encoding="utf-8") as file:
                file.write(report)
            waiting.replace(target)
        except CoachError as error:
            return Written(note, problem=str(error))
        except OSError as error:
            return Written(note, problem=f"its review can't be written ({error.strerror})")
        finally:
            waiting.unlink(missing_ok=True)
        self._written[target] = _changed(target) or 0
        return Written(note, target)


def _changed(path: Path) -> int | None:
    """When a file was changed last, in nanoseconds; None when it is gone."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return None
