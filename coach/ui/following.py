"""Long work, followed from a page: progress while it runs, and an end when the user asks for one or leaves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from queue import Empty, SimpleQueue
from threading import Event, Thread
from types import TracebackType
from typing import Generic, TypeVar

from coach.engine import Watch

T = TypeVar("T")


class Following(Generic[T]):
    """Runs ``work(watch)`` beside the page. Leaving the ``with`` block asks the work to stop, however it is left.

    >>> with Following(lambda watch: watch.progress(0.5, "Half") or 7) as work:
    ...     steps, answer = list(work.steps()), work.result()
    >>> steps, answer
    ([(0.5, 'Half')], 7)
    """

    def __init__(self, work: Callable[[Watch], T], stopped: Event | None = None) -> None:
        self._stopped = stopped or Event()
        self._told: SimpleQueue[tuple[float, str]] = SimpleQueue()
        self._work = work
        self._answer: T
        self._error: BaseException | None = None
        self._thread = Thread(target=self._run, daemon=True)

    def __enter__(self) -> Following[T]:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()

    def steps(self) -> Iterator[tuple[float, str]]:
        """Share done and what is going on, the newest of each tenth of a second, until the work ends."""
        while self._thread.is_alive() or not self._told.empty():
            try:
                newest = self._told.get(timeout=0.1)
            except Empty:
                continue
            while not self._told.empty():
                newest = self._told.get()
            yield newest
            self._thread.join(0.1)

    def result(self) -> T:
        """What the work gave back, or its exception."""
        self._thread.join()
        if self._error is not None:
            raise self._error
        return self._answer

    def _run(self) -> None:
        watch = Watch(progress=lambda share, what: self._told.put((share, what)), stopped=self._stopped.is_set)
        try:
            self._answer = self._work(watch)
        except BaseException as error:  # noqa: BLE001 - handed to the thread that asked, in result()
            self._error = error
