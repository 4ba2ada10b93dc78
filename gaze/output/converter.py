"""A pack from sheets that are there already, without rendering again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from gaze.errors import GazeError
from gaze.grid import Cell, GazeGrid
from gaze.output.blocks import cut_blocks
from gaze.output.metadata import METADATA, Metadata
from gaze.output.pack import PACK, Facts
from gaze.output.packing import PackBuilder
from gaze.output.validator import open_picture


def repack(
    folder: Path, quality: int = 75, video: str = "vp9", report: Callable[[int, int], None] | None = None
) -> Path:
    """Put a pack beside the sheets of a portrait, and name it in its metadata.json.

    Sheets are lossy already, so the pack is somewhat worse than they are and larger than one made while rendering.

    Args:
        folder: with metadata.json and four quadrants or one sheet, ours or the older system's.
        quality: WebP quality of the stills.
        video: "vp9", "av1" or "none".
        report: called with the frames that are read, and how many there are.

    Returns:
        The file of the pack.

    Raises:
        GazeError: the folder has no sheets that can be read, or they do not fit their metadata.
    """
    metadata = Metadata.read(folder)
    names = metadata.sheet_names
    grid = GazeGrid(_grid_size(folder, metadata))
    metadata = metadata.model_copy(
        update={"grid_size": grid.size, "quadrant_size": grid.half, "total_images": grid.count, "pack": PACK}
    )
    alpha = any("A" in open_picture(folder / name).mode for name in names)
    facts = Facts(grid.size, metadata.image_width, metadata.image_height, alpha, metadata.center)
    blocks = cut_blocks(grid.size)
    done = 0
    with PackBuilder(facts, quality, None if video == "none" else video) as builder:
        for number, name in enumerate(names):
            sheet = _pixels(folder / name, facts.alpha)
            cells = set(grid.quadrant(number) if len(names) == 4 else grid.cells())
            corner = grid.quadrant(number)[0]  # of a single sheet, the first corner too
            for block in (block for block in blocks if block.key in cells):
                while builder.is_full:
                    builder.wait(1)
                # Copies, so that the sheet can be let go before its last frames are encoded.
                frames = {cell: _cut(sheet, cell, corner, facts).copy() for cell in block.cells}
                builder.add(block, frames)
                done += len(frames)
                if report:
                    report(done, grid.count)
        temporary = folder / f".{PACK}"
        try:
            builder.write(temporary)
            temporary.replace(folder / PACK)
            metadata.write(folder)
        except OSError as error:
            raise GazeError(f"The pack could not be written to {folder}: {error.strerror}.") from error
        finally:
            temporary.unlink(missing_ok=True)
    return folder / PACK


def _grid_size(folder: Path, metadata: Metadata) -> int:
    """Rows of the whole grid. The sheets have the last word: metadata that describe another set exist."""
    names = metadata.sheet_names
    if not names:
        raise GazeError(f"{METADATA} lists no sheets, and a pack is made from sheets. Make the portrait with sheets.")
    parts = 2 if len(names) == 4 else 1
    width, height = metadata.image_width, metadata.image_height
    sizes = {open_picture(folder / name).size for name in names}
    if len(sizes) > 1:
        raise GazeError("The sheets are not of one size. Put those of one portrait together.")
    [(across, tall)] = sizes
    cells = across // width
    if (across, tall) != (cells * width, cells * height):
        raise GazeError(
            f"Sheets of {across} × {tall} pixels do not divide into frames of {width} × {height}. "
            f"Correct imageWidth and imageHeight in {METADATA}."
        )
    return GazeGrid(cells * parts).size


def _pixels(path: Path, alpha: bool) -> np.ndarray:
    picture = open_picture(path)
    try:
        return np.asarray(picture.convert("RGBA" if alpha else "RGB"))
    except (OSError, SyntaxError, ValueError) as error:
        raise GazeError(f"{path.name} is damaged or cut off. Copy it again.") from error


def _cut(sheet: np.ndarray, cell: Cell, corner: Cell, facts: Facts) -> np.ndarray:
    top, left = (cell.row - corner.row) * facts.height, (cell.col - corner.col) * facts.width
    return sheet[top : top + facts.height, left : left + facts.width]
