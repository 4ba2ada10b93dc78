"""Starting the server on another port where the first is taken."""

from __future__ import annotations

import gradio as gr
from starlette.types import ASGIApp, Receive, Scope, Send


class Repeatable:
    """ASGI middleware that lets Gradio start its server again.

    Gradio looks for a free port and starts its server there. If somebody else has taken the port meanwhile, or the
    server is slow to start, Gradio tries the next port with the same page. Its MCP server cannot be started twice: on
    no port would the app ever start.
    """

    def __init__(self, app: ASGIApp, page: gr.Blocks) -> None:
        self._app, self._page = app, page

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" and (server := self._page.mcp_server_obj):
            server.manager._has_started = False  # there is no public way
        await self._app(scope, receive, send)
