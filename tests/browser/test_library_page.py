"""Library: keep, find, follow, delete, bring back, erase."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from conftest import SAMPLE, finding, open_place, planning_tool, review, scripted
from playwright.sync_api import expect

from coach import notes

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from coach.wiring import Coach


@pytest.fixture
def address(serve: Callable[[Coach], str]) -> str:
    """A page with an empty library of its own."""
    return serve(scripted(planning_tool))


def written(folder: Path, n: int) -> list[Path]:
    """Files of short meetings: the boiler is spoken of in the third one only."""
    paths = []
    for i in range(n):
        topic = (
            "the boiler makes a knocking noise at night" if i == 2 else f"we need a longer ladder for roof number {i}"
        )
        path = folder / f"roof-{i}.txt"
        path.write_text(f"Roof {i}, 2026-02-{i + 1:02}\n\nTadeusz: I noticed that {topic}.\nWilma: Right, next.\n")
        paths.append(path)
    return paths


def test_twenty_files_are_added_searched_and_read_in_their_meeting(page: Page, address: str, tmp_path: Path) -> None:
    page.goto(address)
    open_place(page, "Library", "Notes")
    page.locator("#places input[type=file]").last.set_input_files(written(tmp_path, 20))
    expect(page.get_by_text("20 meetings added.")).to_be_visible(timeout=30_000)
    page.get_by_role("tab", name="Search").click()
    page.get_by_label("What was said about").press_sequentially("boiler noise", delay=15)
    expect(page.locator(".hit").first).to_contain_text("Tadeusz")
    expect(page.locator(".hit em").first).to_have_text("boiler")
    page.locator(".hit").first.click()
    expect(page.locator(".meeting .here").first).to_contain_text("boiler makes a knocking noise")
    page.get_by_label("From").fill("2026-02-10")
    expect(page.locator(".hit").first).not_to_contain_text("boiler")


def test_a_review_is_previewed_with_pseudonyms_kept_and_followed(page: Page, address: str) -> None:
    review(page, address)
    page.locator("#card-f1").get_by_role("button", name="Helpful").click()
    expect(page.locator(".toast")).to_contain_text("counts once you keep the notes")
    page.get_by_role("button", name="Keep in the library").click()
    stored = page.locator(".keeping .notes")
    expect(stored).to_contain_text("Person A")
    expect(stored).not_to_contain_text("Jonas")
    expect(page.locator(".keeping .notice")).to_contain_text("Nothing leaves this machine")
    page.get_by_text("Correct the names").click()
    page.get_by_label("As it stands in the notes").fill("Tilework")
    page.get_by_label("It is a").select_option("company")
    page.get_by_role("button", name="Replace it").click()
    expect(stored).not_to_contain_text("Tilework")
    page.get_by_role("button", name="Keep them").click()
    expect(page.locator("#keeping")).to_contain_text("Kept: Studio weekly", timeout=20_000)
    open_place(page, "Library", "People")
    concern = page.locator(".concern", has_text="my own column")
    expect(concern).to_contain_text("acknowledged")
    concern.locator("summary").click()
    expect(concern.locator(".step")).to_have_count(2)
    concern.get_by_role("button", name="They feel heard").click()
    expect(concern.locator(".step").last).to_contain_text("feels heard")


def test_every_card_is_marked_and_the_page_says_what_became_of_it(page: Page, serve: Callable[[Coach], str]) -> None:
    coach = scripted(planning_tool)
    review(page, serve(coach))
    silence, phrasing, need = page.locator("#card-f2"), page.locator("#card-f4"), page.locator("#card-f3")
    silence.get_by_role("button", name="Helpful").click()
    expect(page.locator(".toast")).to_contain_text("counts once you keep the notes")
    expect(page.locator(".toast")).to_be_hidden()
    phrasing.get_by_role("button", name="Helpful").click()
    expect(page.locator(".toast")).to_be_visible()
    phrasing.get_by_role("button", name="Not right").click()
    expect(phrasing.get_by_role("button", name="Not right")).to_have_attribute("aria-pressed", "true")
    expect(phrasing.get_by_role("button", name="Helpful")).to_have_attribute("aria-pressed", "false")
    page.reload()
    expect(silence.get_by_role("button", name="Helpful")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Keep in the library").click()
    page.get_by_role("button", name="Keep them").click()
    expect(page.locator("#keeping")).to_contain_text("Kept: Studio weekly")
    told = [(f.verdict, f.kind) for f in coach.ledger.feedback()]
    assert sorted(told) == [("right", "unheard_objection"), ("wrong", "categorical_phrasing")]
    page.reload()
    need.get_by_role("button", name="Already handled").click()
    expect(page.locator(".toast")).to_contain_text("no longer open under Library, People")
    assert {c.kind for c in coach.ledger.open()} == {"unheard_objection"}
    need.get_by_role("button", name="Already handled").click()
    expect(page.locator(".toast")).to_contain_text("Taken back")
    expect(need.get_by_role("button", name="Already handled")).to_have_attribute("aria-pressed", "false")
    assert {c.kind for c in coach.ledger.open()} == {"unheard_objection", "unaddressed_need"}
    open_place(page, "Evals")
    expect(page.locator(".suites")).to_contain_text("2 cards of your reviews are marked")


def test_added_files_are_followed_from_meeting_to_meeting(page: Page, address: str, tmp_path: Path) -> None:
    dates = ("2026-05-04", "2026-06-01")
    for date in dates:
        (tmp_path / f"studio-{date}.txt").write_text(f"Date: {date}\n\n{SAMPLE.text}")
    page.goto(address)
    open_place(page, "Library", "Notes")
    page.locator("#places input[type=file]").last.set_input_files(sorted(tmp_path.iterdir()))
    expect(page.get_by_text("2 meetings added.")).to_be_visible(timeout=30_000)
    page.get_by_role("tab", name="People").click()
    concern = page.locator(".concern", has_text="my own column")
    concern.locator("summary").click()
    expect(concern.locator(".step b")).to_have_text(["raised", "raised again"])
    expect(concern.locator(".step .dim")).to_have_text(["4 May 2026", "1 June 2026"])
    concern.locator(".step .link").last.click()
    expect(page.locator(".meeting .here")).to_contain_text("In the tool I only see my own column.")


ROOMS = "One cleaner for twenty-six rooms can't do them properly."
MINUTES = "I have eleven minutes for a room, and then they complain about the dust."


@pytest.mark.parametrize(
    ("button", "told", "left"), [("Join them", "followed as one", 1), ("Not the same", "these are two", 2)]
)
def test_what_may_be_the_same_is_joined_or_kept_apart_with_one_button(
    page: Page, serve: Callable[[Coach], str], button: str, told: str, left: int
) -> None:
    coach = scripted(planning_tool)
    for date, quote in (("2026-05-03", ROOMS), ("2026-06-01", MINUTES)):
        conversation = notes.parse(f"Lena: {quote}\nMara: Next.\nLena: Fine.\n")
        raised = finding(conversation, quote, subtype="ignored", speaker="Lena")
        reviewed = coach.review(conversation.text).model_copy(update={"findings": (raised,)})
        coach.ledger.record(reviewed, coach.library.add(conversation, date=date).id)
    page.goto(serve(coach))
    open_place(page, "Library", "People")
    concern = page.locator(".concern", has_text="twenty-six rooms").first
    concern.locator("summary").click()
    expect(concern.locator(".perhaps")).to_contain_text("eleven minutes")
    concern.locator(".perhaps").get_by_role("button", name=button).click()
    expect(page.get_by_role("status").filter(has_text=told)).to_be_visible()
    expect(page.locator(".concern")).to_have_count(left)
    expect(page.locator(".perhaps")).to_have_count(0)


def test_what_was_answered_is_folded_and_told_with_the_answer(page: Page, serve: Callable[[Coach], str]) -> None:
    coach = scripted(planning_tool)
    coach.keep(SAMPLE.text, date="2026-05-03")
    page.goto(serve(coach))
    open_place(page, "Library", "People")
    priya = page.locator(".one", has=page.get_by_role("heading", name="Priya"))
    expect(priya.locator(".concern")).to_be_hidden()
    priya.get_by_text("1 answered or settled").click()
    priya.locator(".concern summary").click()
    expect(priya.locator(".step b")).to_have_text(["raised", "acted on"])
    expect(priya.locator(".step").last).to_contain_text("Mara: “Tomasz, can you ask for guest seats before Friday?”")
    priya.get_by_role("button", name="Open it again").click()
    expect(priya.locator("header")).to_contain_text("1 open concern")


def test_deleted_notes_come_back_and_erased_ones_do_not(page: Page, address: str, tmp_path: Path) -> None:
    page.goto(address)
    open_place(page, "Library", "Notes")
    page.locator("#places input[type=file]").last.set_input_files(written(tmp_path, 2))
    expect(page.locator(".rows li")).to_have_count(2)
    page.get_by_role("button", name=re.compile("Delete Roof 1")).click()
    expect(page.locator(".rows li")).to_have_count(1)
    page.get_by_role("button", name="Bring it back").click()
    expect(page.locator(".rows li")).to_have_count(2)
    with page.expect_download() as saved:
        page.get_by_role("button", name="Export").click()
        page.get_by_role("button", name="↓ Download").click()
    assert "Tadeusz" not in Path(saved.value.path()).read_text(encoding="utf-8")
    page.get_by_role("button", name="Erase everything for good").click()
    page.get_by_role("button", name="Erase for good").click()
    expect(page.get_by_text("2 meetings erased")).to_be_visible()
    expect(page.locator(".rows li")).to_have_count(0)


def test_a_file_that_cannot_be_read_does_not_stop_the_others(page: Page, address: str, tmp_path: Path) -> None:
    broken = tmp_path / "scan.txt"
    broken.write_bytes(bytes(range(256)) * 20)
    page.goto(address)
    open_place(page, "Library", "Notes")
    page.locator("#places input[type=file]").last.set_input_files([broken, *written(tmp_path, 1)])
    expect(page.get_by_text("1 meeting added.")).to_be_visible()
    expect(page.get_by_role("alert")).to_have_text(re.compile("^scan.txt"))


def test_names_of_others_are_shown_as_text(page: Page, address: str, tmp_path: Path) -> None:
    notes = tmp_path / "notes.txt"
    notes.write_text(SAMPLE.text.replace("the dashboard has", "<img src=x onerror=alert(1)> has"))
    page.goto(address)
    open_place(page, "Library", "Notes")
    page.locator("#places input[type=file]").last.set_input_files(notes)
    page.get_by_role("button", name=re.compile("^Studio weekly")).click()
    expect(page.locator(".meeting")).to_be_visible()
    assert page.locator(".uh img").count() == 0
