"""A report that is saved and opened later: whatever notes, names or a model say in it stays text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import hostile as others
import pytest
from coach_eval.baselines import Blessing, History
from coach_eval.reports.page import page as eval_page

from coach import render
from coach.schema import Evidence, Finding, Meeting, Participant, Review

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

ATTACKS = (
    "<script>document.title='owned'</script>",
    "<img src=x onerror=\"document.title='owned'\">",
    "\"><svg onload=document.title='owned'>",
    "'-document.title='owned'-'",
    "</style><body onload=document.title='owned'>",
    "javascript:document.title='owned'",
    "{{7*7}}{% raw %}",
)


def hostile(words: str) -> tuple[Review, str]:
    """A review in which every field that takes text says these words, and its notes."""
    text = f"Ana: {words}\nBen: Next."
    found = Finding(
        kind="unheard_objection", subtype="ignored", quote=words, start=5, end=5 + len(words), speaker=words, why=words,
        ask=words, rewrite=words, confidence=0.9, source=words,
        evidence=(Evidence(meeting=words, date=None, quote=words, speaker=words),),
    )  # fmt: skip
    someone = Participant(name=words, spoke=True, ask=words)
    meeting = Meeting(title=words, date=None, format="speaker-labels", utterances=2, speakers=(words,))
    review = Review(
        engine="local", seconds=0.1, meeting=meeting, findings=(found,), participants=(someone,), notices=(words,)
    )
    return review, text


@pytest.mark.parametrize("words", ATTACKS)
def test_a_saved_report_shows_hostile_words_and_does_not_obey_them(page: Page, words: str) -> None:
    review, text = hostile(words)
    page.set_content(render.html(review, text))
    page.wait_for_timeout(100)
    assert page.title() != "owned"
    assert page.locator("img, svg[onload], script").count() == 0
    assert words.split("{{")[0] in page.inner_text("body")


def _results(words: str) -> str:
    blessed = [
        Blessing(suite="ours", date=words, commit=words, cases=1, metrics={words: value}) for value in (0.5, 1.0)
    ]  # fmt: skip
    return eval_page(*([one] for one in others.results(words)), History(blessings=tuple(blessed)))


REPORTS: dict[str, Callable[[str], str]] = {
    "brief": lambda words: render.brief_html(others.brief(words)),
    "debrief": lambda words: render.debrief_html(others.debrief(words)),
    "results of an evaluation": _results,
}


@pytest.mark.parametrize("words", ATTACKS)
@pytest.mark.parametrize("report", REPORTS)
def test_so_do_all_other_reports(page: Page, report: str, words: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.set_content(REPORTS[report](words))
    # The one script there may be is ours, and goes through every row.
    if report == "results of an evaluation":
        page.fill("#search", words)
        page.select_option("#show", "failed")
    page.wait_for_timeout(100)
    assert page.title() != "owned"
    assert page.locator("img, svg[onload], [onerror], body[onload]").count() == 0
    assert page.locator("script").count() == (report == "results of an evaluation")
    assert page.locator("a:not([href^='#'])").count() == 0
    assert words.split("{{")[0] in page.inner_text("body")
    assert [url for url in asked if not url.startswith(("data:", "about:"))] == []


def test_no_script_but_ours_runs_in_the_results_of_an_evaluation(browser: Browser, tmp_path: Path) -> None:
    """As a file, where a policy counts: what somebody got into the page by a way we overlooked does not run."""
    smuggled = (
        "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
        "<a id=link href=\"javascript:document.title='owned'\">go</a>"
    )
    report = tmp_path / "results.html"
    report.write_text(_results("quiet words").replace("</table>", f"</table>{smuggled}", 1), encoding="utf-8")
    page, refused = browser.new_page(), list[str]()
    page.on("console", lambda message: refused.append(message.text))
    page.goto(report.as_uri())
    page.click("#link")
    page.wait_for_timeout(100)
    assert page.title() == "Coach evaluation"
    assert sum("Content Security Policy" in text for text in refused) >= 3, refused
    rows = page.locator("tr.case:visible").count()
    page.fill("#search", "no such case")
    assert page.locator("tr.case:visible").count() == 0 < rows
    page.fill("#search", "")
    assert page.locator("tr.case:visible").count() == rows
    page.close()
