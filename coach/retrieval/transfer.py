"""Libraries as files: ``coach.library/1``, one JSON document that holds every meeting line by line."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Sequence
from pathlib import Path

from coach.database import private_file
from coach.errors import InputError
from coach.identities import Identities
from coach.retrieval.catalogue import Entry, checked_date
from coach.retrieval.passages import Line
from coach.schema import Conversation, Role, Utterance

SCHEMA = "coach.library/1"
_ID = re.compile(r"[0-9a-f]{16}")

Meetings = Sequence[tuple[Entry, Sequence[Line]]]


def write(path: Path, library: str | None, meetings: Meetings, identities: Identities | None) -> None:
    """Writes the meetings, readable by the owner only; with ``identities`` real names go back in. ``library`` is the
    key by which the library knows its own pseudonyms again."""
    from coach.anonymise import restore

    def shown(text: str | None) -> str | None:
        return restore(text, identities) if identities is not None and text else text

    document = {
        "schema": SCHEMA,
        "library": library,
        "meetings": [
            {
                "id": entry.id,
                "title": shown(entry.title),
                "date": entry.date,
                "format": entry.format,
                "attendees": [shown(name) for name in entry.attendees],
                "tags": [shown(tag) for tag in entry.tags],
                "lines": [{"speaker": shown(line.speaker), "text": shown(line.text)} for line in said],
            }
            for entry, said in meetings
        ],
    }
    private_file(path)
    path.write_text(json.dumps(document, ensure_ascii=False, indent=1), encoding="utf-8")


def read(path: Path) -> tuple[str | None, list[tuple[Entry, tuple[Line, ...]]]]:
    """The key and the meetings that :func:`write` wrote; raises :class:`InputError` for anything else."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        if document["schema"] != SCHEMA:
            raise KeyError
        meetings = [
            (
                Entry(lines=0, passages=0, added=time.time(), **{name: item[name] for name in item if name != "lines"}),
                tuple(Line(line["speaker"], " ".join(line["text"].split())) for line in item["lines"]),
            )
            for item in document["meetings"]
        ]
        for entry, _ in meetings:
            checked_date(entry.date, "date")
            if not _ID.fullmatch(entry.id):
                raise ValueError
        return document["library"], meetings
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}. Give a file that coach library export wrote.") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, InputError):
        raise InputError(f"{path} is not an export of a library ({SCHEMA}). Nothing was changed.") from None


def conversation(said: Sequence[Line], format: str) -> Conversation:
    """Lines as a conversation, so that they can be anonymised."""
    utterances: list[Utterance] = []
    text = ""
    for line in said:
        start, label = len(text), f"{line.speaker}: " if line.speaker else ""
        text += label + line.text
        role: Role = "speech" if line.speaker else "narration"
        utterances.append(
            Utterance(speaker=line.speaker, start=start, said=start + len(label), end=len(text), role=role)
        )
        text += "\n"
    return Conversation(text=text, format=format, utterances=tuple(utterances))
