"""Frames into sprite sheets, sheets into WebP, and the metadata that describe them."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Generator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from gaze.errors import GazeError
from gaze.grid import MOBILE_SIZE, Cell, GazeGrid
from gaze.output.metadata import Metadata, Point
from gaze.output.spool import FrameSpool

WEBP_LIMIT = 16383
"""The longest side, in pixels, that a WebP picture can have."""

_EFFORT_PIXELS = 30_000_000
"""Above about 33 million pixels, methods 3 and up overflow libwebp's mode partition: it silently encodes again, four
times slower. Methods 0 to 2 do not (benchmarks/RESULTS.md)."""

_BYTES_PER_PIXEL = {3: 9.5, 4: 23.0}
"""Memory that a sheet and its encoder take, by channels: 3 or 4 for the picture, the rest for libwebp
(benchmarks/RESULTS.md)."""

_MEMORY = 520_000_000
"""Bytes that sheets in work may take together, however many cores there are; one that needs more is encoded alone."""

MODES = ("quadrants", "single")
POSTER = "poster.webp"
ALPHA_QUALITY = 50


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
    """The sheets of a grid, in groups that show the same part of it.

    In "quadrants" mode each group is a quadrant, then the mobile sheet cut from the same cells, where the grid is
    larger than that. In "single" mode there is one sheet of the whole grid.
    """
    if mode == "single":
        whole = tuple(Cell(row, col) for row in range(grid.size) for col in range(grid.size))
        return [[Sheet("sheet.webp", whole)]]
    if grid.size <= MOBILE_SIZE:
        return [[Sheet(f"q{q}.webp", tuple(grid.quadrant(q)))] for q in range(4)]
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
            f"pixels; WebP allows {WEBP_LIMIT}. Choose a smaller sheet size or a smaller grid."
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
    # Lossless alpha, the default, costs as much as the picture itself.
    picture.save(out, "WEBP", quality=quality, method=effort, alpha_quality=ALPHA_QUALITY)
    return out.getvalue()


def write_sheets(
    sheets: Sequence[Sheet], spool: FrameSpool, folder: Path, quality: int, effort: int
) -> Generator[list[Sheet], None, None]:
    """Encode sheets and write their files, as many at a time as cores and memory allow.

    Args:
        sheets: in this order.
        spool: holds the frame of every cell that they show.

    Yields:
        The sheets that are written, twice a second and whenever there is another. Closing the generator stops it.
    """
    waiting, written = list(sheets), list[Sheet]()
    encoding: dict[Future[bytes], Sheet] = {}
    pool = ThreadPoolExecutor(os.cpu_count())
    height, width, channels = spool.shape

    def need(sheet: Sheet) -> float:
        return sheet.side**2 * height * width * _BYTES_PER_PIXEL[channels]

    try:
        while waiting or encoding:
            fits = waiting and sum(map(need, [*encoding.values(), waiting[0]])) <= _MEMORY
            if waiting and (fits or not encoding) and len(encoding) < (os.cpu_count() or 1):
                canvas = SheetCanvas(waiting.pop(0), height, width, channels)
                for cell in dict.fromkeys(canvas.sheet.cells):
                    canvas.put(cell, spool.get(cell))
                encoding[pool.submit(encode_webp, canvas.picture, quality, effort)] = canvas.sheet
                del canvas  # else its picture would outlive its encoding
                continue
            done, _ = wait(encoding, timeout=0.5, return_when=FIRST_COMPLETED)
            for future in done:
                sheet = encoding.pop(future)
                (folder / sheet.name).write_bytes(future.result())
                written.append(sheet)
            yield written
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def sheet_frame(width: int, height: int, longest: int) -> tuple[int, int]:
    """Width and height of a sheet's frame: even, at most so long, and no larger than the portrait itself.

    Args:
        width, height: of the portrait in pixels.
        longest: the longer side.
    """
    scale = min(1.0, longest / max(width, height))
    across, down = (max(2, round(side * scale / 2) * 2) for side in (width, height))
    return across, down


def describe(
    grid: GazeGrid, mode: str, size: tuple[int, int], center: tuple[float, float], engine: str, alpha: bool = False
) -> Metadata:
    """The metadata of a portrait that has no sheets and no pack yet; files have their usual names.

    Args:
        grid: the looks.
        mode: of the sheets.
        size: width and height of a sheet's frame.
        center: the point between the eyes, as fractions of width and height.
        engine: its name.
        alpha: whether frames are transparent somewhere.
    """
    return Metadata(
        grid_size=grid.size,
        quadrant_size=grid.half,
        mobile_grid_size=grid.size,
        mobile_quadrant_size=grid.half,
        image_width=size[0],
        image_height=size[1],
        has_alpha=alpha,
        format="webp",
        mode="single" if mode == "single" else "quadrants",
        total_images=grid.count,
        version=2,
        sheets=(),
        mobile_sheets=(),
        poster=POSTER,
        face=Point(x=round(center[0], 4), y=round(center[1], 4)),
        engine=engine,
    )


def list_sheets(metadata: Metadata, grid: GazeGrid, mode: str, size: tuple[int, int]) -> Metadata:
    """The metadata of the same portrait once its sheets are there.

    Args:
        grid, mode, size: as for `describe`.
    """
    groups = plan_sheets(grid, mode)
    mobile = tuple(group[1].name for group in groups if len(group) > 1)
    return metadata.model_copy(
        update={
            "mobile_grid_size": MOBILE_SIZE if mobile else grid.size,
            "mobile_quadrant_size": MOBILE_SIZE // 2 if mobile else grid.half,
            "image_width": size[0],
            "image_height": size[1],
            "mode": "single" if mode == "single" else "quadrants",
            "sheets": tuple(group[0].name for group in groups),
            "mobile_sheets": mobile,
        }
    )
