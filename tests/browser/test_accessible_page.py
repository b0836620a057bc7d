"""What axe-core finds on every place, light and dark, wide and narrow."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from conftest import make_brief, open_place, planning_tool, review, say, scripted

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from coach.wiring import Coach

PLACES = (("Library", "Search"), ("Library", "Notes"), ("Library", "People"), ("Evals", ""))
# Dark has the same elements in other colours: two places tell.
VIEWS = [("light", 1440, PLACES), ("dark", 360, PLACES[1:2])]


@pytest.mark.parametrize(("scheme", "width", "places"), VIEWS, ids=["light and wide", "dark and narrow"])
def test_no_place_has_a_serious_barrier(
    page: Page, address: str, scheme: str, width: int, places: tuple[tuple[str, str], ...]
) -> None:
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(address)
    page.wait_for_selector(".sample")
    found = {"compose": barriers(page)}
    review(page, address)
    found["review"] = barriers(page)
    page.get_by_role("button", name="Keep in the library").click()
    page.wait_for_selector(".keeping")
    found["keeping"] = barriers(page)
    for place, tab in places:
        open_place(page, place, tab)
        found[f"{place} {tab}"] = barriers(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, f"{place} {tab} is cut off"
    assert {place: lines for place, lines in found.items() if lines} == {}


@pytest.mark.parametrize(("scheme", "width"), [("light", 1440), ("dark", 360)])
def test_no_step_of_preparing_has_a_serious_barrier(
    page: Page, serve: Callable[[Coach], str], scheme: str, width: int
) -> None:
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(serve(scripted(planning_tool)))
    open_place(page, "Prepare")
    found = {"plan": barriers(page)}
    make_brief(page)
    found["brief"] = barriers(page)
    page.get_by_label("Notes of the meeting").fill("Jonas: Nobody sees where others are stuck.\nMara: Next item.")
    page.get_by_role("button", name="Which were heard?").click()
    page.wait_for_selector("#heard-title")
    found["after the meeting"] = barriers(page)
    page.get_by_role("button", name="Practise with Jonas").click()
    page.wait_for_selector(".practice")
    say(page, "You worry that nobody sees any more where others are stuck. What would that mean for you?")
    found["practice"] = barriers(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("button", name="End and look back").click()
    page.wait_for_selector("#debrief-title")
    found["debrief"] = barriers(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert {step: lines for step, lines in found.items() if lines} == {}


def barriers(page: Page) -> list[str]:
    """Serious and critical violations, one line each."""
    from axe_playwright_python.sync_playwright import Axe

    page.wait_for_timeout(300)
    violations = Axe().run(page).response["violations"]
    return [f"{v['id']}: {v['nodes'][0]['html'][:120]}" for v in violations if v["impact"] in ("serious", "critical")]
