"""Fake portraits for the widget: sheets whose frames tell their cell by their colour, and pages that show them."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from gaze.grid import Cell, GazeGrid
from gaze.motion.eyes import Eyes
from gaze.motion.keys import key_axis, key_looks
from gaze.motion.tracking import find_motion
from gaze.output.bundle import pack_script
from gaze.output.metadata import METADATA
from gaze.output.pack import PACK, STILLS_PACK, Facts
from gaze.output.packing import Coding, KeyEncoder
from tests.fakes import cell_frame

WIDGET = Path(__file__).parents[2] / "gaze" / "widget" / "gaze-tracker.js"
SECOND = WIDGET.with_name("gaze-tracker-more.js")

WIDTH, HEIGHT = 20, 25
"""Size of a fake frame."""

Frame = Callable[[Any, int, int], np.ndarray]


def sheet(
    cells: list[Cell], across: int, frame: Frame = cell_frame, size: tuple[int, int] = (WIDTH, HEIGHT)
) -> Image.Image:
    """The frames of these cells, row by row."""
    rows = [np.hstack([frame(cell, *size) for cell in cells[i : i + across]]) for i in range(0, len(cells), across)]
    return Image.fromarray(np.vstack(rows))


def write_portrait(
    folder: Path, size: int = 10, mobile: int | None = None, frame: Frame = cell_frame, **more: Any
) -> dict[str, Any]:
    """Writes lossless quadrant sheets and metadata.json, as docs/format.md says; returns the metadata.

    Args:
        mobile: rows of the second set, whose frames are of those cells' own colours.
        more: further fields of metadata.json; None leaves a field out.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for grid_size, suffix in ((size, ""), (mobile, f"_{mobile}")):
        if grid_size:
            grid = GazeGrid(grid_size)
            for i in range(4):
                sheet(grid.quadrant(i), grid.half, frame).save(folder / f"q{i}{suffix}.webp", lossless=True)
    metadata = {
        "gridSize": size,
        "quadrantSize": size // 2,
        "mobileGridSize": mobile,
        "mobileQuadrantSize": mobile and mobile // 2,
        "imageWidth": WIDTH,
        "imageHeight": HEIGHT,
        "hasAlpha": False,
        "format": "webp",
        "mode": "quadrants",
        "totalImages": size * size,
        **more,
    }
    metadata = {name: value for name, value in metadata.items() if value is not None}
    (folder / "metadata.json").write_text(json.dumps(metadata))
    return metadata


def write_pack(folder: Path, size: int = 10, frame: Frame = cell_frame, codec: str | None = "vp9", **more: Any) -> None:
    """Puts a pack into a portrait's folder, and names it in its metadata.json.

    Args:
        more: of the metadata; `imageWidth`, `imageHeight` and `hasAlpha` are those of the frames.
    """
    facts = {"imageWidth": WIDTH, "imageHeight": HEIGHT, "hasAlpha": False, "gridSize": size, "pack": PACK, **more}
    width, height = facts["imageWidth"], facts["imageHeight"]
    axis = key_axis(size, 5)
    keys = {number: frame(look, width, height) for number, look in enumerate(key_looks(axis))}
    folder.mkdir(parents=True, exist_ok=True)
    eyes = Eyes.about(width, height, (0.5, 0.4))
    with KeyEncoder(Facts(size, width, height, facts["hasAlpha"]), keys, Coding(100, codec)) as encoder:
        encoder.write(folder, find_motion(keys, axis, eyes))
    if codec:
        facts["stills"] = STILLS_PACK
    known = json.loads((folder / METADATA).read_text()) if (folder / METADATA).exists() else {}
    (folder / METADATA).write_text(json.dumps({**known, **facts}))
    (folder / f"{PACK}.js").write_text(pack_script(folder / PACK))


def write_page(
    folder: Path,
    body: str = "<gaze-tracker></gaze-tracker>",
    head: str = "",
    name: str = "index.html",
    width: int = 200,
) -> None:
    """A page with the widget's script beside it and trackers of `width` CSS pixels."""
    for script in (WIDGET, SECOND):
        (folder / script.name).write_bytes(script.read_bytes())
    (folder / name).write_text(
        f"""<!doctype html><html lang="en"><meta charset="utf-8"><title>test</title>
        <meta name="viewport" content="width=device-width">
        <style>body {{ margin: 0 }} gaze-tracker {{ width: {width}px }}</style>
        <script>
          window.events = [];
          for (const type of ["load", "progress", "error", "gazechange"])
            document.addEventListener(type, (e) => "detail" in e && events.push({{type, ...e.detail}}), true);
        </script>
        <script src="gaze-tracker.js"></script>{head}
        {body}"""
    )


def pixels(page: Any, **options: Any) -> np.ndarray:
    """What the page shows, (height, width, 3) uint8, RGB."""
    return np.asarray(Image.open(io.BytesIO(page.screenshot(**options))).convert("RGB"))


def colour_at(page: Any, x: float, y: float) -> tuple[int, int, int]:
    """The colour the page shows at a point of the viewport, in CSS pixels."""
    r, g, b = pixels(page, clip={"x": int(x), "y": int(y), "width": 1, "height": 1}, scale="css")[0, 0]
    return int(r), int(g), int(b)
