"""How often, and for how much at once, one client may ask."""

from __future__ import annotations

import math
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from ipaddress import ip_address, ip_network

import gradio as gr
from anyio import Semaphore
from gradio.context import LocalContext
from starlette.requests import Request

from gaze.errors import GazeError

MOST_PIXELS = 30 * 30 * 1024 * 1024
"""Pixels of all frames that a visitor may ask for."""
_MOST, _PER_SECOND = 100, 1.0
"""As many previews as a slider may ask for while it is dragged for half a minute; later so many each second."""
_CLIENTS = 10_000
PROXIES = "127.0.0.1,::1,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,fc00::/7"
"""Networks whose web servers are believed when they say for whom they ask: this machine, containers, a Space's inside.
Of the addresses that a request passed, the last one beyond these is the client: who makes some up stands before it."""


class Limit:
    """A bucket of tokens for each client: what it asks for takes some, and they come back with time.

    A client is an address, as the web server before the app tells it (`PROXIES`). Whoever has many, or makes some up
    where nothing checks them, is held by the number of previews that are made at once, as everybody is.

    Args:
        most: tokens of a full bucket.
        per_second: how many come back.
        what: what a token is for, in the plural.
        clock: seconds.
    """

    def __init__(
        self,
        most: int = _MOST,
        per_second: float = _PER_SECOND,
        what: str = "previews",
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._most, self._per_second, self._what, self._clock = most, per_second, what, clock
        self._buckets: dict[str, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def take(self, client: str, tokens: float = 1.0) -> None:
        """Take a token, or as many as something costs.

        Raises:
            GazeError: there are not so many just now.
        """
        now = self._clock()
        with self._lock:
            left, since = self._buckets.pop(client, (float(self._most), now))
            left = min(self._most, left + (now - since) * self._per_second)
            if len(self._buckets) >= _CLIENTS:
                del self._buckets[next(iter(self._buckets))]  # who asked longest ago
            self._buckets[client] = left - tokens * (left >= tokens), now
        if left < tokens:
            wait = math.ceil((tokens - left) / self._per_second)
            raise GazeError(f"You asked for too many {self._what} in a short time. Wait {wait} s, then go on.")


class AtOnce:
    """How many things each client may have done at the same time: every one keeps a thread, of which there are few.

    Args:
        most: of one client.
        waiting: as many more wait for their turn, in `turn`.
        what: what these are, in the plural.
    """

    def __init__(self, most: int = 2, waiting: int = 50, what: str = "previews") -> None:
        self._most, self._waiting, self._what = most, waiting, what
        self._busy = Counter[str]()
        self._turns: dict[str, Semaphore] = {}
        self._lock = threading.Lock()

    @contextmanager
    def one(self, client: str) -> Iterator[None]:
        """One of them, in the block.

        Raises:
            GazeError: there are as many as may be.
        """
        with self._counted(client, self._most):
            yield

    @asynccontextmanager
    async def turn(self, client: str) -> AsyncIterator[None]:
        """One of them, in the block, once it is its turn; waiting keeps no thread.

        Raises:
            GazeError: too many wait already.
        """
        with self._counted(client, self._most + self._waiting):
            async with self._turns.setdefault(client, Semaphore(self._most)):
                yield

    @contextmanager
    def _counted(self, client: str, most: int) -> Iterator[None]:
        with self._lock:
            if self._busy[client] >= most:
                raise GazeError(f"You asked for too many {self._what} at once. Wait until one of them is finished.")
            self._busy[client] += 1
        try:
            yield
        finally:
            with self._lock:
                self._busy[client] -= 1
                if not self._busy[client]:
                    del self._busy[client]
                    self._turns.pop(client, None)


def current_client() -> str | None:
    """Who asks for what is done just now; None outside of Gradio's events."""
    request = LocalContext.request.get(None)
    return client_of(request) if request else None


def names_of_client() -> tuple[str, ...]:
    """As what a client is known who asks just now: by its address, and by its session."""
    request = LocalContext.request.get(None)
    if not request:
        return ()
    names = f"address {client_of(request)}", f"session {getattr(request, 'session_hash', None) or ''}"
    return tuple(name for name in names if not name.endswith(" "))


def check_cost(size: int, frame_size: int | str) -> None:
    """Refuse a portrait that takes more disk and time than others can wait for.

    Args:
        size: rows and columns of the grid.
        frame_size: longer side of a frame in pixels; “auto” is small enough for any grid.

    Raises:
        GazeError: it would.
    """
    if isinstance(frame_size, int) and size * size * frame_size**2 > MOST_PIXELS:
        largest = math.isqrt(MOST_PIXELS // (size * size))
        raise GazeError(
            f"{size} rows of frames of {frame_size} pixels are more than this server makes. Choose frames of at most "
            f"{largest} pixels, or fewer rows; on a machine of your own there is no such limit."
        )


def client_of(request: gr.Request | Request | None) -> str:
    """Who asks: the network of an address."""
    return network_of(str(request.client.host) if request and request.client else "")


def network_of(host: str) -> str:
    """An address; of version 6 its network, of which one customer has all 2⁶⁴."""
    with suppress(ValueError):
        address = ip_address(host)
        if address.version == 6:
            return str(ip_network((address.packed[:8] + bytes(8), 64)))
    return host
