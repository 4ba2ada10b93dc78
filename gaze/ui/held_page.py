"""A page that is held back until it is whole: what is sent before it may depend on what it says."""

from __future__ import annotations

from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import Message, Send

Finish = Callable[[MutableHeaders, bytes], bytes]
"""Takes a page's headers, which it may change, and the page; returns the page that is sent."""


class HeldPage:
    """Sends an answer on; if it is a page, only when it is whole, and as `finish` returns it."""

    def __init__(self, send: Send, finish: Finish) -> None:
        self._send, self._finish = send, finish
        self._start: Message | None = None
        self._page = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            if Headers(raw=message["headers"]).get("content-type", "").startswith("text/html"):
                self._start = message
                return
        elif self._start:
            self._page += message.get("body", b"")
            if message.get("more_body"):
                return
            page = self._finish(MutableHeaders(scope=self._start), self._page)
            await self._send(self._start)
            message = {**message, "body": page}
        await self._send(message)
