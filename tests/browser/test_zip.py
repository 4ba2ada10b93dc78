"""The downloaded zip, unpacked and opened by double click: the cell shown is read back from the pixels."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gaze.bundle import write_zip
from gaze.grid import Cell
from gaze.pipeline import Options, generate
from tests.browser.conftest import Record
from tests.browser.portraits import colour_at
from tests.fakes import FakeEngine, cell_of


@pytest.fixture(scope="module")
def unpacked(photo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real run of the line with frames that tell their cell, zipped and unpacked."""
    place = tmp_path_factory.mktemp("zip")
    write_zip(generate(photo, place / "made", Options(engine=FakeEngine(30), frame_size=192)).folder, place / "z.zip")
    zipfile.ZipFile(place / "z.zip").extractall(place / "a folder with spaces")
    return place / "a folder with spaces" / "gaze-portrait"


@pytest.mark.parametrize("viewport", [(1280, 800), (1600, 600), (390, 844)])
def test_index_html_shows_the_cell_that_looks_at_the_pointer(
    open_page: Callable[..., Any], record: Record, unpacked: Path, viewport: tuple[int, int]
) -> None:
    width, height = viewport
    page = open_page(viewport={"width": width, "height": height})
    page.goto((unpacked / "index.html").as_uri())
    tracker = page.locator("gaze-tracker")
    tracker.evaluate("el => { el.smoothing = 0; el.blend = 'none'; }")
    page.wait_for_function("document.querySelector('gaze-tracker').loaded")
    box = tracker.bounding_box()
    manifest = tracker.evaluate("el => el.manifest")
    face_x = box["x"] + manifest["face"]["x"] * box["width"]
    face_y = box["y"] + manifest["face"]["y"] * box["height"]
    last = manifest["gridSize"] - 1

    def expected(x: float, y: float) -> Cell:
        look_x = (x - face_x) / (width - face_x if x > face_x else face_x)
        look_y = (y - face_y) / (height - face_y if y > face_y else face_y)
        return Cell(round((look_y + 1) / 2 * last), round((look_x + 1) / 2 * last))

    for share_x, share_y in ((0.01, 0.01), (0.97, 0.04), (0.3, 0.6), (0.72, 0.35), (0.02, 0.98), (0.99, 0.99)):
        x, y = int(share_x * width), int(share_y * height)
        page.mouse.move(x, y)
        want = expected(x, y)
        page.wait_for_function(
            "([row, col]) => { const el = document.querySelector('gaze-tracker');"
            " return Math.round(el.row) === row && Math.round(el.col) === col; }",
            arg=[want.row, want.col],
        )
        page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        assert cell_of(colour_at(page, box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)) == want
    assert all(url.startswith(("file:", "data:", "blob:")) for url in record.requests)
