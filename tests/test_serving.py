"""Serving the page: who may reach it, who may sign in, and what is left behind."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
import time
from contextlib import redirect_stdout
from pathlib import Path
from types import SimpleNamespace
from urllib.request import Request, urlopen

import pytest

from coach.errors import ConfigError, InputError
from coach.settings import load_settings
from coach.ui import serve
from coach.ui.coaches import IDLE, each_their_own
from coach.ui.following import Following
from coach.ui.users import Users, add_user, hashed, matches

SERVE = """
import sys
from coach.settings import load_settings
from coach.ui import serve
from coach.ui.coaches import IDLE, each_their_own
serve(load_settings(), port=int(sys.argv[1]))
"""
PASSWORD = "a long enough one"


class Clock:
    """A clock that goes only when told."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def users_file(tmp_path: Path) -> Path:
    path = tmp_path / "users"
    add_user(path, "ada", PASSWORD)
    return path


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "::", "coach.example.org"])
def test_an_address_that_others_reach_needs_users(host: str) -> None:
    with pytest.raises(ConfigError, match="--auth"):
        serve(load_settings(), host=host, wait=False)


def test_a_port_that_is_taken_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f":{port}"):
            serve(load_settings(), port=port, wait=False)


def test_the_users_file_holds_no_password_and_is_private(users_file: Path) -> None:
    assert PASSWORD not in users_file.read_text()
    assert stat.S_IMODE(users_file.stat().st_mode) == 0o600


def test_two_hashes_of_one_password_differ_and_both_match() -> None:
    one, other = hashed(PASSWORD), hashed(PASSWORD)
    assert one != other
    assert matches(PASSWORD, one) and matches(PASSWORD, other) and not matches(PASSWORD + " ", one)


@pytest.mark.parametrize(("name", "password"), [("ada", "wrong"), ("nobody", PASSWORD), ("", ""), ("ada", "")])
def test_only_the_right_password_of_a_known_user_opens(users_file: Path, name: str, password: str) -> None:
    users = Users(users_file)
    assert users.allow("ada", PASSWORD)
    assert not users.allow(name, password)


def test_guessing_is_slowed_down_and_the_right_password_then_has_to_wait(users_file: Path) -> None:
    clock = Clock()
    users = Users(users_file, clock)
    for _ in range(7):
        clock.now += 10
        assert not users.allow("ada", "guess")
    assert not users.allow("ada", PASSWORD)
    clock.now += 10
    assert users.allow("ada", PASSWORD)


@pytest.mark.parametrize(
    ("content", "mode", "expected"),
    [
        ("", 0o600, "names nobody"),
        ("ada:plain\n", 0o600, "line 1"),
        (f"ada:{hashed(PASSWORD)}\nbad line\n", 0o600, "line 2"),
        (f"ada:{hashed(PASSWORD)}\n", 0o644, "chmod 600"),
    ],
)
def test_a_users_file_that_is_wrong_says_what_to_do(tmp_path: Path, content: str, mode: int, expected: str) -> None:
    path = tmp_path / "users"
    path.write_text(content)
    path.chmod(mode)
    with pytest.raises(ConfigError, match=expected):
        Users(path)


@pytest.mark.parametrize(
    ("name", "password"), [("../up", PASSWORD), ("..", PASSWORD), ("a b", PASSWORD), ("ada", "short")]
)
def test_names_that_are_paths_and_short_passwords_are_refused(tmp_path: Path, name: str, password: str) -> None:
    with pytest.raises(InputError):
        add_user(tmp_path / "users", name, password)
    assert not (tmp_path / "users").exists()


def test_work_that_is_left_is_asked_to_stop() -> None:
    seen: list[bool] = []

    def work(watch: object) -> None:
        while not watch.stopped():  # type: ignore[attr-defined]
            time.sleep(0.01)
        seen.append(True)

    with Following(work):
        pass
    time.sleep(0.3)
    assert seen == [True]


def test_programs_get_the_review_as_json_and_see_no_private_endpoint() -> None:
    from gradio_client import Client
    from gradio_client.exceptions import AppError

    address = serve(load_settings(engine="local"), port=0, wait=False)
    client = Client(address, verbose=False)
    assert list(client.view_api(return_format="dict")["named_endpoints"]) == ["/review"]
    answer = client.predict("Ana: We paint it green.\nBen: Yes.", api_name="/review")
    assert answer["schema"] == "coach.review/1"
    assert answer["meeting"]["speakers"] == ["Ana", "Ben"]
    with pytest.raises(AppError, match="nothing to read"):
        client.predict("   ", api_name="/review")
    page = (Path(__file__).resolve().parent.parent / "docs" / "how-to" / "http.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```python\n(.*?)```", page, re.S)
    printed = io.StringIO()
    with redirect_stdout(printed):
        exec(compile(block.replace("http://127.0.0.1:7860", address), "http.md", "exec"), {})  # our own page
    assert "unheard_objection I doubt it" in printed.getvalue()
    assert printed.getvalue().endswith("coach.review/1\n")
    (asked,) = re.findall(r"-d '(\{.*\})'", page)
    call = Request(f"{address}gradio_api/call/review", asked.encode(), {"Content-Type": "application/json"})
    event = json.loads(urlopen(call).read())["event_id"]
    assert '"coach.review/1"' in urlopen(f"{address}gradio_api/call/review/{event}").read().decode()


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_the_page_is_served_on_loopback_only_and_leaves_no_temporary_files(tmp_path: Path, how: int) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-c", SERVE, str(port)]
    environment = {**os.environ, "TMPDIR": str(tmp_path), "COACH_HOME": str(tmp_path / "home")}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert f"http://127.0.0.1:{port}/" in process.stdout.readline()
        assert urlopen(f"http://127.0.0.1:{port}/").status == 200
        assert [path.name[:8] for path in tmp_path.glob("unheard-*")] == ["unheard-"]
    finally:
        process.send_signal(how)
        process.wait(20)
    assert list(tmp_path.glob("unheard-*")) == []


def test_users_have_coaches_of_their_own_which_close_when_nobody_comes(tmp_path: Path) -> None:
    clock = Clock()
    coach_of = each_their_own(load_settings(home=tmp_path), clock)
    ada, ben = (coach_of(SimpleNamespace(username=name)) for name in ("ada", "ben"))  # type: ignore[arg-type]
    ada.keep("Cleo: I doubt that.\nDan: Next item.\nCleo: Fine.\n")
    assert [len(coach.library.list()) for coach in (ada, ben)] == [1, 0]
    clock.now += IDLE - 1
    assert coach_of(SimpleNamespace(username="ada")) is ada  # type: ignore[arg-type]
    clock.now += 2
    assert coach_of(SimpleNamespace(username="ada")) is ada  # type: ignore[arg-type]
    assert ben.library._opened is None, "closed after an hour"
    again = coach_of(SimpleNamespace(username="ben"))  # type: ignore[arg-type]
    assert again is not ben and again.library.list() == ()


def test_users_of_a_shared_postgresql_have_a_schema_each(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path, database_url="postgresql://coach@127.0.0.1/coach")
    coach_of = each_their_own(settings)
    long = "x" * 64
    schemas = [coach_of(SimpleNamespace(username=name)).settings.database_schema for name in ("ada", "Ada", long)]  # type: ignore[arg-type]
    assert schemas[:2] == ["coach_ada", "coach_Ada"] and len(set(schemas)) == 3
    assert all(len(str(schema).encode()) <= 63 for schema in schemas)
    with pytest.raises(ConfigError, match="PostgreSQL"):
        each_their_own(load_settings(home=tmp_path, database_url=f"sqlite:///{tmp_path}/one.db"))
