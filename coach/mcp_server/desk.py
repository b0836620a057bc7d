"""A coach behind a server: its work beside the event loop, and which names are seen."""

from __future__ import annotations

import contextlib
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import anyio
import anyio.to_thread
from anyio.from_thread import BlockingPortal
from mcp.server.fastmcp import Context
from mcp.server.fastmcp.exceptions import ToolError

from coach.engine import Watch
from coach.errors import CoachError, InputError
from coach.events import happened
from coach.mcp_server.values import Lines
from coach.pseudonymous import in_names, in_pseudonyms
from coach.rehearsal.session import Session
from coach.schema import Value

if TYPE_CHECKING:
    from coach.identities import Identities
    from coach.wiring import Coach

V = TypeVar("V", bound=Value)
T = TypeVar("T")

MOST_PRACTICES = 50
AT_ONCE = max(4, os.cpu_count() or 4)
"""Pieces of work at the same moment. More would only make everybody wait."""
WAITING = 200
"""How many may wait for their turn; the next one is told that the coach is busy."""
BUSY = "the coach is busy with other people's notes: try again in a minute"


class Desk:
    """A coach behind a server: runs its work beside the event loop, and decides which names are seen."""

    def __init__(self, coach: Coach, *, write: bool = False, names: bool = False) -> None:
        self.coach = coach
        self.write = write
        self.names = names
        self._lock = threading.Lock()
        self._at_work = 0
        self._turns = anyio.CapacityLimiter(AT_ONCE)
        self._practices: OrderedDict[str, Session] = OrderedDict()

    async def run(self, work: Callable[[Watch], T], context: Context[Any, Any, Any] | None = None) -> T:
        """What ``work`` gives back. Its progress goes to the client; a client that cancels asks it to stop.

        So many work at once, so many wait; anybody beyond that gets :data:`BUSY` as an error.
        """
        if self._turns.statistics().tasks_waiting >= WAITING:
            happened("busy")
            raise ToolError(BUSY)
        stopped = threading.Event()
        told = 0.0

        def progress(share: float, what: str) -> None:
            # The protocol wants shares that grow; parts of a review that run side by side may tell smaller ones.
            nonlocal told
            if context is None or stopped.is_set() or share <= told:
                return
            told = share
            with contextlib.suppress(RuntimeError):  # the client left at this very moment
                portal.start_task_soon(context.report_progress, share, 1.0, what)

        def watched() -> T | ToolError:
            try:
                with self._open_library():
                    return work(Watch(progress=progress, stopped=stopped.is_set))
            except CoachError as error:
                return self._refusal(error)
            except Exception as error:  # noqa: BLE001 - its message may quote notes, so only its type is told
                happened("fault", kind=type(error).__name__)
                return ToolError(f"unexpected {type(error).__name__}: please report it")

        async with BlockingPortal() as portal:
            try:
                done = await anyio.to_thread.run_sync(watched, abandon_on_cancel=True, limiter=self._turns)
            finally:
                stopped.set()
        if isinstance(done, ToolError):
            raise done
        return done

    def shown(self, value: V, identities: Identities | None = None) -> V:
        """The value as the client may see it. ``identities`` may hold more people than those remembered."""
        known = identities or self.coach.identities.load()
        return in_names(value, known) if self.names else in_pseudonyms(value, known)

    def _refusal(self, error: CoachError) -> ToolError:
        # Pseudonyms of the client were turned into names before: what is said of them turns back.
        try:
            return ToolError(self.shown(Lines(lines=(str(error),))).lines[0])
        except CoachError:
            return ToolError("this can't be done, and the reason names somebody: look into it with coach itself")

    def meant(self, text: str) -> str:
        """What the client wrote, with the names that its pseudonyms stand for."""
        from coach.anonymise import restore

        return restore(text, self.coach.identities.load())

    def keep(self, session: Session) -> Session:
        """The practice, kept in memory until the server ends or many newer ones came."""
        with self._lock:
            self._practices[session.id] = session
            self._practices.move_to_end(session.id)
            while len(self._practices) > MOST_PRACTICES:
                self._practices.popitem(last=False)
        return session

    def practice(self, key: str) -> Session:
        """The practice with that id; raises :class:`InputError` when it is none of this server's."""
        with self._lock:
            if key in self._practices:
                return self._practices[key]
        raise InputError("this practice is not known here: start one by giving the plan")

    @contextlib.contextmanager
    def _open_library(self) -> Iterator[None]:
        """Lets go of the library's folder when nobody works, so that the page or the command line can use it, too."""
        with self._lock:
            self._at_work += 1
        try:
            yield
        finally:
            with self._lock:
                self._at_work -= 1
                if not self._at_work and "library" in vars(self.coach):
                    self.coach.library.close()
