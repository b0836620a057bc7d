"""What the page says when something goes wrong: one line, where it happened."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from traceback import extract_tb
from typing import Any, ParamSpec

from coach.errors import CoachError
from coach.events import happened
from coach.ui import strings, views

log = logging.getLogger("coach.ui")

P = ParamSpec("P")
Update = dict[Any, Any]


def told(error: Exception) -> str:
    """The line for an error, as HTML. Of an unforeseen one, the log gets its kind and place, not its message: that may
    quote notes."""
    if isinstance(error, CoachError):
        return views.trouble(str(error))
    frames = extract_tb(error.__traceback__)
    where = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "nowhere"
    log.error("%s at %s", type(error).__name__, where)
    happened("fault", kind=type(error).__name__)
    return views.trouble(strings.BROKEN.format(name=type(error).__name__))


def refused(error: CoachError, path: str) -> str:
    """The line for an uploaded file that can't be read, by its own name: where the upload lies is nobody's concern."""
    reason = str(error).replace(path, Path(path).name)
    return views.trouble(reason if Path(path).name in reason else f"{Path(path).name}: {reason}")


def telling(place: Any) -> Callable[[Callable[P, Update]], Callable[P, Update]]:
    """A decorator for what an event calls: when it fails, ``place`` of the page says why, and all else stays."""

    def around(function: Callable[P, Update]) -> Callable[P, Update]:
        @wraps(function)
        def safe(*args: P.args, **kwargs: P.kwargs) -> Update:
            try:
                return function(*args, **kwargs)
            except Exception as error:  # noqa: BLE001 - the user gets a sentence, never a traceback
                return {place: told(error)}

        return safe

    return around
