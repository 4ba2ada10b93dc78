"""Frames into sprite sheets, sheets into WebP, and the `metadata.json` that describes them."""

from __future__ import annotations

import io
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from gaze.errors import GazeError
from gaze.faces import Face
from gaze.grid import MOBILE_SIZE, Cell, GazeGrid

WEBP_LIMIT = 16383
"""The longest side, in pixels, that a WebP picture can have."""

_EFFORT_PIXELS = 30_000_000
"""Above about 33 million pixels, methods 3 and up overflow libwebp's mode partition: it silently encodes again, four
times slower. Methods 0 to 2 do not (benchmarks/RESULTS.md)."""

MODES = ("quadrants", "single")
POSTER = "poster.webp"
METADATA = "metadata.json"


@dataclass(frozen=True)
class Sheet:
    """One sprite sheet: its file's name and the cells it shows, row by row.

    Attributes:
        name: file name.
        cells: `side` × `side` cells of the full grid.
    """

    name: str
    cells: tuple[Cell, ...]

    @property
    def side(self) -> int:
        """Rows and columns of the sheet."""
        return math.isqrt(len(self.cells))


def plan_sheets(grid: GazeGrid, mode: str = "quadrants") -> list[list[Sheet]]:
    """The sheets of a grid, in groups that can be written once the cells of their first sheet are rendered.

    In "quadrants" mode each group is a quadrant, then the mobile sheet cut from the same cells. In "single" mode there
    is one sheet of the whole grid.
    """
    if mode == "single":
        whole = tuple(Cell(row, col) for row in range(grid.size) for col in range(grid.size))
        return [[Sheet("sheet.webp", whole)]]
    axis = grid.subsample(MOBILE_SIZE)
    half = MOBILE_SIZE // 2
    groups = []
    for q in range(4):
        rows, cols = axis[q // 2 * half :][:half], axis[q % 2 * half :][:half]
        mobile = tuple(Cell(row, col) for row in rows for col in cols)
        groups.append([Sheet(f"q{q}.webp", tuple(grid.quadrant(q))), Sheet(f"q{q}_{MOBILE_SIZE}.webp", mobile)])
    return groups


def check_sheets(groups: list[list[Sheet]], width: int, height: int) -> None:
    """Refuse sheets that WebP cannot hold.

    Raises:
        GazeError: a side would be longer than `WEBP_LIMIT`.
    """
    side = max(sheet.side for group in groups for sheet in group)
    if side * max(width, height) > WEBP_LIMIT:
        raise GazeError(
            f"Sheets of {side} × {side} frames of {width} × {height} pixels would be {side * width} × {side * height} "
            f"pixels; WebP allows {WEBP_LIMIT}. Choose a smaller frame size or a smaller grid."
        )


class SheetCanvas:
    """The picture of a sheet while its frames arrive, in any order.

    It is a Pillow picture from the start, as the encoder wants it: a copy of a large sheet would cost 200 MB.
    """

    def __init__(self, sheet: Sheet, height: int, width: int, channels: int = 3) -> None:
        self.sheet = sheet
        mode = {3: "RGB", 4: "RGBA"}[channels]
        self.picture = Image.new(mode, (sheet.side * width, sheet.side * height))
        self._places: dict[Cell, list[int]] = {}
        for place, cell in enumerate(sheet.cells):
            self._places.setdefault(cell, []).append(place)

    def put(self, cell: Cell, frame: np.ndarray) -> None:
        """Place a frame (height, width, channels) uint8; a cell that the sheet does not show is passed over."""
        picture = Image.fromarray(frame)
        for place in self._places.get(cell, ()):
            row, col = divmod(place, self.sheet.side)
            self.picture.paste(picture, (col * picture.width, row * picture.height))


def encode_webp(picture: Image.Image, quality: int = 70, effort: int = 4) -> bytes:
    """A picture as lossy WebP; runs outside Python's lock.

    Args:
        picture: RGB or RGBA.
        quality: 1 to 100.
        effort: libwebp's method, 0 fast to 6 slow; large pictures get no more than 2.
    """
    if picture.width * picture.height > _EFFORT_PIXELS:
        effort = min(effort, 2)
    out = io.BytesIO()
    picture.save(out, "WEBP", quality=quality, method=effort)
    return out.getvalue()


def metadata(grid: GazeGrid, mode: str, width: int, height: int, face: Face) -> dict[str, Any]:
    """What `metadata.json` says: the fields other widgets read, then ours (docs/format.md)."""
    groups = plan_sheets(grid, mode)
    quadrants = mode == "quadrants"
    x, y = face.centre
    return {
        "gridSize": grid.size,
        "quadrantSize": grid.half,
        "mobileGridSize": MOBILE_SIZE if quadrants else grid.size,
        "mobileQuadrantSize": MOBILE_SIZE // 2 if quadrants else grid.half,
        "imageWidth": width,
        "imageHeight": height,
        "hasAlpha": False,
        "format": "webp",
        "mode": mode,
        "totalImages": grid.count,
        "version": 1,
        "sheets": [group[0].name for group in groups],
        "mobileSheets": [group[1].name for group in groups if len(group) > 1],
        "poster": POSTER,
        "face": {"x": round(x / width, 4), "y": round(y / height, 4)},
    }
