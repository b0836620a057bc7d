"""What happened, for whoever runs the service: numbers and fixed words, never a word of the notes and no name."""

from __future__ import annotations

import logging
import re

log = logging.getLogger("coach.event")

_WORD = re.compile(r"[\w.:@+-]{1,80}")


def happened(event: str, **facts: float | str | None) -> None:
    """Tells the logger ``coach.event``, at level INFO; the facts are in ``record.facts``.

    A text with a space, or a long one, is no fixed word, and a question mark takes its place.
    """
    log.info(event, extra={"facts": {name: _checked(value) for name, value in facts.items() if value is not None}})


def _checked(value: float | str) -> float | str:
    if isinstance(value, str):
        return value if _WORD.fullmatch(value) else "?"
    return round(value, 4) if isinstance(value, float) else value
