"""Another embedder than the one that ships: over the network, from a plug-in; there and back, and when it fails."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import pytest
from commands import Commands
from openai_server import Handler, Server, serving, status

from coach.retrieval.embedders import EMBEDDERS, Embedder
from coach.settings import Settings, load_settings

FIRST = """\
Date: 2026-03-02
Attendees: Lena Fuchs, Robert Quill

Lena Fuchs: The pager woke me five nights this week, and nobody asked whether we can keep that up.
Robert Quill: Noted. Next item, the price list.
Lena Fuchs: Fine.
Robert Quill: The list goes out on Friday.
Lena Fuchs: And the invoices?
Robert Quill: On Monday.
"""
LATER = """\
Date: 2026-04-09
Attendees: Lena Fuchs, Robert Quill

Lena Fuchs: The pager woke me again for nights, and nobody asked whether we keep that.
Robert Quill: Let's move on to the party.
Lena Fuchs: Fine.
"""
NAMES = ("Lena", "Fuchs", "Robert", "Quill")


def vector(text: str) -> list[float]:
    """How often each word is there, words shared out over 96 numbers: crude, but alike texts have alike vectors."""
    found = np.zeros(96)
    for word in re.findall(r"[a-z]{3,}", text.lower()):
        found[crc32(word.encode()) % 96] += 1
    return found.tolist()


def embeds(handler: Handler, body: dict[str, Any]) -> None:
    """As OpenAI answers ``/v1/embeddings``, last text first."""
    data = [{"object": "embedding", "index": n, "embedding": vector(text)} for n, text in enumerate(body["input"])]
    handler.json(200, {"object": "list", "data": data[::-1], "model": body["model"]})


def answers(change: Any) -> Any:
    """The same with the list of vectors changed."""

    def behave(handler: Handler, body: dict[str, Any]) -> None:
        vectors = change([vector(text) for text in body["input"]])
        handler.json(200, {"data": [{"index": n, "embedding": v} for n, v in enumerate(vectors)]})

    return behave


def waits(handler: Handler, body: dict[str, Any]) -> None:
    handler.state.closing.wait(60)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with serving(embeds) as state:
        monkeypatch.setenv("OPENAI_BASE_URL", state.url)
        monkeypatch.setenv("OPENAI_API_KEY", "sk-canary")
        monkeypatch.setenv("COACH_ENGINE", "local")
        yield state


@pytest.fixture
def coach(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Commands:
    for name, text in (("first.txt", FIRST), ("later.txt", LATER)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return Commands(monkeypatch, capsys)


def whole(home: Path) -> None:
    """One generation, and all that is in it agrees."""
    from coach.library import Library

    with Library(load_settings({"COACH_HOME": str(home), **os.environ})) as library:
        assert library.problems() == []
        for entry in library.list():
            assert len(library.show(entry.id)) == entry.lines
    assert len([path for path in (home / "library").iterdir() if path.is_dir()]) == 1


def test_a_library_moves_to_an_endpoint_and_back(coach: Commands, server: Server, a_home_of_its_own: Path) -> None:
    coach("library", "add", "first.txt")
    assert server.bodies == []
    assert coach("library", "reindex", "--embedder", "openai:tiny").out == "embedded 1 meeting anew with openai-tiny\n"
    (body,) = server.bodies
    assert (server.paths[0], body["model"]) == ("/v1/embeddings", "tiny")
    assert "Lena Fuchs: The pager" in coach("library", "search", "Lena and the pager", "-k", "1").out
    assert "cosine 0." in coach("library", "similar", "the pager woke me", "-k", "1").out
    coach("library", "add", "later.txt")
    assert "raised 2 times" in coach("ledger", "--attendee", "Lena").out
    alone = [text for body in server.bodies for text in body["input"] if text.startswith("The pager woke me again")]
    assert alone, "the ledger asked the same embedder"
    sent = str([body["input"] for body in server.bodies])
    assert "pager" in sent and not [name for name in NAMES if name in sent], "pseudonyms leave, names do not"
    whole(a_home_of_its_own)
    asked = len(server.bodies)
    assert coach("library", "reindex", "--embedder", "wordllama").code == 0
    assert "The pager" in coach("library", "search", "woken at night", "-k", "1").out
    assert "raised 2 times" in coach("ledger").out
    assert len(server.bodies) == asked, "nothing is sent any more"


BAD = {
    "an error": (status(503), 5, "gave no vectors .HTTPStatusError."),
    "no vectors": (answers(lambda v: []), 5, "openai-tiny failed"),
    "too few": (answers(lambda v: v[1:]), 5, "openai-tiny failed"),
    "numbers that are none": (answers(lambda v: [[float("nan")] * 96 for _ in v]), 5, "openai-tiny failed"),
    "vectors of two lengths": (answers(lambda v: [v[0][:5], *v[1:]]), 5, "openai-tiny failed"),
    "no numbers": (answers(lambda v: ["x" for _ in v]), 5, "openai-tiny failed"),
    "something else": (lambda handler, body: handler.json(200, {"html": 1}), 5, "gave no vectors .KeyError."),
}


@pytest.mark.parametrize("case", BAD)
def test_an_endpoint_that_fails_leaves_the_library_as_it_was(
    coach: Commands, server: Server, a_home_of_its_own: Path, case: str
) -> None:
    coach("library", "add", "first.txt")
    server.behaviours[:], code, words = [BAD[case][0]], *BAD[case][1:]
    done = coach("library", "reindex", "--embedder", "openai:tiny")
    assert done.code == code and done.err.count("\n") == 1 and re.search(words, done.err), done
    assert "The pager" in coach("library", "search", "woken at night", "-k", "1").out
    whole(a_home_of_its_own)


def test_an_endpoint_that_changes_its_vectors_midway_is_told_of(coach: Commands, server: Server) -> None:
    coach("library", "add", "first.txt")
    coach("library", "reindex", "--embedder", "openai:tiny")
    server.behaviours[:] = [answers(lambda v: [one[:50] for one in v])]
    done = coach("library", "search", "pager")
    assert done.code == 2 and "run coach library reindex" in done.err and done.err.count("\n") == 1, done
    server.behaviours[:] = [embeds]
    assert "The pager" in coach("library", "search", "pager", "-k", "1").out


def test_a_kill_in_the_middle_leaves_the_library_as_it_was(
    coach: Commands, server: Server, a_home_of_its_own: Path
) -> None:
    coach("library", "add", "first.txt")
    server.behaviours[:] = [waits]
    command = [sys.executable, "-m", "coach", "library", "reindex", "--embedder", "openai:tiny"]
    process = subprocess.Popen(command, env={**os.environ}, stdout=subprocess.DEVNULL)
    until = time.monotonic() + 60
    while not server.bodies and time.monotonic() < until:
        time.sleep(0.05)
    assert server.bodies, "it was asked"
    assert len(list((a_home_of_its_own / "library").glob("g*"))) == 2, "the new index is begun"
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert "The pager" in coach("library", "search", "woken at night", "-k", "1").out
    whole(a_home_of_its_own)
    server.behaviours[:] = [embeds]
    assert coach("library", "reindex", "--embedder", "openai:tiny").code == 0
    assert "The pager" in coach("library", "search", "pager", "-k", "1").out


@pytest.fixture
def plugged(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """An embedder of somebody else, registered for one test; ``fails`` makes it raise."""
    state: dict[str, Any] = {"fails": None, "texts": []}

    def encode(texts: list[str]) -> Any:
        if state["fails"]:
            raise state["fails"]
        state["texts"] += texts
        return [vector(text) for text in texts]

    def load(_: Settings) -> Embedder:
        return Embedder(name="counting-96", encode=encode, alike=0.5)

    EMBEDDERS.register("counting")(load)
    yield state
    EMBEDDERS._known.pop("counting")


def test_a_plugged_in_embedder_is_used_from_then_on(
    coach: Commands, plugged: dict[str, Any], a_home_of_its_own: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    coach("library", "add", "first.txt")
    assert coach("library", "reindex", "--embedder", "counting").out == "embedded 1 meeting anew with counting-96\n"
    coach("library", "add", "later.txt")
    assert "raised 2 times" in coach("ledger").out
    whole(a_home_of_its_own)
    plugged["fails"] = RuntimeError("the secret of the plug-in")
    for command in ("library search pager", "library reindex --embedder counting", "library add first.txt"):
        done = coach(*command.split())
        assert done.code == 5 and done.err.startswith("coach: the embedder counting-96 failed (RuntimeError)"), done
        assert "secret" not in done.err and done.err.count("\n") == 1
    plugged["fails"] = None
    whole(a_home_of_its_own)
    EMBEDDERS._known["gone"] = EMBEDDERS._known.pop("counting")
    try:
        done = coach("library", "search", "pager")
        assert done.code == 2 and "there is no 'counting' among coach.embedders" in done.err, done
        assert coach("library", "reindex", "--embedder", "wordllama").code == 0
        assert "The pager" in coach("library", "search", "pager", "-k", "1").out
    finally:
        EMBEDDERS._known["counting"] = EMBEDDERS._known.pop("gone")
