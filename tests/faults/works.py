"""What is done while somebody kills: each work says on a pipe what it begins and what is acknowledged."""

from __future__ import annotations

import hashlib
import json
import os
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

Say = Callable[..., None]
"""``say("begin", ...)`` before a step, ``say("done", ...)`` after it; what is given is JSON."""


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
        # What the other says stays and differs: of hundreds of equal passages an index finds some, and not others.
        said = "\n".join(f"{name}: the {word} is mine, {m}\nben: valve {turn} {n} likes it, {m}" for m in range(6))
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


WORKS: dict[str, Callable[[Path, int, Say], None]] = {
    "add": add,
    "delete": delete,
    "reindex": reindex,
    "forget": forget,
    "ledger": ledger,
    "recording": recording,
    "rotation": rotation,
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
