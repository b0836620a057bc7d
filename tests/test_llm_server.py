"""A real llama.cpp server with a very small model: the plumbing holds, and what such a model makes up is set aside.

Opt-in (``make test-llm``): ``COACH_LLAMA`` names the folder that ``tests/llama_server.py`` filled. It says nothing
about quality: 135 million parameters can't judge a meeting.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from coach import notes
from coach.answers import UnheardObjections
from coach.engine import Watch
from coach.errors import CancelledError, ModelTruncatedError
from coach.llm import Request, complete_as
from coach.llm.connect import open_model
from coach.llm.discover import find_servers
from coach.llm_engine import LLMEngine
from coach.schema import SetAside
from coach.settings import Settings, load_settings

pytestmark = pytest.mark.llm_server
MEETING = """Ada Moor: Let us move the release to Friday.
Ben Hale: I am uneasy about Friday, nobody is here on Saturday to fix things.
Ada Moor: Thanks. Next point.
"""
ASK = Request((("system", "Answer with JSON."), ("user", f"Which objections were ignored?\n{MEETING}")), max_tokens=400)


@pytest.fixture(scope="module")
def settings() -> Iterator[Settings]:
    folder = Path(os.environ.get("COACH_LLAMA", ""))
    if not (folder / "llama-server").is_file():
        pytest.skip("COACH_LLAMA names no folder with a llama-server: run make test-llm")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [folder / "llama-server", "-m", folder / "model.gguf", "-t", "1", "-c", "8192", "-np", "1"]
    server = subprocess.Popen(
        [*map(str, command), "--host", "127.0.0.1", "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        end = time.monotonic() + 60
        while not find_servers({"llama.cpp": port}, timeout=1):
            assert time.monotonic() < end, "the server did not come up"
            time.sleep(0.3)
        yield load_settings(
            {}, base_url=f"http://127.0.0.1:{port}/v1", model="smol", deadline=900, context_tokens=4_000
        )
    finally:
        server.terminate()
        server.wait(10)


def test_it_is_found_and_known_to_be_small(settings: Settings) -> None:
    port = int((settings.base_url or "").split(":")[2].split("/")[0])
    ((model,),) = [server.models for server in find_servers({"llama.cpp": port}, timeout=2)]
    assert model.small
    assert 100e6 < (model.parameters or 0) < 200e6
    assert model.context == 8_192


def test_its_streamed_answer_has_the_shape_asked_for(settings: Settings) -> None:
    model = open_model(settings)
    assert model is not None
    told: list[float] = []
    try:
        done = complete_as(model, ASK, UnheardObjections, Watch(progress=lambda share, what: told.append(share)))
        assert isinstance(done.value, UnheardObjections)
        assert done.usage.input_tokens > 20
        assert done.usage.usd is None
    except ModelTruncatedError:
        pass  # it may ramble up to the limit, and that too is a typed end
    assert len(told) > 5


def test_an_answer_cut_at_the_limit_is_a_typed_error(settings: Settings) -> None:
    model = open_model(settings)
    assert model is not None
    with pytest.raises(ModelTruncatedError):
        complete_as(model, Request(ASK.messages, max_tokens=3), UnheardObjections)


def test_a_call_can_be_stopped(settings: Settings) -> None:
    model = open_model(settings)
    assert model is not None
    started = time.monotonic()
    with pytest.raises(CancelledError):
        model.complete(ASK, Watch(stopped=lambda: time.monotonic() - started > 0.5))
    assert time.monotonic() - started < 3


def test_what_it_makes_up_is_set_aside(settings: Settings) -> None:
    model = open_model(settings)
    assert model is not None
    kinds = ("unheard_objection", "unaddressed_need", "categorical_phrasing")
    aside: list[SetAside] = []
    # Now and then it rambles to the limit in every answer; not about three records in a row.
    for text in (MEETING, f"{MEETING}Ben Hale: Fine.\n", MEETING.partition("\n")[2]):
        with contextlib.suppress(ModelTruncatedError):
            result = LLMEngine(model, settings, kinds=kinds, small=True).analyse(notes.parse(text), (), Watch())
            assert all(text[f.start : f.end] == f.quote for f in result.findings)
            aside.extend(result.set_aside)
        if aside:
            break
    assert aside
    assert all(item.reason and item.finding.quote not in MEETING for item in aside if "letter" in item.reason)
