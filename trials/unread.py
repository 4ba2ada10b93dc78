"""Clients that ask for portraits again and again and never fetch the answer. Others have to get their place in the
queue meanwhile. A place that nobody listens to has to be free after half a minute, a run after two. The engine takes
40 seconds for a batch of frames; a run ends only between batches. Seconds are wall time.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import httpx

from gaze.ui.listeners import RUNNING, WAITING
from tests.serving import App, serving
from trials.corpus import EXAMPLE
from trials.trying import FaultError, Row, Size, attempt_here
from trials.web.client import arguments_of, call, health, upload, visitor

_BATCH = 40.0
_FLOODS, _REQUESTS, _PLACES = 3, 24, 2
"""Clients that flood the app, requests of each, and places that each may have."""
_ASKED = {"engine": "auto", "size": 10, "frame_size": "128", "framing": "whole", "keep": False}


def rows(size: Size) -> Iterator[Row]:
    command = ("-m", "trials.fake_app", str(_BATCH))
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder), *command) as app, visitor(app, 0) as watch:
        floods = [attempt_here(partial(_flood, app, watch, number)) for number in range(1, _FLOODS + 1)]
        yield Row(f"{_REQUESTS} requests by one client, never read", floods)
        previews = [attempt_here(partial(_previews, app, number)) for number in range(4, 4 + _FLOODS)]
        yield Row(f"{_REQUESTS} previews by one client, never fetched", previews)
        others = [attempt_here(partial(_place, app, number)) for number in range(10, size.of(13, 18))]
        yield Row("others who ask meanwhile, and listen for a moment", others)
        given_up = partial(_until_free, watch, "waiting", WAITING + 15)
        yield Row("places that nobody listens for", [attempt_here(given_up)])
        if size.share:
            ended = partial(_until_free, watch, "running", RUNNING + 2 * _BATCH)
            yield Row("a run that nobody listens for", [attempt_here(ended)])
            yield Row("whoever comes then", [attempt_here(partial(_place, app, 30))])


def _ask(web: httpx.Client) -> str:
    return call(web, "generate", photo=upload(web, EXAMPLE.read_bytes()), **_ASKED)


def _flood(app: App, watch: httpx.Client, number: int) -> str:
    before = _busy(watch)
    with visitor(app, number) as web:
        photo = upload(web, EXAMPLE.read_bytes())
        for _ in range(_REQUESTS):
            call(web, "generate", photo=photo, **_ASKED)
    deadline = time.monotonic() + 20
    while _busy(watch) < before + _PLACES and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(1)  # for those that come too late
    if (places := _busy(watch) - before) != _PLACES:
        raise FaultError(f"It has {places} places.")
    return "two places in the queue"


def _previews(app: App, number: int) -> str:
    """What cannot be begun at once is refused, not put before others."""
    with visitor(app, number) as web:
        asked = arguments_of(web, "preview", photo=upload(web, EXAMPLE.read_bytes()))
        for _ in range(_REQUESTS):
            web.post("/gradio_api/call/preview", json={"data": asked}).raise_for_status()
    return "taken, or refused"


def _busy(watch: httpx.Client) -> int:
    state = health(watch)
    return int(state["running"]) + int(state["waiting"])


def _place(app: App, number: int) -> str:
    with visitor(app, number) as web, web.stream("GET", _ask(web)) as told:
        for line in told.iter_lines():
            if line.startswith("event: error"):
                raise FaultError("It is refused.")
            if line.startswith("data: [{"):
                return "a place in the queue" if '"stage": "wait"' in line else "being made"
    raise FaultError("It hears nothing.")


def _until_free(watch: httpx.Client, what: str, seconds: float) -> str:
    started = time.monotonic()
    while health(watch)[what]:
        if time.monotonic() - started > seconds:
            raise FaultError(f"After {seconds:.0f} s it is taken still.")
        time.sleep(0.5)
    return "free"
