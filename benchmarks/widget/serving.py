"""A folder over http that counts the bytes it sends, and can send a pack slowly."""

from __future__ import annotations

import gzip
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

_TYPES = {".html": "text/html", ".js": "text/javascript", ".mjs": "text/javascript", ".webp": "image/webp"}
_SLOWLY, _PAUSE = 1024, 0.2
"""Bytes of a pack at a time, and seconds between them."""
_PATIENCE = 60


@dataclass
class Site:
    """A folder that is served.

    Attributes:
        folder: its files; every change of one has to change its time, too.
        url: ends in "/".
        sent: bytes of bodies by path, as they are on the wire: scripts with gzip.
        is_slow: whether packs come little by little, until a page has asked for /follows.
        until_followed: what had been sent by then.
    """

    folder: Path
    url: str = ""
    sent: Counter[str] = field(default_factory=Counter)
    is_slow: bool = False
    until_followed: Counter[str] = field(default_factory=Counter)
    followed: threading.Event = field(default_factory=threading.Event)

    def reset(self, is_slow: bool = False) -> None:
        """Counts anew."""
        self.sent.clear()
        self.until_followed.clear()
        self.followed.clear()
        self.is_slow = is_slow


def payload_of(sent: Counter[str]) -> int:
    """Bytes of a portrait: the widget and what it plays, without the poster and the page."""
    return sum(
        count for path, count in sent.items() if "/poster" not in path and not path.endswith((".html", "/measure.js"))
    )


@contextmanager
def served(folder: Path) -> Iterator[Site]:
    """A folder at an address of this machine."""
    site = Site(folder)
    handler = type("Handler", (_Handler,), {"site": site})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    site.url = f"http://127.0.0.1:{server.server_port}/"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield site
    finally:
        site.followed.set()
        server.shutdown()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site: Site

    def handle(self) -> None:
        with suppress(ConnectionError):  # the browser was closed
            super().handle()

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        if path == "/follows":
            self.site.until_followed = Counter(self.site.sent)
            self.site.followed.set()
        file = self.site.folder / path.strip("/")
        if not file.is_file():
            return self._answer(204 if path in ("/follows", "/favicon.ico") else 404)
        changed = formatdate(file.stat().st_mtime, usegmt=True)
        if self.headers.get("If-Modified-Since") == changed:
            return self._answer(304)
        data, headers = (
            file.read_bytes(),
            {"Last-Modified": changed, "Content-Type": _TYPES.get(file.suffix, "application/octet-stream")},
        )
        status, wanted = 200, self.headers.get("Range", "")
        if wanted.startswith("bytes="):
            first, last = (wanted[6:].split("-") + [""])[:2]
            start, end = int(first), int(last) + 1 if last else len(data)
            status, headers["Content-Range"] = 206, f"bytes {start}-{end - 1}/{len(data)}"
            data = data[start:end]
        elif file.suffix in (".js", ".mjs", ".html"):
            data, headers["Content-Encoding"] = gzip.compress(data, 9), "gzip"
        self._answer(status, headers, data)

    def _answer(self, status: int, headers: dict[str, str] | None = None, data: bytes = b"") -> None:
        self.send_response(status)
        # Every visit asks whether what is kept is still right, as the app's pages do.
        every = {"Cache-Control": "no-cache", "Cross-Origin-Opener-Policy": "same-origin"}
        every |= {"Cross-Origin-Embedder-Policy": "require-corp"}  # together they make the page's clock finer
        for name, value in {**every, **(headers or {}), "Content-Length": str(len(data))}.items():
            if status not in (204, 304) or name != "Content-Length":
                self.send_header(name, value)
        self.end_headers()
        with suppress(ConnectionError):  # the page has what it wants
            self._send(data)

    def _send(self, data: bytes) -> None:
        path = self.path.split("?")[0]
        end = time.monotonic() + _PATIENCE
        slow = self.site.is_slow and path.endswith(".pack")
        step = _SLOWLY if slow else 65536
        for start in range(0, len(data), step):
            part = data[start : start + step]
            self.wfile.write(part)
            self.site.sent[path] += len(part)
            if slow and not self.site.followed.is_set() and time.monotonic() < end:
                time.sleep(_PAUSE)

    def log_message(self, *arguments: Any) -> None:
        pass
