"""A real page, a real browser: Debian's chromium driven by playwright, on loopback only."""

from __future__ import annotations

import atexit
import re
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from coach.engine import Engine, Watch
from coach.samples import samples
from coach.schema import Analysis, Answer, Conversation, Finding, Heard, Participant, Quote
from coach.settings import load_settings
from coach.wiring import Coach

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = shutil.which("chromium")
SAMPLE = samples()[0]
OPENING = "From Monday we plan everything in Tilework. Everybody knows the wall is old."


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "/browser/" in str(item.path):
            item.add_marker("browser")
            if CHROMIUM is None:
                item.add_marker(pytest.mark.skip(reason="chromium is not installed: apt-get install chromium"))


class ScriptedEngine:
    """An engine that says what the test wrote: ``answer(conversation, watch)``."""

    name = "local"

    def __init__(self, answer: Callable[[Conversation, Watch], Analysis]) -> None:
        self.answer = answer

    def analyse(self, conversation: Conversation, earlier: object, watch: Watch) -> Analysis:
        return self.answer(conversation, watch)


def finding(conversation: Conversation, quote: str, kind: str = "unheard_objection", **more: Any) -> Finding:
    """A finding on the first place where ``quote`` stands."""
    start = conversation.text.index(quote)
    written = {"why": "Nobody came back to it.", "ask": "What would help?", "confidence": 0.7, "source": "scripted@1"}
    return Finding(kind=kind, quote=quote, start=start, end=start + len(quote), **{**written, **more})


def taken_up(conversation: Conversation) -> Heard:
    """What Priya raised in the first sample, and what Mara said to it."""
    raised, said = "How do the freelancers get in?", "Tomasz, can you ask for guest seats before Friday?"
    start, at = conversation.text.index(raised), conversation.text.index(said)
    answer = Answer(quote=said, start=at, end=at + len(said), speaker="Mara")
    place = {"quote": raised, "start": start, "end": start + len(raised), "speaker": "Priya"}
    return Heard(kind="objection", stage="integrated", answer=answer, confidence=0.8, source="scripted@1", **place)


def planning_tool(conversation: Conversation, watch: Watch) -> Analysis:
    """What one may say about the first sample; other texts have nothing to raise."""
    if "Tilework" not in conversation.text:
        return Analysis(notices=("These notes are short: finding nothing says little.",))
    at = conversation.text.index("Fine, if that's what is decided.")
    fine = Quote(quote="Fine, if that's what is decided.", start=at, end=at + 32)
    return Analysis(
        heard=(taken_up(conversation),),
        findings=(
            finding(conversation, "In the tool I only see my own column.", subtype="dismissed", speaker="Jonas"),
            finding(conversation, "(Nobody said anything for a while. Jonas looked at the wall.)", subtype="silence"),
            finding(
                conversation,
                "Last week I did the Norden one at eleven at night, again.",
                "unaddressed_need",
                need="workload",
                speaker="Lena",
            ),
            finding(
                conversation,
                "We have to buy the yearly plan, there is no other option.",
                "categorical_phrasing",
                subtype="directive",
                speaker="Mara",
                rewrite="I would like to buy the yearly plan; which other options do you see?",
            ),
            finding(conversation, fine.quote, subtype="lukewarm", speaker="Jonas", tier="look", confidence=0.4),
        ),
        participants=(
            Participant(
                name="Mara", alignment="aligned", buy_in="committed", spoke=True, ask="What could change this?"
            ),
            Participant(name="Jonas", alignment="not_aligned", buy_in="lukewarm", spoke=True, evidence=(fine,)),
            Participant(name="Oda", spoke=False, ask="How do you see the move?"),
        ),
    )


def scripted(answer: Callable[[Conversation, Watch], Analysis]) -> Coach:
    """A coach whose local engine is scripted and whose home is new; everything else is the real one."""

    class Scripted(Coach):
        model_ports: Mapping[str, int] | None = {}  # whatever runs on this machine, no test meets it

        @property
        def local(self) -> Engine:  # type: ignore[override]
            return ScriptedEngine(answer)

    # Pages outlive single tests, so their home can't be the one that each test gets.
    home = Path(tempfile.mkdtemp(prefix="coach-home-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    return Scripted(load_settings(home=home))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    from playwright.sync_api import expect, sync_playwright

    # Generous, so that a busy machine fails no test; nothing here measures time.
    expect.set_options(timeout=20_000)
    with sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield started
        started.close()


@pytest.fixture(scope="module")
def serve() -> Iterator[Callable[[Coach], str]]:
    """A function that serves a coach's page and gives its address; all are closed after the module."""
    from coach.ui import build_ui, launch

    served = []

    def start(coach: Coach) -> str:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        page = build_ui(coach)
        served.append(page)
        return launch(page, port=port, wait=False)

    yield start
    for page in served:
        page.close()


@pytest.fixture(scope="module")
def address(serve: Callable[[Coach], str]) -> str:
    """A page whose reviews are scripted, so that these tests are about the page."""
    return serve(scripted(planning_tool))


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A fresh tab; the test fails when it asked anything of another host, or when a script broke."""
    context = browser.new_context(
        viewport={"width": 1280, "height": 800}, permissions=["clipboard-read", "clipboard-write"]
    )
    context.set_default_timeout(20_000)
    opened = context.new_page()
    outside: list[str] = []
    broken: list[str] = []
    opened.on("request", lambda request: _is_local(request.url) or outside.append(request.url))
    opened.on("pageerror", lambda error: broken.append(str(error)))
    yield opened
    context.close()
    assert outside == []
    assert broken == []


def _is_local(url: str) -> bool:
    return url.startswith(("http://127.0.0.1:", "data:", "blob:"))


def review(page: Page, address: str, text: str = SAMPLE.text) -> None:
    """Pastes a text and waits for its review."""
    page.goto(address)
    page.get_by_label("Meeting notes or transcript").fill(text)
    page.get_by_role("button", name="Review", exact=True).click()
    page.wait_for_selector("#result-title")


def open_place(page: Page, place: str, tab: str = "") -> None:
    """Goes to a place, and to a tab within it, and waits until it is filled."""
    page.get_by_role("tab", name=place, exact=True).click()
    page.wait_for_selector({"Library": ".found", "Evals": ".suites"}.get(place, "#places"), state="attached")
    if tab:
        page.get_by_role("tab", name=tab, exact=True).click()
    page.wait_for_timeout(200)


def make_brief(page: Page) -> None:
    """Fills in the plan and waits for its brief."""
    open_place(page, "Prepare")
    page.get_by_label("What is it for, in one sentence?").fill("Decide on the planning tool")
    page.get_by_label("Decide what to do").check()
    page.get_by_label(re.compile("with commas between them")).fill("Jonas, Oda")
    page.get_by_label("What do you plan to say first, in your own words?").fill(OPENING)
    page.get_by_label(re.compile("^What do you fear")).fill("Nobody sees any more where others are stuck")
    page.get_by_role("button", name="Make the brief").click()
    page.wait_for_selector(".brief", timeout=60_000)


def say(page: Page, text: str) -> None:
    """One turn of practice, and the attendee's answer to it."""
    from playwright.sync_api import expect

    before = page.locator(".practice .chat > li").count()
    page.get_by_label(re.compile("^What you say to")).fill(text)
    page.get_by_role("button", name="Say it").click()
    expect(page.locator(".practice .talk > .chat > li")).to_have_count(before + 2)
    expect(page.get_by_role("button", name="Say it")).to_be_enabled(timeout=20_000)
    expect(page.get_by_label(re.compile("^What you say to"))).to_have_value("")
