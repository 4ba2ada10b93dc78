"""Requests to the app that is tried, as bytes or by a client, and the portrait that is asked for."""

from __future__ import annotations

import http.client
import os
import socket
from pathlib import Path
from urllib.parse import urlsplit

from tests.serving import App

SMALL = {"size": 4, "frame_size": 128, "engine": "warp"}


def address(app: App) -> tuple[str, int]:
    parts = urlsplit(app.address)
    return str(parts.hostname), int(parts.port or 80)


def raw(app: App, request: bytes) -> bytes:
    """The beginning of what is answered; nothing where the app hangs up."""
    with socket.create_connection(address(app), 10) as peer:
        try:
            peer.sendall(request)
            peer.settimeout(5)
            return peer.recv(200)
        except TimeoutError:
            return b""  # it waits for more
        except OSError:
            return b""


def get(app: App, path: str, headers: dict[str, str] | None = None) -> tuple[int, http.client.HTTPMessage, bytes]:
    connection = http.client.HTTPConnection(*address(app), timeout=20)
    try:
        connection.request("GET", path, headers=headers or {})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def resident(app: App) -> float:
    return int(Path(f"/proc/{app.process.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
