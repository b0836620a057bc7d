"""One question to a model: the prompt filled in, every value checked for leaks, the typed answer."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from coach.anonymise import leak_check
from coach.answers import Shape
from coach.engine import Watch
from coach.errors import ConfigError
from coach.fencing import fence, new_nonce
from coach.identities import Identities
from coach.llm.base import ChatModel, Completion, Request, complete_as, estimate_tokens, schema_of
from coach.prompts import Prompt, load_prompt

Answered = TypeVar("Answered", bound=Shape)
Nonce = Callable[..., str]


@dataclass(frozen=True)
class Asker:
    """Asks one model with the prompts under ``root`` (the installed ones if ``None``).

    ``small`` picks the short variant of prompts. ``max_tokens`` bounds each answer.
    """

    model: ChatModel
    identities: Identities
    root: Path | None = None
    small: bool = False
    max_tokens: int = 4_000
    nonce: Nonce = new_nonce
    _clean: set[str] = field(default_factory=set, repr=False, compare=False)

    def ask(
        self, name: str, shape: type[Answered], fenced: Mapping[str, Iterable[str]], watch: Watch | None = None
    ) -> Completion[Answered]:
        """The answer of the prompt ``name``; raises what :meth:`request` and :meth:`send` raise."""
        return self.send(self.request(name, fenced), shape, watch)

    def send(self, request: Request, shape: type[Answered], watch: Watch | None = None) -> Completion[Answered]:
        """The answer to a request, as :func:`~coach.llm.complete_as` gives it."""
        prompt = self.prompt(request.label.partition("@")[0])
        if prompt.shape is not shape:
            raise ConfigError(f"prompt {prompt.label} must answer with {shape.__name__}, not {prompt.output}")
        return complete_as(self.model, request, shape, watch)

    def request(
        self, name: str, fenced: Mapping[str, Iterable[str]], plain: Mapping[str, str] | None = None
    ) -> Request:
        """The prompt ``name`` filled in. ``fenced`` values are marked lines, put between random delimiters.

        ``plain`` values are the coach's own words. Raises :class:`~coach.errors.LeakError` when a value holds a known
        identity.
        """
        prompt = self.prompt(name)
        lines = {key: tuple(value) for key, value in fenced.items()}
        nonce = self.nonce(*(line for value in lines.values() for line in value))
        values = dict.fromkeys(prompt.variables, "") | dict(plain or {})
        values |= {key: fence(key.upper(), value, nonce) if value else "" for key, value in lines.items()}
        for value in values.values():
            text = value.replace(nonce, "")
            # Several prompts hold the same lines; one look at them is enough.
            if text not in self._clean:
                leak_check(text, self.identities, f"prompt {prompt.label}")
                self._clean.add(text)
        messages = prompt.render(values | {"nonce": nonce}, small=self.small)
        return Request(messages, label=prompt.label, max_tokens=self.max_tokens, nonce=nonce)

    def prompt(self, name: str) -> Prompt:
        """The active version of a prompt."""
        return load_prompt(name, root=self.root)

    def overhead(self, name: str) -> int:
        """Tokens of the prompt itself, its answer's schema included."""
        prompt = self.prompt(name)
        empty = prompt.render(dict.fromkeys(prompt.variables, ""), small=self.small)
        schema = str(schema_of(prompt.shape))
        return sum(estimate_tokens(text) for _, text in empty) + estimate_tokens(schema) + 50
