"""The frame around the places: name, tabs, and what is true of the whole page."""

from __future__ import annotations

from typing import TYPE_CHECKING

import gradio as gr

from coach.ui import strings, views
from coach.ui.review import build_review

if TYPE_CHECKING:
    from coach.wiring import Coach


def build_page(coach: Coach) -> gr.Blocks:
    """All places in one page."""
    with gr.Blocks(title=strings.TITLE, fill_width=True, analytics_enabled=False, delete_cache=(600, 600)) as page:
        gr.HTML(views.frame(coach.settings.llm_configured), elem_id="frame", js_on_load=None, apply_default_css=False)
        with gr.Tabs(elem_id="places", selected="review"), gr.Tab(strings.PLACE_REVIEW, id="review"):
            build_review(coach, page)
    return page
