"""The Library place: what people said before, and the notes you keep."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import gradio as gr

from coach import notes as reader
from coach.anonymise import restore
from coach.errors import CoachError
from coach.schema import Passage
from coach.ui import strings, views
from coach.ui.acting import QUIET, region, sent
from coach.ui.faults import Update, refused, telling, told
from coach.ui.people import build_people

if TYPE_CHECKING:
    from coach.identities import Identities
    from coach.library import Entry
    from coach.ui.coaches import CoachOf

TEMPLATE = "library.html.j2"
MOST = 8
"""Passages shown for a search; more would be read by nobody."""
FEW = 3
"""Passages shown for a search even when they hold none of its words."""
FILTERS = ("attendee", "tag", "since", "until")


@dataclass(frozen=True)
class Said:
    """A line of a passage, in runs of text that were searched for or not."""

    speaker: str
    text: str
    runs: tuple[tuple[str, bool], ...] = ()


@dataclass(frozen=True)
class Hit:
    """A passage with real names."""

    meeting: str
    title: str
    date: str | None
    lines: tuple[Said, ...]

    @property
    def is_worded(self) -> bool:
        """Whether it holds a word that was searched for."""
        return any(wanted for line in self.lines for _, wanted in line.runs)


@dataclass(frozen=True)
class Kept:
    """A meeting of the library with real names."""

    id: str
    title: str
    date: str | None
    lines: int
    people: tuple[str, ...]
    tags: tuple[str, ...]


def build_library(coach_of: CoachOf, tab: gr.Tab) -> None:
    """The components and events of the place, inside its open ``tab``."""
    running: dict[str, Event] = {}
    with gr.Row(elem_id="desk"):
        with gr.Column(), gr.Tabs(elem_classes="sub"):
            with gr.Tab(strings.TAB_SEARCH):
                form = region(views.part(TEMPLATE, "search_form", (), ()), "search")
                found = region("", "open")
            with gr.Tab(strings.TAB_NOTES):
                with gr.Row(elem_classes="row-tools"):
                    upload = gr.UploadButton(
                        strings.ADD_FILES, file_count="multiple", elem_id="add-files", scale=0, variant="primary"
                    )
                    stop = gr.Button(strings.STOP, elem_id="stop-adding", visible=False, scale=0)
                status = region("")
                shelf = region("", "open", "remove", "undo", "ask_purge", "keep_all", "purge", "export")
                exported = region("")
            with gr.Tab(strings.TAB_PEOPLE) as people:
                concerns = build_people(coach_of, people)
        with gr.Column(elem_id="aside"):
            opened = region("", "close")

    def listed(request: gr.Request, message: str = "", sure: bool = False) -> Update:
        """The list of notes and the search form as they are now."""
        coach = coach_of(request)
        known = coach.identities.load()
        entries = [_kept(e, known) for e in coach.library.list()]
        waiting = [_kept(e, known) for e in coach.library.list(deleted=True)]
        people = sorted({name for e in entries for name in e.people}, key=str.casefold)
        tags = sorted({tag for e in entries for tag in e.tags})
        return {
            shelf: views.part(TEMPLATE, "shelf", entries, waiting, sure, message),
            form: views.part(TEMPLATE, "search_form", people, tags),
            exported: "",
        }

    def searched(request: gr.Request, query: str = "", **filters: str | None) -> Update:
        coach = coach_of(request)
        passages = coach.library.search(query, k=3 * MOST, **filters)
        known = coach.identities.load()
        hits = [_hit(p, query, known) for p in _apart(passages)[:MOST]]
        # The first few may mean the same in other words; further down, that is chance.
        hits = [hit for n, hit in enumerate(hits) if n < FEW or not query or hit.is_worded]
        return {found: views.part(TEMPLATE, "results", hits, query or any(filters.values()))}

    @telling(found)
    def enter(request: gr.Request) -> Update:
        return listed(request) | searched(request)

    @telling(found)
    def search(request: gr.Request, event: gr.EventData) -> Update:
        return searched(request, sent(event, "query"), **{name: sent(event, name) or None for name in FILTERS})

    @telling(opened)
    def open_meeting(request: gr.Request, event: gr.EventData) -> Update:
        coach = coach_of(request)
        known = coach.identities.load()
        entry = _kept(coach.library.entry(sent(event, "meeting")), known)
        lines = [Said(restore(x.speaker or "", known), restore(x.text, known)) for x in coach.library.show(entry.id)]
        passage = sent(event, "passage").split("\n")
        starts = [n for n in range(len(lines)) if [x.text for x in lines[n : n + len(passage)]] == passage]
        # A quote is a part of a line.
        starts += [n for n, x in enumerate(lines) if passage[0] and passage[0] in " ".join(x.text.split())]
        at = next(iter(starts), None)
        marked = range(at, at + len(passage)) if at is not None else range(0)
        return {opened: views.part(TEMPLATE, "meeting", entry, lines, marked)}

    def add(paths: Sequence[str], request: gr.Request) -> Iterator[Update]:
        """Adds files one by one, with what went unheard in them; what is added before a stop stays."""
        session = str(request.session_hash)
        running[session] = stopped = Event()
        new, known, problems = 0, 0, list[str]()
        yield {stop: gr.update(visible=True), upload: gr.update(visible=False)}
        try:
            for n, path in enumerate(paths):
                if stopped.is_set():
                    break
                name = Path(path).name
                what = strings.ADDING.format(name=name, n=n + 1, all=len(paths))
                yield {status: views.working(n / len(paths), what)}
                try:
                    text = reader.read_file(path)
                    of_file = re.sub(r"[-_.\s]+", " ", Path(path).stem).strip().capitalize()
                    title = None if reader.parse(text).title else of_file
                    entry = coach_of(request).keep(text, title=title)
                    new, known = new + entry.new, known + (not entry.new)
                except CoachError as error:
                    problems.append(refused(error, path))
        except Exception as error:  # noqa: BLE001 - the user gets a sentence, never a traceback
            problems.append(told(error))
        finally:
            running.pop(session, None)
            for path in paths:
                Path(path).unlink(missing_ok=True)
        there = [strings.count(strings.KNOWN_ALREADY, known)] if known else []
        message = " ".join([*([strings.count(strings.ADDED, new)] if new or not known else []), *there])
        done = {stop: gr.update(visible=False), upload: gr.update(visible=True), status: "".join(problems)}
        yield done | telling(shelf)(lambda: listed(request, message) | searched(request))()

    def halt(request: gr.Request) -> None:
        if event := running.get(str(request.session_hash)):
            event.set()

    @telling(shelf)
    def remove(request: gr.Request, event: gr.EventData) -> Update:
        coach_of(request).library.delete(sent(event, "meeting"))
        return listed(request) | searched(request) | {opened: ""}

    @telling(shelf)
    def undo(request: gr.Request, event: gr.EventData) -> Update:
        coach_of(request).library.undo(sent(event, "meeting"))
        return listed(request) | searched(request)

    @telling(shelf)
    def ask_purge(request: gr.Request) -> Update:
        return listed(request, sure=True)

    @telling(shelf)
    def keep_all(request: gr.Request) -> Update:
        return listed(request)

    @telling(shelf)
    def purge(request: gr.Request) -> Update:
        gone = coach_of(request).library.purge(everything=True)
        return listed(request, strings.count(strings.PURGED, len(gone))) | searched(request) | {opened: ""}

    @telling(exported)
    def export(request: gr.Request) -> Update:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "library.json"
            n = coach_of(request).export(path)
            return {exported: views.part(TEMPLATE, "exported", path.read_text(encoding="utf-8"), n)}

    outputs = [form, found, shelf, exported, opened, status, stop, upload]
    tab.select(enter, None, outputs, **QUIET)
    form.search(search, None, outputs, trigger_mode="always_last", **QUIET)
    for source in (found, shelf, concerns):
        source.open(open_meeting, None, outputs, **QUIET)
    opened.close(lambda: "", None, opened, queue=False, **QUIET)
    upload.upload(add, upload, outputs, **QUIET)
    stop.click(halt, None, None, queue=False, **QUIET)
    for listener, function in (
        (shelf.remove, remove),
        (shelf.undo, undo),
        (shelf.ask_purge, ask_purge),
        (shelf.keep_all, keep_all),
        (shelf.purge, purge),
        (shelf.export, export),
    ):
        listener(function, None, outputs, **QUIET)


def _apart(passages: Sequence[Passage]) -> list[Passage]:
    """Passages without those that mostly repeat a better one of the same meeting: the windows of the index overlap."""
    chosen, shown = list[Passage](), set[tuple[str, str]]()
    for passage in passages:
        lines = {(passage.meeting, line) for line in passage.text.split("\n")}
        if len(lines & shown) < len(lines) / 2:
            chosen.append(passage)
            shown |= lines
    return chosen


def _kept(entry: Entry, known: Identities) -> Kept:
    people = tuple(restore(name, known) for name in entry.attendees)
    return Kept(
        id=entry.id,
        title=restore(entry.title or "", known) or strings.UNTITLED_WITH.format(people=", ".join(people[:4])),
        date=entry.date,
        lines=entry.lines,
        people=people,
        tags=tuple(restore(tag, known) for tag in entry.tags),
    )


def _hit(passage: Passage, query: str, known: Identities) -> Hit:
    wanted = [word for word in re.findall(r"\w+", query.casefold()) if len(word) > 3]
    # A word and its other endings count as found, much as the search itself stems them.
    stems = "|".join(re.escape(word[: max(4, len(word) - 2)]) for word in wanted)
    pattern = re.compile(rf"\b(?:{stems})\w*", re.IGNORECASE)
    lines = []
    for line in passage.text.split("\n"):
        speaker = next((s for s in passage.speakers if line.startswith(f"{s}: ")), "")
        text = restore(line[len(speaker) + 2 :] if speaker else line, known)
        lines.append(Said(restore(speaker, known), text, _runs(text, pattern if wanted else None)))
    return Hit(
        meeting=passage.meeting,
        title=restore(passage.title or "", known) or strings.UNTITLED,
        date=passage.date,
        lines=tuple(lines),
    )


def _runs(text: str, pattern: re.Pattern[str] | None) -> tuple[tuple[str, bool], ...]:
    """The text cut into what was searched for and what was not."""
    if pattern is None:
        return ((text, False),)
    runs, at = list[tuple[str, bool]](), 0
    for match in pattern.finditer(text):
        runs += [(text[at : match.start()], False), (match.group(), True)]
        at = match.end()
    return (*runs, (text[at:], False))
