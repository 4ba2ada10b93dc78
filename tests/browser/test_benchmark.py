"""Pages that the benchmark of the widget measures with."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any

from PIL import Image

import benchmarks.widget
from benchmarks.widget.browsers import memory_of_children
from benchmarks.widget.subjects import PORTRAIT
from benchmarks.widget.visits import EMPTY


def test_the_page_that_memory_is_compared_with_follows_the_pointer(open_page: Any, site: Any) -> None:
    shutil.copy(Path(benchmarks.widget.__file__).with_name("measure.js"), site.folder)
    folder = site.folder / "now"
    (folder / PORTRAIT).mkdir(parents=True)
    Image.new("RGB", (16, 16)).save(folder / PORTRAIT / "poster.webp")
    (folder / "empty.html").write_text(EMPTY)
    page = open_page()
    page.goto(site.url + "now/empty.html")
    page.evaluate("measure.loaded()")
    page.evaluate("measure.drive(2000, 100)")
    alpha = "document.querySelector('canvas').getContext('2d').getImageData(9, 9, 1, 1).data[3]"
    page.wait_for_function(f"{alpha} === 255")


def test_memory_of_a_browser_is_more_than_its_own(browser: Any) -> None:
    assert browser.is_connected()
    whole, own = memory_of_children(os.getpid())
    assert whole > own > 1
