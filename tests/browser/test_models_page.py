"""A model server on this machine, met on the page: offered, refused, fetched, used and given up."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from conftest import SAMPLE, planning_tool, scripted
from openai_server import Handler, Server, says, serving
from playwright.sync_api import expect
from test_accessible_page import barriers

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from coach.wiring import Coach

BIG = {"name": "qwen3:8b", "details": {"parameter_size": "8.2B"}}
SMALL = {"name": "gemma3:1b", "details": {"parameter_size": "1.0B"}}
Serve = Callable[["Coach"], str]


def port_of(server: Server) -> int:
    return int(server.url.split(":")[2].split("/")[0])


def review_slowly(page: Page, address: str) -> None:
    """A review by a model loads the name model and the encoder, which takes a while on a busy machine."""
    page.goto(address)
    page.get_by_label("Meeting notes or transcript").fill(SAMPLE.text)
    page.get_by_role("button", name="Review", exact=True).click()
    expect(page.locator("#result-title")).to_be_visible(timeout=120_000)


def coach_with(server: Server) -> Coach:
    coach = scripted(planning_tool)
    coach.model_ports = {"Ollama": port_of(server)}
    return coach


@pytest.mark.parametrize("width", [1280, 400])
def test_a_model_is_offered_and_a_no_is_remembered(page: Page, serve: Serve, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    with serving(pages={"/api/tags": {"models": [SMALL, BIG]}}) as server:
        coach = coach_with(server)
        page.goto(serve(coach))
        strip = page.locator("#models")
        expect(strip).to_contain_text("Ollama runs on this machine with the model qwen3:8b (8.2 billion parameters)")
        expect(strip).to_contain_text("Your notes would stay on this machine")
        expect(page.get_by_label("Which model").locator("option")).to_have_text(
            ["qwen3:8b (Ollama, small)", "gemma3:1b (Ollama, small)"]
        )
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        assert barriers(page) == []
        page.get_by_role("button", name="Not now").click()
        again = page.get_by_role("button", name="A model on this machine could help")
        expect(again).to_be_visible()
        page.reload()
        expect(again).to_be_visible()
        again.click()
        expect(page.get_by_role("button", name="Use it")).to_be_visible()
        assert server.bodies == []
        assert coach.agreed_model is None


def test_a_model_answers_after_a_yes_and_not_after_it_was_given_up(page: Page, serve: Serve) -> None:
    answers = says('{"findings": []}')
    with serving(answers, pages={"/api/tags": {"models": [SMALL, BIG]}}) as server:
        coach = coach_with(server)
        address = serve(coach)
        page.goto(address)
        page.get_by_label("Which model").select_option("Ollama gemma3:1b")
        page.get_by_role("button", name="Use it").click()
        expect(page.locator("#models")).to_contain_text("Reviews ask gemma3:1b (Ollama on this machine)")
        assert json.loads((coach.settings.home / "model.json").read_text())["name"] == "gemma3:1b"
        assert server.bodies == []
        expect(page.locator("#frame")).to_contain_text("Everything stays on this machine")
        review_slowly(page, address)
        expect(page.locator("#result")).to_contain_text("read with gemma3:1b")
        assert {body["model"] for body in server.bodies} == {"gemma3:1b"}
        assert not [name for name in ("Mara", "Jonas", "Lena") if name in json.dumps(server.bodies)]
        page.get_by_role("button", name="Stop using it").click()
        expect(page.locator("#models")).not_to_contain_text("Reviews ask")
        asked = len(server.bodies)
        page.evaluate("sessionStorage.clear()")
        review_slowly(page, address)
        expect(page.locator("#result")).to_contain_text("read on this machine")
        assert len(server.bodies) == asked
        assert not (coach.settings.home / "model.json").exists()


def test_a_model_is_fetched_after_a_yes_can_be_stopped_and_is_not_used_unasked(page: Page, serve: Serve) -> None:
    pages: dict[str, Any] = {"/api/tags": {"models": []}}
    slow = 0.3

    def pulled(handler: Handler, body: dict[str, Any]) -> None:
        handler.send_response(200)
        handler.send_header("connection", "close")
        handler.end_headers()
        for done in range(0, 101, 2):
            event = {"status": "downloading", "digest": "a", "total": 100, "completed": done}
            handler.wfile.write(json.dumps(event).encode() + b"\n")
            handler.wfile.flush()
            if handler.state.closing.wait(slow):
                return
        pages["/api/tags"] = {"models": [{**BIG, "name": body["model"]}]}
        handler.wfile.write(b'{"status": "success"}\n')
        handler.close_connection = True

    with serving(pulled, pages=pages) as server:
        coach = coach_with(server)
        page.goto(serve(coach))
        strip = page.locator("#models")
        expect(strip).to_contain_text("without a suitable model")
        expect(strip).to_contain_text("licence Apache-2.0")
        fetch = page.get_by_role("button", name="Fetch it")
        fetch.click()
        expect(page.locator("#models-status progress")).to_be_visible()
        expect(page.locator("#models-status")).to_contain_text("Fetching qwen3")
        page.get_by_role("button", name="Cancel").click()
        expect(page.locator("#models-status")).to_contain_text("Stopped. Ollama keeps what it has")
        slow = 0.01
        fetch.click()
        expect(page.get_by_role("button", name="Use it")).to_be_visible()
        assert set(server.paths) == {"/api/pull"}
        assert len(server.paths) == 2
        assert coach.agreed_model is None


def test_the_page_says_when_the_model_is_gone_or_ollama_breaks_off(page: Page, serve: Serve) -> None:
    def broken(handler: Handler, body: dict[str, Any]) -> None:
        handler.json(500, {})

    pages: dict[str, Any] = {"/api/tags": {"models": [BIG]}}
    with serving(broken, pages=pages) as server:
        coach = coach_with(server)
        page.goto(serve(coach))
        use = page.get_by_role("button", name="Use it")
        expect(use).to_be_visible()
        pages["/api/tags"] = {"models": []}
        use.click()
        expect(page.locator("#models-status")).to_contain_text("not there any more")
        page.get_by_role("button", name="Fetch it").click()
        expect(page.locator("#models-status [role=alert]")).to_contain_text("refuses (500)")
        expect(page.get_by_role("button", name="Fetch it")).to_be_visible()
