"""How long a person waits on the app's page in Chromium: for the living preview, another background, and the finished
portrait.

    .venv/bin/python -m benchmarks.page

In a browser with no GPU: the processor draws what is seen. A wait begins with the event in the page, and ends when the
face is drawn. A first visit warms the app up and is not counted; each later one begins with a page that is at rest.
"""

from __future__ import annotations

import argparse
import io
import os
import statistics
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.browser.app_page import DESKTOP, open_app, wait_state
from tests.browser.conftest import CHROMIUM_ARGUMENTS, find_chromium
from tests.serving import serving

PHOTO = Path(__file__).resolve().parents[1] / "gaze" / "ui" / "examples" / "astronaut.jpg"
BYTES = 2_000_000
_CALM = """async () => {
    const frames = async (count) => { while (count--) await new Promise(requestAnimationFrame); };
    for (let begun = 0; performance.now() - begun > 300; ) {
        begun = performance.now();
        await frames(10);
    }
}"""
_WATCH = """() => {
    window.begun = null;
    for (const type of ['click', 'change'])
        addEventListener(type, ({timeStamp}) => { begun ??= timeStamp; }, {capture: true, once: true});
}"""
_SEEN = """async () => {
    const face = document.querySelector('gaze-tracker');
    let drawn = 0;
    while (drawn < 2) {
        await new Promise(requestAnimationFrame);
        drawn = face.loaded && face.style.visibility !== 'hidden' ? drawn + 1 : 0;
    }
    return performance.now() - begun;
}"""
_ANOTHER = """async (before) => {
    const face = document.querySelector('gaze-tracker');
    let drawn = 0;
    while (drawn < 2) {
        await new Promise(requestAnimationFrame);
        drawn = face.loaded && face.manifest.base !== before ? drawn + 1 : 0;
    }
    return performance.now() - begun;
}"""
_SILENCE = """async () => {
    const count = () => performance.getEntriesByType('resource').length;
    for (let before = -1; before !== count(); ) {
        before = count();
        await new Promise((done) => setTimeout(done, 2500));
    }
}"""
BACKGROUNDS = {"None": "remove", "Colour": "colour", "Blur": "blur", "Picture": "picture"}
SOON = 1000
"""Milliseconds after which somebody in a hurry chooses a background."""
AIMS = {
    "upload of a photo of 2 MB → living preview": 1.0,
    "click on the example → living preview": 1.0,
    "click on the example, and “Make it” at once → finished portrait": 6.0,
    "click on “Make it” → finished portrait": 6.0,
    **{f"click on the background “{name}” → seen": 0.5 for name in BACKGROUNDS},
    "click on the background “None” a second after the preview → seen": 0.5,
}


def large_photo() -> bytes:
    """The example as a camera would write it: 3,000 pixels wide, with its grain, about 2 MB."""
    picture = Image.open(PHOTO).convert("RGB")
    picture = picture.resize((3000, round(3000 * picture.height / picture.width)), Image.Resampling.LANCZOS)
    grain = np.random.default_rng(0).normal(0, 3, (picture.height, picture.width, 1))
    noisy = Image.fromarray(np.clip(np.asarray(picture) + grain, 0, 255).astype(np.uint8))
    for quality in range(95, 40, -3):
        out = io.BytesIO()
        noisy.save(out, "JPEG", quality=quality)
        if out.tell() <= BYTES:
            break
    return out.getvalue()


def at_rest(page: Any) -> None:
    """Until a visitor would have a calm page before them: all is drawn, and the face has met the pointer."""
    page.mouse.move(20, 20)
    page.evaluate(_CALM)


def seconds_until(page: Any, state: str, act: Callable[[], None]) -> float:
    """From the event in the page that `act` causes until the face of this state is drawn."""
    page.evaluate(_WATCH)
    act()
    wait_state(page, state)
    return float(page.evaluate(_SEEN)) / 1000


def seconds_until_background(page: Any, background: str) -> float:
    """From the press on a background until the face is drawn before it, in a page that asks for nothing any more.

    That of a picture begins when its file was chosen.
    """
    page.locator("[name=background][value=keep]").check()
    page.evaluate(_SILENCE)
    at_rest(page)
    return seconds_until_another(page, background)


def seconds_until_another(page: Any, background: str) -> float:
    """`seconds_until_background`, whatever the page does."""
    before = page.evaluate("document.querySelector('gaze-tracker').manifest.base")
    page.evaluate(_WATCH)
    if background == "picture":
        page.locator("#pick-behind").set_input_files(PHOTO)
    else:
        page.locator(f"[name=background][value={background}]").check()
    return float(page.evaluate(_ANOTHER, before)) / 1000


def visit(browser: Any, address: str, photo: Path) -> dict[str, float]:
    """Seconds of each wait, in three pages of one visitor."""
    context = browser.new_context(**DESKTOP)
    page = context.new_page()
    open_app(page, address)
    at_rest(page)
    uploaded = seconds_until(page, "preview", lambda: page.locator("#pick").set_input_files(photo))
    behind = [seconds_until_background(page, name) for name in BACKGROUNDS.values()]
    page.close()

    page = context.new_page()
    open_app(page, address)
    at_rest(page)
    example = page.get_by_role("button", name="Example: astronaut")
    chosen = seconds_until(page, "preview", example.click)
    made = seconds_until(page, "done", page.get_by_role("button", name="Make it").click)
    page.close()

    page = context.new_page()
    open_app(page, address)
    at_rest(page)
    seconds_until(page, "preview", lambda: page.locator("#pick").set_input_files(photo))
    page.wait_for_timeout(SOON)
    soon = seconds_until_another(page, "remove")
    context.close()
    return dict(zip(AIMS, (uploaded, chosen, chosen + made, made, *behind, soon), strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    from playwright.sync_api import sync_playwright

    data = large_photo()
    with tempfile.TemporaryDirectory() as place, serving(Path(place)) as app, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(CHROMIUM_ARGUMENTS))
        photo = Path(place) / "photo.jpg"
        photo.write_bytes(data)
        visits = [visit(browser, app.address, photo) for _ in range(repeats + 1)][1:]
        browser.close()
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} cores, load {load:.1f}, photo {len(data) / 1e6:.1f} MB, {repeats} visits\n")
    print("| | seconds, median | most | aim |\n|---|---|---|---|")
    for name, aim in AIMS.items():
        seconds = [it[name] for it in visits]
        print(f"| {name} | {statistics.median(seconds):.2f} | {max(seconds):.2f} | {aim:g} |")


if __name__ == "__main__":
    main()
