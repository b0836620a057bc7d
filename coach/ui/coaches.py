"""Whose coach it is: one for the person at this machine, one for each user who signs in."""

from __future__ import annotations

from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING

from coach.settings import Settings
from coach.wiring import Coach

if TYPE_CHECKING:
    import gradio as gr

CoachOf = Callable[["gr.Request"], Coach]


def one(coach: Coach) -> CoachOf:
    """The same coach for everybody who can reach the page, which is the person at this machine."""
    return lambda request: coach


def each_their_own(settings: Settings) -> CoachOf:
    """A coach for each user, with a library, identities and rehearsals in a folder of their own."""
    coaches: dict[str, Coach] = {}
    lock = Lock()

    def coach_of(request: gr.Request) -> Coach:
        if not request.username:
            raise PermissionError("nobody is signed in")
        # Names are checked when users are added: letters, digits and . _ - @ only.
        name = str(request.username)
        with lock:
            if name not in coaches:
                coaches[name] = Coach(settings.model_copy(update={"home": settings.home / "users" / name}))
            return coaches[name]

    return coach_of
