"""A report that is saved and opened later: whatever notes, names or a model say in it stays text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from coach import render
from coach.schema import Evidence, Finding, Meeting, Participant, Review

if TYPE_CHECKING:
    from playwright.sync_api import Page

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
