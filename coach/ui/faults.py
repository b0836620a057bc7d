"""What the page says when something breaks that nobody foresaw."""

from __future__ import annotations

import logging
from traceback import extract_tb

from coach.ui import strings

log = logging.getLogger("coach.ui")


def broken(error: Exception) -> str:
    """A sentence for the user. The log gets the kind of error and its place, not its message: that may quote notes."""
    frames = extract_tb(error.__traceback__)
    where = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "nowhere"
    log.error("%s at %s", type(error).__name__, where)
    return strings.BROKEN.format(name=type(error).__name__)
