"""Reports for people: a review as Markdown, as one self-contained HTML page, or for the terminal.

Everything that comes from notes or from a model is escaped in the language of the report, so that it is shown as text:
links, images and mark-up in it do nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from coach.labels import (
    ALIGNMENT,
    ALIGNMENTS,
    BUY_IN,
    BUY_INS,
    HEARD,
    HEARD_HINT,
    HEARD_TITLE,
    MOVES,
    RUNGS,
    STEPS,
    became_label,
    date_label,
    detail_label,
    kind_label,
)
from coach.schema import Evidence, Finding, Heard, Review

if TYPE_CHECKING:
    from jinja2 import Environment
    from rich.console import RenderableType

    from coach.rehearsal.values import Brief, Debrief

_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")

STAND = ("Who", ALIGNMENT, BUY_IN, "A question that would tell")
NOTHING = (
    "Nothing to raise in these notes: as far as the record shows, what people put forward was taken up. "
    "That is a good page, and it may still leave things out that nobody wrote down."
)


@dataclass(frozen=True)
class Part:
    """A run of the notes: ``kind`` and ``ids`` of the findings that cover it, empty for plain text."""

    text: str
    kind: str = ""
    ids: tuple[str, ...] = ()


def summary(review: Review) -> str:
    """One line: how much there is to raise."""
    sure = sum(f.tier == "finding" for f in review.findings)
    look = len(review.findings) - sure
    if not review.findings:
        return "Nothing to raise"
    parts = [f"{sure} passage{'s' * (sure != 1)} to raise"] if sure else ["Nothing to raise for sure"]
    return ", ".join([*parts, *([f"{look} worth a look"] if look else [])])


def highlighted(text: str, findings: Sequence[Finding]) -> tuple[Part, ...]:
    """The text cut into parts so that joining them gives the text again; overlapping findings share a part."""
    cuts = sorted({0, len(text), *(f.start for f in findings), *(f.end for f in findings)})
    parts = []
    for start, end in pairwise(cuts):
        over = [f for f in findings if f.start <= start and end <= f.end]
        parts.append(Part(text[start:end], over[0].kind if over else "", tuple(f.id for f in over)))
    return tuple(parts)


def markdown(review: Review, text: str | None = None) -> str:
    """The report as Markdown; ``text`` is not needed and accepted so that all renderers are called alike."""
    return _environment().get_template("review.md.j2").render(**_context(review, text)).strip() + "\n"


def html(review: Review, text: str | None = None) -> str:
    """The report as one HTML page without scripts or outside requests; with ``text``, the notes highlighted below."""
    return _environment().get_template("review.html.j2").render(**_context(review, text))


def brief_markdown(brief: Brief) -> str:
    """The brief of a meeting to come as Markdown."""
    return _tidy(_environment().get_template("brief.md.j2").render(brief=brief))


def brief_html(brief: Brief) -> str:
    """The brief as one HTML page without scripts or outside requests, made to be printed on one sheet."""
    return _environment().get_template("brief.html.j2").render(brief=brief)


def debrief_markdown(debrief: Debrief) -> str:
    """The debrief of a practice as Markdown."""
    return _tidy(_environment().get_template("debrief.md.j2").render(debrief=debrief))


def debrief_html(debrief: Debrief) -> str:
    """The debrief as one HTML page without scripts or outside requests, the ladder over the turns drawn in it."""
    return _environment().get_template("debrief.html.j2").render(debrief=debrief, rungs=RUNGS)


def ladder_svg(debrief: Debrief) -> str:
    """The ladder over the turns alone, as SVG for a page that brings its own style."""
    return _environment().get_template("ladder.svg.j2").render(debrief=debrief, rungs=RUNGS)


def terminal(review: Review) -> RenderableType:
    """The report for a terminal, as a rich renderable."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Group
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text as Styled

    class Text(Styled):
        """Text of others: a terminal would obey control characters in it."""

        def __init__(self, text: str = "", *args: Any, **kwargs: Any) -> None:
            super().__init__(_CONTROLS.sub("", text), *args, **kwargs)

    def lines(*rows: tuple[str, str, str]) -> Padding:
        grid = Table.grid(padding=(0, 2))
        for label, said, style in rows:
            if said:
                grid.add_row(Text(label, style="dim", no_wrap=True), Text(said, style=style))
        return Padding(grid, (0, 0, 1, 4))

    colours = {
        "unheard_objection": "dark_orange",
        "unaddressed_need": "deep_sky_blue1",
        "categorical_phrasing": "magenta",
    }
    parts: list[RenderableType] = [Text(_headline(review), style="bold"), Text(summary(review)), Text()]
    parts += [Text(n, style="italic") for n in _remarks(review)]
    if not review.findings:
        parts.append(Text(NOTHING))
    looks = False
    for finding in review.findings:
        if finding.tier == "look" and not looks:
            looks = True
            parts += [Text("Worth a look", style="bold"), Text("Less sure: read them in context before using them.\n")]
        head = [(kind_label(finding.kind), f"bold {colours.get(finding.kind, 'cyan')}")]
        head += [(f" · {d}", "dim") for d in [detail_label(finding), finding.speaker or ""] if d]
        parts.append(
            Text.assemble(
                (f"{finding.id[1:]:>2}  ", "bold"), *((_CONTROLS.sub("", words), style) for words, style in head)
            )
        )
        parts.append(Padding(Text(f"“{_one_line(finding.quote)}”"), (0, 0, 0, 4)))
        earlier = [("Earlier", _earlier(e), "") for e in finding.evidence]
        parts.append(
            lines(
                ("Why", finding.why, ""),
                ("Instead", finding.rewrite or "", "green"),
                ("Next time", finding.ask, ""),
                *earlier,
            )
        )
    if review.heard:
        parts += [Text(f"\n{HEARD_TITLE}", style="bold"), Text(f"{HEARD_HINT}\n", style="dim")]
        for one in review.heard:
            parts.append(Padding(Text(f"{one.speaker}: “{_one_line(one.quote)}”"), (0, 0, 0, 4)))
            agreed = f"“{_one_line(one.confirmation.quote)}”" if one.confirmation else ""
            parts.append(lines((HEARD[one.stage], _answer(one), ""), (HEARD["confirmed"], agreed, "")))
    if review.participants:
        parts.append(Text("\nWhere people stand", style="bold"))
        table = Table(*STAND, box=SIMPLE_HEAD, pad_edge=False)
        for p in review.participants:
            table.add_row(
                Text(p.name if p.spoke else f"{p.name} (silent)"),
                ALIGNMENTS[p.alignment],
                BUY_INS[p.buy_in],
                Text(p.ask),
            )
        parts.append(table)
    return Group(*parts)


def _context(review: Review, text: str | None) -> dict[str, Any]:
    return {
        "review": review,
        "headline": _headline(review),
        "summary": summary(review),
        "remarks": _remarks(review),
        "sure": [f for f in review.findings if f.tier == "finding"],
        "looks": [f for f in review.findings if f.tier == "look"],
        "parts": highlighted(text, review.findings) if text else (),
        "nothing": NOTHING,
        "heard_title": HEARD_TITLE,
        "heard_hint": HEARD_HINT,
    }


def _headline(review: Review) -> str:
    title, day = review.meeting.title or "Meeting notes", date_label(review.meeting.date)
    return title if not day or day in title or (review.meeting.date or "") in title else f"{title} · {day}"


def _remarks(review: Review) -> list[str]:
    fell_back = (
        [f"The model did not answer ({review.fell_back}); this review was made on this machine."]
        if review.fell_back
        else []
    )
    return [*fell_back, *review.notices]


def _earlier(evidence: Evidence) -> str:
    where = ", ".join(filter(None, [date_label(evidence.date), evidence.meeting]))
    became = became_label(evidence.status)
    return f"{where}: “{_one_line(evidence.quote)}”" + (f" ({became})" if became else "")


def _answer(heard: Heard) -> str:
    """Who took it up, where the notes say so, and in which words."""
    who = f"{heard.answer.speaker}: " if heard.answer.speaker else ""
    return f"{who}“{_one_line(heard.answer.quote)}”"


def _tidy(text: str) -> str:
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def _dated(said: Any) -> str:
    """When and where a point or a piece of evidence was said."""
    day, meeting = date_label(said.date), said.meeting or ""
    return ", ".join(filter(None, ["" if day in meeting else day, meeting]))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def plain_markdown(text: str | None) -> str:
    """Text that Markdown shows letter for letter, on one line, for templates and for reports of others."""
    escaped = re.sub(r"([\\`*_{}\[\]<>#|~!&])", r"\\\1", _one_line(text or ""))
    escaped = re.sub(r"^(\d+)([.)])", r"\1\\\2", escaped)
    # A list or a heading in Markdown, and a formula where somebody pastes the table into a spreadsheet.
    escaped = re.sub(r"^([-+=@])", r"\\\1", escaped)
    # Autolinks need no mark-up in some dialects; breaking the scheme keeps a link in notes from becoming one here.
    return re.sub(r"\b(https?|ftp|mailto|www)([:.])", r"\1\\\2", escaped)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

    made = Environment(
        loader=PackageLoader("coach", "templates"),
        autoescape=select_autoescape(["html", "html.j2"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {
        "md": plain_markdown,
        "kind_label": kind_label,
        "detail": detail_label,
        "one_line": _one_line,
        "earlier": _earlier,
        "answer": _answer,
        "stage": HEARD.__getitem__,
        "dated": _dated,
        "rung": STEPS.__getitem__,
        "move": MOVES.__getitem__,
        "buy_in": BUY_INS.__getitem__,
        "alignment": ALIGNMENTS.__getitem__,
    }
    return made
