"""A portrait without its background, from the photo to the page: the page is seen around it."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gaze.options import Options
from gaze.output.bundle import write_zip
from gaze.pipeline.making import generate
from tests.browser.driving import box, look_at, wait_at_rest, wait_loaded
from tests.browser.portraits import pixels
from tests.green import greenness, write_network

SIZE = 4
PAGE = (40, 90, 200)


@pytest.fixture(scope="module")
def unpacked(green_photo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real run of the line, zipped and unpacked."""
    place = tmp_path_factory.mktemp("cutout")
    options = Options(engine="warp", size=SIZE, keys=5, frame_size=256, remove_background=True, matting="finest")
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("GAZE_MATTING_MODEL", str(write_network(place / "green.onnx")))
        write_zip(generate(green_photo, place / "made", options).folder, place / "z.zip")
    zipfile.ZipFile(place / "z.zip").extractall(place / "unpacked")
    return place / "unpacked" / "gaze-portrait"


@pytest.mark.parametrize("way", ["video", "stills", "sheets"])
def test_the_page_is_seen_around_the_person(open_page: Callable[..., Any], site: Any, unpacked: Path, way: str) -> None:
    shutil.copytree(unpacked, site.folder / "portrait")
    if way == "sheets":
        facts = json.loads((unpacked / "metadata.json").read_text())
        (site.folder / "portrait" / "metadata.json").write_text(json.dumps({**facts, "pack": None}))
    (site.folder / "index.html").write_text(
        f"""<!doctype html><html lang="en"><title>test</title>
        <style>body {{ margin: 0; background: rgb{PAGE} }} gaze-tracker {{ width: 300px; margin: 50px }}</style>
        <script src="portrait/gaze-tracker.js"></script>
        <gaze-tracker src="portrait/" smoothing="0" alt="Portrait"></gaze-tracker>"""
    )
    page = open_page(viewport={"width": 400, "height": 450})
    if way == "stills":
        page.add_init_script("delete window.VideoDecoder")
    page.goto(site.url)
    wait_loaded(page)
    here = box(page)
    clip = {"x": here["left"], "y": here["top"], "width": here["width"], "height": here["height"]}
    for row, col in ((0, 0), (3, 3), (3, 0)):  # corners, wherever in the picture the face is
        look_at(page, row, col, SIZE)
        wait_at_rest(page)
        shown = pixels(page, clip=clip)
        apart = np.abs(shown.astype(int) - PAGE).max(-1)
        # The person in the picture ends at its lower edge, above which the video's alpha begins.
        # The outermost pixels are left out: coding mixes them with what lies beside the picture.
        assert max(apart[:30, 2:80].max(), apart[:30, -80:-2].max()) <= 2
        height, width = apart.shape
        middle = np.s_[height // 3 : height // 2, width * 2 // 5 : width * 3 // 5]
        assert np.quantile(apart[middle], 0.05) > 40
        assert np.quantile(greenness(shown), 0.999) < 60
