"""The servers that teams share, for real and on loopback: PostgreSQL and Chroma. Absent binaries are a skip."""

from __future__ import annotations

import getpass
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

STARTUP = 60.0
"""Seconds that a server may take to answer."""


def free_port() -> int:
    """A port of loopback that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(port: int, running: subprocess.Popen[bytes], log: Path | None = None, patience: float = STARTUP) -> None:
    """Returns when the port answers; raises with the end of the log when the process ends or takes too long."""
    end = time.monotonic() + patience
    while time.monotonic() < end and running.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"{running.args!r} does not answer: {log.read_text()[-2000:] if log and log.exists() else ''}")


@contextmanager
def chroma_server(folder: Path) -> Iterator[str]:
    """The address of a Chroma server that keeps its files in ``folder``."""
    port = free_port()
    command = [str(Path(sys.executable).parent / "chroma"), "run", "--host", "127.0.0.1", "--port", str(port)]
    running = subprocess.Popen([*command, "--path", str(folder)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(port, running)
        yield f"http://127.0.0.1:{port}"
    finally:
        running.terminate()
        running.wait(10)


def postgres_binaries() -> Path | None:
    """The folder with ``initdb`` and ``postgres``: on the path, or where Debian puts the newest release."""
    on_path = shutil.which("initdb")
    if on_path and shutil.which("postgres"):
        return Path(on_path).resolve().parent  # links on the path may leave out their neighbours, such as pg_dump
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: float(p.parts[-3]))
    return found[-1].parent if found else None


class Postgres:
    """A running cluster; :meth:`database` makes an empty database of its own for each test."""

    def __init__(self, port: int, password: str) -> None:
        self._port = port
        self._password = password

    def database(self) -> str:
        """The ``COACH_DATABASE_URL`` of a new, empty database."""
        import psycopg

        name = f"coach_{secrets.token_hex(6)}"
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        return self.url(name)

    def wait(self) -> None:
        """Returns when it takes connections, which is a moment after it listens."""
        import psycopg

        for _ in range(int(STARTUP / 0.1)):
            try:
                psycopg.connect(self.url("postgres")).close()
                return
            except psycopg.OperationalError:
                time.sleep(0.1)
        raise RuntimeError("PostgreSQL listens but takes no connection")

    def url(self, name: str) -> str:
        """The address of a database of the cluster."""
        return f"postgresql://coach:{self._password}@127.0.0.1:{self._port}/{name}"


@contextmanager
def postgres_server() -> Iterator[Postgres]:
    """A cluster in a temporary folder, with a password, on loopback; skips when PostgreSQL is not installed.

    PostgreSQL refuses to run as root: then it runs as the user that Debian's package made, or as nobody.
    """
    pytest.importorskip("psycopg", reason="PostgreSQL is not tried here: install unheard[postgres]")
    binaries = postgres_binaries()
    if binaries is None:
        pytest.skip("PostgreSQL is not tried here: its server is not installed (Debian: apt install postgresql)")
    owner = pwd.getpwnam(_unprivileged())
    as_owner = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []} if os.getuid() == 0 else {}
    folder = Path(tempfile.mkdtemp(prefix="coach-postgres-"))
    password, port = secrets.token_urlsafe(16), free_port()
    try:
        (folder / "password").write_text(password)
        for path in (folder, folder / "password"):
            os.chown(path, owner.pw_uid, owner.pw_gid)
        cluster = folder / "cluster"
        command = [binaries / "initdb", "--pgdata", cluster, "--username", "coach", "--pwfile", folder / "password"]
        options = ["--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--no-sync"]
        subprocess.run(
            [str(part) for part in (*command, *options)], check=True, capture_output=True, cwd=folder, **as_owner
        )
        settings = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off"}
        flags = [flag for name, value in settings.items() for flag in ("-c", f"{name}={value}")]
        with (folder / "log").open("wb") as log:
            running = subprocess.Popen(
                [str(binaries / "postgres"), "-D", str(cluster), "-p", str(port), *flags],
                stdout=log, stderr=log, cwd=folder, **as_owner,
            )  # fmt: skip
        try:
            wait_for(port, running, folder / "log")
            made = Postgres(port, password)
            made.wait()
            yield made
        finally:
            running.send_signal(signal.SIGINT)  # Does not wait for those who are still connected.
            running.wait(30)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _unprivileged() -> str:
    if os.getuid() != 0:
        return getpass.getuser()
    known = {user.pw_name for user in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"
