"""Driving the widget in a page: where to point for a cell, waiting until it is shown, reading back what is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.browser.portraits import colour_at

TRACKER = "document.querySelector('gaze-tracker')"
SHEETS = 'src="portrait/" mode="quadrants"'
"""A folder of sheets: where it might be one of a pack, that would be asked for first."""
INSTANT = f'<gaze-tracker {SHEETS} smoothing="0"></gaze-tracker>'


def wait_loaded(page: Any) -> None:
    page.wait_for_function(f"{TRACKER}.loaded")


def box(page: Any) -> dict[str, float]:
    return page.evaluate(f"{TRACKER}.getBoundingClientRect().toJSON()")


def expected_look(page: Any, x: float, y: float, face: tuple[float, float] = (0.5, 0.5)) -> tuple[float, float]:
    """The look for a pointer position, each axis in -1 to 1: the viewport's edges are the ends of the range."""
    here = box(page)
    size = page.viewport_size
    along = []
    for point, centre, extent in (
        (x, here["left"] + here["width"] * face[0], size["width"]),
        (y, here["top"] + here["height"] * face[1], size["height"]),
    ):
        along.append(max(-1.0, min(1.0, (point - centre) / (extent - centre if point > centre else centre))))
    return along[0], along[1]


def to_cell(look: tuple[float, float], size: int) -> tuple[float, float]:
    """Fractional (row, col) of a look."""
    return (look[1] + 1) / 2 * (size - 1), (look[0] + 1) / 2 * (size - 1)


def point_of_cell(page: Any, row: float, col: float, size: int) -> tuple[float, float]:
    """A pointer position that asks for this cell of a portrait whose face is in the middle of its box."""
    here = box(page)
    viewport = page.viewport_size
    point = []
    for index, centre, extent in (
        (col, here["left"] + here["width"] / 2, viewport["width"]),
        (row, here["top"] + here["height"] / 2, viewport["height"]),
    ):
        look = index / (size - 1) * 2 - 1
        point.append(centre + look * (extent - centre if look > 0 else centre))
    return point[0], point[1]


def look_at(page: Any, row: float, col: float, size: int = 10) -> None:
    """Makes the widget show this (fractional) cell and waits until it does."""
    x, y = point_of_cell(page, row, col, size)
    page.evaluate(f"{TRACKER}.lookAt({x}, {y})")
    wait_cell(page, row, col)


def wait_cell(page: Any, row: float, col: float) -> None:
    page.wait_for_function(
        f"([row, col]) => Math.abs({TRACKER}.row - row) < 0.01 && Math.abs({TRACKER}.col - col) < 0.01",
        arg=[row, col],
    )


def touch(page: Any) -> Callable[..., None]:
    """A function that moves fingers: finger("touchStart", (x, y)), finger("touchEnd")."""
    devtools = page.context.new_cdp_session(page)

    def finger(kind: str, *points: tuple[float, float]) -> None:
        devtools.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": [{"x": x, "y": y} for x, y in points]})

    return finger


def centre_colour(page: Any) -> tuple[int, int, int]:
    here = box(page)
    return colour_at(page, here["left"] + here["width"] / 2, here["top"] + here["height"] / 2)


def address(site: Any, scheme: str, name: str = "index.html") -> str:
    return site.url + name if scheme == "http" else (site.folder / name).as_uri()


def events(page: Any, kind: str) -> list[dict[str, Any]]:
    return [event for event in page.evaluate("events") if event["type"] == kind]


def poll_colour(page: Any, colour: tuple[int, int, int]) -> None:
    """Waits until the middle of the widget has this colour."""
    here = box(page)
    poll_colour_at(page, here["left"] + here["width"] / 2, here["top"] + here["height"] / 2, colour)


def poll_colour_at(page: Any, x: float, y: float, colour: tuple[float, float, float], tolerance: float = 0) -> None:
    """Waits until a point of the viewport has this colour."""
    for _ in range(300):
        found = colour_at(page, x, y)
        if all(abs(f - c) <= tolerance for f, c in zip(found, colour, strict=True)):
            return
        page.wait_for_timeout(25)
    raise AssertionError(f"the page shows {found} at ({x:g}, {y:g}), not {colour}")


POINTS_NOWHERE = """{
    const wait = (event) => event.clientX || event.clientY || event.stopImmediatePropagation();
    addEventListener("pointermove", wait, true);
    addEventListener("load", () =>
        requestAnimationFrame(() => requestAnimationFrame(() => removeEventListener("pointermove", wait, true))));
}"""


def new_context(browser: Any, **options: Any) -> Any:
    """A context whose pages hear of no pointer while they load: Chromium without windows says that it is at 0, 0."""
    context = browser.new_context(**options)
    context.add_init_script(POINTS_NOWHERE)
    return context


COUNT_FRAMES = """
    window.frames_asked = 0;
    const ask = window.requestAnimationFrame;
    window.requestAnimationFrame = (callback) => { frames_asked += 1; return ask(callback); };
"""


def assert_asleep(page: Any) -> None:
    """No frame callback is asked for while the browser draws frames of its own; what is under way may end first."""
    for _ in range(10):
        count = page.evaluate(
            """async () => {
                const before = frames_asked;
                const other = document.createElement("div");
                document.body.append(other);
                await other.animate([{opacity: 1}, {opacity: 0.5}], 250).finished;
                other.remove();
                return frames_asked - before;
            }"""
        )
        if count == 0:
            return
    raise AssertionError(f"still {count} frame callbacks in a quarter of a second")


TRACK_BITMAPS = """
    window.bitmaps = 0;
    window.bitmapBytes = 0;
    window.bitmapPeak = 0;
    const make = window.createImageBitmap;
    const close = ImageBitmap.prototype.close;
    window.createImageBitmap = async (...args) => {
      const bitmap = await make(...args);
      bitmaps += 1;
      bitmapBytes += bitmap.width * bitmap.height * 4;
      bitmapPeak = Math.max(bitmapPeak, bitmapBytes);
      return bitmap;
    };
    ImageBitmap.prototype.close = function () {
      if (this.width) { bitmaps -= 1; bitmapBytes -= this.width * this.height * 4; }
      close.call(this);
    };
"""


def wait_at_rest(page: Any) -> None:
    """Until the first widget of the page has shown the same look for a few frames.

    Not for many: a page that is drawn by the processor may have few of them between two glances of an idle face.
    """
    page.evaluate(
        """() => new Promise((done) => {
          const el = document.querySelector("gaze-tracker");
          let before, still = 0;
          const check = () => {
            const now = [el.row, el.col].join();
            still = now === before ? still + 1 : 0;
            before = now;
            still > 3 ? done() : requestAnimationFrame(check);
          };
          requestAnimationFrame(check);
        })"""
    )
