"""Whose coach it is: one for the person at this machine, one for each user who signs in."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Lock
from typing import TYPE_CHECKING

from coach.errors import ConfigError
from coach.settings import Settings
from coach.wiring import Coach

if TYPE_CHECKING:
    import gradio as gr

IDLE = 3600.0
"""Seconds after which the library of a user is closed; longer than any work takes."""

CoachOf = Callable[["gr.Request"], Coach]


def one(coach: Coach) -> CoachOf:
    """The same coach for everybody who can reach the page, which is the person at this machine."""
    return lambda request: coach


def each_their_own(settings: Settings, clock: Callable[[], float] = time.monotonic) -> CoachOf:
    """A coach for each user, with a library, identities and rehearsals of their own: in a folder, and on a shared
    PostgreSQL in a schema. One who has not come back for :data:`IDLE` seconds takes no more memory.

    Raises :class:`ConfigError` for another shared database, which can't keep users apart.
    """
    if settings.database_url and not settings.database_url.startswith(("postgres://", "postgresql")):
        raise ConfigError("COACH_DATABASE_URL: for users who sign in it has to be PostgreSQL. Change it, or unset it.")
    coaches: dict[str, tuple[Coach, float]] = {}
    lock = Lock()

    def coach_of(request: gr.Request) -> Coach:
        if not request.username:
            raise PermissionError("nobody is signed in")
        # Names are checked when users are added: letters, digits and . _ - @ only.
        name, now = str(request.username), clock()
        with lock:
            for other in [user for user, (_, last) in coaches.items() if now - last > IDLE]:
                coaches.pop(other)[0].close()
            if name not in coaches:
                schema = schema_of(name) if settings.database_url else None
                own = {"home": settings.home / "users" / name, "database_schema": schema}
                coaches[name] = Coach(settings.model_copy(update=own)), now
            coaches[name] = coaches[name][0], now
            return coaches[name][0]

    return coach_of


def schema_of(user: str) -> str:
    """The PostgreSQL schema of a user, at most 63 bytes: the name where it is short enough, else a digest of it."""
    from hashlib import blake2b

    plain = f"coach_{user}"
    return plain if len(plain.encode()) <= 63 else f"coach:{blake2b(user.encode(), digest_size=16).hexdigest()}"
