"""What calls cost, and a chat model that stops before it passes a limit."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

from coach.engine import Watch
from coach.errors import BudgetError
from coach.llm.base import Answer, ChatModel, Request, add_usage, estimate_tokens, usage_of
from coach.schema import Usage
from coach.settings import Settings

Price = Callable[[str, int, int], float | None]
"""US dollars for (model, input tokens, output tokens); ``None`` when nobody knows."""


def price_of(settings: Settings) -> Price:
    """List prices of the configured endpoint, from the genai-prices snapshot that is installed (no network).

    An endpoint that the snapshot does not know has no price, and a server on this machine has none either.
    """
    where = settings.azure_endpoint or settings.base_url

    def price(model: str, input_tokens: int, output_tokens: int) -> float | None:
        from genai_prices import Usage as Tokens
        from genai_prices import calc_price

        tokens = Tokens(input_tokens=input_tokens, output_tokens=output_tokens)
        try:
            if settings.azure_endpoint:
                return float(calc_price(tokens, model, provider_id="azure").total_price)
            if where:
                return float(calc_price(tokens, model, provider_api_url=where).total_price)
            return float(calc_price(tokens, model, provider_id="openai").total_price)
        except LookupError:
            return None

    return price


class Budgeted:
    """A :class:`~coach.llm.base.ChatModel` that prices each answer and refuses a call that could pass ``max_usd``.

    Before a call its price is reserved as if the answer used all its tokens, so that calls under way together stay
    within the limit too. With a limit and no known price nothing can be promised: then the call is refused,
    unless the server is on this machine (``free``).
    """

    def __init__(self, model: ChatModel, price: Price, max_usd: float | None = None, *, free: bool = False) -> None:
        self._model, self._price, self._max_usd, self._free = model, price, max_usd, free
        self._lock = threading.Lock()
        self._spent = 0.0
        self._reserved = 0.0
        self._usage = Usage()

    @property
    def name(self) -> str:
        return self._model.name

    @property
    def usage(self) -> Usage:
        """What all calls so far took, failed repairs included."""
        return self._usage

    def complete(self, request: Request, watch: Watch) -> Answer:
        """The answer with its price. Raises :class:`BudgetError` before a call that could pass the limit."""
        worst = self._reserve(request)
        try:
            answer = self._model.complete(request, watch)
            priced = answer if answer.usd is not None else replace(answer, usd=self._price_of(answer))
            with self._lock:
                self._spent += priced.usd or 0.0
                taken = usage_of(self.name, priced)
                self._usage = add_usage(self._usage, taken) if self._usage.calls else taken
            return priced
        finally:
            with self._lock:
                self._reserved -= worst

    def _price_of(self, answer: Answer) -> float | None:
        """By the name it was asked under, else (Azure's deployments have any name) by the one it gives itself."""
        tokens = (answer.input_tokens, answer.output_tokens)
        price = self._price(self.name, *tokens)
        return self._price(answer.model, *tokens) if price is None and answer.model else price

    def _reserve(self, request: Request) -> float:
        if self._max_usd is None or self._free:
            return 0.0
        asked = sum(estimate_tokens(content) for _, content in request.messages)
        worst = self._price(self.name, asked, request.max_tokens)
        if worst is None:
            raise BudgetError(
                "the price of this model is unknown, so COACH_MAX_USD can't be kept: unset it, or choose another model"
            )
        with self._lock:
            if self._spent + self._reserved + worst > self._max_usd:
                raise BudgetError(
                    f"the next call could pass COACH_MAX_USD ({self._max_usd:g}): raise it, or use --engine local"
                )
            self._reserved += worst
        return worst
