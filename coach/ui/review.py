"""The Review place: notes in; passages, cards and the board out."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import gradio as gr

from coach import notes as reader
from coach.errors import CancelledError, CoachError
from coach.samples import samples
from coach.ui import strings, views
from coach.ui.acting import QUIET, region, sent
from coach.ui.faults import Update, refused, telling, told
from coach.ui.following import Following
from coach.ui.keeping import Reviewed, build_keeping, judged, recalled

if TYPE_CHECKING:
    from coach.ui.coaches import CoachOf


AT_ONCE = max(2, os.cpu_count() or 2)
"""Reviews at the same moment. More would only make everybody wait, the page itself included."""


def build_review(coach_of: CoachOf, page: gr.Blocks) -> tuple[gr.HTML, gr.State]:
    """The components and events of the place, inside the open ``page``; gives back the review and what it holds."""
    running: dict[str, Event] = {}
    with gr.Column(elem_id="compose") as compose:
        text = gr.Textbox(
            label=strings.PASTE_LABEL, placeholder=strings.PASTE_HINT, lines=9, max_lines=18, elem_id="notes-in"
        )
        with gr.Row(elem_id="compose-tools"):
            go = gr.Button(strings.REVIEW, variant="primary", elem_id="go", scale=0, min_width=140)
            stop = gr.Button(strings.STOP, elem_id="stop", scale=0, min_width=140, visible=False)
            upload = gr.UploadButton(strings.OPEN_FILE, elem_id="open-file", scale=0, min_width=140)
            alias = gr.Button(strings.PREVIEW, elem_id="alias", scale=0, min_width=140)
    reviewed = gr.State(Reviewed(), time_to_live=3600)
    open_keeping = build_keeping(coach_of, text, reviewed)
    status = region(elem_id="status")
    with gr.Column(elem_id="shelf") as shelf:
        pick = region(views.sample_list(), "pick")
        region(views.empty())
    result = region("", "again", "keep", "mark", "follow", elem_id="result")
    told_mark = region("", elem_id="told-mark")
    outputs = [text, status, result, compose, shelf, go, stop, reviewed, told_mark]

    def show(pasted: str, request: gr.Request, marks: str = "", kept: str = "") -> Iterator[Update]:
        """Progress, then the review. The pasted text stays where it is whatever goes wrong."""
        if not pasted.strip():
            yield {status: views.trouble(strings.NOTHING_PASTED)}
            return
        session = str(request.session_hash)
        running[session] = stopped = Event()
        yield {status: views.working(0, strings.READING), go: gr.update(visible=False), stop: gr.update(visible=True)}
        ended: Update = {go: gr.update(visible=True), stop: gr.update(visible=False)}
        try:
            coach = coach_of(request)
            with Following(lambda watch: coach.review(pasted, watch=watch), stopped) as work:
                for share, what in work.steps():
                    yield {status: views.working(share, what)}
                found = work.result()
            ended[result] = views.review(found, reader.parse(pasted, found.meeting.format))
            ended |= {
                reviewed: recalled(coach, Reviewed(found), marks, kept),
                status: "",
                compose: gr.update(visible=False),
                shelf: gr.update(visible=False),
            }
        except CancelledError:
            ended[status] = views.trouble(strings.STOPPED)
        except Exception as error:  # noqa: BLE001 - the user gets a sentence, never a traceback
            ended[status] = told(error)
        finally:
            running.pop(session, None)
        yield ended

    def show_sample(request: gr.Request, event: gr.EventData) -> Iterator[Update]:
        chosen = next(s for s in samples() if s.name == sent(event, "name"))
        yield {text: chosen.text}
        yield from show(chosen.text, request)

    def show_file(path: str, request: gr.Request) -> Iterator[Update]:
        """The review of an uploaded file; the upload itself is removed at once."""
        try:
            read = reader.read_file(path)
        except CoachError as error:
            yield {status: refused(error, path)}
            return
        finally:
            Path(path).unlink(missing_ok=True)
        yield {text: read}
        yield from show(read, request)

    def show_again(pasted: str, done: bool, marks: str, kept: str, request: gr.Request) -> Iterator[Update]:
        """After a reload: the text that this tab still holds, and its review with its marks if there was one."""
        # Somebody may already be typing: what is not needed is not touched.
        yield {text: pasted} if pasted.strip() else {text: gr.skip()}
        if done and pasted.strip():
            yield from show(pasted, request, marks, kept)

    @telling(told_mark)
    def mark(page: Reviewed, request: gr.Request, event: gr.EventData) -> Update:
        """A mark on a card; on a mark that is set already, takes it back."""
        finding = sent(event, "id")
        wanted = "" if sent(event, "pressed") == "true" else sent(event, "mark")
        told_so = strings.MARK_HELD if wanted else strings.MARK_BACK
        if page.kept:
            told_so = judged(coach_of(request), page, finding, wanted)
        others = {one: mark for one, mark in page.marks.items() if one != finding}
        marked = replace(page, marks={**others, finding: wanted} if wanted else others)
        return {reviewed: marked, told_mark: views.toast(told_so, finding, wanted)}

    def halt(request: gr.Request) -> None:
        if event := running.get(str(request.session_hash)):
            event.set()

    def start_over() -> Update:
        return {
            text: "",
            result: "",
            status: "",
            reviewed: Reviewed(),
            told_mark: "",
            compose: gr.update(visible=True),
            shelf: gr.update(visible=True),
            go: gr.update(visible=True),
            stop: gr.update(visible=False),
        }

    busy = {**QUIET, "concurrency_id": "review", "concurrency_limit": AT_ONCE}
    go.click(show, text, outputs, **busy)
    pick.pick(show_sample, None, outputs, **busy)
    upload.upload(show_file, upload, outputs, **busy)
    stop.click(halt, None, None, queue=False, **QUIET)
    open_keeping(alias.click, False)
    open_keeping(result.keep, True)
    result.mark(mark, reviewed, [reviewed, told_mark], **QUIET)
    result.again(start_over, None, outputs, queue=False, **QUIET)
    held, done = gr.Textbox(visible=False), gr.Checkbox(visible=False)
    marked, kept = gr.Textbox(visible=False), gr.Textbox(visible=False)
    page.load(show_again, [held, done, marked, kept], outputs, js="() => unheard.recall()", **busy)
    text.change(None, text, None, js="text => unheard.keep(text)", **QUIET)
    result.change(None, [text, result], None, js="(text, page) => unheard.reviewed(page)", **QUIET)
    return result, reviewed
