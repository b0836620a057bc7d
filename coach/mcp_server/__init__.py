"""The coach as an MCP server, on stdio or on HTTP at this machine: the only package that imports mcp.

What goes out holds pseudonyms, unless the server was started with names. Nothing is stored, unless it was started for
writing: then people met in notes are remembered, and two more tools keep notes and mark objections.
"""

from __future__ import annotations

from coach.mcp_server.desk import Desk
from coach.mcp_server.server import build_server
from coach.mcp_server.serving import MOST_BYTES, PATH, SHORTEST_TOKEN, open_socket, serve_http

__all__ = ["MOST_BYTES", "PATH", "SHORTEST_TOKEN", "Desk", "build_server", "open_socket", "serve_http"]
