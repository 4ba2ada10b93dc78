"""Requests that are too large, odd or too many, and what pages are answered with."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import httpx

from gaze.photo.portrait import MAX_BYTES
from tests.serving import ROOT, App
from trials.trying import FAULT, REFUSED, FaultError, Limits, Row, Tried, attempt
from trials.web.client import address, arguments_of, get, raw, resident, upload

_WORDS, _PHOTO = 2**20, int(1.4 * MAX_BYTES)
"""Bytes that requests may have, as docs/api.md and docs/hosting.md say."""
QUICK = Limits(seconds=5)
_BURST = 100
_HOST = "HTTP/1.1\r\nHost: localhost\r\n"


def announced(app: App) -> Iterator[Tried]:
    places = {"/gradio_api/upload": _PHOTO, "/gradio_api/upload?upload_id=x": _PHOTO}
    words: tuple[str, ...] = (
        "/",
        "/gradio_api/run/health",
        "/gradio_api/queue/join",
        "/gradio_api/call/generate",
        "/nothing",
    )
    words += ("/gradio_api/cancel", "/gradio_api/run/predict", "/gradio_api/gaze/x/y", "/config", "/%2e%2e/upload")
    for path, most in {**places, **dict.fromkeys(words, _WORDS)}.items():
        for length in (most + 1, 10**9, 10**15, 10**30):
            yield attempt(partial(_refused_at_once, app, path, length), QUICK, f"{path}, {length} bytes")


def _refused_at_once(app: App, path: str, length: int) -> str:
    """Nothing of the body is sent: an answer shows that it was not waited for."""
    started = time.monotonic()
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: multipart/form-data; boundary=b\r\n"
    answer = raw(app, f"{head}Content-Length: {length}\r\n\r\n".encode())
    if not answer.startswith((b"HTTP/1.1 413", b"HTTP/1.1 400")):
        raise FaultError(f"It says {answer[:80]!r}.")
    if (seconds := time.monotonic() - started) > 2:
        raise FaultError(f"It took {seconds:.1f} s.")
    return REFUSED


def unannounced(app: App, place: Path) -> Iterator[Tried]:
    part = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.jpg"\r\n\r\n'
    for path, most, start in (
        ("/gradio_api/upload", _PHOTO, part),
        ("/gradio_api/run/health", _WORDS, b'{"data": ["'),
        ("/gradio_api/queue/join", _WORDS, b'{"data": ["'),
        ("/gradio_api/call/preview", _WORDS, b'{"data": ["'),
    ):
        yield attempt(partial(_broken_off, app, place, path, most, start), QUICK, path)


def _broken_off(app: App, place: Path, path: str, most: int, start: bytes) -> str:
    before = resident(app)
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
    kind = "multipart/form-data; boundary=b" if start.startswith(b"--") else "application/json"
    block, sent, answer = b"a" * 2**16, 0, b""
    with socket.create_connection(address(app), 10) as peer:
        peer.sendall(f"{head}Content-Type: {kind}\r\n\r\n{len(start):x}\r\n".encode() + start + b"\r\n")
        try:
            while sent < 3 * most + 2**25:
                peer.sendall(b"10000\r\n" + block + b"\r\n")
                sent += len(block)
            peer.sendall(b"0\r\n\r\n")
            answer = peer.recv(100)
        except OSError:
            pass  # it has hung up
    if answer.startswith(b"HTTP/1.1 2"):
        raise FaultError(f"{sent / 1e6:.0f} MB were taken.")
    time.sleep(1)
    if left := [it for it in place.glob("gaze-app-*/uploads/**/*") if it.is_file() and it.stat().st_size > most]:
        raise FaultError(f"{left} is left.")
    if (grown := resident(app) - before) > 3 * _PHOTO / 1e6:
        raise FaultError(f"The app grew by {grown:.0f} MB.")
    return REFUSED


def odd(app: App) -> Iterator[Tried]:
    lengths = ("-1", "+5", "1_0", "0x10", "١", "5, 6", "", " ", "1e3", "9" * 400, "5\r\nContent-Length: 6")
    requests = [f"POST /gradio_api/run/health {_HOST}Content-Length: {it}\r\n\r\n{{}}" for it in lengths]
    both = "Transfer-Encoding: chunked\r\nContent-Length: 4"
    requests += [f"POST /gradio_api/upload {_HOST}{both}\r\n\r\n0\r\n\r\n"]
    requests += [f"{method} / {_HOST}\r\n" for method in ("TRACE", "PUT", "DELETE", "PATCH", "FOO", "get")]
    requests += [f"GET {path} {_HOST}\r\n" for path in ("http://foreign.test/", "*", "//x", "/%", "/%ff%fe")]
    requests += [f"GET / {_HOST}{name}: {'a' * 70_000}\r\n\r\n" for name in ("X-A", "Cookie", "Range")]
    requests += ["GET / HTTP/9.9\r\n\r\n", "\0" * 100, "GET /\r\n\r\n", "GET / HTTP/1.1\r\n\r\n"]
    for request in requests:
        yield attempt(partial(_survives, app, request.encode()), QUICK, repr(request[:120]))


def _survives(app: App, request: bytes) -> str:
    answer = raw(app, request)
    if answer.startswith(b"HTTP/1.1 5"):
        raise FaultError(f"It says {answer[:80]!r}.")
    if get(app, "/gradio_api/info")[0] != 200:
        raise FaultError("The app does not answer any more.")
    return "answered, or refused"


PAGES = (
    "/",
    "/?x=1",
    "/?__theme=dark",
    "/?session=x",
    "/?view=api",
    "/nothing",
    "/gradio_api/docs",
    "/docs",
    "/login",
)


def has_policy(app: App, path: str) -> str:
    status, headers, body = get(app, path)
    if headers.get("Content-Type", "").startswith("text/html"):
        policy = headers.get("Content-Security-Policy", "")
        scripts = next((it for it in policy.split("; ") if it.startswith("script-src ")), "")
        if "'self'" not in scripts or "unsafe-inline" in scripts or " *" in policy or "http" in policy:
            raise FaultError(f"Its policy is “{policy}”.")
    elif body.lstrip()[:1] == b"<":
        raise FaultError(f"It looks like a page, and is called {headers.get('Content-Type')}.")
    if headers.get("X-Content-Type-Options") != "nosniff":
        raise FaultError("Browsers may guess what it is.")
    return "with a policy" if "Content-Security-Policy" in headers else f"no page ({status})"


def previews(app: App) -> Iterator[Row]:
    """Photos that cannot be read: they count, and are refused quickly."""
    with httpx.Client(base_url=app.address) as here:
        asked = arguments_of(here, "preview", photo=upload(here, b"no picture"))
        told = [_preview(here, asked, {"X-Forwarded-For": "203.0.113.5"}) for _ in range(_BURST + 30)]
        refused = [it for it in told if it == "too many"]
        right = told[:_BURST].count("too many") == 0 and len(refused) >= 10
        row = [Tried("taken" if it == "taken" else REFUSED, it) for it in told]
        yield Row("previews by one client, as fast as it can", row if right else [Tried(FAULT, f"{told}")])
        others = [_preview(here, asked, {"X-Forwarded-For": f"203.0.113.{it}"}) for it in range(10, 20)]
        ok = [Tried(it if it == "taken" else FAULT, it) for it in others]
        yield Row("previews by others at that moment, behind the same web server", ok)
        started, left = time.monotonic(), 30
        while _preview(here, asked, {"X-Forwarded-For": "203.0.113.5"}) == "taken" and (left := left - 1):
            pass
        spoofed = [f"198.51.100.{it}, 203.0.113.5, 10.0.0.1" for it in range(30)]
        tries = [_preview(here, asked, {"X-Forwarded-For": it}) for it in spoofed]
        most = time.monotonic() - started + 1  # one comes back each second
        row = [Tried("taken" if it == "taken" else REFUSED, it) for it in tries]
        right = left > 0 and tries.count("taken") <= most
        yield Row(
            "previews by that client under addresses that it makes up", row if right else [Tried(FAULT, f"{tries}")]
        )


def _preview(here: httpx.Client, asked: list[Any], headers: dict[str, str]) -> str:
    event = here.post("/gradio_api/call/preview", json={"data": asked}, headers=headers).json()["event_id"]
    answer = here.get(f"/gradio_api/call/preview/{event}", headers=headers, timeout=60).text
    return "too many" if "many previews" in answer else "taken" if "not a picture" in answer else answer


def quiet(app: App) -> str:
    """Gradio's own complaints of requests that make no sense do not count."""
    log = app.log.read_text()
    if (place := log.find(f'File "{ROOT / "gaze"}')) >= 0:
        raise FaultError(log[place:][:4000][-1500:])
    return "none"
