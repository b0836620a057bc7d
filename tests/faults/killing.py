"""Kills the coach at random moments and looks what is left: ``python tests/faults/killing.py add delete --kills 100``.

A *work* is done by a process that says on a pipe when it begins a step and when the step is acknowledged. The process
gets SIGKILL at a random moment; another process then opens what is left and checks, for that work,

- no acknowledged write is lost,
- nothing is half visible: what was begun is there as a whole or not at all,
- the database, the term counts and the vectors agree.

Processes are forked from one that has imported everything, so that a hundred kills take minutes. A share of the kills
falls into opening, where what an earlier kill left is put right.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import select
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Say = Callable[..., None]
"""``say("begin", ...)`` before a step, ``say("done", ...)`` after it; what is given is JSON."""


@dataclass
class Told:
    """What a process said before it was killed: acknowledged steps, and the one it was in the middle of."""

    done: list[list[Any]] = field(default_factory=list)
    doubt: list[Any] | None = None


def run(work: str, home: Path, turn: int, moment: float, word: bytes) -> Told:
    """Forks a process that works, kills it ``moment`` seconds after it first said ``word``, and gives what it said."""
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(read_end)

        def say(*words: Any) -> None:
            os.write(write_end, (json.dumps(words) + "\n").encode())

        try:
            WORKS[work](home, turn, say)
        except BaseException:  # noqa: BLE001 - told to the parent, which raises
            say("failed", traceback.format_exc())
        os._exit(0)
    os.close(write_end)
    raw = b""
    first = True
    until = time.monotonic() + 120
    while time.monotonic() < until:
        if select.select([read_end], [], [], max(0.0, until - time.monotonic()))[0]:
            piece = os.read(read_end, 65536)
            if not piece:
                break
            raw += piece
            if first and word in raw:
                first, until = False, time.monotonic() + moment
    os.kill(pid, signal.SIGKILL)
    while piece := os.read(read_end, 65536):
        raw += piece
    os.close(read_end)
    os.waitpid(pid, 0)
    told = Told()
    for line in raw.decode().splitlines():
        what, *rest = json.loads(line)
        if what == "failed":
            raise AssertionError(f"the work failed by itself: {rest[0]}")
        if what == "begin":
            told.doubt = rest
        elif what == "done":
            told.done.append(rest)
            told.doubt = None
    return told


def check(work: str, home: Path, state: State, told: Told) -> None:
    """Looks at what is left in a process of its own; raises AssertionError with what is wrong."""
    read_end, write_end = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(read_end)
        problem = ""
        try:
            CHECKS[work](home, state, told)
        except BaseException:  # noqa: BLE001 - told to the parent, which raises
            problem = traceback.format_exc()
        os.write(write_end, json.dumps({"problem": problem, "state": state.__dict__}).encode())
        os._exit(0)
    os.close(write_end)
    raw = b""
    while piece := os.read(read_end, 65536):
        raw += piece
    os.close(read_end)
    _, status = os.waitpid(pid, 0)
    assert raw, f"looking at what was left died with status {status}"
    answer = json.loads(raw)
    assert not answer["problem"], answer["problem"]
    state.__dict__.update(answer["state"])


@dataclass
class State:
    """What has to be there: ``acked`` by id, and ``either`` of which a kill left open whether it happened."""

    acked: dict[str, Any] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)


# The works


def settings(home: Path) -> Any:
    from coach.settings import load_settings

    return load_settings({"COACH_HOME": str(home)})


def notes_of(word: str, lines: int = 24) -> Any:
    """Notes without names, of which every line holds a word that no other notes hold."""
    from coach import notes

    said = [("ana", "ben")[n % 2] + f": the {word} plan has point {n} about valve {n * 7}" for n in range(lines)]
    return notes.parse("\n".join(said))


def add(home: Path, turn: int, say: Say) -> None:
    from coach.library import Library

    say("begin", "")
    with Library(settings(home)) as library:
        library.list()
        for n in range(1000):
            word = f"quokka{turn}x{n}q"
            say("begin", word)
            entry = library.add(notes_of(word), title=f"about {word}")
            say("done", word, entry.id, entry.passages)


def delete(home: Path, turn: int, say: Say) -> None:
    """Adds, then deletes with undo, deletes for the grace period, and erases."""
    from coach.library import Library

    say("begin", "", "")
    with Library(settings(home)) as library:
        for n in range(1000):
            word = f"numbat{turn}x{n}q"
            say("begin", "add", word)
            key = library.add(notes_of(word), title=f"about {word}").id
            say("done", "add", word, key)
            say("begin", "delete", word, key)
            library.delete(key)
            say("done", "delete", word, key)
            if n % 3 == 0:
                say("begin", "undo", word, key)
                library.undo(key)
                say("done", "undo", word, key)
            else:
                say("begin", "purge", word, key)
                library.purge(key)
                say("done", "purge", word, key)


def reindex(home: Path, turn: int, say: Say) -> None:
    from coach.library import Library

    say("begin", "")
    with Library(settings(home)) as library:
        library.list()
        for n in range(1000):
            say("begin", n)
            library.reindex()
            say("done", n)


LETTERS = str.maketrans("0123456789", "ghijklmnop")


def forget(home: Path, turn: int, say: Say) -> None:
    """Adds notes of a person and forgets the person."""
    from coach.wiring import Coach

    coach = Coach(settings(home))
    say("begin", "", "")
    coach.library.list()
    for n in range(1000):
        word = f"wombat{turn}x{n}q"
        name = "Xan" + hashlib.sha256(word.encode()).hexdigest()[:8].translate(
            str.maketrans("0123456789", "ghijklmnop")
        )
        say("begin", "add", word, name)
        said = "\n".join(f"{name}: the {word} is mine, {m}\nben: they like it, {m}" for m in range(6))
        from coach import notes

        coach.library.add(notes.parse(said), title=f"with {name}")
        say("done", "add", word, name)
        say("begin", "forget", word, name)
        coach.forget(name)
        say("done", "forget", word, name)


def ledger(home: Path, turn: int, say: Say) -> None:
    from coach.ledger import Ledger

    book = Ledger(settings(home))
    say("begin", "", "", "")
    meetings = json.loads((home / "meetings.json").read_text())
    book.all()
    for n in range(1000):
        word = f"valve{turn}x{n}q"
        meeting = meetings[n % len(meetings)]
        # Recording a meeting again replaces what it said before, so that has to be said again.
        kept = [step.quote for c in book.all() for step in c.steps if step.meeting == meeting and step.quote]
        quotes = [*dict.fromkeys(kept), f"the {word} worries me"]
        say("begin", "record", word, "")
        found = book.record(_review(quotes), meeting)
        key = next(c.id for c in found if word in c.quote or any(word in (s.quote or "") for s in c.steps))
        say("done", "record", word, key)
        say("begin", "mark", word, key)
        book.mark(key, "acknowledged", note=f"heard {word}")
        say("done", "mark", word, key)


def _review(quotes: list[str]) -> Any:
    from coach.schema import Finding, Meeting, Review

    findings = tuple(
        Finding(
            kind="unheard_objection", subtype="ignored", quote=quote, start=0, end=len(quote), speaker="ana",
            why="", ask="", confidence=0.9, source="test",
        )
        for quote in quotes
    )  # fmt: skip
    return Review(
        engine="local",
        seconds=0,
        meeting=Meeting(format="plain", utterances=1, speakers=("ana",)),
        findings=findings,
    )


def recording(home: Path, turn: int, say: Say) -> None:
    from coach_eval.recordings import Recording, Store

    from coach.identities import Identities

    say("begin", "")
    store = Store(home / "recordings")
    for n in range(100000):
        key = hashlib.sha256(f"{turn} {n}".encode()).hexdigest()
        made = Recording(
            key=key, provider="openai", model="m", served_model="m", label="l", repeat=0,
            text=f"answer {n} " * 2000, finish="stop", input_tokens=1, output_tokens=1, usd=None, date="2026-01-01",
            origin="authored",
        )  # fmt: skip
        say("begin", key)
        store.put(made, Identities())
        say("done", key)


def rotation(home: Path, turn: int, say: Say) -> None:
    from coach.identities import IdentityLedger
    from coach.rehearsal.practices import Practices
    from coach.rehearsal.session import Session

    say("begin", "", "")
    names, practices = IdentityLedger(settings(home)), Practices(settings(home))
    model = Session.model_validate_json((home / "session.json").read_text())
    for n in range(1000):
        name = f"Name{turn}x{n}"
        say("begin", "name", name)
        names.update(lambda known, name=name: known.add(name))
        say("done", "name", name)
        key = f"{turn:04x}{n:04x}"
        say("begin", "practice", key)
        practices.save(model.model_copy(update={"id": key}))
        say("done", "practice", key)
        say("begin", "rotate", str(n))
        names.rotate()
        say("done", "rotate", str(n))


# What has to be so afterwards


def consistent(library: Any) -> dict[str, Any]:
    """The entries, after the indexes and the database were found to agree and every meeting to be whole."""
    entries = {entry.id: entry for entry in (*library.list(), *library.list(deleted=True))}
    assert library.problems() == [], library.problems()
    for entry in entries.values():
        assert len(library.show(entry.id)) == entry.lines, f"{entry.title} is half there"
    for entry in library.list()[:3]:
        (passage,) = library.search("", meeting=entry.id, k=1)
        assert library.similar(passage.text, 1)[0].scores["cosine"] > 0.99, "vectors and texts agree"
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
    from coach.library import Library

    live, deleted = state.acked.setdefault("live", {}), state.acked.setdefault("deleted", {})
    for what, word, key in told.done:
        live.pop(word, None)
        deleted.pop(word, None)
        if what in ("add", "undo"):
            live[word] = key
        elif what == "delete":
            deleted[word] = key
        else:
            state.gone.append(word)
    doubt = told.doubt[1] if told.doubt else ""
    with Library(settings(home)) as library:
        consistent(library)
        now = {entry.title.split()[-1]: entry.id for entry in library.list()}
        waiting = {entry.title.split()[-1]: entry.id for entry in library.list(deleted=True)}
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


WORKS: dict[str, Callable[[Path, int, Say], None]] = {
    "add": add,
    "delete": delete,
    "reindex": reindex,
    "forget": forget,
    "ledger": ledger,
    "recording": recording,
    "rotation": rotation,
}
CHECKS: dict[str, Callable[[Path, State, Told], None]] = {
    "add": check_add,
    "delete": check_delete,
    "reindex": check_reindex,
    "forget": check_forget,
    "ledger": check_ledger,
    "recording": check_recording,
    "rotation": check_rotation,
}


def prepare(work: str, home: Path) -> None:
    """What a work needs to begin with."""
    if work in ("reindex", "ledger"):
        _forked(_meetings, home)
    if work == "rotation":
        _forked(_session, home)


def _meetings(home: Path) -> None:
    from coach.library import Library

    with Library(settings(home)) as library:
        ids = [library.add(notes_of(f"echidna{n}q"), title=f"about echidna{n}q").id for n in range(6)]
    (home / "meetings.json").write_text(json.dumps(ids))


def _session(home: Path) -> None:
    from coach.rehearsal.plan import Plan
    from coach.wiring import Coach

    plan = Plan(purpose="Decide", stage="action", attendees=("Ben",), opening="I propose to move on Monday.")
    session = Coach(settings(home)).rehearse(plan, engine="local")
    (home / "session.json").write_text(session.model_dump_json())


def _forked(function: Callable[[Path], None], home: Path) -> None:
    pid = os.fork()
    if pid == 0:
        try:
            function(home)
        except BaseException:  # noqa: BLE001 - told to the parent, which raises
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0, "the preparation failed"


def imported() -> None:
    """Loads what every process needs, once; nothing is opened, so that forks share no thread and no file."""
    import bm25s  # noqa: F401
    import chromadb  # noqa: F401
    import coach_eval.recordings  # noqa: F401

    from coach.anonymise import anonymise
    from coach.identities import Identities
    from coach.retrieval.embedders import load_embedder

    load_embedder(settings(Path("nowhere")))(["word vectors"])
    anonymise(notes_of("dictionaries"), Identities())
    import sqlalchemy.dialects.sqlite  # noqa: F401


def kill(work: str, kills: int, seed: int, home: Path, longest: float = 0.8, seconds: float = 1e9) -> dict[str, Any]:
    """Kills that work so often, or as often as ``seconds`` allow, and looks each time; gives counts.

    Raises AssertionError at the first thing wrong.
    """
    until, done = time.monotonic() + seconds, 0
    dice, state = random.Random(f"{work} {seed}"), State()
    prepare(work, home)
    acknowledged, amid = 0, 0
    for turn in range(kills):
        if time.monotonic() > until:
            break
        done = turn + 1
        # One kill in five falls into opening, the others into the steps after the first.
        word = b"begin" if dice.random() < 0.2 else b"done"
        told = run(work, home, seed * 10_000 + turn, dice.uniform(0.0, longest), word)
        acknowledged += len(told.done)
        amid += told.doubt is not None
        try:
            check(work, home, state, told)
        except AssertionError as error:
            raise AssertionError(
                f"{work}, kill {turn} of seed {seed}, after {told.done[-3:]}, {told.doubt}: {error}"
            ) from None
    return {"work": work, "seed": seed, "kills": done, "amid": amid, "acknowledged": acknowledged, "wrong": 0}


def main() -> None:
    """Kill what is asked for, and print one line of JSON each."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("works", nargs="*", default=list(WORKS), help=", ".join(WORKS))
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=1e9, help="stop each work after that long")
    options = parser.parse_args()
    os.environ["COACH_KEYRING"] = "off"
    imported()
    for work in options.works:
        with tempfile.TemporaryDirectory() as folder:
            print(
                json.dumps(kill(work, options.kills, options.seed, Path(folder), seconds=options.seconds)), flush=True
            )


if __name__ == "__main__":
    sys.exit(main())
