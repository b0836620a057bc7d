"""A chat model that keeps trying, for a while: attempts, deadline, circuit and concurrency around any other one."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, stop_before_delay
from tenacity.wait import wait_random_exponential

from coach.engine import Watch
from coach.errors import CancelledError, ModelUnreachableError
from coach.llm.base import Answer, ChatModel, Request, TransientError

POLL = 0.05


class Circuit:
    """Opens after ``threshold`` failures in a row; while it is open, nobody is kept waiting for a dead endpoint.

    After ``rest`` seconds one call may try: its success closes the circuit, its failure opens it again.
    """

    def __init__(self, threshold: int = 5, rest: float = 30.0) -> None:
        self._threshold, self._rest = threshold, rest
        self._lock = threading.Lock()
        self._failures = 0
        self._opened = 0.0

    def check(self) -> None:
        """Return quietly, or raise :class:`ModelUnreachableError` while the circuit is open."""
        with self._lock:
            if self._failures < self._threshold:
                return
            if time.monotonic() - self._opened >= self._rest:
                self._opened = time.monotonic()
                return
        raise ModelUnreachableError(
            f"the model endpoint failed {self._threshold} times in a row: try again in {self._rest:.0f} seconds"
        )

    def record(self, *, failed: bool) -> None:
        """Count an attempt; a success forgets all failures before it."""
        with self._lock:
            self._failures = self._failures + 1 if failed else 0
            if self._failures >= self._threshold:
                self._opened = time.monotonic()


class Steady:
    """A :class:`~coach.llm.base.ChatModel` that makes another one dependable.

    attempts: at most so many for one call, with random exponential waits from ``pause`` seconds on (full jitter), or
    as long as the server asks for. deadline: seconds for one call, all attempts and waits included.
    concurrency: calls under way at once. A failure that will not pass is raised at once.
    """

    def __init__(
        self,
        model: ChatModel,
        *,
        attempts: int = 4,
        deadline: float = 120.0,
        concurrency: int = 4,
        pause: float = 0.5,
        circuit: Circuit | None = None,
    ) -> None:
        self._model = model
        self._attempts, self._deadline, self._pause = attempts, deadline, pause
        self._slots = threading.BoundedSemaphore(concurrency)
        self._circuit = circuit or Circuit()

    @property
    def name(self) -> str:
        return self._model.name

    def __repr__(self) -> str:
        return f"Steady({self._model!r})"

    def complete(self, request: Request, watch: Watch) -> Answer:
        """The answer, or the last error; :class:`ModelUnreachableError` when the deadline passes first."""
        with self._slot(watch):
            end = time.monotonic() + self._deadline
            # The deadline stops an attempt the same way a person would.
            bounded = Watch(watch.progress, lambda: watch.stopped() or time.monotonic() > end)
            backoff = wait_random_exponential(multiplier=self._pause, max=10)

            def wait(state: RetryCallState) -> float:
                error = state.outcome.exception() if state.outcome else None
                asked = error.retry_after if isinstance(error, TransientError) else None
                return backoff(state) if asked is None else asked

            retrying = Retrying(
                stop=stop_after_attempt(self._attempts) | stop_before_delay(self._deadline),
                retry=retry_if_exception_type(TransientError),
                wait=wait,
                sleep=lambda seconds: _sleep(seconds, bounded),
                reraise=True,
            )
            try:
                return retrying(self._once, request, bounded)
            except CancelledError:
                watch.check()
                self._circuit.record(failed=True)
            raise ModelUnreachableError(
                f"the model gave no answer within {self._deadline:g} seconds: raise COACH_DEADLINE or change the model"
            )

    def _once(self, request: Request, watch: Watch) -> Answer:
        self._circuit.check()
        try:
            answer = self._model.complete(request, watch)
        except TransientError:
            self._circuit.record(failed=True)
            raise
        self._circuit.record(failed=False)
        return answer

    @contextmanager
    def _slot(self, watch: Watch) -> Iterator[None]:
        while not self._slots.acquire(timeout=POLL):
            watch.check()
        try:
            yield
        finally:
            self._slots.release()


def _sleep(seconds: float, watch: Watch) -> None:
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        watch.check()
        time.sleep(min(left, POLL))
