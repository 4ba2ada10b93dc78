"""What stands before Gradio's upload of photos: how many, how much in all, and nothing left of what broke off.

Photos come in by other ways, too: as data: addresses, among the arguments of a call.
"""

from __future__ import annotations

import errno
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gaze.errors import GazeError
from gaze.photo.portrait import MAX_BYTES
from gaze.storage.locks import matching
from gaze.storage.modes import make_private
from gaze.ui.limit import Limit, network_of

_PATH = "/gradio_api/upload"
_WORDS = 2**16
"""Bytes up to which any other request counts as words."""
MOST = 2**30
"""Bytes that all uploads may take; the oldest make room."""
ROOM = 200 * 2**20
"""Bytes that are left free on the disk."""
_EACH = 8 * 2**20
"""Bytes of an upload that cost a token, beside the one for itself: who sends ordinary photos is not held up."""
_PART = "tmp*"
"""How Gradio names what has come of an upload so far."""
_STALE = 60.0
"""Seconds after which a part to which nothing was added counts as broken off."""

_FULL = "There is no room for photos on this server's disk just now. Try again later."
_ODD = "The upload is damaged, or its file has no name. Choose the photo again."


class Uploads:
    """ASGI middleware.

    Args:
        app: takes the uploads.
        temporary: the app's temporary folder.
        folder: where uploads lie in it.
        limit: of each client.
    """

    def __init__(self, app: ASGIApp, temporary: Path, folder: Path, limit: Limit | None = None) -> None:
        self._app, self._temporary, self._folder = app, temporary, folder
        self._limit = limit or Limit(what="uploads")
        self._running = 0
        self._lock = threading.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        is_upload = scope["path"].rstrip("/").endswith(_PATH)
        size = int(Headers(scope=scope).get("content-length", MAX_BYTES))
        if not is_upload and size <= _WORDS:
            await self._app(scope, receive, send)
            return
        try:
            self._limit.take(network_of(str((scope.get("client") or [""])[0])), is_upload + size // _EACH)
        except GazeError as error:
            await PlainTextResponse(str(error), status_code=429)(scope, receive, send)
            return
        if not self._has_room(size):
            await PlainTextResponse(_FULL, status_code=507)(scope, receive, send)
            return
        await (self._take if is_upload else self._app)(scope, receive, send)

    async def _take(self, scope: Scope, receive: Receive, send: Send) -> None:
        answer = _Answer(send)
        with self._lock:
            self._running += 1
        try:
            await self._app(scope, receive, answer)
            if answer.failed:
                await PlainTextResponse(_ODD, status_code=400)(scope, receive, send)
        except Exception as error:
            full = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
            if answer.begun:
                raise
            await PlainTextResponse(_FULL if full else _ODD, 507 if full else 400)(scope, receive, send)
        finally:
            with self._lock:
                self._running -= 1
                self._remove_parts(0.0 if not self._running else _STALE)

    def _has_room(self, more: int) -> bool:
        """Make room for an upload, and see whether the disk has any."""
        with self._lock, suppress(OSError):
            make_private(self._temporary)
            make_private(self._folder)
            files = sorted(self._files(), key=lambda it: it[1])
            used = sum(size for _, _, size in files)
            for path, _, size in files:
                if used + more <= MOST:
                    break
                path.unlink(missing_ok=True)
                used -= size
            return shutil.disk_usage(self._folder).free > more + ROOM
        return False

    def _files(self) -> Iterator[tuple[Path, float, int]]:
        """Every photo: its path, when it came, and its bytes."""
        for path in matching(self._folder, "*/*"):
            with suppress(FileNotFoundError):
                if path.is_file():
                    state = path.stat()
                    yield path, state.st_mtime, state.st_size

    def _remove_parts(self, age: float) -> None:
        for path in self._folder.glob(_PART):
            with suppress(OSError):
                if path.is_file() and time.time() - path.stat().st_mtime >= age:
                    path.unlink()


class _Answer:
    """Sends an answer on, but for a bare “Internal Server Error”."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.begun = self.failed = False

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] >= 500:
            self.failed = True
        if not self.failed:
            self.begun = True
            await self._send(message)
