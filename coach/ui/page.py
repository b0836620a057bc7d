"""The frame around the places: name, tabs, and what is true of the whole page."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gradio as gr

from coach.errors import CoachError
from coach.ui import strings, views
from coach.ui.acting import QUIET, region
from coach.ui.evals import build_evals
from coach.ui.faults import Update, told
from coach.ui.keeping import Reviewed
from coach.ui.library import build_library
from coach.ui.models import build_models
from coach.ui.practice import build_practice
from coach.ui.prepare import Draft, build_prepare, follow_up, form_of
from coach.ui.review import AT_ONCE, build_review

if TYPE_CHECKING:
    from coach.settings import Settings
    from coach.ui.coaches import CoachOf

EVALS = Path("eval")
"""Where suites and baselines live: in the folder in which the coach is started, as for ``coach eval``."""


def build_page(settings: Settings, coach_of: CoachOf) -> gr.Blocks:
    """All places in one page."""
    with gr.Blocks(title=strings.TITLE, fill_width=True, analytics_enabled=False, delete_cache=(600, 600)) as page:
        region(views.frame(settings.llm_configured and not settings.on_this_machine), elem_id="frame")
        build_models(coach_of, page)
        with gr.Tabs(elem_id="places", selected="review") as places:
            with gr.Tab(strings.PLACE_REVIEW, id="review") as review:
                result, reviewed = build_review(coach_of, page)
            with gr.Tab(strings.PLACE_PREPARE, id="prepare") as prepare:
                form, brief, plan, begun = build_prepare(coach_of, prepare)
                build_practice(coach_of, form, brief, plan)
            with gr.Tab(strings.PLACE_LIBRARY, id="library") as library:
                build_library(coach_of, library)
            with gr.Tab(strings.PLACE_EVALS, id="evals") as evals:
                build_evals(coach_of, EVALS, evals)

        def follow(shown: Reviewed, request: gr.Request) -> Update:
            """From a review to the plan of its follow-up, filled in."""
            draft = follow_up(shown.review) if shown.review else Draft()
            page_of = form_of(coach_of(request), draft)
            return {begun: draft, form: page_of, brief: "", plan: None, places: gr.Tabs(selected="prepare")}

        def review_notes(text: str, request: gr.Request) -> dict[str, Any]:
            """The review of the notes in ``text``, as ``coach.review/1``."""
            try:
                return dict(coach_of(request).review(text).model_dump(mode="json"))
            except CoachError as error:
                raise gr.Error(str(error), print_exception=False) from None
            except Exception as error:  # noqa: BLE001 - its message may quote notes, so only its kind is told
                told(error)
                broken = strings.BROKEN.format(name=type(error).__name__)
                raise gr.Error(broken, print_exception=False) from None

        gr.api(review_notes, api_name="review", concurrency_id="review", concurrency_limit=AT_ONCE)
        # Where the user was is kept in the browser: no secret, so the key need not be one, and it outlives a restart.
        place = gr.BrowserState("review", storage_key="unheard.place", secret="unheard-not-secret")
        for name, tab in (("review", review), ("prepare", prepare), ("library", library), ("evals", evals)):
            tab.select(partial(str, name), None, place, queue=False, **QUIET)

        def back(last: str) -> Any:
            # Somebody may already be on the way elsewhere: what is not needed is not touched.
            return gr.skip() if last == "review" else gr.Tabs(selected=last)

        page.load(back, place, places, queue=False, **QUIET)
        result.follow(follow, reviewed, [begun, form, brief, plan, places], **QUIET)
    return page
