"""What axe-core finds on every place, light and dark, wide and narrow."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from conftest import open_place, review

if TYPE_CHECKING:
    from playwright.sync_api import Page

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


def barriers(page: Page) -> list[str]:
    """Serious and critical violations, one line each."""
    from axe_playwright_python.sync_playwright import Axe

    page.wait_for_timeout(300)
    violations = Axe().run(page).response["violations"]
    return [f"{v['id']}: {v['nodes'][0]['html'][:120]}" for v in violations if v["impact"] in ("serious", "critical")]
