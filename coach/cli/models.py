"""``coach model``: use a model that already runs on this machine, or stop using it."""

from __future__ import annotations

from typing import Annotated

import typer

from coach.cli import app
from coach.errors import ConfigError


@app.command()
def model(
    yes: Annotated[bool, typer.Option("--yes", help="Agree without being asked.")] = False,
    forget: Annotated[bool, typer.Option("--forget", help="Stop using the model agreed to before.")] = False,
) -> None:
    """Look for a model server on this machine, offer its best model, and remember the answer."""
    from coach.engine import Watch
    from coach.llm import discover
    from coach.settings import load_settings

    settings = load_settings()
    if forget:
        discover.forget(settings)
        print("forgotten: reviews are made by the local engine again")
        return
    if settings.llm_configured:
        raise ConfigError(f"a model is configured already ({settings.model}): unset COACH_MODEL to choose another.")
    servers = discover.find_servers()
    download = discover.download_for(servers)
    if download is not None:
        if not (yes or typer.confirm(download.offer)):
            return
        discover.pull(download.name, Watch(progress=lambda share, what: print(f"\r{what}: {share:4.0%}", end="")))
        print()
        servers = discover.find_servers()
    found = discover.best_model(servers)
    if found is None:
        raise ConfigError(
            "no model server answers on this machine: start Ollama, LM Studio or llama.cpp, or see docs/engines.md."
        )
    if yes or typer.confirm(found.offer):
        discover.remember(settings, found)
        print(f"from now on coach review asks {found.name}; coach model --forget takes it back")
