"""Speed, load and memory of the page, in Debian's chromium and over HTTP: ``python -m benchmarks.page``.

Prints: from starting the process until it answers; first useful paint (the box to paste into is there) in a fresh
browser; paste of two pages until the review stands on the page, warm; 50 people asking for a review at the same
moment, each with notes of their own: how many were answered, how many got somebody else's, median and 95th
percentile; and the memory of the server after that.
"""

from __future__ import annotations

import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from coach.samples import samples

PEOPLE = 50
RUNS = 5
SERVE = """
import sys
from coach.settings import load_settings
from coach.ui import serve
serve(load_settings(), port=int(sys.argv[1]))
"""


def main() -> None:
    """Print one line per figure."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}/"
    print(f"load average before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with tempfile.TemporaryDirectory() as home:
        started = time.perf_counter()
        server = subprocess.Popen(
            [sys.executable, "-c", SERVE, str(port)],
            env={**os.environ, "COACH_HOME": home, "COACH_ENGINE": "local"},
            stdout=subprocess.DEVNULL,
        )
        try:
            _wait(address)
            print(f"server answers after {time.perf_counter() - started:.1f} s")
            _browse(address)
            _crowd(address)
            print(f"memory of the server: {_memory(server.pid):.0f} MB")
        finally:
            server.terminate()
            server.wait(30)


def _browse(address: str) -> None:
    from playwright.sync_api import sync_playwright

    text = (samples()[0].text * 4)[:6_000]
    paints, reviews = [], []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        for _ in range(RUNS):
            page = browser.new_context().new_page()
            started = time.perf_counter()
            page.goto(address)
            page.wait_for_selector("#notes-in textarea")
            paints.append(time.perf_counter() - started)
            for _ in range(2):  # the first one warms the engine
                page.get_by_label("Meeting notes or transcript").fill(text)
                started = time.perf_counter()
                page.get_by_role("button", name="Review", exact=True).click()
                page.wait_for_selector("#result-title")
                warm = time.perf_counter() - started
                page.get_by_role("button", name="Review other notes").click()
                page.wait_for_selector(".sample")
            reviews.append(warm)
            page.context.close()
        browser.close()
    print(f"first useful paint: median {statistics.median(paints):.2f} s, worst {max(paints):.2f} s of {RUNS}")
    print(
        f"paste of two pages to findings, warm: median {statistics.median(reviews):.2f} s, worst {max(reviews):.2f} s"
    )


def _crowd(address: str) -> None:
    from gradio_client import Client

    clients = [Client(address, verbose=False, httpx_kwargs={"timeout": 300}) for _ in range(PEOPLE)]

    def ask(n: int) -> tuple[float, bool]:
        # A name of their own in every turn: an answer that names another was mixed up.
        name = f"Guest{n:02}"
        text = samples()[0].text.replace("Jonas", name)
        started = time.perf_counter()
        answer = clients[n].predict(text, api_name="/review")
        return time.perf_counter() - started, name in answer["meeting"]["speakers"]

    with ThreadPoolExecutor(PEOPLE) as pool:
        answers = list(pool.map(ask, range(PEOPLE)))
    seconds = sorted(taken for taken, _ in answers)
    mixed = sum(not right for _, right in answers)
    print(
        f"{PEOPLE} people at once: {len(answers)} answered, {mixed} mixed up, "
        f"median {statistics.median(seconds):.1f} s, p95 {seconds[int(0.95 * PEOPLE) - 1]:.1f} s"
    )


def _wait(address: str) -> None:
    from urllib.error import URLError
    from urllib.request import urlopen

    for _ in range(600):
        try:
            urlopen(address)
            return
        except (URLError, ConnectionError):
            time.sleep(0.1)
    raise SystemExit("the server did not answer within a minute")


def _memory(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024


if __name__ == "__main__":
    main()
