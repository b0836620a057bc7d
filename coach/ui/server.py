"""Serving the page: on this machine unless told otherwise, with a temporary folder of its own."""

from __future__ import annotations

import atexit
import os
import shutil
import socket
import tempfile
from typing import TYPE_CHECKING

from coach.errors import ConfigError
from coach.ui import strings
from coach.ui.look import launch_look

if TYPE_CHECKING:
    import gradio as gr

PORT = 7860
UPLOAD_LIMIT = "20mb"


def quiet_gradio() -> None:
    """Before gradio is imported: no telemetry, and uploads in a folder of our own that goes when the process ends."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    os.environ["HF_HUB_OFFLINE"] = "1"
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    if "unheard-" not in os.environ.get("GRADIO_TEMP_DIR", ""):
        os.environ["GRADIO_TEMP_DIR"] = folder = tempfile.mkdtemp(prefix="unheard-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)


def launch(page: gr.Blocks, host: str = "127.0.0.1", port: int = PORT, *, wait: bool = True) -> str:
    """The address at which the page is served; with ``wait``, returns only when it stops.

    Raises :class:`ConfigError` when the port is taken.
    """
    _check_port(host, port)
    page.queue(max_size=200, default_concurrency_limit=8)
    _, address, _ = page.launch(
        server_name=host,
        server_port=port,
        prevent_thread_lock=True,
        share=False,
        inbrowser=False,
        enable_monitoring=False,
        run_history=False,
        footer_links=[],
        show_error=False,
        quiet=True,
        mcp_server=False,
        ssr_mode=False,
        pwa=False,
        max_file_size=UPLOAD_LIMIT,
        **launch_look(),
    )
    if wait:
        print(strings.SERVING.format(address=address), flush=True)  # noqa: T201 - the user needs to know where to look
        page.block_thread()
    return str(address)


def _check_port(host: str, port: int) -> None:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            raise ConfigError(f"{host}:{port} is taken: stop what runs there or choose another with --port") from None
