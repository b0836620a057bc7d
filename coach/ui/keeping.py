"""The notes with pseudonyms, before anything is kept or sent: what is replaced, by what, and what the user corrects."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, cast, get_args

import gradio as gr

from coach import notes as reader
from coach.anonymise import Anonymised, Change, Correction
from coach.errors import CoachError, InputError
from coach.ui import strings, views
from coach.ui.acting import QUIET, region, sent
from coach.ui.faults import Update, telling

if TYPE_CHECKING:
    from coach.concerns import Mark
    from coach.library import Entry
    from coach.schema import Review
    from coach.ui.coaches import CoachOf
    from coach.wiring import Coach

TEMPLATE = "keeping.html.j2"


@dataclass(frozen=True)
class Draft:
    """Notes about to be kept, their review if there is one, and what the user changed about the names in them."""

    text: str
    review: Review | None = None
    offer: bool = True
    changes: tuple[Correction, ...] = ()

    def changed(self, what: Change, one: str, other: str = "") -> Draft:
        """The draft with one more change to the names in it."""
        return replace(self, changes=(*self.changes, Correction(what=what, one=one.strip(), other=other.strip())))


@dataclass(frozen=True)
class Reviewed:
    """What the page shows: the review, the id of its notes once they are kept, and the marks on its cards."""

    review: Review | None = None
    kept: str = ""
    marks: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Run:
    """A run of the pseudonymised text; ``original`` and ``type`` are set where something was replaced."""

    text: str
    original: str = ""
    type: str = ""


@dataclass(frozen=True)
class Name:
    """One spelling in the notes and its pseudonym."""

    original: str
    pseudonym: str
    type: str
    times: int


@dataclass(frozen=True)
class Preview:
    """What the user sees before deciding."""

    runs: tuple[Run, ...]
    names: tuple[Name, ...]
    people: tuple[str, ...]
    goes: str
    offer: bool
    changed: bool
    problem: str = ""


def build_keeping(
    coach_of: CoachOf, text: gr.Textbox, reviewed: gr.State
) -> Callable[[Callable[..., Any], bool], None]:
    """The panel with the preview. What comes back opens it: ``open_on(listener, offer)``, where ``offer`` says whether
    the notes can be kept from there. ``reviewed`` holds the :class:`Reviewed` on the page."""
    draft = gr.State(Draft(""), time_to_live=3600)
    panel = region("", "confirm", "cancel", "exempt", "hide", "merge", "split", elem_id="keeping")

    def shown(request: gr.Request, wanted: Draft) -> Update:
        view = preview(coach_of(request), wanted)
        left = replace(wanted, changes=wanted.changes[:-1]) if view.problem else wanted
        return {draft: left, panel: views.part(TEMPLATE, "preview", view)}

    @telling(panel)
    def confirm(wanted: Draft, page: Reviewed, request: gr.Request) -> Update:
        coach = coach_of(request)
        entry = keep(coach, wanted)
        kept = replace(page, kept=entry.id)
        if wanted.review is not None and not page.kept:
            for finding, mark in page.marks.items():
                judged(coach, replace(kept, marks={}), finding, mark)
        title = reader.parse(wanted.text).title or strings.UNTITLED
        return {draft: Draft(""), reviewed: kept, panel: views.part(TEMPLATE, "kept", title, entry)}

    def changing(what: Change) -> Callable[..., Update]:
        @telling(panel)
        def change(wanted: Draft, request: gr.Request, event: gr.EventData) -> Update:
            one = sent(event, "one") or sent(event, "text")
            return shown(request, wanted.changed(what, one, sent(event, "other") or sent(event, "type")))

        return change

    outputs = [draft, panel, reviewed]
    panel.confirm(confirm, [draft, reviewed], outputs, **QUIET)
    panel.cancel(lambda: "", None, panel, queue=False, **QUIET)
    for what in get_args(Change):
        getattr(panel, what)(changing(what), draft, outputs, **QUIET)

    def open_on(listener: Callable[..., Any], offer: bool) -> None:
        @telling(panel)
        def opened(pasted: str, page: Reviewed, request: gr.Request) -> Update:
            if not pasted.strip():
                return {panel: views.trouble(strings.NOTHING_PASTED)}
            return shown(request, Draft(pasted, page.review if offer else None, offer))

        listener(opened, [text, reviewed], outputs, **QUIET)

    return open_on


def preview(coach: Coach, draft: Draft) -> Preview:
    """The preview of a draft; a change that can't be made is left out, and ``problem`` says why."""
    problem = ""
    try:
        done = coach.anonymise(draft.text, corrections=draft.changes)
    except CoachError as error:
        problem = str(error)
        draft = replace(draft, changes=draft.changes[:-1])
        done = coach.anonymise(draft.text, corrections=draft.changes)
    counted = Counter((draft.text[r.start : r.end], r.pseudonym, r.type) for r in done.replaced)
    names = tuple(Name(*found, n) for found, n in counted.items())
    people = tuple(dict.fromkeys(n.original for n in names if n.type == "person"))
    return Preview(
        _runs(draft.text, done), names, people, _goes(coach), draft.offer, bool(draft.changes or problem), problem
    )


def keep(coach: Coach, draft: Draft) -> Entry:
    """The entry of the notes in the library, with the user's changes to the names in force."""
    return coach.keep(draft.text, review=draft.review, corrections=draft.changes)


def judged(coach: Coach, page: Reviewed, finding: str, mark: str) -> str:
    """What the page says after the user marked a finding of kept notes, or took the mark back (an empty one)."""
    about = next((f for f in page.review.findings if f.id == finding), None) if page.review else None
    if about is None or mark not in ("", *strings.CARD_MARKS):
        raise InputError(strings.MARK_GONE)
    if page.marks.get(finding):
        coach.ledger.judge(about, page.kept, None)
    if not mark:
        return strings.MARK_BACK
    concern = coach.ledger.judge(about, page.kept, cast("Mark", mark))
    return (strings.MARK_FOLLOWED if concern else strings.MARK_ALONE)[mark]


def recalled(coach: Coach, page: Reviewed, marks: str, kept: str) -> Reviewed:
    """The page after a reload, with the marks (JSON of finding id -> mark) and the id of the notes that the browser
    held, as far as they are still true."""
    try:
        held = json.loads(marks or "{}")
    except ValueError:
        held = {}
    there = bool(kept) and kept in {entry.id for entry in coach.library.list()}
    pairs = held.items() if isinstance(held, dict) else ()
    return replace(page, kept=kept if there else "", marks={f: mark for f, mark in pairs if mark in strings.CARD_MARKS})


def _runs(text: str, done: Anonymised) -> tuple[Run, ...]:
    runs, at = list[Run](), 0
    for item in done.replaced:
        runs += [Run(text[at : item.start]), Run(item.pseudonym, text[item.start : item.end], item.type)]
        at = item.end
    return (*runs, Run(text[at:]))


def _goes(coach: Coach) -> str:
    """Plainly, where the notes go."""
    settings = coach.settings
    if not settings.llm_configured or settings.engine == "local":
        return strings.GOES_NOWHERE.format(home=settings.home)
    form = strings.GOES_LOCAL_MODEL if settings.on_this_machine else strings.GOES_MODEL
    return form.format(model=settings.model, endpoint=settings.endpoint, home=settings.home)
