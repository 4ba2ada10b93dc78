"""What another Gaze may answer, in all: so many bytes, as they are sent, and no answer but a stream for long.

The other side is trusted no more than anybody: the client of Gradio reads whatever comes, and keeps it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator

import httpx
from gradio_client import Client

MOST = 16 * 2**20
"""Bytes of all answers to one client: what Gradio tells of a page is half a megabyte, a step of a run some hundred."""
_SECONDS = 120.0
"""For any answer that is no stream of events."""
SILENCE = 60.0
"""Seconds without a word after which the other side counts as lost; Gradio says something every 15."""
_EVENTS = "text/event-stream"


class Bounds(httpx.Auth):
    """Counts what is answered; beyond the bounds an answer breaks off, as if the connection were lost.

    It is handed to httpx as a way to authenticate, the one hook that its functions have for requests and answers.

    Args:
        most: bytes of all answers.
        clock: seconds.

    Attributes:
        passed: whether the other side has sent more, or taken longer, than it may.
    """

    def __init__(self, most: int = MOST, clock: Callable[[], float] = time.monotonic) -> None:
        self._left, self._clock = most, clock
        self.passed = False

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Ask for an answer as it is, since a packed one unpacks to a thousand times as much, and bound it."""
        request.headers["Accept-Encoding"] = "identity"
        if request.url.username or request.url.password:  # which httpx heeds only where nothing else authenticates
            request = next(httpx.BasicAuth(request.url.username, request.url.password).auth_flow(request))
        response = yield request
        if response.headers.get("Content-Encoding", "identity") != "identity":
            self._break("It packs what was to be sent as it is.")
        endless = response.headers.get("Content-Type", "").startswith(_EVENTS)
        assert isinstance(response.stream, httpx.SyncByteStream)
        response.stream = _Bounded(response.stream, self, None if endless else self._clock() + _SECONDS)

    def end(self) -> None:
        """Read nothing more: a stream that is still open breaks off with its next part."""
        self._left = -1

    def count(self, sent: int, deadline: float | None) -> None:
        """Count a part of an answer.

        Raises:
            httpx.RemoteProtocolError: it is too much, or too late.
        """
        if self._left < 0:
            raise httpx.RemoteProtocolError("Nobody reads it any more.")
        self._left -= sent
        if self._left < 0:
            self._break("It sends more than any portrait needs.")
        if deadline is not None and self._clock() > deadline:
            self._break("It takes too long.")

    def _break(self, why: str) -> None:
        self.passed = True
        raise httpx.RemoteProtocolError(why)


class BoundedClient(Client):  # type: ignore[misc]
    """A client of a Gradio app that reads no more than `Bounds` allow, and nothing once it is closed.

    Args:
        place: a Space as owner/name, or a URL.
        token: of the Hub; False sends none, None the one that is set.
    """

    def __init__(self, place: str, token: str | bool | None) -> None:
        self.bounds = Bounds()
        super().__init__(
            place,
            token=token,
            verbose=False,
            download_files=False,
            httpx_kwargs={"timeout": SILENCE, "auth": self.bounds},
            analytics_enabled=False,
        )

    def close(self) -> None:
        """Let go of all streams."""
        super().close()
        self.bounds.end()


class _Bounded(httpx.SyncByteStream):
    def __init__(self, stream: httpx.SyncByteStream, bounds: Bounds, deadline: float | None) -> None:
        self._stream, self._bounds, self._deadline = stream, bounds, deadline

    def __iter__(self) -> Iterator[bytes]:
        for part in self._stream:
            self._bounds.count(len(part), self._deadline)
            yield part

    def close(self) -> None:
        self._stream.close()
