"""What leaves as Markdown, JUnit or JSON shows words of others as words: no link, no picture, no mark-up, no mention,
no formula where somebody pastes a table into a spreadsheet. There is no export as CSV."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree as ET

import hostile
import pytest
from coach_eval.baselines import History
from coach_eval.reports.comment import comment
from coach_eval.reports.junit import junit
from coach_eval.reports.page import page
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from test_render import hostile_everywhere, tags

from coach import render

ROOT = Path(__file__).parents[1]
WORDS = (
    "[click](http://evil.example)", "![x](http://evil.example/x.png)", "<http://evil.example>", "http://evil.example/a",
    "<img src=x onerror=alert(1)>", "<script>alert(1)</script>", "`code`", "**bold**", "# head", "> quote", "- item",
    "1. item", "| a | b |", "---", "===", "```\ncode", "    code", "[x]: http://evil.example", "[x][x]", "&lt;b&gt;",
    "<!-- gone", "</details>", "\\", "a\\", "$x^2$", "~~gone~~", "<details><summary>x", "a\n\n# b", "\u2028# b",
)  # fmt: skip
FORMULAS = ("=cmd|' /C calc'!A0", "+1+1", "-1+1", "@SUM(1)", '=HYPERLINK("http://evil.example")', "\t=1", "\r=1", " =1")
MAKERS: dict[str, Callable[[str], str]] = {
    "review": lambda words: render.markdown(hostile_everywhere(words)),
    "brief": lambda words: render.brief_markdown(hostile.brief(words)),
    "debrief": lambda words: render.debrief_markdown(hostile.debrief(words)),
    "comment": lambda words: comment(*([one] for one in hostile.results(words))),
}


def shown(markdown: str) -> list[str]:
    """The kinds of everything that a reader would make of it, text aside."""
    tokens = MarkdownIt("commonmark").enable(["table", "strikethrough"]).parse(markdown)
    inline = [child for token in tokens for child in token.children or ()]
    return [
        token.type + token.tag
        for token in (*tokens, *inline)
        if token.type not in ("text", "softbreak", "text_special")
    ]


@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("words", WORDS)
def test_words_of_others_make_no_markup(maker: str, words: str) -> None:
    made = MAKERS[maker]
    assert shown(made(words)) == shown(made("plain words"))


@pytest.mark.parametrize("maker", MAKERS)
@settings(max_examples=40, deadline=None)
@given(st.text("[]()<>!*_`#|~\\&=-+ \n.1:/ahtpw@\u2028", min_size=1, max_size=24).filter(str.strip))
def test_nor_does_anything_made_of_marks(maker: str, words: str) -> None:
    made = MAKERS[maker]
    assert shown(made("a " + words)) == shown(made("plain words"))


@pytest.mark.parametrize("maker", MAKERS)
@pytest.mark.parametrize("words", FORMULAS)
def test_no_cell_of_a_table_is_a_formula(maker: str, words: str) -> None:
    rows = [line for line in MAKERS[maker](words).splitlines() if line.startswith("|") and not line.startswith("| --")]
    assert rows
    cells = [cell.strip() for row in rows for cell in re.split(r"(?<!\\)\|", row.strip("|"))]
    assert [cell for cell in cells if cell[:1] in ("=", "+", "@") or re.match(r"-\d", cell)] == []


@pytest.mark.parametrize("words", ["@everyone", "https://evil.example", "www.evil.example", "mailto:a@b.example"])
def test_a_comment_mentions_nobody_and_links_nowhere(words: str) -> None:
    made = MAKERS["comment"](words)
    assert not re.search(r"@\w|https?:/|www\.\w|mailto:\w", made)


@pytest.mark.parametrize("words", [*WORDS, "\x00\x1b[2J", "]]>", "&#0;", "<?xml?>"])
def test_junit_of_anything_is_xml_with_the_words_in_it(words: str) -> None:
    run, verdict = hostile.results(words)
    root = ET.fromstring(junit([run], [verdict]))
    assert [element.tag for element in root.iter()] == [
        element.tag for element in ET.fromstring(junit(*([one] for one in hostile.results("plain")))).iter()
    ]


@pytest.mark.parametrize(
    "words", [*WORDS, '"><svg onload=alert(1)>', "'-alert(1)-'", "</title><b>", "javascript:alert(1)"]
)
def test_html_of_anything_has_the_same_elements(words: str) -> None:
    for made in (
        lambda said: render.brief_html(hostile.brief(said)),
        lambda said: render.debrief_html(hostile.debrief(said)),
        lambda said: page(*([one] for one in hostile.results(said)), History()),
    ):
        assert [tag for tag, _ in tags(made(words))] == [tag for tag, _ in tags(made("plain words"))]
        assert [sorted(at) for _, at in tags(made(words))] == [sorted(at) for _, at in tags(made("plain words"))]


def test_nothing_is_exported_as_csv() -> None:
    sources = [p for folder in ("coach", "eval/coach_eval") for p in (ROOT / folder).rglob("*.py")]
    assert [p.name for p in sources if re.search(r"\bcsv\.writer|to_csv|DictWriter", p.read_text("utf-8"))] == []
