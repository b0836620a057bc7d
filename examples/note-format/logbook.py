"""A logbook: one turn a line, as ``09:05 | Ada | The pump is late.``"""

from __future__ import annotations

import re

from coach.notes import NoteFormat
from coach.notes.lines import Piece, seconds, split_lines, utterances
from coach.schema import Conversation

TURN = re.compile(r"(\d{1,2}:\d{2}) \| ([^|]+?) \| ")


def sniff(text: str) -> float:
    """Certain when the first lines all are turns."""
    lines = [line.text for line in split_lines(text[:2_000]) if line.text][:5]
    return 0.97 if lines and all(TURN.match(line) for line in lines) else 0.0


def read(text: str) -> Conversation:
    """One utterance per line; a line that is no turn becomes narration."""
    pieces, first = [], None
    for line in split_lines(text):
        turn = TURN.match(line.text)
        if turn is None:
            pieces.append(Piece(line.start, line.start, line.end, "narration"))
            continue
        time = seconds(turn[1] + ":00") or 0.0
        first = time if first is None else first
        pieces.append(Piece(line.start, line.start + turn.end(), line.end, "speech", turn[2], time - first))
    return Conversation(text=text, format="logbook", utterances=utterances(text, pieces))


FORMAT = NoteFormat("logbook", sniff, read)
