"""Unheard: a conversation coach that hears what a meeting did not.

>>> from coach import Coach
>>> review = Coach().review('''
... Ada: From June we close at noon. Everybody will obviously be fine with that.
... Bo: I doubt it. My mother works until two and cannot come any earlier.
... Ada: Next point, the flyers.
... ''')
>>> review.meeting.speakers
('Ada', 'Bo')
>>> [person.name for person in review.participants if person.spoke]
['Ada', 'Bo']

A review is a frozen value (:class:`coach.schema.Review`); ``review.model_dump_json()`` is what ``coach review --json``
prints. Work is synchronous: in async code, ``await asyncio.to_thread(coach.review, text)``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from coach.wiring import Coach

__all__ = ["Coach", "__version__"]

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    # The coach itself is loaded when asked for, so that `import coach` stays light.
    if name == "Coach":
        from coach.wiring import Coach

        return Coach
    raise AttributeError(f"module 'coach' has no attribute {name!r}")
