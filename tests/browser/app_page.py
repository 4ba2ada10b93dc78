"""Driving the app's page: into each of its states, and reading what it shows."""

from __future__ import annotations

import io
import json
import re
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.browser.npm import require

QUESTIONS = re.compile(r"/component_server")
"""What the page asks of the app."""
EVENTS = re.compile(r"/queue/join")
"""What begins the app's events."""
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
SMALL = {"viewport": {"width": 360, "height": 640}, "has_touch": True, "is_mobile": True}
DESKTOP = {"viewport": {"width": 1280, "height": 800}}
STILL = {"viewport": {"width": 900, "height": 500}, "reduced_motion": "reduce"}
"""A small window in which nothing moves by itself: every frame is drawn by the processor."""

BASE = "[...document.querySelectorAll('gaze-tracker')].find((it) => it.manifest)?.manifest.base ?? ''"
SETTLE = """async () => {
    for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame);
    window.shifts = [];
    const name = ({node}) => node?.id || node?.className || `${node?.nodeName} ${node?.textContent}`;
    window.shiftWatch ??= new PerformanceObserver((list) => {
        for (const {value, hadRecentInput, sources} of list.getEntries())
            if (!hadRecentInput) shifts.push([value, ...sources.map(name)]);
    }).observe({type: "layout-shift"}) ?? true;
}"""
"""From now on `assert_no_jump` tells what moves by itself."""


def open_app(page: Any, address: str, query: str = "") -> None:
    """Opens the page and waits for what is on its stage."""
    page.set_default_timeout(120_000)
    page.goto(address + query, timeout=120_000)
    wait_state(page, "empty")
    wait_loaded(page)


def wait_state(page: Any, *names: str, timeout: float = 120_000) -> None:
    page.wait_for_function(
        "names => names.includes(document.querySelector('.page')?.dataset.state)"
        " && document.querySelector('#words h1')",
        arg=list(names),
        timeout=timeout,
    )


def state(page: Any) -> str:
    return str(page.evaluate("document.querySelector('.page').dataset.state"))


def wait_loaded(page: Any) -> None:
    page.wait_for_function(
        "[...document.querySelectorAll('gaze-tracker')].filter((it) => it.manifest || it.src).every((it) => it.loaded)"
        " && document.querySelector('gaze-tracker')"
    )


def base_of(page: Any) -> str:
    """Where the portrait on the stage is; of several the first."""
    return str(page.evaluate(BASE))


@contextmanager
def another_portrait(page: Any) -> Iterator[None]:
    """What is done in the block brings another portrait onto the stage; waits for it."""
    before = base_of(page)
    yield
    page.wait_for_function(f"before => ({BASE}) !== before", arg=before)
    wait_loaded(page)


def choose_example(page: Any) -> None:
    page.get_by_role("button", name="Example: astronaut").click()
    wait_state(page, "preview")
    wait_loaded(page)


def make_it(page: Any) -> None:
    page.get_by_role("button", name="Make it").click()


def made(page: Any) -> str:
    """From the start to a finished portrait; returns its session."""
    choose_example(page)
    make_it(page)
    wait_state(page, "done")
    wait_loaded(page)
    return session_of(page)


def wait_idle(address: str) -> None:
    """Until the app makes no portrait any more."""
    asked = urllib.request.Request(
        f"{address}gradio_api/run/health", b'{"data": []}', {"Content-Type": "application/json"}
    )
    for _ in range(600):
        with urllib.request.urlopen(asked) as answer:
            if not json.load(answer)["data"][0]["running"]:
                return
        time.sleep(0.1)
    raise AssertionError("the app still makes a portrait")


def session_of(page: Any) -> str:
    return base_of(page).rstrip("/").rsplit("/", 1)[1]


def move(page: Any, name: str, value: int) -> None:
    """Moves a slider of the page."""
    page.get_by_role("slider", name=name).fill(str(value))


def upload(page: Any, name: str, data: bytes, kind: str = "image/jpeg") -> None:
    page.locator("#pick").set_input_files({"name": name, "mimeType": kind, "buffer": data})


def png(image: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(image).save(out, "PNG")
    return out.getvalue()


def assert_no_jump(page: Any) -> None:
    """Since `SETTLE` nothing moved by itself."""
    shifts = page.evaluate("shifts")
    assert not shifts, shifts


def faults(page: Any) -> list[Any]:
    """What axe-core finds, of any grade."""
    if not page.evaluate("Boolean(window.axe)"):
        page.evaluate((Path(require("axe-core")) / "axe.min.js").read_text())
    return list(
        page.evaluate(
            """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations
                .map(({id, impact, nodes}) => [id, impact, ...nodes.map((node) => node.html.slice(0, 200))])"""
        )
    )


def box(page: Any, selector: str) -> dict[str, float]:
    found = page.locator(selector).bounding_box()
    assert found, f"{selector} is not to be seen"
    return dict(found)
