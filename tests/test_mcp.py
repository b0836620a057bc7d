"""The MCP server as its clients meet it: with the SDK's own client, over stdio and over HTTP."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from mcp import ClientSession, StdioServerParameters, types
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.exceptions import McpError
from mcp.shared.memory import create_connected_server_and_client_session

from coach.mcp_server import Desk, build_server
from coach.schema import Evidence, Finding, Meeting, Review
from coach.wiring import Coach

READING = {
    "review_notes",
    "search_library",
    "open_objections",
    "brief_meeting",
    "rehearse_turn",
    "rewrite_tentatively",
    "anonymise",
}
WRITING = {"keep_notes", "mark_objection"}
TOKEN = "a-token-of-this-test"

NOTES = """Ferry timetable, 2026-03-02
Present: Marisol Quade, Henrik Voss, Tamsin Oyelaran

Marisol Quade: From May the last boat leaves at eight.
Henrik Voss: I doubt that. The night nurses finish at nine and could not get home any more.
Marisol Quade: The new berth also saves us fuel. Next point, the ticket machines.
Tamsin Oyelaran: The machines arrive in April.
Marisol Quade: Everybody will obviously pay by card.
"""

NAMES = ("Marisol", "Quade", "Henrik", "Voss", "Tamsin", "Oyelaran")

PLAN = {
    "purpose": "Agree on the summer timetable",
    "stage": "possibilities",
    "attendees": ["Henrik Voss", "Tamsin Oyelaran"],
    "opening": "The last boat will obviously leave at eight.",
    "fears": ["Somebody says it is too early"],
}


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    """Runs a test on an event loop, and ends it when it hangs."""

    async def limited() -> None:
        with anyio.fail_after(120):
            await test()

    # On a thread of its own: a browser under test keeps a loop on the main one.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(anyio.run, limited).result()


@asynccontextmanager
async def connected(**options: Any) -> AsyncIterator[ClientSession]:
    """A client of a server in this process; they speak the protocol through memory."""
    server = build_server(Coach(), **options)
    async with create_connected_server_and_client_session(server._mcp_server) as session:
        yield session


async def answer(session: ClientSession, tool: str, **arguments: Any) -> dict[str, Any]:
    result = await session.call_tool(tool, arguments)
    assert not result.isError, result.content
    assert result.structuredContent is not None
    return result.structuredContent


async def error(session: ClientSession, tool: str, **arguments: Any) -> str:
    result = await session.call_tool(tool, arguments)
    assert result.isError
    (content,) = result.content
    assert isinstance(content, types.TextContent)
    return content.text


@pytest.fixture
def kept() -> None:
    """A library with one meeting in it, and one objection of it in the ledger."""
    coach = Coach()
    coach.keep(NOTES, review=reviewed_by_hand())
    coach.library.close()


def reviewed_by_hand() -> Review:
    quote = "The night nurses finish at nine and could not get home any more."
    start = NOTES.index(quote)
    finding = Finding(
        kind="unheard_objection",
        quote=quote,
        start=start,
        end=start + len(quote),
        speaker="Henrik Voss",
        why="Henrik named it, and Marisol Quade went on.",
        ask="Henrik, what would the nurses need?",
        confidence=0.9,
        source="by hand",
        evidence=(Evidence(meeting="Ferry, with Tamsin", quote="As Tamsin Oyelaran said.", speaker="Henrik"),),
    )
    meeting = Meeting(format="speaker-labels", utterances=4, speakers=("Marisol Quade", "Henrik Voss"))
    return Review(engine="local", seconds=0.1, meeting=meeting, findings=(finding,))


def test_a_server_for_reading_offers_no_tool_that_writes() -> None:
    async def listed() -> None:
        async with connected() as session:
            tools = (await session.list_tools()).tools
            assert {tool.name for tool in tools} == READING
            for tool in tools:
                assert tool.description
                assert tool.outputSchema
                assert tool.annotations
                assert tool.annotations.readOnlyHint
        async with connected(write=True) as session:
            assert {tool.name for tool in (await session.list_tools()).tools} == READING | WRITING

    run(listed)


def test_a_review_shows_pseudonyms_and_tells_its_progress() -> None:
    async def reviewed() -> None:
        async with connected() as session:
            told: list[float] = []

            async def progress(share: float, total: float | None, message: str | None) -> None:
                told.append(share)

            result = await session.call_tool("review_notes", {"text": NOTES}, progress_callback=progress)
            review = result.structuredContent
            assert review is not None
            assert review["schema"] == "coach.review/1"
            assert review["meeting"]["speakers"]
            for name in NAMES:
                assert name not in json.dumps(review)
            assert told == sorted(told)
            assert told

    run(reviewed)


def test_every_text_of_a_review_loses_its_names_and_nothing_else() -> None:
    coach, review = Coach(), reviewed_by_hand()
    shown = Desk(coach).shown(review, coach.anonymise(NOTES).identities)
    for name in NAMES:
        assert name not in shown.model_dump_json()
    (before,), (after,) = review.findings, shown.findings
    assert (after.start, after.end, after.kind, after.source) == (before.start, before.end, before.kind, before.source)
    assert after.quote == before.quote
    assert after.speaker in after.why
    assert Desk(coach, names=True).shown(review) == review


def test_names_are_shown_when_the_server_was_started_with_them() -> None:
    async def reviewed() -> None:
        async with connected(names=True) as session:
            review = await answer(session, "review_notes", text=NOTES)
            assert "Henrik Voss" in json.dumps(review)

    run(reviewed)


def test_reading_stores_nothing(a_home_of_its_own: Path) -> None:
    async def called() -> None:
        async with connected() as session:
            await answer(session, "review_notes", text=NOTES)
            await answer(session, "anonymise", text=NOTES)
            await answer(session, "rehearse_turn", plan=PLAN)

    run(called)
    assert Coach().identities.load().entities == ()
    assert {path.name.split(".")[0] for path in a_home_of_its_own.iterdir()} <= {"identities"}


def test_what_was_kept_is_found_briefed_on_and_followed(kept: None) -> None:
    async def asked() -> None:
        async with connected() as session:
            found = (await answer(session, "search_library", query="night nurses", attendee="Henrik Voss"))["passages"]
            assert "nurses" in found[0]["text"]
            concerns = (await answer(session, "open_objections"))["concerns"]
            assert "nurses" in concerns[0]["quote"]
            # A pseudonym from an answer is as good as the name.
            again = await answer(session, "open_objections", attendee=concerns[0]["speaker"])
            assert again["concerns"] == concerns
            brief = await answer(session, "brief_meeting", plan={**PLAN, "attendees": [concerns[0]["speaker"]]})
            (person,) = brief["attendees"]
            assert person["known"]
            assert "nurses" in person["open"][0]["quote"]
            assert "Henrik" not in json.dumps([found, concerns, brief])

    run(asked)


def test_a_practice_goes_turn_by_turn_to_a_debrief(kept: None) -> None:
    async def practised() -> None:
        async with connected() as session:
            begun = await answer(session, "rehearse_turn", plan=PLAN, attendee="Henrik Voss")
            assert "nurses" in begun["objections"][0]
            turn = await answer(
                session,
                "rehearse_turn",
                practice=begun["practice"],
                say="You worry that the night nurses can't get home. What would they need?",
            )
            assert turn["moves"]
            assert turn["status"] != begun["status"]
            ended = await answer(session, "rehearse_turn", practice=begun["practice"], end=True)
            assert ended["debrief"]["schema"] == "coach.debrief/1"
            assert "Voss" not in json.dumps([begun, turn, ended])
            assert "start one" in await error(session, "rehearse_turn", practice="nowhere", say="Hello.")
            assert "give a plan" in await error(session, "rehearse_turn", say="Hello.")

    run(practised)


def test_a_categorical_sentence_gets_a_tentative_version() -> None:
    async def rewritten() -> None:
        async with connected() as session:
            done = await answer(session, "rewrite_tentatively", sentence="This will never work.")
            assert done["rewrite"] not in (None, done["sentence"])
            assert done["ask"].endswith("?")

    run(rewritten)


def test_a_server_for_writing_keeps_notes_and_marks_objections(kept: None) -> None:
    async def written() -> None:
        async with connected(write=True) as session:
            entry = await answer(session, "keep_notes", text=NOTES + "Tamsin Oyelaran: Thanks.", tags=["ferry"])
            assert entry["new"]
            assert "Voss" not in json.dumps(entry)
            concern = (await answer(session, "open_objections"))["concerns"][0]
            marked = await answer(session, "mark_objection", concern=concern["id"], status="confirmed")
            assert not marked["open"]

    run(written)
    assert [concern.status for concern in Coach().ledger.all() if not concern.open] == ["confirmed"]


def test_meetings_and_the_ledger_are_resources(kept: None) -> None:
    async def read() -> None:
        async with connected() as session:
            listed = (await session.list_resources()).resources
            notes = [str(one.uri) for one in listed if str(one.uri).startswith("coach://notes/")]
            assert {"coach://library", "coach://ledger"} < {str(one.uri) for one in listed}
            for uri in (*notes, "coach://library", "coach://ledger"):
                content = (await session.read_resource(types.AnyUrl(uri))).contents[0]
                assert isinstance(content, types.TextResourceContents)
                assert content.text
                assert "Voss" not in content.text
            with pytest.raises(McpError, match="no meeting here"):
                await session.read_resource(types.AnyUrl("coach://notes/ffffffff"))

    run(read)


def test_the_prompts_prepare_and_look_back() -> None:
    async def prompted() -> None:
        async with connected() as session:
            assert {p.name for p in (await session.list_prompts()).prompts} == {
                "prepare_my_meeting",
                "review_my_meeting",
            }
            got = await session.get_prompt("prepare_my_meeting", {"purpose": "the rota", "attendees": "Ada, Bo"})
            content = got.messages[0].content
            assert isinstance(content, types.TextContent)
            assert "the rota" in content.text
            assert "brief_meeting" in content.text

    run(prompted)


@pytest.mark.parametrize(
    ("tool", "arguments", "says"),
    [
        ("review_notes", {"text": ""}, "nothing to read"),
        ("review_notes", {"text": "Ada: fine.", "format": "papyrus"}, "no note format"),
        ("review_notes", {"text": "Ada: fine.", "engine": "llm"}, "no model endpoint"),
        ("review_notes", {"text": "word " * 500_000}, "2,000,000"),
        ("search_library", {"query": "boats", "since": "last week"}, "since"),
        ("brief_meeting", {"plan": {**PLAN, "stage": "later"}}, "stage"),
        ("rehearse_turn", {"plan": PLAN, "attendee": "Nobody"}, "not in the plan"),
        ("no_such_tool", {}, "Unknown tool"),
    ],
)
def test_what_can_t_be_done_is_said_in_words(tool: str, arguments: dict[str, Any], says: str) -> None:
    async def refused() -> None:
        async with connected() as session:
            message = await error(session, tool, **arguments)
            assert says in message
            assert "Traceback" not in message

    run(refused)


def test_a_fault_in_the_coach_tells_its_type_and_no_note_text() -> None:
    class Faulty(Coach):
        def review(self, text: str, **options: Any) -> Any:
            raise ZeroDivisionError(text)

    async def failed() -> None:
        server = build_server(Faulty())
        async with create_connected_server_and_client_session(server._mcp_server) as session:
            message = await error(session, "review_notes", text="Ada: a secret.")
            assert "ZeroDivisionError" in message
            assert "secret" not in message

    run(failed)


def test_a_client_that_cancels_stops_the_work() -> None:
    stopped = anyio.Event()

    class Slow(Coach):
        def review(self, text: str, *, watch: Any = None, **options: Any) -> Any:
            watch.progress(0.1, "Reading")
            while not watch.stopped():
                time.sleep(0.01)
            anyio.from_thread.run_sync(stopped.set)
            watch.check()

    async def cancelled() -> None:
        server = build_server(Slow())
        async with create_connected_server_and_client_session(server._mcp_server) as session:

            async def begun(share: float, total: float | None, message: str | None) -> None:
                notification = types.CancelledNotification(params=types.CancelledNotificationParams(requestId=call))
                await session.send_notification(types.ClientNotification(notification))

            call = session._request_id
            with pytest.raises(McpError, match="cancelled"):
                await session.call_tool("review_notes", {"text": "Ada: fine."}, progress_callback=begun)
            with anyio.fail_after(5):
                while not stopped.is_set():
                    await anyio.sleep(0.01)

    run(cancelled)


def test_over_stdio_a_client_lists_and_calls() -> None:
    async def spoken() -> None:
        parameters = StdioServerParameters(command=sys.executable, args=["-m", "coach", "mcp"], env=dict(os.environ))
        async with stdio_client(parameters) as (reading, writing), ClientSession(reading, writing) as session:
            assert (await session.initialize()).serverInfo.name == "unheard"
            assert {tool.name for tool in (await session.list_tools()).tools} == READING
            review = await answer(session, "review_notes", text=NOTES)
            assert review["schema"] == "coach.review/1"
            assert "2,000,000" in await error(session, "review_notes", text="x " * 1_000_001)

    run(spoken)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of ``coach mcp --http`` in a process of its own."""
    home = {"COACH_HOME": str(tmp_path_factory.mktemp("http")), "COACH_KEYRING": "off", "COACH_MCP_TOKEN": TOKEN}
    server = subprocess.Popen(
        [sys.executable, "-m", "coach", "mcp", "--http", "--port", "0"],
        stderr=subprocess.PIPE,
        env={**os.environ, **home},
        text=True,
    )
    assert server.stderr is not None
    said = server.stderr.readline()
    assert "MCP on http://127.0.0.1:" in said
    assert TOKEN not in server.stderr.readline()
    yield said.split(" on ")[1].strip()
    server.terminate()
    server.wait(10)


@asynccontextmanager
async def over_http(url: str, token: str) -> AsyncIterator[ClientSession]:
    client = httpx.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=60)
    async with (
        client,
        streamable_http_client(url, http_client=client) as (reading, writing, _),
        ClientSession(reading, writing) as session,
    ):
        await session.initialize()
        yield session


def test_over_http_a_client_with_the_token_lists_and_calls(address: str) -> None:
    async def spoken() -> None:
        async with over_http(address, TOKEN) as session:
            assert {tool.name for tool in (await session.list_tools()).tools} == READING
            assert (await answer(session, "review_notes", text=NOTES))["schema"] == "coach.review/1"

    run(spoken)


@asynccontextmanager
async def over_stdio() -> AsyncIterator[ClientSession]:
    parameters = StdioServerParameters(command=sys.executable, args=["-m", "coach", "mcp"], env=dict(os.environ))
    async with stdio_client(parameters) as (reading, writing), ClientSession(reading, writing) as session:
        await session.initialize()
        yield session


@pytest.mark.parametrize("wire", ["stdio", "http"])
def test_a_review_is_cancelled_over_the_wire_and_the_next_call_is_answered(address: str, wire: str) -> None:
    async def cancelled() -> None:
        async with over_stdio() if wire == "stdio" else over_http(address, TOKEN) as session:
            call = session._request_id

            async def begun(share: float, total: float | None, message: str | None) -> None:
                notification = types.CancelledNotification(params=types.CancelledNotificationParams(requestId=call))
                await session.send_notification(types.ClientNotification(notification))

            # So long that it could not be read before the word to stop arrives.
            with pytest.raises(McpError, match="cancelled"):
                await session.call_tool("review_notes", {"text": NOTES * 2_000}, progress_callback=begun)
            assert "nothing to read" in await error(session, "review_notes", text="")

    run(cancelled)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": f"Basic {TOKEN}"}, 401),
        ({"Authorization": "Bearer \u00e9".encode("latin-1")}, 401),
        ({"Authorization": f"Bearer {TOKEN}", "Host": "evil.example"}, 421),
        ({"Authorization": f"Bearer {TOKEN}", "Origin": "https://evil.example"}, 403),
    ],
    ids=["no token", "wrong token", "no bearer", "odd token", "another host", "another origin"],
)
def test_http_requests_that_are_not_ours_are_refused(address: str, headers: dict[str, Any], status: int) -> None:
    ask = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
    accept = {"Accept": "application/json, text/event-stream"}
    assert httpx.post(address, json=ask, headers={**accept, **headers}).status_code == status


def test_a_huge_http_request_is_refused_before_it_is_read(address: str) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}", "Accept": "application/json, text/event-stream"}
    assert httpx.post(address, content=b"x" * 11_000_000, headers=headers).status_code == 413


def test_a_port_in_use_is_told_in_one_line(address: str) -> None:
    port = address.split(":")[2].split("/")[0]
    command = [sys.executable, "-m", "coach", "mcp", "--http", "--port", port]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert done.stderr.startswith("coach: port")


def test_the_library_is_free_again_after_each_call(kept: None) -> None:
    async def asked() -> None:
        async with connected() as session:
            await answer(session, "search_library", query="boats")
            code = "from coach.wiring import Coach; print(len(Coach().library.list()))"
            done = await anyio.run_process([sys.executable, "-c", code])
            assert done.stdout.split() == [b"1"]

    run(asked)
