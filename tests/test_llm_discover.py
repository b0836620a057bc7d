"""A model server on this machine is found, offered in plain words, and used only after a yes."""

from __future__ import annotations

import json
import stat
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from openai_server import Handler, serving

from coach.engine import Watch
from coach.errors import CancelledError, ConfigError, ModelRejectedError, ModelUnreachableError
from coach.llm.discover import (
    DOWNLOADS,
    LocalModel,
    LocalServer,
    best_model,
    chosen,
    download_for,
    find_servers,
    forget,
    is_small,
    pull,
    remember,
    with_choice,
)
from coach.settings import Settings, load_settings

PAGES: dict[str, dict[str, Any]] = {
    "Ollama": {
        "/api/tags": {
            "models": [
                {"name": "qwen3:8b", "details": {"parameter_size": "8.2B"}},
                {"name": "nomic-embed-text", "details": {"parameter_size": "137M"}},
            ]
        }
    },
    "LM Studio": {
        "/api/v1/models": {
            "models": [
                {"key": "gemma-3-4b", "type": "llm", "params_string": "4B", "max_context_length": 8192},
                {"key": "embedder", "type": "embedding"},
            ]
        }
    },
    "llama.cpp": {
        "/v1/models": {"data": [{"id": "smol", "owned_by": "llamacpp", "meta": {"n_params": 134515008, "n_ctx": 2048}}]}
    },
}
OLD_LM_STUDIO = {"/api/v0/models": {"data": [{"id": "old", "type": "llm", "max_context_length": 4096}]}}
EXPECTED = {
    "Ollama": ("qwen3:8b", 8_200_000_000, 4096, True),
    "LM Studio": ("gemma-3-4b", 4_000_000_000, 8192, True),
    "llama.cpp": ("smol", 134_515_008, 2048, True),
}


def port_of(url: str) -> int:
    return int(url.rsplit(":", 1)[1].split("/")[0])


@pytest.mark.parametrize("name", PAGES)
def test_finds_a_server_and_its_models(name: str) -> None:
    with serving(pages=PAGES[name]) as server:
        found = find_servers({name: port_of(server.url)}, timeout=10)
        (only,) = found
    model = only.models[0]
    assert (model.name, model.parameters, model.context, model.small) == EXPECTED[name]
    assert only.name == name
    assert model.base_url.startswith("http://127.0.0.1:")
    assert best_model(found) == model
    assert model.name in model.offer
    assert "stay on this machine" in model.offer


def test_an_older_lm_studio_is_found_too() -> None:
    with serving(pages=OLD_LM_STUDIO) as server:
        ((model,),) = [s.models for s in find_servers({"LM Studio": port_of(server.url)}, timeout=10)]
    assert (model.name, model.parameters, model.context) == ("old", None, 4096)


def test_other_services_and_empty_ports_are_no_model_servers() -> None:
    pages = {"/api/tags": {"tags": []}, "/v1/models": {"data": [{"id": "x", "owned_by": "someone"}]}}
    with serving(pages=pages) as server:
        port = port_of(server.url)
        assert find_servers({"Ollama": port, "LM Studio": port, "llama.cpp": port}, timeout=10) == ()
    started = time.monotonic()
    assert find_servers({"Ollama": port, "LM Studio": port, "llama.cpp": port}) == ()
    assert time.monotonic() - started < 5


def test_a_fetch_is_offered_only_where_ollama_has_nothing_suitable() -> None:
    empty = LocalServer("Ollama", "http://127.0.0.1:11434/v1")
    embedder = LocalModel("Ollama", "u", "nomic-embed-text", 137_000_000)
    assert download_for([empty], memory=32) == DOWNLOADS[0]
    assert download_for([empty], memory=6) == DOWNLOADS[-1]
    assert download_for([LocalServer("Ollama", "u", (embedder,))], memory=32) is not None
    assert download_for([LocalServer("LM Studio", "u")], memory=32) is None
    assert download_for([LocalServer("Ollama", "u", (LocalModel("Ollama", "u", "m"),))]) is None
    for download in DOWNLOADS:
        assert f"{download.size:g} GB" in download.offer
        assert download.licence in download.offer
    assert download_for([empty]) in DOWNLOADS


def events(*items: dict[str, Any], pause: float = 0.0) -> Any:
    def behave(handler: Handler, body: dict[str, Any]) -> None:
        handler.send_response(200)
        handler.send_header("connection", "close")
        handler.end_headers()
        for item in items:
            handler.wfile.write(json.dumps(item).encode() + b"\n")
            handler.wfile.flush()
            if handler.state.closing.wait(pause):
                return
        handler.close_connection = True

    return behave


def layer(done: int) -> dict[str, Any]:
    return {"status": "downloading", "digest": "a", "total": 100, "completed": done}


def test_a_fetch_tells_its_progress() -> None:
    told: list[float] = []
    steps = events({"status": "pulling manifest"}, layer(10), layer(60), layer(100), {"status": "success"})
    with serving(steps) as server:
        pull("qwen3:4b", Watch(progress=lambda share, what: told.append(share)), port_of(server.url))
    assert told == [0.0, 0.1, 0.6, 1.0, 1.0]
    assert server.bodies == [{"model": "qwen3:4b", "stream": True}]
    assert server.paths == ["/api/pull"]


def test_a_fetch_can_be_stopped_and_its_failures_are_said() -> None:
    stop = threading.Event()
    watch = Watch(progress=lambda share, what: stop.set(), stopped=stop.is_set)
    with serving(events(layer(1), layer(2), layer(3), pause=0.05)) as server, pytest.raises(CancelledError):
        pull("m", watch, port_of(server.url))
    with (
        serving(events({"error": "no such model"})) as server,
        pytest.raises(ModelRejectedError, match="check the name"),
    ):
        pull("m", Watch(), port_of(server.url))
    with serving(events(layer(1))) as server, pytest.raises(ModelUnreachableError, match="broke off"):
        pull("m", Watch(), port_of(server.url))


def settings_at(home: Path, **more: str) -> Settings:
    return load_settings({"COACH_HOME": str(home), **more})


LOCAL = LocalModel("llama.cpp", "http://127.0.0.1:8080/v1", "smol", 135_000_000, 2_048)


def test_the_choice_is_kept_readable_by_the_user_alone_and_can_be_taken_back(tmp_path: Path) -> None:
    settings = settings_at(tmp_path / "home")
    assert with_choice(settings) is settings
    remember(settings, LOCAL)
    remember(settings, LOCAL)
    path = settings.home / "model.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    chosen_settings = with_choice(settings)
    assert chosen_settings.llm_configured
    assert (chosen_settings.model, chosen_settings.base_url) == ("smol", "http://127.0.0.1:8080/v1")
    assert chosen_settings.context_tokens == 2_048
    assert is_small(chosen_settings) is True
    forget(settings)
    assert chosen(settings) is None
    assert not with_choice(settings).llm_configured


def test_what_the_user_configures_goes_before_what_is_remembered(tmp_path: Path) -> None:
    own = settings_at(tmp_path, COACH_MODEL="gpt", OPENAI_API_KEY="k", COACH_CONTEXT_TOKENS="9000")
    remember(own, LOCAL)
    assert with_choice(own) is own
    assert is_small(own) is None
    assert with_choice(settings_at(tmp_path, COACH_CONTEXT_TOKENS="9000")).context_tokens == 9_000


def test_a_file_that_names_another_machine_or_nonsense_is_not_believed(tmp_path: Path) -> None:
    settings = settings_at(tmp_path)
    path = tmp_path / "model.json"
    path.write_text(json.dumps({"server": "x", "base_url": "https://evil.example/v1", "name": "m"}))
    assert chosen(settings) is None
    path.write_text("{")
    with pytest.raises(ConfigError, match="delete it"):
        chosen(settings)
