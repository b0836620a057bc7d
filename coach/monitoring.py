"""Events as lines of JSON, and as figures for Prometheus. Neither holds a word of the notes, nor a name."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from coach.errors import ConfigError
from coach.events import log as events

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)
"""Upper ends of the histogram of review times."""


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, who says it, and the facts of an event.

    Of what other packages log only level, logger and place are kept: their messages may quote what they were given.
    """

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        said: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        if record.name.startswith("coach."):
            said["event"] = record.getMessage()
            said |= getattr(record, "facts", {})
        else:
            said["event"] = "message"
            said["where"] = f"{record.module}:{record.lineno}"
            if record.exc_info and record.exc_info[0]:
                said["kind"] = record.exc_info[0].__name__
        return json.dumps(said, ensure_ascii=False)


class Meter(logging.Handler):
    """Counts events for Prometheus, in a registry of its own."""

    def __init__(self, waiting: Callable[[], int] = lambda: 0) -> None:
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector

        super().__init__(logging.INFO)
        self.registry: CollectorRegistry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        own: dict[str, Any] = {"registry": self.registry}
        Gauge("coach_waiting", "Requests of the page that wait for their turn", **own).set_function(waiting)
        running = Gauge("coach_reviews_running", "Reviews under way", **own)
        reviews = Counter("coach_reviews", "Reviews that ended, by engine and outcome", ["engine", "outcome"], **own)
        seconds = Histogram("coach_review_seconds", "How long a review took", buckets=SECONDS, **own)
        fell_back = Counter("coach_fell_back", "Reviews that the model failed and the local engine made", **own)
        kept = Counter("coach_notes_kept", "Meetings that were put into a library", **own)
        busy = Counter("coach_busy", "Requests that were told to come again later", **own)
        faults = Counter("coach_faults", "Errors that nobody foresaw, by kind", ["kind"], **own)

        def reviewed(facts: dict[str, Any]) -> None:
            running.dec()
            reviews.labels(facts.get("engine", "none"), facts.get("outcome", "ok")).inc()
            seconds.observe(facts["seconds"])
            if facts.get("fell_back"):
                fell_back.inc()

        self._counted: dict[str, Callable[[dict[str, Any]], None]] = {
            "review begun": lambda facts: running.inc(),
            "review": reviewed,
            "kept": lambda facts: kept.inc(),
            "busy": lambda facts: busy.inc(),
            "fault": lambda facts: faults.labels(facts.get("kind", "?")).inc(),
        }

    def emit(self, record: logging.LogRecord) -> None:
        """Counts the event, if it is one of those that are counted."""
        if count := self._counted.get(record.getMessage()):
            count(getattr(record, "facts", {}))


def log_json() -> None:
    """From now on everything that is logged goes to standard error, as :class:`JsonLines`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    events.setLevel(logging.INFO)


def serve_metrics(address: str, waiting: Callable[[], int] = lambda: 0) -> int:
    """The port at which Prometheus finds the figures, from now until the process ends; ``address`` is HOST:PORT.

    Raises :class:`ConfigError` when the address makes no sense or is taken, or when prometheus-client is missing.
    """
    host, _, port = address.rpartition(":")
    if not host or not port.isdecimal():
        raise ConfigError("--metrics: write HOST:PORT, such as 127.0.0.1:9464.")
    try:
        from prometheus_client import start_http_server
    except ImportError:
        raise ConfigError("--metrics needs prometheus-client: pip install unheard[metrics].") from None
    meter = Meter(waiting)
    try:
        server, _ = start_http_server(int(port), host.strip("[]"), meter.registry)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or "no such port"
        raise ConfigError(f"--metrics: can't listen on {address} ({reason}): choose another.") from None
    events.setLevel(logging.INFO)
    events.addHandler(meter)
    return int(server.server_port)
