"""Starting the server on another port where the first is taken."""

from __future__ import annotations

import gradio as gr
from starlette.types import ASGIApp, Receive, Scope, Send


class Repeatable:
    """ASGI middleware that lets Gradio start its server again.

    Where a port is taken by somebody else a moment after it was looked at, or a server is slow to start, Gradio tries
    the next one with the same page. Its MCP server would refuse that, and no port would ever do.
    """

    def __init__(self, app: ASGIApp, page: gr.Blocks) -> None:
        self._app, self._page = app, page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" and (server := self._page.mcp_server_obj):
            server.manager._has_started = False  # there is no public way
        await self._app(scope, receive, send)
