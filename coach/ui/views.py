"""The page's own HTML. Whatever comes from notes, names or models passes through Jinja's autoescape."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from coach import labels, render
from coach.rehearsal.ladder import RUNGS
from coach.rehearsal.moves import LISTENING
from coach.samples import samples
from coach.schema import Conversation, Review
from coach.ui import charts, strings
from coach.ui.marking import turns

if TYPE_CHECKING:
    from jinja2 import Environment

ALIGNMENTS = ("aligned", "not_aligned", "unknown")
BUY_INS = ("committed", "lukewarm", "resistant", "unknown")


def frame(leaves: bool) -> str:
    """Name, motto, and where the notes go: whether pseudonymised ones may leave this machine."""
    return _fill("frame.html.j2", where=strings.PRIVATE_LLM if leaves else strings.PRIVATE)


def empty() -> str:
    """What stands where the review will be: what the coach listens for."""
    return _fill("empty.html.j2")


def sample_list() -> str:
    """The meetings to try, as buttons."""
    return _fill("samples.html.j2", samples=samples())


def working(share: float, what: str) -> str:
    """A progress bar; ``share`` from 0 to 1."""
    return _fill("progress.html.j2", share=min(max(share, 0.0), 1.0), what=what)


def trouble(message: str) -> str:
    """One line about what went wrong, read out by screen readers."""
    return _fill("trouble.html.j2", message=message)


def toast(message: str, finding: str = "", mark: str = "") -> str:
    """A short confirmation in the corner of the page; with a ``finding``, its card shows the ``mark`` from now on."""
    return _fill("toast.html.j2", message=message, finding=finding, mark=mark)


def review(found: Review, conversation: Conversation) -> str:
    """The whole review: notes and cards side by side, the board below, and the exports for copying and saving."""
    kinds = dict.fromkeys(f.kind for f in found.findings)
    return _fill(
        "review.html.j2",
        review=found,
        text=conversation.text,
        turns=turns(conversation, found.findings),
        facts=_facts(found),
        kinds=[(k, sum(f.kind == k for f in found.findings)) for k in kinds],
        sure=[f for f in found.findings if f.tier == "finding"],
        looks=[f for f in found.findings if f.tier == "look"],
        nothing=render.NOTHING,
        alignments=ALIGNMENTS,
        buy_ins=BUY_INS,
        moments=charts.moments(conversation, found.findings),
        voices=charts.voices(conversation, found.findings),
        people=list(enumerate(found.participants, 1)),
        markdown=render.markdown(found, conversation.text),
        page=render.html(found, conversation.text),
        file_name=_file_name(found),
    )


def _facts(found: Review) -> list[str]:
    meeting = found.meeting
    day = labels.date_label(meeting.date)
    seconds = f"{found.seconds:.1f}"
    model = found.usage.model if found.usage and found.usage.model else found.engine
    read = strings.READ_HERE if found.engine == "local" else strings.READ_MODEL
    return [
        *([day] if day and day not in (meeting.title or "") else []),
        meeting.format.replace("-", " "),
        strings.count(strings.TURNS, meeting.utterances),
        *([strings.count(strings.PEOPLE, len(meeting.speakers))] if meeting.speakers else []),
        read.format(seconds=seconds, model=model),
    ]


def _file_name(found: Review) -> str:
    """A file name that any system takes, without anything but letters, digits and dashes from the notes."""
    stem = re.sub(r"[^\w]+", "-", f"{found.meeting.date or ''} {found.meeting.title or 'review'}").strip("-_")
    return (stem or "review")[:60].lower()


def part(template: str, name: str, *values: Any) -> str:
    """What the macro ``name`` of a template makes of the values."""
    module = _environment().get_template(template).make_module()
    return str(getattr(module, name)(*values))


def _fill(template: str, **values: Any) -> str:
    return _environment().get_template(template).render(**values)


def _rank(finding_id: str) -> str:
    return finding_id.lstrip("f")


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    made = Environment(
        loader=PackageLoader("coach.ui", "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    made.globals |= {"t": strings, "labels": labels, "count": strings.count, "rungs": RUNGS, "listening": LISTENING}
    made.filters |= {
        "rank": _rank,
        "kind_label": labels.kind_label,
        "detail": labels.detail_label,
        # A change of a metric as a place on a picture 120 wide, zero in the middle, cut off at a fifth either way.
        "whisker": lambda change: round(60 + 300 * min(max(change, -0.19), 0.19), 1),
        "one_line": lambda text: " ".join(text.split()),
        "buy_in": labels.BUY_INS.__getitem__,
        "alignment": labels.ALIGNMENTS.__getitem__,
        "step": labels.STEPS.__getitem__,
        "step_label": labels.step_label,
        "became": labels.became_label,
        "stage": labels.HEARD.__getitem__,
        "move": labels.MOVES.__getitem__,
        "day": labels.date_label,
        "day_unless_in": _day_unless_in,
    }
    return made


def _day_unless_in(date: str | None, title: str) -> str:
    """The date as people write it, or nothing where the title says it."""
    day = labels.date_label(date)
    return "" if day in title else day
