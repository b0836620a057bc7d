"""What has to be so after a kill, whatever the work: nothing acknowledged is lost, nothing is half there."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from works import settings


@dataclass
class Told:
    """What a process said before it was killed: acknowledged steps, and the one it was in the middle of."""

    done: list[list[Any]] = field(default_factory=list)
    doubt: list[Any] | None = None


@dataclass
class State:
    """What has to be there: ``acked`` by id, and ``either`` of which a kill left open whether it happened."""

    acked: dict[str, Any] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)


def consistent(library: Any) -> dict[str, Any]:
    """The entries, after the indexes and the database were found to agree and every meeting to be whole."""
    entries = {entry.id: entry for entry in (*library.list(), *library.list(deleted=True))}
    assert library.problems() == [], library.problems()
    for entry in entries.values():
        assert len(library.show(entry.id)) == entry.lines, f"{entry.title} is half there"
    for entry in library.list()[:3]:
        (passage,) = library.search("", meeting=entry.id, k=1)
        (like,) = library.similar(passage.text, 1)
        assert like.scores["cosine"] > 0.99, f"vectors and texts agree: {passage} is most like {like}"
        about, word = entry.title.split()[:2]
        if about == "about":
            assert library.search(word, k=1)[0].meeting == entry.id, "term counts and texts agree"
    folders = [path for path in (library._settings.home / "library").iterdir() if path.is_dir()]
    assert len(folders) == 1, "one generation, and nothing left of others"
    return entries


def holds(home: Path, word: str) -> list[str]:
    needles = [word.encode(code) for code in ("utf-8", "utf-16-le")]
    files = [path for path in home.rglob("*") if path.is_file()]
    return [path.name for path in files if any(needle in path.read_bytes() for needle in needles)]


def check_add(home: Path, state: State, told: Told) -> None:
    from coach.library import Library

    state.acked |= {key: passages for _, key, passages in told.done}
    with Library(settings(home)) as library:
        there = {key: entry.passages for key, entry in consistent(library).items()}
    lost = state.acked.items() - there.items()
    assert not lost, f"lost: {lost}"
    assert len(there) - len(state.acked) <= 1, "at most the one in doubt is there without a word"
    state.acked = there


def check_delete(home: Path, state: State, told: Told) -> None:
    from coach.library import GRACE, Library

    live, deleted = state.acked.setdefault("live", {}), state.acked.setdefault("deleted", {})
    for what, word, key in told.done:
        live.pop(word, None)
        deleted.pop(word, None)
        if what in ("add", "undo"):
            live[word] = key
        elif what == "delete":
            deleted[word] = time.time()
        else:
            state.gone.append(word)
    doubt = told.doubt[1] if told.doubt else ""
    with Library(settings(home)) as library:
        consistent(library)
        now = {entry.title.split()[-1]: entry.id for entry in library.list()}
        waiting = {entry.title.split()[-1]: entry.deleted for entry in library.list(deleted=True)}
    # In a long run some of the deleted ones are erased because their time is over.
    over = {word for word, when in deleted.items() if word not in waiting and time.time() - when > GRACE}
    deleted = {word: when for word, when in deleted.items() if word not in over}
    state.gone += over
    for expected, found in ((live, now), (deleted, waiting)):
        wrong = {word for word in expected.keys() ^ found.keys() if word != doubt}
        assert not wrong, f"{wrong} in {told}"
    left = [word for word in state.gone if holds(home, word)]
    assert not left, f"erased, but still in a file: {left}"
    if told.doubt and told.doubt[0] == "purge" and doubt not in now and doubt not in waiting:
        assert not holds(home, doubt), "what is gone is gone from the files"
        state.gone.append(doubt)
    state.acked = {"live": now, "deleted": waiting}
    state.gone = state.gone[-40:]


def check_reindex(home: Path, state: State, told: Told) -> None:
    from coach.library import Library

    with Library(settings(home)) as library:
        there = {key: entry.passages for key, entry in consistent(library).items()}
    assert there == (state.acked or there), "reindexing changes no meeting"
    state.acked = there


def check_forget(home: Path, state: State, told: Told) -> None:
    from coach.wiring import Coach

    coach = Coach(settings(home))
    for what, word, name in told.done:
        state.acked[word] = name
        if what == "forget":
            state.gone.append(word)
            del state.acked[word]
    consistent(coach.library)
    known = coach.identities.load()
    for word, name in state.acked.items():
        if told.doubt and told.doubt[1] == word:
            # Half way through, the name is still known, or all is done; the same again finishes it.
            coach.forget(name)
            coach.library.close()
            assert not holds(home, word), "the second time finishes it"
        else:
            assert known.find(name) is not None
    if told.doubt and told.doubt[1]:
        state.acked.pop(told.doubt[1], None)
    consistent(coach.library)
    coach.library.close()
    left = [word for word in state.gone if holds(home, word)]
    assert not left, f"forgotten, but still in a file: {left}"
    state.gone = state.gone[-40:]


def check_ledger(home: Path, state: State, told: Told) -> None:
    import sqlite3

    from coach.ledger import Ledger

    marks = state.acked.setdefault("marks", [])
    records = state.acked.setdefault("records", [])
    for what, word, _ in told.done:
        (records if what == "record" else marks).append(word)
    with Ledger(settings(home)) as book:
        concerns = book.all()
    quotes = " ".join(step.quote or "" for concern in concerns for step in concern.steps)
    notes = " ".join(step.note or "" for concern in concerns for step in concern.steps)
    assert [word for word in records if f"the {word} worries" not in quotes] == []
    assert [word for word in marks if f"heard {word}" not in notes] == []
    with sqlite3.connect(home / "library.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
        bare = "SELECT count(*) FROM concern WHERE id NOT IN (SELECT concern FROM sighting)"
        assert database.execute(bare).fetchone() == (0,), "no concern without what was said"


def check_recording(home: Path, state: State, told: Told) -> None:
    from coach_eval.recordings import Store

    state.gone += [key for (key,) in told.done]
    read = {recording.key: recording.text for recording in Store(home / "recordings").check()}
    assert set(state.gone) <= set(read), "no acknowledged recording is lost"
    assert all(len(text) >= 18_000 for text in read.values()), "none is half there"
    assert len(read) - len(set(state.gone)) <= 1
    state.gone = sorted(read)[-1:]
    for path in (home / "recordings").iterdir():
        shutil.rmtree(path)  # Thousands a second: keep the next look quick.
    state.gone = []


def check_rotation(home: Path, state: State, told: Told) -> None:
    from coach.identities import IdentityLedger
    from coach.rehearsal.practices import Practices

    names, practices = state.acked.setdefault("name", []), state.acked.setdefault("practice", [])
    for what, value in told.done:
        if what != "rotate":
            state.acked[what].append(value)
    known = {form.text for entity in IdentityLedger(settings(home)).load().entities for form in entity.forms}
    assert set(names) <= known, "no acknowledged name is lost"
    opened = Practices(settings(home)).opened()
    assert set(practices) <= set(opened), "no acknowledged practice is lost"
    assert None not in opened.values(), "every practice opens with the key in force"
    assert not list((home / "practices").glob("*.resealed"))


CHECKS: dict[str, Callable[[Path, State, Told], None]] = {
    "add": check_add,
    "delete": check_delete,
    "reindex": check_reindex,
    "forget": check_forget,
    "ledger": check_ledger,
    "recording": check_recording,
    "rotation": check_rotation,
}
