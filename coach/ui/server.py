"""Serving the page: on this machine unless told otherwise, with a temporary folder of its own."""

from __future__ import annotations

import atexit
import os
import re
import shutil
import signal
import socket
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from coach.errors import ConfigError
from coach.settings import is_loopback
from coach.ui import strings
from coach.ui.look import launch_look
from coach.ui.sessions import gated

if TYPE_CHECKING:
    import gradio as gr

    from coach.ui.users import Users

HOST = "127.0.0.1"
PORT = 7860
SESSIONS = 1_000
"""Open tabs whose state is kept, about 0.1 MB each. The one not used for longest is forgotten first."""
UPLOAD_LIMIT = "20mb"
WAITING = 200
"""How many requests may wait in the queue; the next one is told that the coach is busy."""


def quiet_gradio() -> None:
    """Before gradio is imported: no telemetry, and uploads in a folder of our own that goes when the process ends."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    parent = Path(tempfile.gettempdir())
    if Path(os.environ.get("GRADIO_TEMP_DIR", "")).name.startswith(f"unheard-{os.getpid()}-"):
        return
    for left in parent.glob("unheard-*-*"):
        if _orphaned(left):
            shutil.rmtree(left, ignore_errors=True)
    os.environ["GRADIO_TEMP_DIR"] = folder = tempfile.mkdtemp(prefix=f"unheard-{os.getpid()}-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)


def launch(
    page: gr.Blocks, host: str = HOST, port: int = PORT, *, users: Users | None = None, wait: bool = True
) -> str:
    """The address at which the page is served; with ``wait``, returns only when it stops. Port 0 takes a free one.

    Raises :class:`ConfigError` when the port is taken, or when others could reach the page and nobody has to sign in.
    """
    if page._is_running_in_reload_thread:
        # ``gradio app.py`` runs the script again after an edit and takes over only the page and its look.
        page.launch(**launch_look())
        return ""
    if users is None:
        refuse_others(host)
    port = _free_port(host, port)
    page.queue(max_size=WAITING, default_concurrency_limit=8)
    _, address, _ = page.launch(
        server_name=host,
        server_port=port,
        auth=users.allow if users else None,
        auth_message=strings.SIGN_IN if users else None,
        prevent_thread_lock=True,
        quiet=True,
        share=False,
        inbrowser=False,
        show_error=False,
        enable_monitoring=False,
        run_history=False,
        footer_links=[],
        mcp_server=False,
        ssr_mode=False,
        state_session_capacity=SESSIONS,
        pwa=False,
        max_file_size=UPLOAD_LIMIT,
        app_kwargs={"middleware": gated(signing_in=users is not None)},
        **launch_look(),
    )
    if wait:
        # A polite kill ends like Ctrl+C, so that the temporary folder goes.
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        sys.stdout.write(strings.SERVING.format(address=address) + "\n")
        sys.stdout.flush()
        page.block_thread()
    return str(address)


def refuse_others(host: str) -> None:
    """Return quietly for an address that only this machine reaches; raise :class:`ConfigError` for any other."""
    if not is_loopback(host):
        raise ConfigError(f"{host} is open to others: name a file of users with --auth, or use --host {HOST}")


def _free_port(host: str, port: int) -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            reason = f"can't listen on {host}:{port} ({error.strerror}): stop what runs there or choose another --port"
            raise ConfigError(reason) from None
        return int(probe.getsockname()[1])


def _orphaned(folder: Path) -> bool:
    """Whether a folder belongs to a process that is gone (it was killed, or the machine went down)."""
    found = re.fullmatch(r"unheard-(\d+)-\w+", folder.name)
    if not found:
        return False
    try:
        os.kill(int(found[1]), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return False
