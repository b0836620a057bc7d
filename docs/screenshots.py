"""The pictures of the docs, from meetings that we made up: ``python docs/screenshots.py`` writes ``docs/images``.

They show what the coach really says: the page runs with the engine of this machine and an empty library, is walked
through in Debian's chromium, and is pictured in the light and in the dark.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from coach.samples import samples
from coach.settings import load_settings
from coach.ui import serve

if TYPE_CHECKING:
    from playwright.sync_api import Page

IMAGES = Path(__file__).parent / "images"
WIDE, NARROW = {"width": 1280, "height": 860}, {"width": 390, "height": 844}


def main() -> None:
    """Write every picture anew."""
    from playwright.sync_api import sync_playwright

    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as home, sync_playwright() as driver:
        address = serve(load_settings(home=Path(home), engine="local"), port=0, wait=False)
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for scheme in ("light", "dark"):
            page = browser.new_context(viewport=WIDE, color_scheme=scheme, reduced_motion="reduce").new_page()
            _walk(page, address, scheme)
            page.context.close()
        page = browser.new_context(viewport=NARROW, color_scheme="light", device_scale_factor=2).new_page()
        _review(page, address)
        _picture(page, "review-narrow")
        browser.close()


def _walk(page: Page, address: str, scheme: str) -> None:
    page.goto(address)
    page.wait_for_selector(".sample")
    _picture(page, f"start-{scheme}")
    _review(page, address)
    _picture(page, f"review-{scheme}")
    page.evaluate("document.querySelector('.board').scrollIntoView()")
    _picture(page, f"people-{scheme}")
    page.get_by_role("button", name="Keep in the library").click()
    page.wait_for_selector(".keeping")
    _picture(page, f"pseudonyms-{scheme}")
    page.get_by_role("button", name="Keep them").click()
    page.locator("#keeping p.uh.notice").wait_for()
    page.get_by_role("button", name="Prepare the follow-up").click()
    page.wait_for_selector(".plan:visible")
    opening = page.get_by_label("What do you plan to say first, in your own words?")
    opening.fill("From Monday we plan in Tilework. Everybody knows the wall is old. The yearly plan is the only way.")
    page.get_by_role("button", name="Make the brief").click()
    page.wait_for_selector(".brief")
    _picture(page, f"brief-{scheme}")
    page.get_by_role("button", name="Practise with Jonas").click()
    page.wait_for_selector(".practice")
    page.get_by_label("What you say to Jonas").fill(
        "You see on the wall what the others are stuck on, and in the tool you would not. What would you need there?"
    )
    page.get_by_role("button", name="Say it").click()
    page.locator(".reply button[type=submit]:enabled").wait_for()
    page.wait_for_timeout(500)
    _picture(page, f"practice-{scheme}")
    page.get_by_role("button", name="End and look back").click()
    page.wait_for_selector(".debrief")
    page.locator(".debrief .numbers summary").click()
    _picture(page, f"debrief-{scheme}")
    page.get_by_role("tab", name="Library", exact=True).click()
    page.get_by_role("tab", name="People", exact=True).click()
    page.locator(".concern summary").first.click()
    page.locator(".step .link").first.click()
    page.wait_for_selector(".meeting .here")
    _picture(page, f"library-{scheme}")
    page.get_by_role("tab", name="Evals", exact=True).click()
    page.locator(".past summary").first.click()
    _picture(page, f"evals-{scheme}")


def _review(page: Page, address: str) -> None:
    page.goto(address)
    page.get_by_role("button", name=samples()[0].title).click()
    page.wait_for_selector("#result-title")


def _picture(page: Page, name: str) -> None:
    from PIL import Image

    page.wait_for_timeout(500)
    path = IMAGES / f"{name}.png"
    page.screenshot(path=path)
    with Image.open(path) as picture:
        # Less than half the size, and every tone of the page stays.
        picture.convert("RGB").quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)


if __name__ == "__main__":
    main()
