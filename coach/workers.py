"""Work spread over processes with joblib: loky's on this machine, or those of a Dask scheduler."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit

from coach.errors import ConfigError, WorkersLostError
from coach.settings import is_loopback

R = TypeVar("R")

PATIENCE = 15
"""Seconds to wait for the scheduler and for its first worker."""


def spread(
    function: Callable[..., R], calls: Iterable[tuple[Any, ...]], *, jobs: int, scheduler: str | None = None
) -> Iterator[R]:
    """What the function gives for each tuple of arguments, as soon as it is there, in any order.

    ``jobs`` processes work on this machine; with ``scheduler``, the address of a Dask scheduler, all its workers do,
    and what a worker that dies had begun is done by another. The function has to be importable; arguments are best
    plain text and numbers: Dask keeps larger objects on one worker, and loses them with it. Raises
    :class:`ConfigError` when there is no scheduler or worker, :class:`WorkersLostError` when too many processes died.
    """
    from joblib import Parallel, delayed

    with _dask(scheduler) if scheduler else _loky():
        parallel = Parallel(n_jobs=jobs, batch_size=1, pre_dispatch="2*n_jobs", return_as="generator_unordered")
        try:
            yield from parallel(delayed(function)(*call) for call in calls)
        except Exception as error:
            if type(error).__name__ in ("TerminatedWorkerError", "BrokenProcessPool", "KilledWorker"):
                raise WorkersLostError(
                    "the processes that read notes were killed, perhaps for want of memory: what was done is kept. "
                    "Run the same again, with fewer --jobs."
                ) from None
            if isinstance(error, TimeoutError) or type(error).__name__ == "CommClosedError":
                raise ConfigError("COACH_DASK: the scheduler has no workers. Start some with dask worker.") from None
            raise


def _loky() -> AbstractContextManager[Any]:
    from joblib import parallel_config

    context: AbstractContextManager[Any] = parallel_config("loky")
    return context


@contextmanager
def _dask(address: str) -> Iterator[None]:
    """joblib on that scheduler. Notes go there with real names: in the open only within this machine."""
    url = urlsplit(address)
    if url.scheme not in ("tcp", "tls") or not url.hostname or not url.port:
        raise ConfigError("COACH_DASK: not the address of a scheduler. Write tcp://127.0.0.1:8786 or tls://HOST:PORT.")
    if url.scheme == "tcp" and not is_loopback(url.hostname):
        raise ConfigError("COACH_DASK: notes would leave this machine in the open. Use tls:// for other machines.")
    try:
        from distributed import Client
        from joblib import parallel_config
    except ImportError:
        raise ConfigError("COACH_DASK is set, but Dask is not installed: pip install unheard[dask].") from None
    try:
        client = Client(address, timeout=PATIENCE, set_as_default=False)
    except (OSError, TimeoutError, ValueError):
        raise ConfigError(
            f"COACH_DASK: no scheduler answers at {url.hostname}:{url.port}. Start dask scheduler."
        ) from None
    with client, parallel_config("dask", client=client, wait_for_workers_timeout=PATIENCE):
        yield
