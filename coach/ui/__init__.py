"""The page, served with gradio: four places, one module each. Only this package imports gradio.

Importing the package loads nothing heavy; :func:`build_ui` and :func:`serve` do.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from coach.ui.server import HOST, PORT, launch, quiet_gradio, refuse_others

if TYPE_CHECKING:
    import gradio as gr

    from coach.settings import Settings
    from coach.wiring import Coach

__all__ = ["build_ui", "launch", "serve"]


def build_ui(coach: Coach) -> gr.Blocks:
    """The page of one person's coach as ``gr.Blocks``, ready for :func:`launch`."""
    quiet_gradio()
    from coach.ui.coaches import one
    from coach.ui.page import build_page

    return build_page(coach.settings, one(coach))


def serve(
    settings: Settings,
    *,
    host: str = HOST,
    port: int = PORT,
    auth: Path | None = None,
    metrics: str | None = None,
    wait: bool = True,
) -> str:
    """The address of the page, served until the process is stopped (or, without ``wait``, until it ends).

    ``auth`` is a file of users (``coach.ui.users``); each of them has a library of their own. ``metrics`` is where
    Prometheus finds figures, as HOST:PORT. Raises
    :class:`coach.errors.ConfigError` for a port that is taken, and for an address open to others without ``auth``.
    """
    if auth is None:
        refuse_others(host)
    quiet_gradio()
    from coach.ui.coaches import each_their_own, one
    from coach.ui.page import build_page
    from coach.ui.users import Users
    from coach.wiring import Coach

    users = Users(auth) if auth else None
    coach_of = each_their_own(settings) if users else one(Coach(settings))
    page = build_page(settings, coach_of)
    if metrics:
        from coach.monitoring import serve_metrics

        serve_metrics(metrics, waiting=lambda: len(page._queue))
    return launch(page, host, port, users=users, wait=wait)
