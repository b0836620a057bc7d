"""Libraries as files: ``coach.library/1``, one JSON document that holds every meeting line by line."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from coach.database import private_file
from coach.errors import InputError
from coach.identities import Identities
from coach.retrieval.catalogue import Entry, checked_date
from coach.retrieval.passages import Line
from coach.schema import Conversation, Role, Utterance

SCHEMA = "coach.library/1"
_ID = re.compile(r"[0-9a-f]{16}")

Meetings = Sequence[tuple[Entry, Sequence[Line]]]


def write(
    path: Path,
    library: str | None,
    meetings: Meetings,
    identities: Identities | None,
    concerns: Sequence[Mapping[str, Any]] = (),
) -> None:
    """Writes the meetings, readable by the owner only; with ``identities`` real names go back in. ``library`` is the
    key by which the library knows its own pseudonyms again; ``concerns`` are what was raised in the meetings."""
    from coach.anonymise import restore

    def shown(value: Any) -> Any:
        if isinstance(value, str):
            return restore(value, identities) if identities is not None else value
        if isinstance(value, Mapping):
            return {key: shown(item) for key, item in value.items()}
        return [shown(item) for item in value] if isinstance(value, list | tuple) else value

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
        "concerns": shown(concerns),
    }
    if not path.parent.is_dir():
        raise InputError(f"{path}: there is no such folder. Choose another place.")
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


def concerns(path: Path, library: str) -> tuple[list[Any], list[str]]:
    """What was raised in the meetings of an export that :func:`read` has taken, and the ids that these have there.

    Nothing was raised for anybody to know where the names are pseudonyms of a library other than ``library``.
    """
    document = json.loads(path.read_text(encoding="utf-8"))
    ours = document["library"] in (None, library)
    return document.get("concerns", []) if ours else [], [meeting["id"] for meeting in document["meetings"]]


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
