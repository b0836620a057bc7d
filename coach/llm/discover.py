"""A model that already runs on this machine: found on the loopback, offered in a plain sentence, used only after a yes.

Looks for Ollama, LM Studio and llama.cpp on their usual ports. Nothing is sent but requests for lists, nothing leaves
the machine, and what the user agreed to is remembered in ``model.json`` of the coach's home, readable by them alone.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from typing import Any

from coach.engine import Watch
from coach.errors import ConfigError, ModelRejectedError, ModelUnreachableError
from coach.llm.openai_chat import on_this_machine
from coach.settings import Settings, is_web_address

HOST = "127.0.0.1"
PORTS: Mapping[str, int] = {"Ollama": 11434, "LM Studio": 1234, "llama.cpp": 8080}
TIMEOUT = 0.4
"""Seconds for one look; a server on the same machine answers in milliseconds or not at all."""
LARGEST_PAGE = 4_000_000
SMALL_PARAMETERS = 7_000_000_000
SMALL_CONTEXT = 6_000
"""Tokens. Below either, a model gets the short prompts, one kind and one topic at a time."""
OLLAMA_CONTEXT = 4_096
"""Tokens that Ollama gives a model unless OLLAMA_CONTEXT_LENGTH says more; longer prompts are cut silently."""
_NO_CHAT = re.compile(r"embed|bge-|minilm|rerank|whisper|clip|tts", re.IGNORECASE)


@dataclass(frozen=True)
class LocalModel:
    """A model that a server on this machine offers; ``parameters`` and ``context`` (tokens) as the server tells."""

    server: str
    base_url: str
    name: str
    parameters: int | None = None
    context: int | None = None

    @property
    def small(self) -> bool:
        """Whether it gets the short prompts."""
        few = self.parameters is not None and self.parameters < SMALL_PARAMETERS
        return few or (self.context is not None and self.context < SMALL_CONTEXT)

    @property
    def offer(self) -> str:
        """One plain sentence that says what using it means."""
        size = f" ({self.parameters / 1e9:.1f} billion parameters)" if self.parameters else ""
        care = " It is a small model, so expect it to miss and mistake more than a large one." if self.small else ""
        return (
            f"{self.server} runs on this machine with the model {self.name}{size}: shall the coach use it? "
            f"Your notes would stay on this machine, and names are replaced by pseudonyms all the same.{care}"
        )


@dataclass(frozen=True)
class LocalServer:
    """A model server on this machine and the models it has."""

    name: str
    base_url: str
    models: tuple[LocalModel, ...] = ()


@dataclass(frozen=True)
class Download:
    """A model that Ollama could fetch: ``size`` in gigabytes, roughly, and its licence."""

    name: str
    size: float
    licence: str

    @property
    def offer(self) -> str:
        """One plain sentence that says what fetching it means."""
        return (
            f"Ollama runs on this machine without a suitable model: shall it fetch {self.name} "
            f"(about {self.size:g} GB, licence {self.licence})? The download comes from Ollama's own library; "
            "notes never leave this machine."
        )


DOWNLOADS = (Download("qwen3:8b", 5.2, "Apache-2.0"), Download("qwen3:4b", 2.6, "Apache-2.0"))
"""Large first; each needs about twice its size in memory to work well."""


def find_servers(ports: Mapping[str, int] = PORTS, timeout: float = TIMEOUT) -> tuple[LocalServer, ...]:
    """Model servers that answer on the loopback, in the order of ``ports``. Takes about ``timeout`` seconds at most."""
    looks: list[tuple[Callable[[int, float], LocalServer | None], int]] = [
        (_LOOKS[name], port) for name, port in ports.items()
    ]
    with ThreadPoolExecutor(max_workers=len(looks) or 1) as pool:
        found = pool.map(lambda look: look[0](look[1], timeout), looks)
    return tuple(server for server in found if server is not None)


def chat_models(servers: Sequence[LocalServer]) -> tuple[LocalModel, ...]:
    """The models that can chat, those with the most parameters first."""
    able = [model for server in servers for model in server.models if not _NO_CHAT.search(model.name)]
    return tuple(sorted(able, key=lambda model: (model.parameters or 0, model.context or 0), reverse=True))


def best_model(servers: Sequence[LocalServer]) -> LocalModel | None:
    """The model to offer: the one with the most parameters that can chat, or ``None``."""
    return next(iter(chat_models(servers)), None)


def download_for(servers: Sequence[LocalServer], memory: float | None = None) -> Download | None:
    """What to offer where Ollama runs and nothing suitable is there; ``memory`` in gigabytes (None: this machine's)."""
    if best_model(servers) is not None or not any(server.name == "Ollama" for server in servers):
        return None
    room = _memory() if memory is None else memory
    return next((d for d in DOWNLOADS if 2 * d.size <= room), DOWNLOADS[-1])


def pull(name: str, watch: Watch, port: int = PORTS["Ollama"], timeout: float = 60.0) -> None:
    """Has Ollama fetch a model through its own API; tells the share received, and stops when asked to.

    ``timeout``: seconds without a word from Ollama. What was fetched before a stop is kept by Ollama, and a later pull
    goes on from there. Raises :class:`ModelUnreachableError` or :class:`ModelRejectedError`.
    """
    body = json.dumps({"model": name, "stream": True})
    parts: dict[str, tuple[int, int]] = {}
    try:
        with _answer(port, timeout, "POST", "/api/pull", body) as response:
            for line in response:
                watch.check()
                event = json.loads(line)
                if "error" in event:
                    raise ModelRejectedError(f"Ollama can't fetch {name}: check the name and the connection")
                if event.get("total"):
                    parts[str(event.get("digest"))] = (int(event.get("completed", 0)), int(event["total"]))
                done, total = (sum(part[n] for part in parts.values()) for n in (0, 1))
                watch.progress(done / total if total else 0.0, f"Fetching {name}")
                if event.get("status") == "success":
                    return
    except (OSError, HTTPException, ValueError):
        pass
    raise ModelUnreachableError(f"Ollama broke off while fetching {name}: check that it runs, then try again")


def remember(settings: Settings, model: LocalModel) -> None:
    """Keeps the user's yes, for later runs, readable by them alone."""
    settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = settings.home / "model.json"
    fresh = path.with_suffix(".new")
    with contextlib.suppress(FileNotFoundError):
        fresh.unlink()
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(asdict(model), file, indent=2)
    fresh.replace(path)


def forget(settings: Settings) -> None:
    """Takes the user's yes back."""
    (settings.home / "model.json").unlink(missing_ok=True)


def chosen(settings: Settings) -> LocalModel | None:
    """The model the user agreed to, or ``None``. A file that names another machine is not believed."""
    try:
        model = LocalModel(**json.loads((settings.home / "model.json").read_text("utf-8")))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError):
        raise ConfigError("model.json in the coach's home can't be read: delete it and choose again") from None
    return model if is_web_address(model.base_url) and on_this_machine(model.base_url) else None


def with_choice(settings: Settings) -> Settings:
    """The settings, completed by what the user agreed to where they configure no model themselves."""
    if settings.llm_configured or (model := chosen(settings)) is None:
        return settings
    changes: dict[str, object] = {"model": model.name, "base_url": model.base_url}
    if model.context and "context_tokens" not in settings.model_fields_set:
        changes["context_tokens"] = max(1_000, min(model.context, settings.context_tokens))
    return settings.model_copy(update=changes)


def is_small(settings: Settings) -> bool | None:
    """Whether the configured model is known to be small; ``None`` when nobody told."""
    model = chosen(settings)
    return model.small if model is not None and model.name == settings.model else None


def _ollama(port: int, timeout: float) -> LocalServer | None:
    page = _get(port, timeout, "/api/tags")
    if page is None or not isinstance(page.get("models"), list):
        return None
    url = f"http://{HOST}:{port}/v1"
    models = [
        LocalModel("Ollama", url, str(m["name"]), _billions(m.get("details", {}).get("parameter_size")), OLLAMA_CONTEXT)
        for m in page["models"]
        if isinstance(m, dict) and m.get("name")
    ]
    return LocalServer("Ollama", url, tuple(models))


def _lm_studio(port: int, timeout: float) -> LocalServer | None:
    page = _get(port, timeout, "/api/v1/models") or {}
    listed = page.get("models")
    if not isinstance(listed, list):
        listed = (_get(port, timeout, "/api/v0/models") or {}).get("data")
    if not isinstance(listed, list):
        return None
    url = f"http://{HOST}:{port}/v1"
    models = [
        LocalModel(
            "LM Studio",
            url,
            str(m.get("key") or m.get("id")),
            _billions(m.get("params_string")),
            _whole(m.get("loaded_context_length") or m.get("max_context_length")),
        )
        for m in listed
        if isinstance(m, dict) and m.get("type") in ("llm", "vlm")
    ]
    return LocalServer("LM Studio", url, tuple(models))


def _llama_cpp(port: int, timeout: float) -> LocalServer | None:
    page = _get(port, timeout, "/v1/models")
    listed = page.get("data") if page else None
    if not isinstance(listed, list) or not any(isinstance(m, dict) and m.get("owned_by") == "llamacpp" for m in listed):
        return None
    url = f"http://{HOST}:{port}/v1"
    models = []
    for m in listed:
        meta = m.get("meta") or {}
        context = _whole(meta.get("n_ctx") or meta.get("n_ctx_train"))
        models.append(LocalModel("llama.cpp", url, str(m.get("id")), _whole(meta.get("n_params")), context))
    return LocalServer("llama.cpp", url, tuple(models))


_LOOKS: dict[str, Callable[[int, float], LocalServer | None]] = {
    "Ollama": _ollama,
    "LM Studio": _lm_studio,
    "llama.cpp": _llama_cpp,
}


def _get(port: int, timeout: float, path: str) -> dict[str, Any] | None:
    """A JSON object from the loopback, or ``None`` for anything else that may happen there."""
    try:
        with _answer(port, timeout, "GET", path) as response:
            page = json.loads(response.read(LARGEST_PAGE))
    except (OSError, HTTPException, ValueError, ModelRejectedError):
        return None
    return page if isinstance(page, dict) else None


@contextlib.contextmanager
def _answer(port: int, timeout: float, method: str, path: str, body: str | None = None) -> Iterator[HTTPResponse]:
    # No proxy, no redirect: http.client knows neither.
    connection = HTTPConnection(HOST, port, timeout=timeout)
    try:
        connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
        response = connection.getresponse()
        if response.status != 200:
            raise ModelRejectedError(f"the server on port {port} refuses ({response.status})")
        yield response
    finally:
        connection.close()


def _billions(text: object) -> int | None:
    """``3.2B`` or ``135M`` as a number."""
    match = re.match(r"([\d.]+)\s*([MB])", str(text or ""), re.IGNORECASE)
    with contextlib.suppress(ValueError):
        return round(float(match[1]) * (1e9 if match[2].upper() == "B" else 1e6)) if match else None
    return None


def _whole(value: object) -> int | None:
    return int(value) if isinstance(value, int | float) else None


def _memory() -> float:
    """Gigabytes of this machine, or a modest guess where it does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    except (ValueError, OSError, AttributeError):
        return 8.0
