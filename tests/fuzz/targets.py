"""Every door by which text of others comes in, as a function of bytes.

A target may refuse with a :class:`CoachError` of one line, within the limits; everything else it raises is a fault that
somebody would have seen as a traceback. Hypothesis drives them in the suite (``tests/test_fuzz.py``), atheris for
longer (``make fuzz``).
"""

from __future__ import annotations

from fuzz.base import Target, execute
from fuzz.on_documents import DOCUMENTS, pdf_file
from fuzz.on_files import FILES
from fuzz.on_notes import NOTES
from fuzz.on_servers import SERVERS

__all__ = ["TARGETS", "Target", "execute", "pdf_file"]

TARGETS: dict[str, Target] = {target.name: target for target in (*NOTES, *DOCUMENTS, *FILES, *SERVERS)}
