"""Evals: a replay from the page, with its verdict."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from conftest import open_place, planning_tool, scripted
from playwright.sync_api import expect

if TYPE_CHECKING:
    from playwright.sync_api import Page

    from coach.wiring import Coach

ROOT = Path(__file__).parents[2] / "eval"


@pytest.fixture
def address(serve: Callable[[Coach], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A page started in a folder with the rewriting suite, as after a checkout."""
    for part in ("suites/rewriting.yaml", "cases/rewriting"):
        target = tmp_path / "eval" / part
        target.parent.mkdir(parents=True, exist_ok=True)
        source = ROOT / part
        shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
    monkeypatch.chdir(tmp_path)
    return serve(scripted(planning_tool))


def test_a_suite_is_run_and_its_trials_are_read(page: Page, address: str) -> None:
    page.goto(address)
    open_place(page, "Evals")
    page.get_by_role("button", name="Run rewriting").click()
    expect(page.get_by_role("heading", name="rewriting")).to_be_visible(timeout=30_000)
    expect(page.locator(".outcome")).to_contain_text("There is no baseline")
    page.get_by_text("trials of this run").click()
    assert page.locator(".outcome tbody tr").count() > 10
    expect(page.get_by_role("button", name="Last run rewriting")).to_be_visible()


def test_earlier_runs_stay_and_two_of_them_are_compared(page: Page, address: str) -> None:
    page.goto(address)
    open_place(page, "Evals")
    for _ in range(2):
        page.get_by_role("button", name="Run rewriting", exact=True).click()
        expect(page.locator("#stop-run")).to_be_visible()
        expect(page.locator("#stop-run")).to_be_hidden(timeout=60_000)
    choices = page.get_by_label("Before").locator("option")
    expect(choices).to_have_count(3)
    page.get_by_label("Before").select_option(index=2)
    page.get_by_role("button", name="Compare").click()
    expect(page.locator(".outcome")).to_contain_text("No case moved")


def test_a_folder_without_suites_says_so(
    page: Page, serve: Callable[[Coach], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    page.goto(serve(scripted(planning_tool)))
    open_place(page, "Evals")
    expect(page.get_by_text("There are no suites in eval")).to_be_visible()
