"""What stands between the network and the app: a Content-Security-Policy for its pages, and a limit to what is read."""

from __future__ import annotations

import base64
import hashlib
import os
import re
from contextlib import suppress
from ipaddress import ip_address, ip_network

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gaze.ui.held_page import HeldPage
from gaze.ui.limit import PROXIES
from gaze.ui.small_page import NOTHING, refused

_PHOTOS = ("/gradio_api/upload", "/gradio_api/mcp")
"""Where photos may come in."""
_AROUND = 1.4
"""What a request with a photo may be larger than that: MCP writes it in letters, a third longer."""
_WORDS = 2**20
"""Bytes of any other request."""
_HOST = r"([\w.-]+|\[[0-9a-f:.]+\])(:\d{1,5})?"
_ADDRESSES = {
    "host": re.compile(_HOST, re.ASCII | re.IGNORECASE),
    "x-forwarded-host": re.compile(rf"{_HOST}( *,.*)?", re.ASCII | re.IGNORECASE),
    "x-gradio-server": re.compile(rf"https?://{_HOST}(/[\w./~-]*)?( *,.*)?", re.ASCII | re.IGNORECASE),
}
"""Headers from which Gradio makes the app's own address, and what may stand in them: of several, the first counts."""
_PARTS = ("/assets/", "/static/")
"""Where Gradio's own scripts, styles and pictures lie; their names change with them."""
_FORWARDED = (b"x-forwarded-host", b"x-forwarded-proto", b"x-forwarded-port", b"x-forwarded-prefix", b"x-gradio-server")
"""From what a web server before the app says there, Gradio makes the page's address."""
_LOOPBACK = re.compile(r"(?:[\w-]+\.)*localhost|127(?:\.\d{1,3}){3}|\[::1\]", re.ASCII | re.IGNORECASE)
_UNUSED = re.compile(r"/gradio_api/(?:process_recording|deep_link|(?:undo-)?vibe-|stream/|proxy=)|^/monitoring\b")
"""What Gradio offers and no page of ours asks for: it runs ffmpeg on what anybody sends, or writes files that stay."""
_INLINE = re.compile(r"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", re.DOTALL)


class Guard:
    """ASGI middleware.

    Args:
        app: what it guards; scripts that do not stand in its pages from the start do not run.
        most: bytes that a photo may have.
        hosts: names to which it answers beside those of this machine itself; None answers to all.
        proxies: web servers that are believed, as `gaze.ui.limit.PROXIES`.
    """

    def __init__(
        self,
        app: ASGIApp,
        most: int,
        hosts: frozenset[str] | None = None,
        proxies: str = PROXIES,
    ) -> None:
        self._app, self._most, self._hosts = app, most, hosts
        self._all = proxies.strip() == "*"
        self._proxies = [] if self._all else [ip_network(it.strip()) for it in proxies.split(",") if it.strip()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        most = int(self._most * _AROUND) if any(place in scope["path"] for place in _PHOTOS) else _WORDS
        if not self._believes(scope):
            scope = {**scope, "headers": [(name, it) for name, it in scope["headers"] if name not in _FORWARDED]}
        headers = Headers(scope=scope)
        if not self._knows(headers.get("host", "localhost")):
            refusal = PlainTextResponse(_NOT_MINE, status_code=421)
            await refusal(scope, receive, send)
            return
        if any(name in headers and not right.fullmatch(headers[name]) for name, right in _ADDRESSES.items()):
            await PlainTextResponse("There is no such address.", status_code=400)(scope, receive, send)
            return
        if "\0" in scope["path"] or _UNUSED.search(scope["path"]):
            answer = refused(Request(scope), NOTHING)
            await answer(scope, receive, _Guarded(send, scope["path"]))
            return
        if int(headers.get("content-length", 0)) > most:
            refusal = PlainTextResponse(f"This is too large. The limit is {most / 1e6:.0f} MB.", status_code=413)
            await refusal(scope, receive, send)
            return
        await self._app(scope, _Limited(receive, most), _Guarded(send, scope["path"]))

    def _believes(self, scope: Scope) -> bool:
        """Whether it may say for whom it asks."""
        host, port = scope.get("client") or ("", 0)
        if self._all or not port:  # uvicorn has believed it already, and put the client in its place; or no network
            return True
        with suppress(ValueError):
            address = ip_address(host)
            return any(address in network for network in self._proxies)
        return False

    def _knows(self, host: str) -> bool:
        """Whether this is a name of the app: elsewhere, a name may lead to this machine that is somebody else's."""
        name = re.sub(r":\d*$", "", host).lower()
        return self._hosts is None or bool(_LOOPBACK.fullmatch(name)) or name in self._hosts


_NOT_MINE = (
    "This app serves only its own machine, and does not answer to this host name. "
    "To let it, start it with GAZE_HOSTS set to the name."
)


class _Limited:
    """What a request brings; one that goes on for too long counts as broken off."""

    def __init__(self, receive: Receive, most: int) -> None:
        self._receive, self._left = receive, most

    async def __call__(self) -> Message:
        message = await self._receive()
        self._left -= len(message.get("body", b""))
        return message if self._left >= 0 else {"type": "http.disconnect"}


class _Guarded:
    """Sends an answer on with its headers; a page is held back until the hashes of its scripts are known."""

    def __init__(self, send: Send, path: str) -> None:
        self._send, self._path = HeldPage(send, self._with_policy), path

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["X-Content-Type-Options"] = "nosniff"
            if not headers.get("content-type", "").startswith("image/"):
                headers.add_vary_header("X-Forwarded-Host, X-Forwarded-Proto, X-Gradio-Server")
            # An address with ?session= is a portrait's only lock: other sites must not learn it from a link.
            headers["Referrer-Policy"] = "same-origin"
            if "cache-control" not in headers:  # then caches decide, and might keep an uploaded photo
                headers["Cache-Control"] = self._caching(headers.get("content-type", ""))
        await self._send(message)

    def _with_policy(self, headers: MutableHeaders, page: bytes) -> bytes:
        headers["Content-Security-Policy"] = policy(page.decode())
        return page

    def _caching(self, kind: str) -> str:
        """For how long an answer may be kept that says nothing about it: parts of Gradio's page, which hold no face."""
        if "/gradio_api/" not in self._path and any(part in self._path for part in _PARTS):
            return "public, max-age=86400"
        return "private, no-cache" if kind.startswith("text/html") else "no-store"


def hosts_of(server_name: str | None, shared: bool) -> frozenset[str] | None:
    """The names to which an app answers beside its machine's own: those of `GAZE_HOSTS`; None for any.

    Args:
        server_name: where it listens.
        shared: whether it can be reached by a tunnel, under a name that is not known before.
    """
    if shared or (not _LOOPBACK.fullmatch(server_name or "127.0.0.1") and server_name != "::1"):
        return None
    given = os.environ.get("GAZE_HOSTS", "")
    return None if given.strip() == "*" else frozenset(it.strip().lower() for it in given.split(",") if it.strip())


def policy(page: str) -> str:
    """The Content-Security-Policy of a page.

    Any page may frame this one, as Hugging Face's and notebooks do: there are no accounts, and browsers keep a frame's
    history apart for each site around it, so that nobody can be made to press what concerns their own portraits.

    Args:
        page: its HTML; the scripts in it may run.
    """
    hashes = " ".join(dict.fromkeys(map(_hash, _INLINE.findall(page))))
    rules = {
        "default-src": "'self'",
        # Gradio makes functions of its templates and of our scripts for them.
        "script-src": f"'self' 'unsafe-eval' {hashes}",
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data: blob:",
        "media-src": "'self' data: blob:",
        "font-src": "'self' data:",
        "connect-src": "'self' data: blob:",
        "worker-src": "'self' blob:",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
    }
    return "; ".join(f"{name} {sources}" for name, sources in rules.items())


def _hash(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"
