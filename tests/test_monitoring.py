"""What whoever runs the service gets to see: figures and lines of JSON, without a word of the notes."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from urllib.request import urlopen

import pytest
from typer.testing import CliRunner

from coach.cli import app
from coach.errors import ConfigError, InputError
from coach.events import happened, log
from coach.monitoring import JsonLines, Meter, serve_metrics
from coach.wiring import Coach

NOTES = """Marisol Quade: From May the last ferry leaves at eight.
Henrik Voss: I doubt that. The night nurses finish at nine and could not get home any more.
Marisol Quade: Next point, the ticket machines. Everybody will obviously pay by card.
"""
WORDS = {word.strip(".,:").casefold() for word in NOTES.split() if len(word) > 4}


class Lines(logging.Handler):
    """Keeps the lines that would be written."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.setFormatter(JsonLines())
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@pytest.fixture
def lines() -> Iterator[Lines]:
    root, made, before = logging.getLogger(), Lines(), logging.getLogger().level
    root.addHandler(made)
    root.setLevel(logging.DEBUG)
    log.setLevel(logging.INFO)
    yield made
    root.removeHandler(made)
    root.setLevel(before)
    log.setLevel(logging.NOTSET)


@pytest.fixture
def meter() -> Iterator[Meter]:
    made = Meter(waiting=lambda: 3)
    log.addHandler(made)
    log.setLevel(logging.INFO)
    yield made
    log.removeHandler(made)
    log.setLevel(logging.NOTSET)


def test_nothing_that_is_logged_holds_a_word_of_the_notes(lines: Lines) -> None:
    coach = Coach()
    coach.keep(NOTES, title="Ferry timetable")
    coach.library.search("What did Henrik Voss say about the nurses?")
    coach.review(NOTES)
    with pytest.raises(InputError):
        coach.review("   ")
    logging.getLogger("somebody.else").warning("could not parse %s", NOTES)
    try:
        raise ValueError(NOTES)
    except ValueError:
        logging.getLogger("somebody.else").exception("broken: %s", NOTES)
    said = [json.loads(line) for line in lines.lines]
    assert {"review begun", "review", "kept", "message"} <= {line["event"] for line in said}
    assert {line.get("outcome") for line in said if line["event"] == "review"} == {None, "InputError"}
    assert said[-1]["kind"] == "ValueError"
    leaked = {word for word in WORDS | {"timetable"} for line in lines.lines if word in line.casefold()}
    assert leaked == set()


def test_a_fact_that_is_no_fixed_word_is_not_written(lines: Lines) -> None:
    happened("review", engine=NOTES, kind="InputError", seconds=0.123456)
    (line,) = [json.loads(line) for line in lines.lines]
    assert (line["engine"], line["kind"], line["seconds"]) == ("?", "InputError", 0.1235)


def test_figures_count_what_happened(meter: Meter) -> None:
    coach = Coach()
    coach.keep(NOTES)
    coach.review(NOTES)
    with pytest.raises(InputError):
        coach.review("   ")
    happened("busy")
    happened("fault", kind="KeyError")
    value = meter.registry.get_sample_value
    assert value("coach_reviews_total", {"engine": "local", "outcome": "ok"}) == 2
    assert value("coach_reviews_total", {"engine": "none", "outcome": "InputError"}) == 1
    assert value("coach_reviews_running") == 0 and value("coach_review_seconds_count") == 3
    assert value("coach_notes_kept_total") == 1 == value("coach_busy_total")
    assert value("coach_faults_total", {"kind": "KeyError"}) == 1 and value("coach_waiting") == 3
    assert value("process_resident_memory_bytes") or 0 > 1_000_000


def test_prometheus_reads_the_figures_over_http() -> None:
    before = list(log.handlers)
    try:
        port = serve_metrics("127.0.0.1:0")
        Coach().review(NOTES)
        told = urlopen(f"http://127.0.0.1:{port}/metrics").read().decode()
        assert 'coach_reviews_total{engine="local",outcome="ok"} 1.0' in told
        with pytest.raises(ConfigError, match="can't listen"):
            serve_metrics(f"127.0.0.1:{port}")
    finally:
        log.handlers[:] = before
        log.setLevel(logging.NOTSET)


@pytest.mark.parametrize("address", ["9464", "here:there", ":9464", "127.0.0.1:99999999"])
def test_an_address_for_figures_that_makes_no_sense_is_refused(address: str) -> None:
    with pytest.raises(ConfigError, match="--metrics"):
        serve_metrics(address)


def test_an_unknown_way_of_logging_is_refused() -> None:
    assert CliRunner().invoke(app, ["serve", "--log", "xml"]).exit_code == 2
