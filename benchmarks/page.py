"""How long a person waits on the app's page in Chromium: for the living preview, and for the finished portrait.

    .venv/bin/python -m benchmarks.page

A first visit warms the app up and is not counted; each later one is a page of its own, in a browser with no GPU.
"""

from __future__ import annotations

import argparse
import io
import os
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tests.browser.app_page import DESKTOP, open_app, wait_loaded, wait_state
from tests.browser.conftest import CHROMIUM_ARGUMENTS, find_chromium
from tests.serving import serving

PHOTO = Path(__file__).resolve().parents[1] / "gaze" / "ui" / "examples" / "astronaut.jpg"
BYTES = 2_000_000
AIMS = {
    "upload of a photo of 2 MB → living preview": 1.0,
    "click on the example → living preview": 1.0,
    "click on the example → finished portrait": 6.0,
    "click on “Make it” → finished portrait": 6.0,
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


def visit(browser: Any, address: str, photo: bytes) -> dict[str, float]:
    """Seconds of each wait, in one visit."""
    context = browser.new_context(**DESKTOP)
    page = context.new_page()
    open_app(page, address)
    started = time.perf_counter()
    page.locator("#pick").set_input_files({"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": photo})
    wait_state(page, "preview")
    wait_loaded(page)
    waited = {"upload of a photo of 2 MB → living preview": time.perf_counter() - started}

    page.get_by_role("button", name="New photo").click()
    wait_state(page, "empty")
    wait_loaded(page)
    started = time.perf_counter()
    page.get_by_role("button", name="Example: astronaut").click()
    wait_state(page, "preview")
    wait_loaded(page)
    waited["click on the example → living preview"] = time.perf_counter() - started
    pressed = time.perf_counter()
    page.get_by_role("button", name="Make it").click()
    wait_state(page, "done")
    wait_loaded(page)
    waited["click on the example → finished portrait"] = time.perf_counter() - started
    waited["click on “Make it” → finished portrait"] = time.perf_counter() - pressed
    context.close()
    return waited


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeats", type=int, default=5)
    repeats = parser.parse_args().repeats
    from playwright.sync_api import sync_playwright

    photo = large_photo()
    with tempfile.TemporaryDirectory() as place, serving(Path(place)) as app, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(CHROMIUM_ARGUMENTS))
        visits = [visit(browser, app.address, photo) for _ in range(repeats + 1)][1:]
        browser.close()
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} cores, load {load:.1f}, photo {len(photo) / 1e6:.1f} MB, {repeats} visits\n")
    print("| | seconds, median | most | aim |\n|---|---|---|---|")
    for name, aim in AIMS.items():
        seconds = [it[name] for it in visits]
        print(f"| {name} | {statistics.median(seconds):.2f} | {max(seconds):.2f} | {aim:g} |")


if __name__ == "__main__":
    main()
