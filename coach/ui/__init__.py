"""The page, served with gradio: four places, one module each. Only this package imports gradio.

Importing the package loads nothing heavy; :func:`build_ui` and :func:`serve` do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from coach.ui.server import PORT, launch, quiet_gradio

if TYPE_CHECKING:
    import gradio as gr

    from coach.wiring import Coach

__all__ = ["PORT", "build_ui", "launch"]


def build_ui(coach: Coach) -> gr.Blocks:
    """The page as ``gr.Blocks``, ready for :func:`launch`."""
    quiet_gradio()
    from coach.ui.page import build_page

    return build_page(coach)
