"""A team's set-up, for real on loopback: two pages behind nginx, on one PostgreSQL and one Chroma server."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from stores import Postgres, free_port, wait_for

from coach.errors import LibraryError
from coach.settings import load_settings
from coach.wiring import Coach

DEPLOY = Path(__file__).parent.parent / "deploy"
MARCH = """Date: 2026-03-02
Henrik Voss: The night nurses could not get home after the last ferry.
Marisol Quade: Next point.
Tamsin Oyelaran: The machines arrive in April.
Marisol Quade: Thank you all.
"""
MAY = """Date: 2026-05-04
Marisol Quade: From June the last ferry leaves at eight.
Henrik Voss: I doubt that. The night nurses could not get home after the last ferry any more.
Marisol Quade: Next point, the ticket machines.
Tamsin Oyelaran: They are here.
"""
WORDS = ("ferry", "nurses", "Henrik", "Marisol", "machines")
PATIENCE = 300.0


@contextmanager
def nginx(folder: Path, configuration: str) -> Iterator[None]:
    """nginx with what deploy/ gives it at the http level, its files in ``folder``."""
    binary = shutil.which("nginx") or shutil.which("/usr/sbin/nginx")
    if binary is None:
        pytest.skip("several pages are not tried here: nginx is not installed (Debian: apt install nginx-light)")
    folder.mkdir()
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    places = "\n".join(f"{kind}_temp_path {folder}/{kind};" for kind in kinds)
    user = "user root;" if os.getuid() == 0 else ""
    (folder / "nginx.conf").write_text(
        f"{user} pid {folder}/pid; error_log {folder}/error.log; daemon off;\n"
        f"events {{}}\nhttp {{ access_log off; {places}\n{configuration}\n}}\n"
    )
    command = [binary, "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]
    checked = subprocess.run([*command, "-t"], capture_output=True, text=True)
    assert checked.returncode == 0, checked.stderr
    running = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        running.terminate()
        running.wait(20)


class Page:
    """A ``coach serve`` of its own, with figures and a log."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self.port, self._metrics, self.log = free_port(), free_port(), log
        command = [sys.executable, "-m", "coach", "serve", "--port", str(self.port), "--log", "json"]
        with log.open("wb") as file:
            self.process = subprocess.Popen(
                [*command, "--metrics", f"127.0.0.1:{self._metrics}"],
                env={**os.environ, **environment},
                stdout=subprocess.DEVNULL,
                stderr=file,
            )

    def reviews(self) -> float:
        """How many reviews Prometheus would see."""
        told = httpx.get(f"http://127.0.0.1:{self._metrics}/metrics").text
        return sum(float(line.split()[-1]) for line in told.splitlines() if line.startswith("coach_reviews_total{"))


def review(address: str, person: str) -> dict[str, Any]:
    """A review over the page's API by somebody with that cookie: asked with one request, answered to another."""
    with httpx.Client(timeout=PATIENCE, cookies={"unheard_node": person}) as client:
        joined = client.post(f"{address}/gradio_api/call/review", json={"data": [MAY]})
        joined.raise_for_status()
        told = client.get(f"{address}/gradio_api/call/review/{joined.json()['event_id']}").text
    event, _, data = told.strip().rpartition("\n")
    assert event.endswith("event: complete"), told[:500]
    (found,) = json.loads(data.removeprefix("data: "))
    return dict(found)


@pytest.mark.slow
def test_pages_share_a_library_and_one_that_is_killed_is_survived(
    postgres: Postgres, chroma: str, a_home_of_its_own: Path, tmp_path: Path
) -> None:
    environment = {
        "COACH_HOME": str(a_home_of_its_own),
        "COACH_DATABASE_URL": postgres.database(),
        "COACH_CHROMA_URL": chroma,
        "COACH_KEY": "a passphrase for all of the team",
        "COACH_ENGINE": "local",
    }
    Coach(load_settings(environment)).keep(MARCH)
    pages = [Page(environment, tmp_path / f"log{number}") for number in (1, 2)]
    port = free_port()
    configuration = (DEPLOY / "nginx.conf").read_text().replace("listen 8080;", f"listen 127.0.0.1:{port};")
    for number, page in enumerate(pages, 1):
        configuration = configuration.replace(f"coach-{number}:7860", f"127.0.0.1:{page.port}")
    address, people = f"http://127.0.0.1:{port}", [f"person{number}" for number in range(8)]
    try:
        for page in pages:
            wait_for(page.port, page.process, page.log, PATIENCE)
        with nginx(tmp_path / "nginx", configuration), ThreadPoolExecutor(4) as pool:
            first = httpx.get(address)
            assert first.status_code == 200 and "unheard_node=" in first.headers["set-cookie"]
            found = list(pool.map(lambda person: review(address, person), people))
            assert all(page.reviews() > 0 for page in pages), "both pages worked"
            assert sum(page.reviews() for page in pages) == len(people)
            pages[0].process.kill()
            pages[0].process.wait()
            found += pool.map(lambda person: review(address, person), people)
            assert httpx.get(address).status_code == 200
        quotes = {e["quote"] for one in found for f in one["findings"] for e in f["evidence"]}
        assert quotes == {"The night nurses could not get home after the last ferry."}, "what was kept is found by all"
        assert all(one["findings"] for one in found) and not any(one["notices"] for one in found)
        logs = "".join(page.log.read_text() for page in pages)
        assert '"event": "review"' in logs and not any(word in logs for word in WORDS)
    finally:
        for page in pages:
            page.process.kill()
            page.process.wait()


@pytest.mark.slow
def test_a_chroma_server_behind_a_token_opens_to_those_who_bring_it(
    chroma: str, a_home_of_its_own: Path, tmp_path: Path
) -> None:
    port = free_port()
    configuration = (
        (DEPLOY / "chroma-auth.conf")
        .read_text()
        .replace("127.0.0.1:8001", f"127.0.0.1:{port}")
        .replace("http://127.0.0.1:8000", chroma)
        .replace("PUT-A-LONG-TOKEN-HERE", "the-token-of-this-test")
    )
    place = {"COACH_HOME": str(a_home_of_its_own), "COACH_CHROMA_URL": f"http://127.0.0.1:{port}"}
    with nginx(tmp_path / "nginx", configuration):
        for token in (None, "another-token"):
            given = place | ({"COACH_CHROMA_API_KEY": token} if token else {})
            with pytest.raises(LibraryError, match="Chroma"):
                Coach(load_settings(given)).keep(MARCH)
        coach = Coach(load_settings({**place, "COACH_CHROMA_API_KEY": "the-token-of-this-test"}))
        kept = coach.keep(MARCH)
        assert coach.library.search("nurses", k=1)[0].meeting == kept.id
