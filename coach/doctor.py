"""What ``coach doctor`` tells: how this installation stands, and what to do about what is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from coach.settings import Settings


def report(settings: Settings, offers: Sequence[str]) -> dict[str, str | list[str]]:
    """What is installed, which engine would run, where data lives and who can read it; never a secret.

    ``offers`` are sentences about models that already run on this machine.
    """
    import platform
    from importlib.metadata import version

    from coach import notes
    from coach.detectors import DETECTORS
    from coach.identities.inspecting import about_key
    from coach.llm.connect import CHAT_MODELS
    from coach.registry import Registry
    from coach.repair import damage
    from coach.retrieval.embedders import EMBEDDERS

    home = settings.home
    mode = oct(home.stat().st_mode & 0o777)[2:] if home.exists() else None
    readable = {None: "nobody: it is not made yet", "700": "you alone"}.get(mode, f"more than you (mode {mode})")
    would_run = "llm" if settings.engine != "local" and settings.llm_configured else "local"
    # The coach does not import its harness; whether plug-ins of that load can be told all the same.
    harness = [Registry[object](group) for group in ("coach_eval.tasks", "coach_eval.scorers")]
    registries: tuple[Registry[Any], ...] = (DETECTORS, notes.FORMATS, EMBEDDERS, CHAT_MODELS, *harness)
    return {
        "version": version("unheard"),
        "python": platform.python_version(),
        "engine": would_run,
        "endpoint": settings.endpoint or "none",
        "model": settings.model or "none",
        "on_this_machine": list(offers),
        "data_folder": str(home),
        "readable_by": readable,
        "name_key": about_key(settings),
        "damage": [f"{problem}: run coach doctor --repair" for problem in damage(settings)] or ["none found"],
        "finding_kinds": list(DETECTORS),
        "note_formats": list(notes.FORMATS),
        "embedders": list(EMBEDDERS),
        "providers": list(CHAT_MODELS),
        "plugins": [f"{n} ({r.group})" for r in registries for n in sorted(r.plugins)] or ["none"],
        "plugin_problems": [f"{n}: {p}" for r in registries for n, p in r.problems.items()] or ["none"],
    }
