"""Chat exports in JSON: Slack (a channel's day, or an API answer) and Microsoft Teams (Graph, or a personal export).

Utterances are exact slices of the JSON as given, so escapes (``\\u00e9``) stay as they stand in it; a line break or a
tag ends an utterance. From a file, `coach.notes.files` reads
what :func:`as_chat` writes out instead.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from json.decoder import scanstring  # type: ignore[attr-defined]
from json.scanner import py_make_scanner  # type: ignore[attr-defined]
from typing import Any

from coach.notes.lines import Piece, utterances
from coach.notes.people import People
from coach.schema import Conversation

NAME = "chat-export"

_BREAK = re.compile(r"(?:<[^<>@#!]{1,400}>|\\[nrt]|\\u003[cC].{1,400}?\\u003[eE]|&nbsp;|\s)+")
_TAG = re.compile(r"<(?!@)/?[a-zA-Z][^<>]{0,400}>")
_HEAD = re.compile(
    r'"(?:ts|client_msg_id|messages|user_profile|createdDateTime|MessageList|originalarrivaltime|displayName)"\s*:'
)


class _Spanned(str):
    """A JSON string that knows where its inside stands in the text."""

    start: int
    end: int


@dataclass(frozen=True)
class Message:
    """One message of an export; ``at`` is seconds since 1970. ``text`` is unescaped, ``start:end`` its raw slice."""

    speaker: str
    text: str
    start: int
    end: int
    at: float | None


def sniff(text: str) -> float:
    """Certain for JSON that has the fields of a chat's messages near its beginning."""
    head = text[:20_000].lstrip("\ufeff \t\r\n")
    told = len(set(_HEAD.findall(head))) >= 2 and ('"text"' in head or '"content"' in head)
    return 0.98 if head.startswith(("[", "{")) and told else 0.0


def read(text: str) -> Conversation:
    """One utterance per line of a message, oldest first as far as the export is; all else is mark-up."""
    people, pieces = People(), list[Piece]()
    found = messages(text)
    first = next((message.at for message in found if message.at is not None), None)
    for message in found:
        speaker = people.speaker(message.speaker)
        time = message.at - first if message.at is not None and first is not None and message.at >= first else None
        at = message.start
        for stop in [*_BREAK.finditer(text, message.start, message.end), None]:
            end = stop.start() if stop else message.end
            if stop and stop.group().isspace():
                continue
            if text[at:end].strip():
                pieces.append(Piece(at, at, end, "speech", speaker, time))
            at = stop.end() if stop else end
    read = utterances(text, pieces)
    day = datetime.fromtimestamp(first, UTC).date().isoformat() if first is not None else None
    names = people.attendees(utterance.speaker for utterance in read if utterance.speaker)
    return Conversation(text=text, format=NAME, date=day, attendees=names, utterances=read)


def messages(text: str) -> tuple[Message, ...]:
    """What people wrote, in the order of time; empty when the text is no export."""
    # Only the scanner in Python takes another way of reading strings.
    decoder: Any = json.JSONDecoder()
    decoder.parse_string = _spanned
    decoder.scan_once = py_make_scanner(decoder)
    try:
        data = decoder.decode(text.lstrip("\ufeff"))
    except (ValueError, RecursionError):
        return ()
    shift = len(text) - len(text.lstrip("\ufeff"))
    found = [_moved(message, shift) for entry in _entries(data) if (message := _message(entry))]
    return tuple(sorted(found, key=lambda message: message.at or 0.0))


def as_chat(text: str) -> str | None:
    """The export as a plain chat, ``[2026-03-02 09:14] Ada: text``; None when there is nothing of that kind in it."""
    if not sniff(text):
        return None
    lines = []
    for message in messages(text):
        words = " ".join(html.unescape(_TAG.sub(" ", message.text)).split())
        stamp = datetime.fromtimestamp(message.at, UTC).strftime("[%Y-%m-%d %H:%M] ") if message.at is not None else ""
        if words:
            lines.append(f"{stamp}{message.speaker}: {words}")
    return "\n".join(lines) + "\n" if lines else None


def _spanned(text: str, at: int, strict: bool = True) -> tuple[str, int]:
    value, end = scanstring(text, at, strict)
    made = _Spanned(value)
    made.start, made.end = at, end - 1
    return made, end


def _entries(data: Any) -> Iterator[dict[str, Any]]:
    """Everything in the JSON that may be a message, however deep its list lies."""
    if isinstance(data, list):
        for item in data:
            yield from _entries(item)
    elif isinstance(data, dict):
        if _words(data) is not None:
            yield data
            return
        for key in ("messages", "value", "MessageList", "conversations"):
            yield from _entries(data.get(key))


def _words(entry: dict[str, Any]) -> _Spanned | None:
    body = entry.get("body")
    for value in (entry.get("text"), entry.get("content"), body.get("content") if isinstance(body, dict) else None):
        if isinstance(value, _Spanned):
            return value
    return None


def _message(entry: dict[str, Any]) -> Message | None:
    words, speaker = _words(entry), _speaker(entry)
    # A channel's joins and topics are not said by anybody; bots have no name in "user".
    if words is None or not speaker or entry.get("subtype") not in (None, "thread_broadcast", "me_message"):
        return None
    return Message(speaker, str(words), words.start, words.end, _time(entry))


def _speaker(entry: dict[str, Any]) -> str | None:
    profile, sender = entry.get("user_profile"), entry.get("from")
    if isinstance(sender, dict):
        sender = sender.get("user") or sender
    places: tuple[tuple[Any, tuple[str, ...]], ...] = (
        (profile, ("real_name", "display_name", "name")),
        (sender, ("displayName",)),
        (entry, ("displayName", "username", "user")),
    )
    for holder, keys in places:
        for key in keys if isinstance(holder, dict) else ():
            name = holder.get(key)
            if isinstance(name, str) and name.strip():
                return " ".join(name.split())
    return None


def _time(entry: dict[str, Any]) -> float | None:
    stamp = entry.get("ts") or entry.get("createdDateTime") or entry.get("originalarrivaltime")
    try:
        if isinstance(stamp, str) and "-" in stamp:
            when = datetime.fromisoformat(stamp)
            return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
        return float(stamp) if isinstance(stamp, (str, int, float)) else None
    except ValueError:
        return None


def _moved(message: Message, by: int) -> Message:
    return Message(message.speaker, message.text, message.start + by, message.end + by, message.at)
