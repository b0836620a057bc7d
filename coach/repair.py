"""``coach doctor --repair``: what a full disk, a truncated file or a kill left, put right as far as it can be.

Nothing is guessed. What can't be read any more is lost, and what was lost is said; a meeting of which a part is left
keeps that part and gets the tag ``incomplete``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from coach.database import metadata
from coach.errors import KeyMissingError, LibraryError
from coach.retrieval.salvage import is_damaged, rows_left, salvage

if TYPE_CHECKING:
    from coach.settings import Settings

INCOMPLETE = "incomplete"
_LEFTOVER = re.compile(r"\..+\.\d+|.+\.\d+\.tmp|.+\.db\.format-\d+\.part|.+\.db\.salvaged(-wal|-shm)?|model\.new")


def damage(settings: Settings) -> tuple[str, ...]:
    """What is wrong with the files of a home, in sentences; quick, and nothing is changed."""
    home = settings.home
    said = [f"{path.name} is left over from an interrupted write" for path in _leftovers(home)]
    said += [f"{path.relative_to(home)} is damaged" for path in _databases(home) if is_damaged(path)]
    if _broken_choice(home):
        said.append("model.json can't be read")
    return tuple(said)


def repair(settings: Settings) -> tuple[str, ...]:
    """What was done, in sentences; empty when there was nothing to do.

    Raises :class:`LibraryError` when another process has the library, the disk is still full, or the key is gone.
    """
    home = settings.home
    if not home.is_dir():
        return ()
    steps: tuple[Callable[[Settings], Iterator[str]], ...] = (_tidy, _names, _rows, _texts, _agreement, _practices)
    said: list[str] = []
    try:
        for step in steps:
            said += step(settings)
    except OSError as error:
        raise LibraryError(
            f"{error.filename or home}: {error.strerror}. Make room or give yourself access, then repair again."
        ) from None
    return tuple(said)


def _tidy(settings: Settings) -> Iterator[str]:
    for path in _leftovers(settings.home):
        path.unlink()
        yield f"removed {path.name}, left over from an interrupted write"
    if _broken_choice(settings.home):
        (settings.home / "model.json").unlink()
        yield "removed model.json, which can't be read: choose the model again with coach model"


def _names(settings: Settings) -> Iterator[str]:
    """The ledger of identities: its readable rows, in a row again; pseudonyms of lost people are never given out."""
    from coach.identities import IdentityLedger
    from coach.identities.ledger import tables

    path = settings.home / "identities.db"
    lost = is_damaged(path) or (path.exists() and IdentityLedger(settings).is_lost())
    if settings.database_url or not lost:
        return
    rows, about = tables(metadata())
    sealed = rows_left(path, rows.name, ["id", "sealed"])
    ledger = IdentityLedger(settings)
    try:
        # The key first: without it nothing is touched.
        plain = ledger.opened([raw for _, raw in sealed if isinstance(raw, bytes)])
        salvage(path, [rows, about])
        ledger.recover(plain, _pseudonyms(settings))
    finally:
        ledger.close()
    yield (
        f"identities.db was damaged: {len(plain)} of {len(sealed)} rows could be read; pseudonyms of people who were "
        "lost stay as they are in the texts, and nobody else gets them"
    )


def _rows(settings: Settings) -> Iterator[str]:
    from coach.retrieval.tables import tables

    path = settings.home / "library.db"
    if settings.database_url or not is_damaged(path):
        return
    yield f"library.db was damaged: {salvage(path, list(tables(metadata())))} rows could be read"


def _texts(settings: Settings) -> Iterator[str]:
    from coach.retrieval.recovering import recover_generation, recover_library_row

    if settings.database_url or settings.chroma_url or settings.chroma_api_key:
        return
    if not (settings.home / "library").is_dir():
        return
    yield from recover_library_row(settings)
    yield from recover_generation(settings)


def _agreement(settings: Settings) -> Iterator[str]:
    from coach.retrieval.recovering import agree

    if (settings.home / "library").is_dir() or settings.chroma_url or settings.chroma_api_key:
        yield from agree(settings, INCOMPLETE)


def _practices(settings: Settings) -> Iterator[str]:
    from coach.rehearsal.practices import Practices

    practices = Practices(settings)
    try:
        unreadable = [key for key, session in practices.opened().items() if session is None]
    except KeyMissingError:
        return
    for key in unreadable:
        practices.delete(key)
        yield f"removed the practice {key}, which can't be opened any more"


def _databases(home: Path) -> list[Path]:
    return [home / "identities.db", home / "library.db", *sorted((home / "library").glob("g*/chroma.sqlite3"))]


def _leftovers(home: Path) -> list[Path]:
    found = [path for folder in (home, home / "practices") if folder.is_dir() for path in folder.iterdir()]
    return [path for path in found if path.is_file() and _LEFTOVER.fullmatch(path.name)]


def _broken_choice(home: Path) -> bool:
    try:
        json.loads((home / "model.json").read_text("utf-8"))
    except FileNotFoundError:
        return False
    except (OSError, ValueError):
        return True
    return False


def _pseudonyms(settings: Settings) -> set[str]:
    """Every text in the files of the library that looks like a pseudonym."""
    from coach.identities.value import SHAPE

    found: set[str] = set()
    for path in (settings.home / "library").glob("*/chroma.sqlite3"):
        found.update(SHAPE.findall(path.read_bytes().decode("latin-1")))
    return found


__all__ = ["INCOMPLETE", "damage", "repair"]
