"""Load on the page and on the MCP server, over HTTP on loopback: ``python -m benchmarks.load [page|mcp|leak]``.

``page`` and ``mcp`` (both without an argument): 200 people ask for a review at the same moment, each with notes of
their own. Printed: how many were answered, how many got somebody else's, errors, reviews a second, median and 95th
percentile. Then 300 at once, more than may wait: how many were answered, how many were told to come back, and whether
the next request after that is answered. ``leak [MINUTES]`` (12 unless given) keeps asking both servers, and prints the
memory of each, once a minute, with the slope of a line through the samples of the last third: by then the page has met
the 1,000 visitors that gradio keeps, if the run is of twelve minutes. CPU time of the servers stands beside the wall
clock, which says little on a busy machine.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import httpx

from coach.samples import samples

PEOPLE = 200
TOO_MANY = 300
PATIENCE = 900.0
TOKEN = "the-token-of-this-benchmark"

Answer = str
"""``ok``, ``mixed up``, ``busy`` or the kind of error."""


class Server(NamedTuple):
    """A server of the coach, in a process of its own."""

    pid: int
    port: int


def text_of(number: int) -> tuple[str, str]:
    """Notes with somebody in them who is in no other, and that name: an answer without it was mixed up."""
    name = f"Guest{number:04}"
    return samples()[0].text.replace("Jonas", name), name


@contextmanager
def serving(*command: str) -> Iterator[Server]:
    """``coach COMMAND --port PORT`` with an empty library, until the block ends."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    with tempfile.TemporaryDirectory() as home:
        environment = {**os.environ, "COACH_HOME": home, "COACH_ENGINE": "local", "COACH_KEYRING": "off"}
        environment["COACH_MCP_TOKEN"] = TOKEN
        process = subprocess.Popen(
            [sys.executable, "-m", "coach", *command, "--port", str(port)],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            for _ in range(3_000):
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.1)
            else:
                raise SystemExit("the server did not answer within five minutes")
            yield Server(process.pid, port)
        finally:
            process.kill()
            process.wait()


async def ask_page(client: httpx.AsyncClient, server: Server, number: int) -> Answer:
    """Over the page's API: join the queue, then follow the events until the review is there."""
    text, name = text_of(number)
    address = f"http://127.0.0.1:{server.port}/gradio_api/call/review"
    joined = await client.post(address, json={"data": [text]})
    if joined.status_code == 503:
        return "busy" if "full" in joined.text else "error: 503"
    joined.raise_for_status()
    event, answer = "", "error: no answer"
    async with client.stream("GET", f"{address}/{joined.json()['event_id']}") as stream:
        async for line in stream.aiter_lines():
            if line.startswith("event: "):
                event = line.removeprefix("event: ")
            elif line.startswith("data: ") and event == "complete":
                answer = "ok" if name in line else "mixed up"
            elif line.startswith("data: ") and event == "error":
                answer = "error: told by the page"
    return answer


async def ask_mcp(_: httpx.AsyncClient, server: Server, number: int) -> Answer:
    """Over MCP with the SDK's client: a session of its own, then one call."""
    from mcp import ClientSession
    from mcp.client.streamable_http import streamable_http_client

    text, name = text_of(number)
    async with (
        httpx.AsyncClient(timeout=PATIENCE, headers={"Authorization": f"Bearer {TOKEN}"}) as client,
        streamable_http_client(f"http://127.0.0.1:{server.port}/mcp", http_client=client) as (read, write, _),
        ClientSession(read, write) as session,
    ):
        await session.initialize()
        called = await session.call_tool("review_notes", {"text": text})
    said = "".join(getattr(part, "text", "") for part in called.content)
    if called.isError:
        return "busy" if "busy" in said else f"error: {said[:120]}"
    return "ok" if name in said else "mixed up"


Ask = Callable[[httpx.AsyncClient, Server, int], Awaitable[Answer]]


async def crowd(ask: Ask, server: Server, people: int, first: int = 0) -> tuple[Counter[Answer], list[float]]:
    """What so many people, all at once, were answered; and the seconds that those waited who got a review."""
    seconds: list[float] = []

    async def one(number: int) -> Answer:
        started = time.perf_counter()
        try:
            answer = await ask(client, server, number)
        except Exception as error:  # noqa: BLE001 - counted by kind
            while isinstance(error, ExceptionGroup):
                error = error.exceptions[0]
            return f"error: {type(error).__name__}"
        if answer == "ok":
            seconds.append(time.perf_counter() - started)
        return answer

    limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
    async with httpx.AsyncClient(timeout=PATIENCE, limits=limits) as client:
        answers = await asyncio.gather(*(one(number) for number in range(first, first + people)))
    return Counter(answers), sorted(seconds)


def load(name: str, ask: Ask, server: Server) -> None:
    """Prints the figures of one server."""
    asyncio.run(crowd(ask, server, 2))  # Loads the models.
    before, started = cpu_seconds(server.pid), time.perf_counter()
    answers, seconds = asyncio.run(crowd(ask, server, PEOPLE, 1_000))
    wall, cpu = time.perf_counter() - started, cpu_seconds(server.pid) - before
    p50, p95 = statistics.median(seconds), seconds[int(0.95 * len(seconds)) - 1]
    print(
        f"{name}: {PEOPLE} at once: {dict(answers)}, {PEOPLE / wall:.1f} reviews a second ({PEOPLE / cpu:.1f} a", end=""
    )
    print(f" CPU second), p50 {p50:.1f} s, p95 {p95:.1f} s, memory {memory(server.pid):.0f} MB", flush=True)
    answers, _ = asyncio.run(crowd(ask, server, TOO_MANY, 2_000))
    after, seconds = asyncio.run(crowd(ask, server, 1, 9_000))
    print(f"{name}: {TOO_MANY} at once: {dict(answers)}; the next one: {dict(after)}", flush=True)


def leak(asked: dict[str, tuple[Ask, Server]], minutes: float) -> None:
    """Four people at a time ask each server, for so many minutes; prints memory, and how it grows."""
    samples_: dict[str, list[tuple[float, float]]] = {name: [] for name in asked}
    totals: dict[str, Counter[Answer]] = {name: Counter() for name in asked}
    numbers, started, told = itertools.count(0, 4), time.monotonic(), 0
    while (passed := (time.monotonic() - started) / 60) < minutes:
        for name, (ask, server) in asked.items():
            answers, _ = asyncio.run(crowd(ask, server, 4, next(numbers) % 10_000))
            totals[name] += answers
            samples_[name].append((passed, memory(server.pid)))
        if passed >= told:
            told += 1
            now = ", ".join(f"{name} {rows[-1][1]:.0f} MB" for name, rows in samples_.items())
            print(f"  minute {passed:4.1f}: {now}", flush=True)
    for name, rows in samples_.items():
        settled = [row for row in rows if row[0] >= minutes * 2 / 3]
        slope = statistics.linear_regression(*zip(*settled, strict=True)).slope
        print(
            f"{name}: {dict(totals[name])} in {minutes:g} minutes, memory {settled[0][1]:.0f} to {settled[-1][1]:.0f} "
            f"MB (peak {max(m for _, m in settled):.0f}), slope {slope:+.2f} MB a minute, "
            f"{1000 * slope * minutes / totals[name].total():+.1f} KB a review"
        )


def cpu_seconds(pid: int) -> float:
    """CPU time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> float:
    """Resident memory of a process, in MB."""
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


def main() -> None:
    """Prints what is asked for."""
    what = sys.argv[1] if len(sys.argv) > 1 else "both"
    print(f"load average before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    if what in ("page", "both"):
        with serving("serve") as page:
            load("page", ask_page, page)
    if what in ("mcp", "both"):
        with serving("mcp", "--http", "--names") as mcp:
            load("mcp", ask_mcp, mcp)
    if what == "leak":
        with serving("serve") as page, serving("mcp", "--http", "--names") as mcp:
            minutes = float(sys.argv[2]) if len(sys.argv) > 2 else 12.0
            leak({"page": (ask_page, page), "mcp": (ask_mcp, mcp)}, minutes)


if __name__ == "__main__":
    main()
