"""Visits to pages with a portrait, each of which measures one thing."""

from __future__ import annotations

import gzip
import json
import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from itertools import product
from typing import Any

import numpy as np

from benchmarks.widget import ramp
from benchmarks.widget.browsers import Browser, memory_of_children
from benchmarks.widget.serving import Site, payload_of
from benchmarks.widget.subjects import PORTRAIT, RAMP, SIZE, Subject

Found = dict[str, float | None]

_SLOW, _FAST = 6000, 1000
"""Milliseconds in which the pointer crosses the viewport to and fro."""
_DURATION = 3000
# The pointer of a driven browser lies in the corner: not over a portrait, which would fetch its buttons.
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Portraits</title>
<meta name="viewport" content="width=device-width"><link rel="icon" href="data:,">
<style>body {{ margin: 8px }} main {{ display: flex; flex-wrap: wrap; width: {across}px }}</style>
<script src="../measure.js"></script><script src="gaze-tracker.js" async></script>
<main>{body}</main><p>Below</p>"""


def write_page(subject: Subject, source: str, width: int, count: int = 1, attributes: str = "") -> str:
    """A page with so many portraits of the same source, as nearly in a square as fits; returns its name."""
    tracker = subject.snippet.format(source=source, style=f"width: {width}px")
    tracker = tracker.replace("<gaze-tracker", f"<gaze-tracker {attributes}")
    across = max(width, min(1280 // width * width, width * round(count**0.5 + 0.49)))
    name = f"{source}-{width}-{count}{'-' if attributes else ''}{attributes.split('=')[0]}.html"
    (subject.folder / name).write_text(_PAGE.format(across=across, body=tracker * count))
    return f"{subject.name}/{name}"


def script(subject: Subject) -> Found:
    """Bytes of the main script with gzip."""
    return {"script": len(gzip.compress((subject.folder / "gaze-tracker.js").read_bytes(), 9))}


def bytes_and_shifts(browser: Browser, site: Site, subject: Subject) -> Found:
    """Bytes until it follows, in all, and of a second visit; how far the page shifts.

    It is shown small, so that a processor that draws slowly does not see late what has come.
    """
    page = site.url + write_page(subject, PORTRAIT, 160)
    site.reset(is_slow=True)
    browser.open(page)
    browser.evaluate("measure.follows()")
    browser.evaluate("measure.loaded()")
    browser.evaluate("measure.work(1000, 1500)")
    found: Found = {"until": payload_of(site.until_followed), "all": payload_of(site.sent)}
    found["shift"] = browser.evaluate("measure.shift()")
    site.reset()
    browser.open(page + "?again")
    browser.evaluate("measure.loaded()")
    found["again"] = sum(count for path, count in site.sent.items() if not path.endswith(".html"))
    return found


def work(browser: Browser, site: Site, subject: Subject) -> Found:
    """Script, copies and time of a frame while the pointer moves, for one, nine and fifty portraits."""
    found: Found = {}
    for count, width in ((1, 512), (9, 160), (50, 96)):
        browser.open(site.url + write_page(subject, PORTRAIT, width, count))
        browser.evaluate("measure.loaded()")
        browser.evaluate(f"measure.work(2000, {_DURATION})")  # until all programs are compiled
        told = browser.evaluate(f"measure.work(2000, {_DURATION})")
        for name, quantiles in told.items():
            found |= {f"{name} {count} {quantile}": value for quantile, value in quantiles.items()}
    return found


def following(browser: Browser, site: Site, subject: Subject) -> Found:
    """How often what is shown is a stored picture alone, in percent, and how far it is from the spring, in cells."""
    browser.open(site.url + write_page(subject, RAMP, 256))
    browser.evaluate("measure.loaded()")
    header, stored = subject.header(RAMP), np.array(subject.stored(RAMP))
    looks = np.linspace(0, SIZE - 1, 7)
    parts = f"{json.dumps(ramp.COLUMN)}, {json.dumps(ramp.ROW)}"
    scale = browser.evaluate(f"measure.scale({looks.tolist()}, {_face(header)}, {parts})")
    greys = np.array(scale).T
    found: Found = {}
    for speed, period in (("slow", _SLOW), ("fast", _FAST)):
        samples = np.array(browser.evaluate(f"measure.chase({period}, {_DURATION}, {parts})"))
        spring = samples[:, [1, 0]]  # column, row, as the parts
        shown = np.stack([np.interp(samples[:, 2 + i], greys[i], looks) for i in (0, 1)], axis=1)
        lag = np.hypot(*(shown - spring).T)
        away = _beside(spring, stored) > _BETWEEN
        alone = away & (_beside(shown, stored) < _ALONE)
        found |= {f"nearest {speed}": 100 * alone.sum() / max(1, away.sum()), f"lag {speed}": np.quantile(lag, 0.95)}
        found[f"samples {speed}"] = len(samples)
    return {name: float(value) for name, value in found.items() if value is not None}


_BETWEEN, _ALONE = 0.25, 0.12
"""Cells from the next stored look: from where on a look lies between, and up to where a picture counts as stored."""


def _beside(looks: np.ndarray, stored: np.ndarray) -> np.ndarray:
    """How far looks, (count, 2), are from the next stored one, along the axis where they are farther."""
    distances: np.ndarray = np.abs(looks[..., None] - stored).min(axis=2).max(axis=1)
    return distances


def sharpness(browser: Browser, site: Site, subject: Subject) -> Found:
    """Sharpness of the eyes at rest in the middle of four stored looks, beside the mean of these, in percent."""
    browser.open(site.url + write_page(subject, PORTRAIT, 512))
    browser.evaluate("measure.loaded()")
    header, stored = subject.header(PORTRAIT), subject.stored(PORTRAIT)
    places = [int(share * (len(stored) - 1)) for share in (0.2, 0.7)]
    looks = []
    for i, j in product(places, places):
        (top, bottom), (left, right) = stored[i : i + 2], stored[j : j + 2]
        looks += [[(top + bottom) / 2, (left + right) / 2], [top, left], [top, right], [bottom, left], [bottom, right]]
    x, y = face = _face(header)
    part = [x - 0.16, y - 0.06, 0.32, 0.12]
    values = np.array(browser.evaluate(f"measure.sharpness({looks}, {face}, {part})")).reshape(-1, 5)
    shares = 100 * values[:, 0] / values[:, 1:].mean(axis=1)
    return {"sharpness": float(shares.mean()), "sharpness, least": float(shares.min())}


def _face(header: dict[str, Any]) -> list[float]:
    """The point that looks are measured from, as shares of the picture."""
    face = header.get("face") or {}
    return [face.get("x", 0.5), face.get("y", 0.5)]


EMPTY = f"""<!doctype html><title>Empty</title><link rel="icon" href="data:,">
<style>body {{ margin: 0 }} canvas {{ position: absolute; left: 0 }}</style><script src="../measure.js"></script>
<img src="{PORTRAIT}/poster.webp" width="512" height="512"><canvas width="512" height="512"></canvas><script>
const [shown, hidden] = [document.querySelector("canvas"), document.createElement("canvas")];
hidden.width = hidden.height = 512;
const [target, gl] = [shown.getContext("2d"), hidden.getContext("webgl2", {{ antialias: false, depth: false }})];
addEventListener("pointermove", () => requestAnimationFrame((now) => {{
  gl.clearColor(now % 1000 / 1000, 0, 0, 1);
  gl.clear(gl.COLOR_BUFFER_BIT);
  target.drawImage(hidden, 0, 0);
}}));
</script>"""
"""The poster, and over it a picture of one colour that follows the pointer: what a browser takes for as much."""


def memory(start: Callable[[], AbstractContextManager[Browser]], site: Site, subject: Subject) -> Found:
    """MB that a browser takes for portraits over what a blank page takes, each in a browser of its own."""
    (site.folder / "blank.html").write_text('<!doctype html><title>Blank</title><link rel="icon" href="data:,">')
    (subject.folder / "empty.html").write_text(EMPTY)

    def grown(page: str) -> list[float]:
        with start() as browser:
            browser.open(site.url + "blank.html")
            time.sleep(_CALM)
            before = memory_of_children(os.getpid())
            browser.open(site.url + page)
            browser.evaluate("measure.loaded()")
            browser.evaluate("measure.drive(2000, 1500)")
            time.sleep(_CALM)
            return [now - then for now, then in zip(memory_of_children(os.getpid()), before, strict=True)]

    def portraits(width: int, count: int) -> list[float]:
        return grown(write_page(subject, PORTRAIT, width, count, 'loading="eager"'))

    one, own = portraits(512, 1)
    empty, empty_own = grown(f"{subject.name}/empty.html")
    more = {f"memory {width}": (portraits(width, 50)[0] - one) / 49 for width in (96, 512)}
    return {"memory": one, "memory own": own, "memory empty": empty, "memory empty own": empty_own, **more}


_CALM = 6.0
"""Seconds after which a browser has let go of what it needs no more: after 22 it holds as much, after 3 some more."""
