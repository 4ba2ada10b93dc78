"""The face in a PixiJS scene. Needs pixi.js from npm and a Chromium with (software) WebGL."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gaze.grid import Cell
from tests.browser.conftest import CHROMIUM_ARGUMENTS, find_chromium
from tests.browser.driving import SHEETS, TRACKER, events, look_at, poll_colour_at, wait_loaded
from tests.browser.npm import require
from tests.browser.portraits import write_page, write_portrait
from tests.fakes import cell_colour


@pytest.fixture(scope="module")
def pixi() -> Path:
    """The folder of PixiJS's scripts."""
    return require("pixi.js") / "dist"


@pytest.fixture(scope="module")
def webgl_browser(browser: Any) -> Iterator[Any]:
    arguments = [argument for argument in CHROMIUM_ARGUMENTS if argument != "--disable-gpu"]
    software = ["--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"]
    other = browser.browser_type.launch(executable_path=find_chromium(), args=arguments + software)
    yield other
    other.close()


@pytest.fixture
def webgl_page(webgl_browser: Any, open_page: Any) -> Any:
    return open_page(webgl_browser)


SCENE = """
    <script %s>
      %s
      const faces = [...document.querySelectorAll("gaze-tracker")];
      addEventListener("DOMContentLoaded", async () => {
        const app = new PIXI.Application();
        await app.init({width: 500, height: 250, preference: "webgl", antialias: false});
        app.canvas.style = "position: absolute; left: 0; top: 0";
        document.body.append(app.canvas);
        for (const [i, face] of faces.entries()) {
          if (!face.loaded) await new Promise((done) => face.addEventListener("load", done, {once: true}));
          const sprite = new PIXI.Sprite(face.texture);
          sprite.x = i * 250;
          sprite.setSize(200, 250);
          app.stage.addChild(sprite);
        }
        window.ready = true;
      });
    </script>
"""

FACE = (
    f'<gaze-tracker {SHEETS} renderer="pixi" smoothing="0" follow="none" '
    'style="position: absolute; top: 0; visibility: hidden" {}></gaze-tracker>'
)

COUNT_CONTEXTS = """
    window.contexts = 0;
    for (const Canvas of [HTMLCanvasElement, OffscreenCanvas]) {
        const get = Canvas.prototype.getContext;
        Canvas.prototype.getContext = function (kind, ...rest) {
            if (kind.startsWith("webgl") && this.width * this.height > 1) contexts += 1;
            return get.call(this, kind, ...rest);
        };
    }
"""


@pytest.mark.parametrize("way", ["the page's PIXI", "pixi-src"])
def test_face_in_a_scene(webgl_page: Any, site: Any, pixi: Path, way: str) -> None:
    page = webgl_page
    page.add_init_script(COUNT_CONTEXTS)
    write_portrait(site.folder / "portrait")
    name = "pixi.min.js" if way == "the page's PIXI" else "pixi.min.mjs"
    shutil.copy(pixi / name, site.folder / name)
    if way == "the page's PIXI":
        scene = '<script src="pixi.min.js"></script>' + FACE.format("") * 2 + SCENE % ("", "")
    else:
        module = SCENE % ('type="module"', 'import * as PIXI from "./pixi.min.mjs";')
        scene = FACE.format('pixi-src="pixi.min.mjs"') * 2 + module
    write_page(site.folder, scene)
    page.goto(site.url)
    page.wait_for_function("window.ready")
    for row, col in [(3, 6), (8, 1), (0.5, 4.5)]:
        look_at(page, row, col)
        poll_colour_at(page, 100, 125, (row * 8 + 4, col * 8 + 4, 128), tolerance=1)
    poll_colour_at(page, 350, 125, (40, 40, 128), tolerance=1)  # the other face looks straight ahead
    assert page.evaluate("contexts") == 1  # the scene's own
    page.evaluate("document.querySelectorAll('gaze-tracker').forEach((tracker) => tracker.remove())")
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def test_without_pixi_there_is_an_error_and_a_face(webgl_page: Any, site: Any, record: Any) -> None:
    write_portrait(site.folder / "portrait")
    write_page(
        site.folder,
        f'<gaze-tracker {SHEETS} renderer="pixi" smoothing="0" follow="none"></gaze-tracker>',
    )
    page = webgl_page
    page.goto(site.url)
    wait_loaded(page)
    [error] = events(page, "error")
    assert "pixi-src" in error["message"]
    look_at(page, 3, 6)
    poll_colour_at(page, 100, 125, cell_colour(Cell(3, 6)))
    assert page.evaluate(f"{TRACKER}.texture") is None


def test_without_the_attribute_nothing_is_loaded(page: Any, site: Any, record: Any) -> None:
    write_portrait(site.folder / "portrait")
    write_page(site.folder, f'<gaze-tracker {SHEETS} pixi-src="pixi.min.mjs"></gaze-tracker>')
    page.goto(site.url)
    wait_loaded(page)
    assert not any("pixi" in url for url in record.requests)
