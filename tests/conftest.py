"""Shared ground for all tests: no test reads or writes the user's own data, key or endpoint."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from stores import Postgres, chroma_server, postgres_server


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Browser tests come last: their driver keeps an event loop running, beside which others fail."""
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


@pytest.fixture(autouse=True)
def a_home_of_its_own(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Every test has an empty coach home and no endpoint; a test that wants one sets it."""
    home = tmp_path_factory.mktemp("home")
    for name in (
        "OPENAI_API_KEY",
        "OPENAI_BASE_URL",
        "COACH_MODEL",
        "COACH_DATABASE_URL",
        "COACH_CHROMA_URL",
        "COACH_ENGINE",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COACH_HOME", str(home))
    monkeypatch.setenv("COACH_KEYRING", "off")
    return home


@pytest.fixture(scope="session")
def chroma(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a real Chroma server on loopback."""
    with chroma_server(tmp_path_factory.mktemp("chroma")) as address:
        yield address


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A real PostgreSQL on loopback; tests that want it are skipped where it is not installed."""
    with postgres_server() as cluster:
        yield cluster
