"""Prepare: from a review to a plan, a brief, a practice and its debrief."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from conftest import make_brief, open_place, planning_tool, review, say, scripted
from playwright.sync_api import expect

from coach.errors import InputError

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from coach.wiring import Coach


@pytest.fixture
def address(serve: Callable[[Coach], str]) -> str:
    """A page with an empty library of its own."""
    return serve(scripted(planning_tool))


def test_a_plan_becomes_a_brief_a_practice_and_a_debrief(page: Page, address: str) -> None:
    page.goto(address)
    make_brief(page)
    page.get_by_role("button", name="Use it").first.click()
    expect(page.locator("#opening-text .new:visible")).to_have_count(1)
    page.get_by_role("button", name="Practise with Jonas").click()
    page.wait_for_selector(".practice")
    say(page, "You worry that nobody sees any more where others are stuck. What would that mean for you?")
    say(page, "Nonsense, the dashboard shows everything. Let's move on.")
    say(page, "I hear you: you would not see where others are stuck. Did I get that right?")
    expect(page.locator(".move.listening").first).to_be_visible()
    page.get_by_role("button", name="Give me a hint").click()
    expect(page.locator(".nudge")).to_be_visible()
    page.get_by_role("button", name=re.compile("Try again from here 5")).click()
    expect(page.locator(".practice .talk > .chat > li")).to_have_count(4)
    expect(page.get_by_text("1 earlier attempt")).to_be_visible()
    page.get_by_role("button", name="End and look back").click()
    expect(page.get_by_role("heading", name="Looking back: Jonas")).to_be_visible()
    expect(page.locator(".climbing polyline").first).to_be_attached()
    page.get_by_text("As a table").click()
    table = page.get_by_role("region", name="Turn by turn").get_by_role("table")
    expect(table.get_by_role("rowheader")).to_have_text(["1", "3"])
    expect(table.get_by_role("columnheader").nth(1)).to_contain_text("Nobody sees any more")
    reached = page.locator(".came .pill").first.inner_text()
    expect(table.get_by_role("row").last.get_by_role("cell").first).to_have_text(reached)


def test_who_writes_in_a_practice_stays_where_they_write(page: Page, address: str) -> None:
    page.goto(address)
    make_brief(page)
    page.get_by_role("button", name="Practise with Jonas").click()
    expect(page.get_by_role("heading", name="Practice with Jonas")).to_be_focused()
    for n in range(3):
        say(page, f"I hear you: you would not see where others are stuck, {n} times. What would help?")
        box = page.get_by_label(re.compile("^What you say to"))
        expect(box).to_be_focused()
        expect(box).to_be_in_viewport()
    last = page.locator(".practice .talk > .chat > li").last.locator("p").inner_text()
    expect(page.locator("#spoken")).to_contain_text(last)


def test_a_reply_that_cannot_be_answered_is_not_lost(page: Page, serve: Callable[[Coach], str]) -> None:
    class Silent(type(scripted(planning_tool))):  # type: ignore[misc]
        def say(self, session: object, text: str) -> Any:
            raise InputError("the model did not answer: try again")

    coach = scripted(planning_tool)
    page.goto(serve(Silent(coach.settings)))
    make_brief(page)
    page.get_by_role("button", name="Practise with Jonas").click()
    box = page.get_by_label(re.compile("^What you say to"))
    for _ in range(2):
        box.fill("What would help you most?")
        page.get_by_role("button", name="Say it").click()
        expect(page.get_by_role("alert").filter(has_text="try again")).to_be_visible()
        expect(box).to_have_value("What would help you most?")
        expect(box).to_be_enabled()


def test_a_practice_that_was_left_is_there_again(page: Page, address: str) -> None:
    page.goto(address)
    make_brief(page)
    page.get_by_role("button", name="Practise with Oda").click()
    page.wait_for_selector(".practice")
    page.reload()
    expect(page.get_by_role("tab", name="Prepare")).to_have_attribute("aria-selected", "true")
    page.get_by_role("button", name=re.compile("Go on")).click()
    expect(page.get_by_role("heading", name="Practice with Oda")).to_be_visible()


def test_who_is_in_the_library_is_not_named_twice(page: Page, address: str) -> None:
    review(page, address)
    page.get_by_role("button", name="Keep in the library").click()
    page.get_by_role("button", name="Keep them").click()
    expect(page.locator("#keeping")).to_contain_text("Kept: Studio weekly")
    page.get_by_role("button", name="Prepare the follow-up").click()
    expect(page.get_by_label("Jonas", exact=True)).to_be_checked()
    expect(page.get_by_label("Others, with commas between them")).not_to_have_value(re.compile("Jonas"))


def test_what_is_missing_is_asked_for_and_what_was_typed_stays(page: Page, address: str) -> None:
    page.goto(address)
    open_place(page, "Prepare")
    page.get_by_label("What is it for, in one sentence?").fill("Decide on the planning tool")
    page.get_by_role("button", name="Make the brief").click()
    expect(page.get_by_role("alert")).to_contain_text("One thing is missing")
    page.reload()
    expect(page.get_by_label("What is it for, in one sentence?")).to_have_value("Decide on the planning tool")


def test_a_review_leads_to_the_plan_of_its_follow_up(page: Page, address: str) -> None:
    review(page, address)
    page.get_by_role("button", name="Prepare the follow-up").click()
    expect(page.get_by_label("What is it for, in one sentence?")).to_have_value(re.compile("Studio weekly"))
    expect(page.get_by_label(re.compile("^What do you plan to say first"))).to_have_value(re.compile("my own column"))


def test_after_the_meeting_its_notes_tell_which_concern_was_heard(page: Page, address: str) -> None:
    review(page, address)
    page.get_by_role("button", name="Keep in the library").click()
    page.get_by_role("button", name="Keep them").click()
    expect(page.locator("#keeping")).to_contain_text("Kept: Studio weekly")
    make_brief(page)
    page.get_by_role("button", name="Practise with Jonas").click()
    page.wait_for_selector(".practice")
    page.reload()
    # The day after, the plan is still there with what was practised for it.
    page.get_by_role("button", name=re.compile("^Open the brief")).click()
    page.get_by_role("button", name="Which were heard?").click()
    expect(page.get_by_role("alert").filter(has_text="paste those of the meeting")).to_be_visible()
    notes = page.get_by_label("Notes of the meeting")
    notes.fill(
        "Jonas: In the tool I only see my own column.\n"
        "Mara: So in the tool you would see only your own column, and not where others are stuck.\n"
        "Jonas: Yes.\nMara: What would you need to see there?\nJonas: The whole column of everybody.\n"
        "Mara: So you need to see every column in the tool. Did I get that right?\nJonas: Yes, exactly.\n"
    )
    page.get_by_role("button", name="Which were heard?").click()
    told = page.locator(".heard .points > li", has_text="my own column")
    expect(told.locator(".pill")).to_have_text("heard")
    expect(told.locator(".evidence li").first).to_be_visible()
