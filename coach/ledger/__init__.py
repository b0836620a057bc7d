"""The ledger: every objection and need, followed from meeting to meeting until the one who raised it has been heard.

``ledger.py`` is what users call, ``rows.py`` how the facts are stored, ``linking.py`` what the same in other words is.
"""

from coach.ledger.ledger import Ledger

__all__ = ["Ledger"]
