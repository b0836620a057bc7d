"""What a real endpoint may do, over a real socket: every fault is a typed error, soon, and says what to do."""

from __future__ import annotations

import json
import logging
import re
import threading
import time
import traceback
from typing import Any

import pytest
from openai_server import (
    Behaviour,
    Handler,
    drips,
    endless,
    ends_midway,
    error_midway,
    not_the_api,
    redirects,
    refuses,
    reset_midway,
    says,
    serving,
    silent,
    status,
)

from coach import notes
from coach.answers import Rewrites
from coach.engine import Watch
from coach.errors import (
    BudgetError,
    CancelledError,
    CoachError,
    ConfigError,
    ModelError,
    ModelRefusedError,
    ModelRejectedError,
    ModelShapeError,
    ModelTruncatedError,
    ModelUnreachableError,
)
from coach.llm import Request, complete_as
from coach.llm.budget import Budgeted, price_of
from coach.llm.connect import open_model
from coach.llm.openai_chat import Dialect, OpenAIChat, on_this_machine, with_path
from coach.llm.retry import Circuit, Steady
from coach.llm_engine import LLMEngine
from coach.samples import samples
from coach.settings import Settings, load_settings

KEY = "sk-not-a-real-key-0123456789"
GOOD = json.dumps({"rewrites": [{"text": "Could we?", "opens": "a no"}]})
ASK = Request((("system", "Answer in JSON."), ("user", "note text")), label="rewrite@1", max_tokens=50)


def settings(url: str, **more: object) -> Settings:
    return load_settings({}, base_url=url, model="m", api_key=KEY, **more)


def steady(url: str, *, deadline: float = 30.0, attempts: int = 4, circuit: Circuit | None = None) -> Steady:
    chat = OpenAIChat(settings(url, deadline=deadline))
    return Steady(chat, deadline=deadline, attempts=attempts, pause=0.01, circuit=circuit)


def test_streams_a_typed_answer_and_tells_progress() -> None:
    told: list[float] = []
    with serving(says(GOOD)) as server:
        done = complete_as(steady(server.url), ASK, Rewrites, Watch(progress=lambda share, what: told.append(share)))
    assert done.value.rewrites[0].text == "Could we?"
    assert (done.usage.calls, done.usage.input_tokens, done.usage.output_tokens) == (1, 11, 5)
    assert told == sorted(told)
    assert 0 < told[-1] <= 1
    assert len(told) > 3
    (body,) = server.bodies
    assert body["stream"] is True
    assert body["response_format"]["json_schema"]["strict"] is True
    assert body["max_tokens"] == 50
    assert "tools" not in body


FAULTS: dict[str, tuple[Behaviour, type[CoachError], str]] = {
    "key refused": (status(401, f"Incorrect API key provided: {KEY}"), ModelRejectedError, "OPENAI_API_KEY"),
    "not allowed": (status(403), ModelRejectedError, "rights"),
    "unknown model": (status(404), ModelRejectedError, "COACH_MODEL"),
    "quota used up": (status(429, "x", "insufficient_quota"), ModelRejectedError, "quota"),
    "too long": (status(400, "x", "context_length_exceeded"), ModelRejectedError, "COACH_CONTEXT_TOKENS"),
    "every request refused": (status(400), ModelRejectedError, "refuses the request"),
    "redirect": (redirects, ModelRejectedError, "final address"),
    "asked too often": (status(429, retry_after="0"), ModelUnreachableError, "too often"),
    "server error": (status(500), ModelUnreachableError, "has a problem"),
    "gateway": (status(503), ModelUnreachableError, "try again later"),
    "reset in mid-stream": (reset_midway, ModelUnreachableError, "broke off"),
    "ends in mid-stream": (ends_midway, ModelUnreachableError, "broke off"),
    "error in mid-stream": (error_midway, ModelUnreachableError, "mid-answer"),
    "silence": (silent, ModelUnreachableError, "COACH_DEADLINE"),
    "slow drip": (drips, ModelUnreachableError, "COACH_DEADLINE"),
    "ten megabytes": (endless, ModelShapeError, "does not end"),
    "another service": (not_the_api, ModelShapeError, "OPENAI_BASE_URL"),
    "empty": (says(""), ModelShapeError, "empty"),
    "truncated JSON": (says(GOOD[:25]), ModelShapeError, "no JSON object"),
    "wrong schema": (says('{"poem": "roses"}'), ModelShapeError, "wrong shape"),
    "cut at the limit": (says(GOOD[:25], finish="length"), ModelTruncatedError, "COACH_CONTEXT_TOKENS"),
    "filtered": (says("", finish="content_filter"), ModelRefusedError, "declined"),
}


@pytest.mark.parametrize("case", FAULTS)
def test_every_fault_is_a_typed_error_within_the_deadline(case: str) -> None:
    behaviour, error, advice = FAULTS[case]
    deadline = 1.0 if advice == "COACH_DEADLINE" else 30.0
    started = time.monotonic()
    with serving(behaviour) as server, pytest.raises(error) as raised:
        complete_as(steady(server.url, deadline=deadline), ASK, Rewrites)
    assert time.monotonic() - started < deadline + 10
    message = str(raised.value)
    assert advice in message
    assert "\n" not in message
    assert KEY not in "".join(traceback.format_exception(raised.value))
    seen: BaseException | None = raised.value
    while seen:
        assert KEY not in repr(seen.__dict__)
        seen = seen.__cause__ or seen.__context__


def test_nothing_listens_is_said_within_the_deadline() -> None:
    with serving() as server:
        url = server.url
    with pytest.raises(ModelUnreachableError, match="check that it runs"):
        steady(url).complete(ASK, Watch())


@pytest.mark.parametrize("fault", [status(500), status(429, retry_after="0"), reset_midway, ends_midway, error_midway])
def test_a_passing_fault_is_tried_again(fault: Behaviour) -> None:
    with serving(fault, fault, fault, says(GOOD)) as server:
        assert complete_as(steady(server.url), ASK, Rewrites).value.rewrites
    assert len(server.bodies) == 4


def test_gives_up_after_four_attempts() -> None:
    with serving(status(500)) as server, pytest.raises(ModelUnreachableError):
        steady(server.url).complete(ASK, Watch())
    assert len(server.bodies) == 4


def test_waits_as_long_as_the_server_asks_and_not_at_all_when_that_is_too_long() -> None:
    with serving(status(429, retry_after="1"), says(GOOD)) as server:
        started = time.monotonic()
        complete_as(steady(server.url), ASK, Rewrites)
        assert time.monotonic() - started >= 1
    with serving(status(429, retry_after="3600")) as server, pytest.raises(ModelUnreachableError):
        steady(server.url).complete(ASK, Watch())
    assert len(server.bodies) == 1


def test_the_circuit_opens_after_five_failures_in_a_row_and_closes_again() -> None:
    circuit = Circuit(threshold=5, rest=2)
    with serving(*[status(500)] * 5, says(GOOD)) as server:
        model = steady(server.url, circuit=circuit)
        for _ in range(2):
            with pytest.raises(ModelUnreachableError):
                model.complete(ASK, Watch())
        asked = len(server.bodies)
        with pytest.raises(ModelUnreachableError, match="5 times in a row"):
            model.complete(ASK, Watch())
        assert len(server.bodies) == asked == 5
        time.sleep(2.1)
        assert model.complete(ASK, Watch()).text == GOOD
        assert model.complete(ASK, Watch()).text == GOOD


@pytest.mark.parametrize("behaviour", [silent, drips])
def test_a_call_stops_when_the_user_does_even_if_the_server_says_nothing(behaviour: Behaviour) -> None:
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    started = time.monotonic()
    with serving(behaviour) as server, pytest.raises(CancelledError):
        steady(server.url, deadline=30).complete(ASK, Watch(stopped=stop.is_set))
    assert time.monotonic() - started < 10


def test_no_more_calls_run_at_once_than_allowed() -> None:
    with serving(says(GOOD, pause=0.02)) as server:
        model = Steady(OpenAIChat(settings(server.url)), concurrency=1)
        threads = [threading.Thread(target=model.complete, args=(ASK, Watch())) for _ in range(3)]
        started = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        one = len(GOOD) / 7 * 0.02
        assert time.monotonic() - started > 2.5 * one


DEGRADED = {
    "no schemas": ("response_format.json_schema", "response_format", {"type": "json_object"}),
    "no JSON mode": ("response_format", "response_format", None),
    "no temperature": ("temperature", "temperature", None),
    "other name of the limit": ("max_tokens", "max_completion_tokens", 50),
    "no usage": ("stream_options", "stream_options", None),
}


@pytest.mark.parametrize("case", DEGRADED)
def test_does_without_what_an_endpoint_does_not_take_and_remembers(case: str) -> None:
    refused, name, expected = DEGRADED[case]
    with serving(refuses(refused, says(GOOD))) as server:
        model = steady(server.url)
        assert complete_as(model, ASK, Rewrites).value.rewrites
        first = len(server.bodies)
        complete_as(model, ASK, Rewrites)
        assert len(server.bodies) == first + 1
    assert server.bodies[-1].get(name) == expected
    if name == "response_format":
        assert "JSON schema" in server.bodies[-1]["messages"][0]["content"]


def test_an_answer_of_the_wrong_shape_gets_one_repair_turn_that_does_not_repeat_it() -> None:
    with serving(says('{"rewrites": "made up words"}'), says(f"```json\n{GOOD}\n```")) as server:
        done = complete_as(steady(server.url), ASK, Rewrites)
    assert done.usage.calls == 2
    repair = server.bodies[1]["messages"][-1]["content"]
    assert "rewrites: tuple_type" in repair or "rewrites: list_type" in repair
    assert "made up words" not in json.dumps(server.bodies[1])


def test_thoughts_before_the_answer_are_skipped() -> None:
    with serving(says(f"<think>{{not this}}</think>\n{GOOD}")) as server:
        assert complete_as(steady(server.url), ASK, Rewrites).value.rewrites


def test_the_key_travels_in_the_header_and_nowhere_else(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with serving(says(GOOD)) as server:
        model = open_model(settings(server.url))
        assert model is not None
        model.complete(ASK, Watch())
    assert server.headers[0]["authorization"] == f"Bearer {KEY}"
    assert not any(name.startswith("x-stainless-os") for name in server.headers[0])
    assert KEY not in json.dumps(server.bodies)
    assert KEY not in repr(model)
    assert KEY not in caplog.text
    assert "note text" not in caplog.text


def test_azure_takes_its_own_key_deployment_and_version() -> None:
    with serving(says(GOOD)) as server:
        root = server.url.removesuffix("/v1")
        azure = load_settings({}, azure_endpoint=root, azure_key=KEY, model="my-deployment")
        assert OpenAIChat(azure).complete(ASK, Watch()).text == GOOD
    assert server.paths == ["/openai/deployments/my-deployment/chat/completions?api-version=2024-10-21"]
    assert server.headers[0]["api-key"] == KEY


def test_a_price_is_known_or_said_to_be_unknown() -> None:
    official = load_settings({}, model="gpt-4o-mini", api_key=KEY)
    cost = price_of(official)("gpt-4o-mini", 1_000_000, 0)
    assert cost is not None
    assert 0.01 < cost < 10
    assert price_of(official)("no-such-model-at-all", 1, 1) is None
    assert price_of(settings("http://127.0.0.1:1/v1"))("gpt-4o-mini", 1, 1) is None


def test_a_call_that_could_pass_the_budget_is_not_made() -> None:
    with serving(says(GOOD)) as server:
        inner = steady(server.url)
        cents = Budgeted(inner, lambda model, asked, answered: 0.01 * (asked + answered), max_usd=0.5)
        with pytest.raises(BudgetError, match="COACH_MAX_USD"):
            cents.complete(ASK, Watch())
        assert server.bodies == []
        enough = Budgeted(inner, lambda model, asked, answered: 0.01 * (asked + answered), max_usd=1.2)
        assert enough.complete(ASK, Watch()).usd == pytest.approx(0.16)
        assert enough.usage.usd == pytest.approx(0.16)
        for _ in range(10):
            try:
                enough.complete(ASK, Watch())
            except BudgetError:
                break
        assert (enough.usage.usd or 9) <= 1.2
        with pytest.raises(BudgetError, match="unknown"):
            Budgeted(inner, lambda *_: None, max_usd=1).complete(ASK, Watch())
        assert Budgeted(inner, lambda *_: None, max_usd=1, free=True).complete(ASK, Watch()).usd is None


def test_a_model_must_be_named_and_is_not_opened_unasked() -> None:
    assert open_model(load_settings({})) is None
    with pytest.raises(ConfigError, match="COACH_MODEL"):
        OpenAIChat(load_settings({}, base_url="http://127.0.0.1:1/v1"))


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://localhost:11434/v1", True),
        ("http://127.0.0.1:1", True),
        ("http://[::1]:8080/v1", True),
        ("http://127.evil.example.org/v1", False),
        ("https://api.example.org/v1", False),
        (None, False),
    ],
)
def test_knows_its_own_machine(url: str | None, local: bool) -> None:
    assert on_this_machine(url) is local


def test_an_address_without_a_path_gets_the_usual_one() -> None:
    assert with_path("http://localhost:11434") == "http://localhost:11434/v1"
    assert with_path("https://x.example/openai/v1/") == "https://x.example/openai/v1/"


def test_a_dialect_runs_out() -> None:
    assert Dialect(schema="none").after_refusal("whatever") is None
    assert isinstance(ModelRejectedError(""), ModelError)


def empty_answer(handler: Handler, body: dict[str, Any]) -> None:
    """Nothing to raise, in the shape that was asked for."""
    fields = body["response_format"]["json_schema"]["schema"]["properties"]
    says(json.dumps({name: [] for name in fields}))(handler, body)


@pytest.mark.parametrize("name", [sample.name for sample in samples()])
def test_no_body_of_a_whole_review_holds_a_name(name: str) -> None:
    text = next(sample.text for sample in samples() if sample.name == name)
    conversation = notes.parse(text)
    with serving(empty_answer) as server:
        model = open_model(settings(server.url))
        assert model is not None
        analysis = LLMEngine(model, settings(server.url)).analyse(conversation, (), Watch())
    assert len(server.bodies) == 4
    assert analysis.usage is not None
    assert analysis.usage.calls == 4
    sent = json.dumps(server.bodies, ensure_ascii=False)
    people = {a.name for a in conversation.attendees} | set(conversation.speakers)
    assert people
    for person in people:
        for part in person.split():
            if len(part) > 2 and part[0].isupper() and part != "Frau" and not re.search(rf"\b{part.lower()}\b", text):
                assert not re.search(rf"\b{re.escape(part)}\b", sent), part
    assert not re.search(r"[\w.]+@(?!example\.invalid)\w+\.\w+", sent)


def test_a_silent_endpoint_opens_the_circuit_too() -> None:
    circuit = Circuit(threshold=2, rest=60)
    with serving(silent) as server:
        model = steady(server.url, deadline=0.2, circuit=circuit)
        for _ in range(2):
            with pytest.raises(ModelUnreachableError, match="within"):
                model.complete(ASK, Watch())
        with pytest.raises(ModelUnreachableError, match="in a row"):
            model.complete(ASK, Watch())
