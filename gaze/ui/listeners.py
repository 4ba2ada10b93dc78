"""Who still listens: a program that asks for a portrait by plain HTTP has to fetch the answer, and may never do so."""

from __future__ import annotations

import re
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from urllib.parse import parse_qs

from gradio.context import LocalContext
from starlette.types import ASGIApp, Receive, Scope, Send

WAITING, RUNNING = 30.0, 120.0
"""Seconds without a listener, or a page that follows, after which a run gives up its place in the queue, or ends."""
_CALL = re.compile(r"/gradio_api/call/[^/]+/([0-9a-f]+)/?", re.ASCII)
_QUEUE = "/gradio_api/queue/data"
_MOST = 10_000


class Listeners:
    """Streams of answers that are open now, by the event or the session whose answers they are.

    Args:
        clock: seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._open: dict[str, int] = {}
        self._left: OrderedDict[str, float] = OrderedDict()
        self._lock = threading.Lock()

    def opened(self, name: str) -> None:
        """A stream begins."""
        with self._lock:
            self._open[name] = self._open.get(name, 0) + 1

    def closed(self, name: str) -> None:
        """It has ended."""
        with self._lock:
            self._open[name] -= 1
            if not self._open[name]:
                del self._open[name]
                self._left[name] = self._clock()
                self._left.move_to_end(name)
                if len(self._left) > _MOST:
                    self._left.popitem(last=False)

    def follow(self) -> Listener:
        """The listener to the event that is being answered."""
        request = LocalContext.request.get(None)
        event, session = LocalContext.event_id.get(None), getattr(request, "session_hash", None)
        return Listener(self, tuple(name for name in (event, session) if name), self._clock())

    def silent(self, names: tuple[str, ...], since: float) -> float:
        """Seconds for which nobody has listened to any of these, and no longer than since then."""
        with self._lock:
            if any(name in self._open for name in names):
                return 0.0
            return self._clock() - max([since, *(self._left[name] for name in names if name in self._left)])


class Listener:
    """Whoever waits for one answer."""

    def __init__(self, listeners: Listeners, names: tuple[str, ...], since: float) -> None:
        self._listeners, self._names, self._since = listeners, names, since

    def is_gone(self, patience: float) -> bool:
        """Whether nobody has listened for so many seconds. Who calls from Python is always there."""
        return bool(self._names) and self._listeners.silent(self._names, self._since) > patience


class Listening:
    """ASGI middleware that tells `listeners` of the streams."""

    def __init__(self, app: ASGIApp, listeners: Listeners) -> None:
        self._app, self._listeners = app, listeners

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = _stream(scope)
        if not name:
            await self._app(scope, receive, send)
            return
        self._listeners.opened(name)
        try:
            await self._app(scope, receive, send)
        finally:
            self._listeners.closed(name)


def _stream(scope: Scope) -> str:
    """The event, or the session, whose answers a request is for; "" if it is another request."""
    if scope["type"] != "http" or scope["method"] != "GET":
        return ""
    if call := _CALL.search(scope["path"]):
        return call[1]
    if scope["path"].endswith(_QUEUE):
        return str(parse_qs(scope["query_string"].decode(errors="replace")).get("session_hash", [""])[0])
    return ""
