"""Record and replay at the coach's :class:`~coach.llm.base.ChatModel`: one sorted JSON file per call.

A recording holds the answer, never the question: what was asked is in its key, and a key cannot be read back. Replay
never calls out; a question without a recording raises :class:`MissingRecordingError`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal

from pydantic import Field

from coach.anonymise import leak_check
from coach.engine import Watch
from coach.errors import LeakError, UnverifiableError
from coach.identities import Identities
from coach.llm.base import NONCE_IN_DIGEST, Answer, ChatModel, Request
from coach_eval.files import digest, read_json, write_atomically
from coach_eval.schema import Origin, Strict

SCHEMA = "coach.recording/1"
STALE_DAYS = 30

_SECRETS = re.compile(
    r"sk-[A-Za-z0-9_-]{16,}|AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{30,}|xox[abprs]-[A-Za-z0-9-]{10,}"
    r"|AIza[0-9A-Za-z_-]{30,}|eyJ[A-Za-z0-9_-]{10,1000}\.[A-Za-z0-9_-]{10,1000}|-----BEGIN [A-Z ]*PRIVATE KEY-----"
    r"|(?i:bearer\s+[a-z0-9._-]{20,})"
)


class MissingRecordingError(UnverifiableError):
    """A question was asked that nobody recorded an answer to."""


class Recording(Strict):
    """One answer of a model. ``usd`` is what it cost when it was made; replaying it costs nothing."""

    schema_: Literal["coach.recording/1"] = Field("coach.recording/1", alias="schema")
    key: str
    provider: str
    model: str
    served_model: str
    label: str
    repeat: int
    text: str
    finish: Literal["stop", "length", "refusal"]
    input_tokens: int
    output_tokens: int
    usd: float | None
    date: str
    origin: Origin


def key(request: Request, *, provider: str, model: str, repeat: int) -> str:
    """SHA-256 of the canonical JSON of all that shapes an answer, in hex.

    The random delimiters around note text (``request.nonce``) are set aside: the same question has the same key.
    """
    messages = [
        [role, text.replace(request.nonce, NONCE_IN_DIGEST) if request.nonce else text]
        for role, text in request.messages
    ]
    return digest(
        {
            "schema": SCHEMA,
            "provider": provider,
            "model": model,
            "messages": messages,
            "parameters": {"max_tokens": request.max_tokens, "temperature": request.temperature},
            "response_schema": request.schema,
            "repeat": repeat,
        }
    )


def scan(text: str, identities: Identities, secrets: Sequence[str] = ()) -> str:
    """The text, unchanged; raises :class:`LeakError`, without repeating it, when it holds a secret or a known name."""
    if _SECRETS.search(text) or any(secret and secret in text for secret in secrets):
        raise LeakError("an answer holds what looks like a key or token: it was not recorded; take it out of the notes")
    return leak_check(text, identities, "a recording")


@dataclass(frozen=True)
class Store:
    """The recordings of one suite: ``eval/recordings/SUITE/ab/abcd….json``."""

    folder: Path

    def path(self, key: str) -> Path:
        """Where a recording lives."""
        return self.folder / key[:2] / f"{key}.json"

    def get(self, key: str) -> Recording | None:
        """The recording of a key, or ``None``; raises :class:`~coach.errors.InputError` for a damaged one."""
        path = self.path(key)
        return read_json(path, Recording) if path.exists() else None

    def put(self, recording: Recording, identities: Identities, secrets: Sequence[str] = ()) -> None:
        """Scan a recording and write it whole; nothing is written when the scan finds anything."""
        import json

        scan(recording.text, identities, secrets)
        text = json.dumps(recording.model_dump(mode="json"), indent=1, sort_keys=True, ensure_ascii=False) + "\n"
        write_atomically(self.path(recording.key), text)

    def check(self) -> tuple[Recording, ...]:
        """Every recording, read and validated; raises :class:`~coach.errors.InputError` naming the first bad file."""
        return tuple(read_json(path, Recording) for path in sorted(self.folder.glob("*/*.json")))

    def stale(self, today: date | None = None) -> tuple[str, ...]:
        """A sentence when the oldest recording from a model is more than 30 days old; authored ones do not age."""
        made = [r.date for r in self.check() if r.origin != "authored"]
        if not made:
            return ()
        age = ((today or datetime.now(UTC).date()) - date.fromisoformat(min(made)[:10])).days
        if age <= STALE_DAYS:
            return ()
        return (
            f"The oldest recording is {age} days old; the model may answer otherwise today. Record again when you can.",
        )


@dataclass(frozen=True)
class ReplayingModel:
    """A chat model that plays recordings and never calls out."""

    store: Store
    name: str
    provider: str
    repeat: int

    def complete(self, request: Request, watch: Watch) -> Answer:
        """The recorded answer; raises :class:`MissingRecordingError`."""
        watch.check()
        found = self.store.get(key(request, provider=self.provider, model=self.name, repeat=self.repeat))
        if found is None:
            raise MissingRecordingError(
                f"no recording answers {request.label or 'this question'} (repeat {self.repeat}): run coach eval record"
            )
        return Answer(
            text=found.text,
            finish=found.finish,
            input_tokens=found.input_tokens,
            output_tokens=found.output_tokens,
            model=found.served_model,
            usd=0.0,
        )


@dataclass(frozen=True)
class RecordingModel:
    """A chat model that asks another one, and records what it says; what is recorded already is not asked again.

    identities: whose names no recording may hold. secrets: configured keys, likewise.
    """

    model: ChatModel
    store: Store
    provider: str
    repeat: int
    origin: Origin
    identities: Identities
    secrets: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The name of the model behind it."""
        return self.model.name

    def complete(self, request: Request, watch: Watch) -> Answer:
        """The answer, recorded first; raises what the model raises and :class:`LeakError`."""
        asked = key(request, provider=self.provider, model=self.name, repeat=self.repeat)
        if self.store.get(asked) is not None:
            return ReplayingModel(self.store, self.name, self.provider, self.repeat).complete(request, watch)
        answer = self.model.complete(request, watch)
        self.store.put(
            Recording(
                key=asked,
                provider=self.provider,
                model=self.name,
                served_model=answer.model or self.name,
                label=request.label,
                repeat=self.repeat,
                text=answer.text,
                finish=answer.finish,
                input_tokens=answer.input_tokens,
                output_tokens=answer.output_tokens,
                usd=answer.usd,
                date=datetime.now(UTC).isoformat(timespec="seconds"),
                origin=self.origin,
            ),
            self.identities,
            self.secrets,
        )
        return answer
