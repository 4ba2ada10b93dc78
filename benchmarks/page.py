"""How long a person waits on the app's page in Chromium: for the living preview, another background, and the finished
portrait.

    .venv/bin/python -m benchmarks.page
    .venv/bin/python -m benchmarks.page --before FOLDER --only backgrounds hurried

In a browser with no GPU: the processor draws what is seen. A wait begins with the event in the page, and ends when the
face is drawn, to the last pixel. A first visit warms the app up and is not counted; each later one begins with a page
that is at rest.
"""

from __future__ import annotations

import argparse
import io
import os
import statistics
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.instant import PHOTO
from tests.browser.app_page import DESKTOP, open_app, wait_state
from tests.browser.conftest import CHROMIUM_ARGUMENTS, find_chromium
from tests.serving import serving

ROOT = Path(__file__).resolve().parents[1]
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
    if ('drawn' in window) return;
    window.drawn = null; // the base of the portrait that was drawn last
    const {drawImage} = CanvasRenderingContext2D.prototype;
    CanvasRenderingContext2D.prototype.drawImage = function (...all) {
        const {host} = this.canvas.getRootNode();
        if (host?.loaded) drawn = host.manifest?.base;
        return drawImage.apply(this, all);
    };
}"""
_SEEN = """async (before) => {
    const face = document.querySelector('gaze-tracker');
    const canvas = face.shadowRoot.querySelector('canvas');
    const frame = () => new Promise(requestAnimationFrame);
    const isSeen = (base) => face.loaded && face.style.visibility !== 'hidden' && base === drawn && base !== before;
    while (!isSeen(face.manifest?.base)) await frame();
    const scratch = new OffscreenCanvas(1, 1).getContext('2d', {willReadFrequently: true});
    scratch.drawImage(canvas, 0, 0);
    scratch.getImageData(0, 0, 1, 1); // waits until all is drawn
    await frame();
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
UPLOAD = "upload of a photo of 2 MB → living preview"
EXAMPLE = "click on the example → living preview"
AT_ONCE = "click on the example, and “Make it” at once → finished portrait"
MAKE = "click on “Make it” → finished portrait"
CLICK = "click on the background “{}” → seen"
HURRIED = "click on the background “None” a second after the preview → seen"
AIMS = {
    **{UPLOAD: 1.0, EXAMPLE: 1.0, AT_ONCE: 6.0, MAKE: 6.0},
    **{CLICK.format(name): 0.5 for name in BACKGROUNDS},
    HURRIED: 0.5,
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
    return float(page.evaluate(_SEEN, before)) / 1000


def backgrounds(page: Any, photo: Path) -> list[float]:
    """Seconds of an upload, and of each background after it."""
    uploaded = seconds_until(page, "preview", lambda: page.locator("#pick").set_input_files(photo))
    return [uploaded, *(seconds_until_background(page, name) for name in BACKGROUNDS.values())]


def portrait(page: Any, _: Path) -> list[float]:
    """Seconds of the example's preview, of both, and of the finished portrait."""
    chosen = seconds_until(page, "preview", page.get_by_role("button", name="Example: astronaut").click)
    made = seconds_until(page, "done", page.get_by_role("button", name="Make it").click)
    return [chosen, chosen + made, made]


def hurried(page: Any, photo: Path) -> list[float]:
    """Seconds of a background that is chosen soon after an upload."""
    seconds_until(page, "preview", lambda: page.locator("#pick").set_input_files(photo))
    page.wait_for_timeout(SOON)
    return [seconds_until_another(page, "remove")]


VISITS: dict[Callable[[Any, Path], list[float]], list[str]] = {
    backgrounds: [UPLOAD, *(CLICK.format(name) for name in BACKGROUNDS)],
    portrait: [EXAMPLE, AT_ONCE, MAKE],
    hurried: [HURRIED],
}
"""Pages of one visitor, and what is measured in each."""


def visit(browser: Any, address: str, photo: Path, only: list[str]) -> dict[str, float]:
    """Seconds of each wait."""
    context = browser.new_context(**DESKTOP)
    found: dict[str, float] = {}
    for act, names in VISITS.items():
        if act.__name__ not in only:
            continue
        page = context.new_page()
        open_app(page, address)
        at_rest(page)
        found |= zip(names, act(page, photo), strict=True)
        page.close()
    context.close()
    return found


def main() -> None:
    kinds = [act.__name__ for act in VISITS]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=kinds, default=kinds)
    parser.add_argument("--before", type=Path, help="folder of another version, measured in turn with this one")
    arguments = parser.parse_args()
    from playwright.sync_api import sync_playwright

    data = large_photo()
    versions = {**({"before": arguments.before} if arguments.before else {}), "now": ROOT}
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        browser = stack.enter_context(sync_playwright()).chromium.launch(
            executable_path=find_chromium(), args=list(CHROMIUM_ARGUMENTS)
        )
        photo = place / "photo.jpg"
        photo.write_bytes(data)
        addresses = {}
        for version, folder in versions.items():
            (place / version).mkdir()
            addresses[version] = stack.enter_context(serving(place / version, folder=folder)).address
        visits: dict[str, list[dict[str, float]]] = {version: [] for version in versions}
        for _ in range(arguments.repeats + 1):
            for version, address in addresses.items():
                visits[version].append(visit(browser, address, photo, arguments.only))
        browser.close()
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} cores, load {load:.1f}, photo {len(data) / 1e6:.1f} MB, {arguments.repeats} visits\n")
    print(f"| seconds | {' | '.join(f'{it}: median | most' for it in versions)} | aim |")
    print("|---|" + "---|---|" * len(versions) + "---|")
    for name, aim in AIMS.items():
        waits = [[found[name] for found in visits[version][1:] if name in found] for version in versions]
        if all(waits):
            cells = " | ".join(f"{statistics.median(list_):.2f} | {max(list_):.2f}" for list_ in waits)
            print(f"| {name} | {cells} | {aim:g} |")


if __name__ == "__main__":
    main()
