"""Review: paste, look, find, take away."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import pytest
from conftest import SAMPLE, finding, review, scripted
from playwright.sync_api import expect

from coach.engine import Watch
from coach.errors import ModelUnreachableError
from coach.schema import Analysis, Conversation, Participant
from coach.ui import strings
from coach.wiring import Coach

if TYPE_CHECKING:
    from playwright.sync_api import Page

HOSTILE = '<img src=x onerror="document.title=\'pwned\'">{{7*7}}${document.title="pwned"}`</textarea><script>1</script>'


def test_pasted_notes_come_back_with_passages_and_cards(page: Page, address: str) -> None:
    review(page, address)
    expect(page.locator(".cards > .card")).to_have_count(4)
    expect(page.locator(".notes .mark")).to_have_count(5)
    shown = page.locator(".notes").inner_text()
    for line in filter(str.strip, SAMPLE.text.splitlines()):
        assert line.split(": ", 1)[-1][:30] in re.sub(r"\n?\d+\n?", "", shown) or line.split()[-1] in shown
    expect(page.locator(".card").first).to_contain_text("Nobody came back to it.")
    expect(page.get_by_role("heading", name="Studio weekly")).to_be_focused()


def test_what_was_heard_is_folded_below_what_to_raise(page: Page, address: str) -> None:
    review(page, address)
    heard = page.locator(".heard")
    expect(heard.locator("summary")).to_have_text("What was heard (1)")
    expect(heard.locator("li")).to_be_hidden()
    heard.locator("summary").click()
    expect(heard.locator("li")).to_contain_text("Priya: “How do the freelancers get in?”")
    expect(heard.locator("li")).to_contain_text("acted on Mara: “Tomasz, can you ask for guest seats before Friday?”")


def test_a_sample_is_one_click_away(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_role("button", name=re.compile(f"^{SAMPLE.title}")).click()
    expect(page.locator(".cards > .card")).to_have_count(4)


def test_a_card_lights_its_passage_and_a_passage_its_card(page: Page, address: str) -> None:
    review(page, address)
    page.locator("#card-f4 .quote").click()
    expect(page.locator("#mark-f4")).to_be_in_viewport()
    expect(page.locator("#mark-f4")).to_have_class(re.compile(r"\blit\b"))
    page.locator("#mark-f1").click()
    expect(page.locator("#card-f1")).to_be_in_viewport()
    expect(page.locator("#card-f1")).to_have_class(re.compile(r"\blit\b"))
    expect(page.locator("#card-f4")).not_to_have_class(re.compile(r"\blit\b"))


def test_the_keyboard_alone_goes_from_passage_to_card_and_back(page: Page, address: str) -> None:
    review(page, address)
    page.locator("#mark-f3").focus()
    expect(page.locator("#card-f3")).to_have_class(re.compile(r"\blit\b"))
    page.keyboard.press("Enter")
    expect(page.locator("#card-f3 .quote")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#mark-f3")).to_be_focused()


def test_doubtful_findings_are_folded_and_their_passage_unfolds_them(page: Page, address: str) -> None:
    review(page, address)
    expect(page.locator("#card-f5")).to_be_hidden()
    page.locator("#mark-f5").click()
    expect(page.locator("#card-f5")).to_be_visible()


def test_one_kind_can_be_shown_alone(page: Page, address: str) -> None:
    review(page, address)
    page.get_by_role("button", name=re.compile("Unaddressed need")).click()
    expect(page.locator(".card:visible")).to_have_count(1)
    page.get_by_role("button", name=re.compile("^All")).click()
    expect(page.locator(".cards > .card:visible")).to_have_count(4)


def test_the_board_says_unknown_and_silent(page: Page, address: str) -> None:
    review(page, address)
    cell = page.locator(".matrix tr", has_text="sees it differently").locator("td").nth(1)
    expect(cell).to_have_text("Jonas")
    expect(page.locator(".matrix td.unknown", has_text="Oda")).to_contain_text("silent")
    page.locator(".person", has_text="Oda").click()
    expect(page.locator(".someone:focus")).to_contain_text("How do you see the move?")


def test_the_review_is_copied_and_saved(page: Page, address: str) -> None:
    review(page, address)
    page.get_by_role("button", name="Copy as Markdown").click()
    expect(page.locator("[data-say]")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()").startswith("# Studio weekly")
    for name, start in (("Markdown", "# Studio weekly"), ("HTML", "<!doctype html>")):
        with page.expect_download() as saved:
            page.get_by_role("button", name=f"Download ↓ {name}").click()
        assert Path(saved.value.path()).read_text(encoding="utf-8").startswith(start)


def test_a_file_is_opened_or_dropped_and_not_kept(page: Page, address: str, tmp_path: Path) -> None:
    import os

    notes = tmp_path / "weekly.txt"
    notes.write_text(SAMPLE.text, encoding="utf-8")
    page.goto(address)
    page.locator("#compose input[type=file]").set_input_files(notes)
    expect(page.locator(".cards > .card")).to_have_count(4)
    page.get_by_role("button", name="Review other notes").click()
    drop = page.evaluate_handle(
        "text => { const d = new DataTransfer(); d.items.add(new File([text], 'dropped.txt')); return d }",
        SAMPLE.text,
    )
    page.dispatch_event("#notes-in textarea", "drop", {"dataTransfer": drop})
    expect(page.locator(".cards > .card")).to_have_count(4)
    assert list(Path(os.environ["GRADIO_TEMP_DIR"]).rglob("*.txt")) == []


def test_an_empty_page_and_unreadable_file_say_what_to_do(page: Page, address: str, tmp_path: Path) -> None:
    page.goto(address)
    page.get_by_role("button", name="Review", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("paste some notes")
    blob = tmp_path / "photo.txt"
    blob.write_bytes(bytes(range(256)) * 40)
    page.locator("#compose input[type=file]").set_input_files(blob)
    expect(page.get_by_role("alert")).not_to_contain_text("paste some notes")
    expect(page.locator("#result-title")).to_have_count(0)


def test_a_meeting_with_nothing_to_raise_is_said_to_be_one(page: Page, address: str) -> None:
    review(page, address, "Ana: Shall we paint the shed green?\nBen: Yes, I will buy the paint on Friday.")
    expect(page.get_by_role("heading", name="Nothing to raise")).to_be_visible()
    expect(page.locator(".notice:not(.busy)")).to_contain_text("finding nothing says little")


def test_a_reload_brings_the_review_back_and_a_new_start_forgets_it(page: Page, address: str) -> None:
    review(page, address)
    page.reload()
    expect(page.locator(".cards > .card")).to_have_count(4)
    page.get_by_role("button", name="Review other notes").click()
    expect(page.get_by_label("Meeting notes or transcript")).to_have_value("")
    page.reload()
    page.wait_for_selector(".sample")
    expect(page.locator("#result-title")).to_have_count(0)


def test_two_people_at_once_do_not_see_each_other(browser: object, page: Page, address: str) -> None:
    other = browser.new_context().new_page()  # type: ignore[attr-defined]
    page.goto(address)
    other.goto(address)
    page.get_by_label("Meeting notes or transcript").fill("Ana: The quince is ripe.")
    other.get_by_label("Meeting notes or transcript").fill("Ben: The medlar is not.")
    for tab in (page, other):
        tab.get_by_role("button", name="Review", exact=True).click()
    for tab, mine, theirs in ((page, "quince", "medlar"), (other, "medlar", "quince")):
        tab.wait_for_selector("#result-title")
        assert mine in tab.content() and theirs not in tab.content()
    other.context.close()


def test_hostile_text_is_shown_as_text(page: Page, serve: Callable[[Coach], str]) -> None:
    def hostile(conversation: Conversation, watch: Watch) -> Analysis:
        spoken = finding(
            conversation, HOSTILE, subtype="ignored", speaker=HOSTILE, why=HOSTILE, ask=HOSTILE, rewrite=HOSTILE
        )
        return Analysis(findings=(spoken,), participants=(Participant(name=HOSTILE, ask=HOSTILE),), notices=(HOSTILE,))

    review(page, serve(scripted(hostile)), f"Ana: {HOSTILE}\nBen: All right, next item.")
    page.wait_for_timeout(200)
    assert page.title() == "Unheard"
    for place in (".notes", ".card .why", ".card .ask p", ".card .rewrite p", ".someone h4", ".notice:not(.busy)"):
        expect(page.locator(place).first).to_contain_text(HOSTILE)
    assert page.locator(".uh img, .uh script").count() == 0


def test_long_work_shows_progress_and_can_be_stopped(page: Page, serve: Callable[[Coach], str]) -> None:
    ended = Event()

    def slow(conversation: Conversation, watch: Watch) -> Analysis:
        watch.progress(0.4, "Listening")
        try:
            while True:
                watch.check()
                ended.wait(0.05)
        finally:
            ended.set()

    page.goto(serve(scripted(slow)))
    page.get_by_label("Meeting notes or transcript").fill("Ana: Hello.")
    page.get_by_role("button", name="Review", exact=True).click()
    expect(page.get_by_label("Listening")).to_have_attribute("value", "40")
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_role("alert")).to_contain_text("Stopped")
    expect(page.get_by_label("Meeting notes or transcript")).to_have_value("Ana: Hello.")
    assert ended.wait(2)


def test_a_fault_is_one_sentence_without_the_notes(
    page: Page, serve: Callable[[Coach], str], caplog: pytest.LogCaptureFixture
) -> None:
    def broken(conversation: Conversation, watch: Watch) -> Analysis:
        raise KeyError(conversation.text)

    page.goto(serve(scripted(broken)))
    page.get_by_label("Meeting notes or transcript").fill("Ana: The code word is rhubarb.")
    page.get_by_role("button", name="Review", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("Something went wrong on our side (KeyError)")
    assert "rhubarb" not in caplog.text
    assert "KeyError" in caplog.text


def test_a_broken_endpoint_leaves_a_local_review_with_the_reason(page: Page, serve: Callable[[Coach], str]) -> None:
    class Unreachable:
        name = "llm"

        def analyse(self, conversation: Conversation, earlier: object, watch: Watch) -> Analysis:
            raise ModelUnreachableError("the endpoint did not answer within 120 s: check that it runs")

    coach = scripted(lambda conversation, watch: Analysis())
    coach.__dict__["llm"] = Unreachable()
    review(page, serve(coach), "Ana: Hello.\nBen: Hello.")
    expect(page.locator(".notice.warn:not(.busy)")).to_contain_text("did not answer within 120 s")


@pytest.mark.parametrize("width", [360, 1440])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_cut_off_at_any_width(page: Page, address: str, width: int, scheme: str) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.emulate_media(color_scheme=scheme)
    review(page, address)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_when_too_many_wait_the_next_one_is_told_kindly_and_loses_nothing(
    page: Page, serve: Callable[[Coach], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from gradio_client import Client

    from coach.ui.review import AT_ONCE

    go_on = Event()

    def slow(conversation: Conversation, watch: Watch) -> Analysis:
        go_on.wait(120)
        return Analysis()

    monkeypatch.setattr("coach.ui.server.WAITING", 1)
    address = serve(scripted(slow))
    page.goto(address)
    page.get_by_label("Meeting notes or transcript").fill("Ana: The quince is ripe.")
    client = Client(address, verbose=False)
    others = [client.submit("Ben: Hello.", api_name="/review") for _ in range(AT_ONCE)]
    while any(job.status().code.name not in ("PROCESSING", "ITERATING") for job in others):
        page.wait_for_timeout(100)
    others.append(client.submit("Ben: Hello.", api_name="/review"))
    while others[-1].status().code.name != "IN_QUEUE":
        page.wait_for_timeout(100)
    page.get_by_role("button", name="Review", exact=True).click()
    expect(page.locator(".busy")).to_have_text(strings.BUSY)
    expect(page.get_by_label("Meeting notes or transcript")).to_have_value("Ana: The quince is ripe.")
    go_on.set()
    for job in others:
        job.result(timeout=60)
    page.get_by_role("button", name="Review", exact=True).click()
    page.wait_for_selector("#result-title")
