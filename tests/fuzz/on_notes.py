"""Doors by which notes come in, and what is done with them."""

from __future__ import annotations

import json
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

from fuzz.base import WORDS, Target, file_of, sample_texts
from fuzz.draw import Draw


def _text_of(draw: Draw) -> str:
    kind = draw.byte() % 4
    if kind == 0:
        return draw.rest().decode("utf-8", "replace")
    if kind == 1:
        return draw.rest().decode("utf-8", "surrogateescape")
    return "".join(draw.text(WORDS) for _ in range(4))


def _parse(data: bytes) -> None:
    from coach import notes
    from coach.notes.lines import BLANK

    draw = Draw(data)
    named = draw.choice((None, *notes.FORMATS))
    text = _text_of(draw)
    conversation = notes.parse(text, named)
    at = 0
    for utterance in conversation.utterances:
        assert at <= utterance.start <= utterance.said <= utterance.end
        assert not text[at : utterance.start].strip(BLANK)
        at = utterance.end
    for sentence in notes.sentences(conversation):
        assert text[sentence.start : sentence.end] == sentence.text


def _parse_seeds() -> list[bytes]:
    from coach import notes

    seeds = [b"\0\0" + text.encode() for text in sample_texts()]
    seeds += [
        bytes([n]) + b"\0" + text.encode()[:400]
        for n in range(1, len(tuple(notes.FORMATS)) + 1)
        for text in sample_texts()[:2]
    ]
    return seeds


SUFFIXES = (".txt", ".md", ".vtt", ".srt", ".eml", ".json", ".csv")


def _read_file(data: bytes) -> None:
    from coach import notes

    draw = Draw(data)
    with file_of("notes" + draw.choice(SUFFIXES), draw.rest()) as path:
        notes.parse(notes.read_file(path))


def _read_file_seeds() -> list[bytes]:
    letter = (
        b"\4From: =?utf-8?q?Ana?= <a@b.example>\nTo: ben@b.example\nDate: Mon, 3 Mar 2026 10:00:00 +0100\n"
        b"Subject: roof\n"
        b"MIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=x\n\n--x\nContent-Type: text/plain; "
        b"charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\nIt leaks=20again.=\n\n--x--\n"
    )
    base64 = (
        b"\4From: a@b.example\nSubject: x\nContent-Type: text/plain\nContent-Transfer-Encoding: base64\n\n"
        b"SXQgbGVha3M=\n"
    )
    return [
        letter, base64, b"\0" + "Ana: É\n".encode("utf-16"), b"\0" + "Ana: é so\n".encode("cp1252"),
        b"\0\xef\xbb\xbfAna: hi", *(bytes([5]) + chat for chat in _chats()),
    ]  # fmt: skip


CHAT_KEYS = (
    "ts", "text", "user", "username", "user_profile", "real_name", "display_name", "messages", "subtype", "from",
    "displayName", "createdDateTime", "originalarrivaltime", "MessageList", "conversations", "content", "body", "value",
    "type", "client_msg_id",
)  # fmt: skip


def _chats() -> list[bytes]:
    slack = [
        {
            "ts": "1700000000.1",
            "user": "U1",
            "user_profile": {"real_name": "Ana"},
            "text": "It leaks &amp; <@U2> \u00e9",
        },
        {"ts": "1700000009.1", "username": "Ben", "text": "Next\nitem", "client_msg_id": "1"},
    ]
    teams = {"value": [{"createdDateTime": "2026-03-02T09:14:00Z", "from": {"user": {"displayName": "Ana"}},
              "body": {"content": "<p>It leaks</p>"}}]}  # fmt: skip
    skype = {
        "conversations": [
            {"MessageList": [{"displayName": "Ana", "originalarrivaltime": "2026-03-02T09:14:00Z", "content": "hi"}]}
        ]
    }
    return [json.dumps(chat).encode() for chat in (slack, teams, skype)]


def _chat(data: bytes) -> None:
    from coach import notes
    from coach.notes.exports import as_chat

    draw = Draw(data)
    if draw.byte() % 2:
        text = draw.rest().decode("utf-8", "replace")
    else:
        text = json.dumps([draw.value(CHAT_KEYS, ("Ana", "1700000000.5", "2026-03-02T09:14:00Z", "hi", *WORDS))])
    written = as_chat(text)
    if written is not None:
        written.encode()
        notes.parse(written)
    if text.strip():
        notes.parse(text, "chat-export")


def _chat_seeds() -> list[bytes]:
    return [b"\1" + chat for chat in _chats()] + [bytes(range(n, n + 90)) for n in range(0, 160, 8)]


# --- what is done with notes ---


@cache
def one_coach() -> Any:
    from coach.settings import load_settings
    from coach.wiring import Coach

    home = Path(tempfile.mkdtemp(prefix="unheard-fuzz-"))
    return Coach(load_settings({}, home=home))


def _review(data: bytes) -> None:
    from coach import render

    draw = Draw(data)
    text = _text_of(draw)[:2_000]
    review = one_coach().review(text, engine="local")
    for finding in review.findings:
        assert text[finding.start : finding.end] == finding.quote
    for report in (render.markdown(review), render.html(review, text), review.model_dump_json()):
        report.encode()


def _anonymise(data: bytes) -> None:
    from coach import notes
    from coach.anonymise import anonymise, leaks_in, restore
    from coach.identities import Identities

    text = _text_of(Draw(data))[:4_000]
    done = anonymise(notes.parse(text), Identities())
    restore(done.text, done.identities)
    leaks_in(done.text, done.identities)
    json.dumps(done.as_json(with_originals=True), ensure_ascii=False).encode()


def _sentence(data: bytes) -> None:
    from coach.rehearsal.moves import find_moves
    from coach.rewriting import question, rewrite

    text = _text_of(Draw(data))[:2_000]
    rewrite(text)
    question(text)
    find_moves(text)


def _text_seeds() -> list[bytes]:
    return [b"\0" + text.encode()[:1_500] for text in sample_texts()]


def _sentence_seeds() -> list[bytes]:
    from coach import notes

    return [b"\0" + s.text.encode() for text in sample_texts() for s in notes.sentences(notes.parse(text))[:8]]


NOTES = (
    Target("notes", _parse, _parse_seeds),
    Target("note files", _read_file, _read_file_seeds),
    Target("chat exports", _chat, _chat_seeds),
    Target("reviews", _review, _text_seeds),
    Target("pseudonyms", _anonymise, _text_seeds),
    Target("sentences", _sentence, _sentence_seeds),
)
