"""The notebook, executed from top to bottom as it stands, and the portrait that it shows, in a browser."""

from __future__ import annotations

import base64
import copy
import io
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import nbformat
import pytest
from PIL import Image

from notebooks.execute import execute, keep
from tests.browser.conftest import Record
from tests.browser.driving import wait_at_rest
from tests.browser.portraits import pixels
from tests.conftest import ROOT

NOTEBOOK = ROOT / "notebooks" / "gaze_walkthrough.ipynb"
SMALL = "options = gaze.Options(size=8, frame_size=192, sheets=False)"
_SHOWING = {"photo", "make", "looks", "keys", "strengths", "cutout", "zip", "call"}
"""Cells of which something is seen."""


def read() -> Any:
    return nbformat.read(NOTEBOOK, as_version=4)


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The notebook with its outputs, made in small."""
    place = tmp_path_factory.mktemp("notebook")
    notebook = read()
    [parameters] = [i for i, cell in enumerate(notebook.cells) if "parameters" in cell.metadata.get("tags", ())]
    notebook.cells.insert(parameters + 1, nbformat.v4.new_code_cell(SMALL))
    with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(1) as thread:
        patch.setenv("GAZE_STORE", str(place / "store"))
        patch.setenv("TMPDIR", str(place))
        # In a thread of its own: playwright has a loop in this one, and the client makes another.
        return thread.submit(execute, notebook, ROOT).result()


def output(notebook: Any, cell: str, kind: str) -> str:
    """What a cell showed, in one kind of output: "text" is what it printed."""
    outputs = next(each for each in notebook.cells if each.id == cell).outputs
    if kind == "text":
        return "".join(each.text for each in outputs if each.output_type == "stream" and each.name == "stdout")
    return "".join(each.data[kind] for each in outputs if kind in each.get("data", {}))


def test_every_cell_does_what_it_says(executed: Any) -> None:
    assert "Rendering frame" in output(executed, "make", "text")
    assert "The engine “warp” made it; its zip is" in output(executed, "call", "text")
    assert re.search(r"gaze-portrait\.zip: \d+\.\d+ MB", output(executed, "zip", "text"))
    assert "http://127.0.0.1:" in output(executed, "app", "text/html")
    for plot in ("looks", "keys", "strengths"):
        assert len(output(executed, plot, "image/jpeg")) > 10_000, plot


@pytest.mark.parametrize("cell", ["make", "cutout"])
def test_its_portrait_follows_without_a_server(
    executed: Any, open_page: Callable[..., Any], record: Record, tmp_path: Path, cell: str
) -> None:
    (tmp_path / "output.html").write_text(f"<!doctype html>{output(executed, cell, 'text/html')}", encoding="utf-8")
    page = open_page(viewport={"width": 700, "height": 600})
    page.goto((tmp_path / "output.html").as_uri())
    frame = page.locator("iframe").element_handle().content_frame()
    frame.wait_for_function("document.querySelector('gaze-tracker')?.loaded")
    frame.evaluate(
        "document.querySelector('gaze-tracker').addEventListener('gazechange', ({detail: {x, y}}) => (look = [x, y]))"
    )
    shown = []
    for x, y, corner in ((20, 20, (-1, -1)), (680, 470, (1, 1))):
        page.mouse.move(x, y)
        wait_at_rest(frame)
        assert frame.evaluate("look") == pytest.approx(corner, abs=0.2)
        shown.append(pixels(page))
    assert abs(shown[0].astype(int) - shown[1]).mean() > 3
    assert all(url.startswith(("file:", "data:", "blob:", "about:")) for url in record.requests)


def test_it_is_kept_with_what_one_run_showed() -> None:
    """Whoever only looks at it sees pictures, and nothing of the machine that made them."""
    code = [cell for cell in read().cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1)), "run whole, from top to bottom"
    assert {cell.id for cell in code if cell.outputs} == _SHOWING
    for cell in code:
        assert not any(each.output_type == "error" for each in cell.outputs)
        assert "/tmp" not in str(cell.outputs)
        assert str(Path.home()) not in str(cell.outputs)
    assert NOTEBOOK.stat().st_size < 1_000_000


def test_what_is_kept_is_small_and_needs_no_script(executed: Any) -> None:
    kept = copy.deepcopy(executed)
    keep(kept)
    assert output(kept, "make", "text/html") == ""
    for cell, kind in (("make", "jpeg"), ("cutout", "png")):
        poster = Image.open(io.BytesIO(base64.b64decode(output(kept, cell, f"image/{kind}"))))
        assert max(poster.size) >= 128
        assert poster.has_transparency_data == (cell == "cutout")
    assert len(nbformat.writes(kept)) < 1_000_000


def test_it_names_one_repository_and_the_gradio_of_the_space() -> None:
    text = "\n".join(cell.source for cell in read().cells)
    [repository] = re.findall(r'^REPOSITORY = "(.+?)"', text, re.MULTILINE)
    assert f"colab.research.google.com/github/{repository}/blob/main/{NOTEBOOK.relative_to(ROOT)}" in text
    [version] = re.findall(r"^sdk_version: (.+)$", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert f"gradio=={version}" in text
