"""Requests to the app that is tried, as bytes or by a client, and the portrait that is asked for."""

from __future__ import annotations

import http.client
import json
import os
import socket
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

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


def address_of(number: int) -> str:
    """Where the visitor of this number comes from, as a web server before the app says it."""
    return f"203.0.{113 + number // 200}.{number % 200 + 1}"


def visitor(app: App, number: int) -> httpx.Client:
    """One of many, told apart by their addresses."""
    return httpx.Client(base_url=app.address, headers={"X-Forwarded-For": address_of(number)}, timeout=120)


def upload(web: httpx.Client, photo: bytes) -> dict[str, Any]:
    """A photo, as an argument of an endpoint. After many of them it waits for its turn."""
    while (answer := _sent(web, photo)).status_code == http.client.TOO_MANY_REQUESTS:
        time.sleep(1)
    return {"path": answer.raise_for_status().json()[0], "meta": {"_type": "gradio.FileData"}}


def _sent(web: httpx.Client, photo: bytes) -> httpx.Response:
    return web.post("/gradio_api/upload", files={"files": ("photo.jpg", photo)})


def arguments_of(web: httpx.Client, endpoint: str, **given: Any) -> list[Any]:
    """All arguments of an endpoint in their order: those given, and the usual values of the others."""
    named = web.get("/gradio_api/info").json()["named_endpoints"][f"/{endpoint}"]["parameters"]
    return [given.get(it["parameter_name"], it.get("parameter_default")) for it in named]


def call(web: httpx.Client, endpoint: str, **given: Any) -> str:
    """Ask for what an endpoint does; the address where its answer is."""
    data = arguments_of(web, endpoint, **given)
    answer = web.post(f"/gradio_api/call/{endpoint}", json={"data": data}).raise_for_status()
    return f"/gradio_api/call/{endpoint}/{answer.json()['event_id']}"


def health(web: httpx.Client) -> dict[str, Any]:
    """What the app is doing."""
    told = web.get(call(web, "health")).text
    return dict(json.loads(told.split("data: ", 1)[1].splitlines()[0])[0])
