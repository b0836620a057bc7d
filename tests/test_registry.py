from __future__ import annotations

from importlib.metadata import EntryPoint

import pytest

from coach.errors import PluginError
from coach.registry import Registry


def test_what_is_registered_is_found_by_name_and_in_order() -> None:
    registry: Registry[str] = Registry("coach.nothing_installed")
    assert registry.register("first")("one") == "one"
    registry.register("second")("two")
    assert (list(registry), registry["second"], len(registry)) == (["first", "second"], "two", 2)


def test_an_unknown_name_lists_what_there_is() -> None:
    registry: Registry[str] = Registry("coach.nothing_installed")
    registry.register("first")("one")
    with pytest.raises(PluginError, match="choose from first"):
        registry["third"]


def test_two_things_of_one_name_are_refused() -> None:
    registry: Registry[str] = Registry("coach.nothing_installed")
    registry.register("first")("one")
    with pytest.raises(PluginError, match="rename"):
        registry.register("first")("other")


def test_a_plugin_that_does_not_load_is_reported_and_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    points = [
        EntryPoint("broken", "no_such_module_anywhere:thing", "coach.group"),
        EntryPoint("ours", "json:loads", "coach.group"),
        EntryPoint("good", "json:dumps", "coach.group"),
    ]
    monkeypatch.setattr("importlib.metadata.entry_points", lambda group: [p for p in points if p.group == group])
    registry: Registry[object] = Registry("coach.group")
    registry.register("ours")("mine")
    assert list(registry) == ["ours", "good"]
    assert registry["ours"] == "mine"
    assert set(registry.problems) == {"broken", "ours"}
    assert "ModuleNotFoundError" in registry.problems["broken"]
