"""How our own HTML asks Python to act: a button or form with ``data-act`` becomes a gradio event of that name."""

from __future__ import annotations

from typing import Any

import gradio as gr

QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
"""Events of the page itself: they bring their own progress, and are no part of the API."""


def region(html: str = "", *acts: str, elem_id: str | None = None) -> gr.HTML:
    """A piece of the page; each act becomes a listener: ``region(page, "pick").pick(function, ...)``.

    The function gets a :class:`gradio.EventData` with the button's ``data-`` values and the fields of its form.
    """
    # Gradio makes a listener for every event whose name stands quoted in the script.
    names = ", ".join(f"'{act}'" for act in acts)
    script = f"unheard.acts(element, trigger, [{names}])" if acts else None
    return gr.HTML(html, elem_id=elem_id, elem_classes="region", js_on_load=script, apply_default_css=False)


def sent(event: gr.EventData, name: str) -> str:
    """A value that came with an event; empty when it did not."""
    value = (event._data or {}).get(name, "")
    return value if isinstance(value, str) else ""
