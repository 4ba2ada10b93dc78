"""Sprite sheets read again: the frames of their cells, in a folder of this version or an older one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from gaze.errors import GazeError
from gaze.grid import MOBILE_SIZE, Cell, GazeGrid
from gaze.output.metadata import METADATA, Metadata
from gaze.output.sprites import WEBP_LIMIT

_FORMATS = ("WEBP", "AVIF", "PNG", "JPEG", "GIF")
"""Those that browsers show. Of what else Pillow reads, some is handed to other programs (EPS)."""


class SheetReader:
    """The sheets of a folder.

    Args:
        folder: with metadata.json and four quadrants, or one sheet.
        metadata: of the folder.

    Attributes:
        grid: the sheets' own. They have the last word: metadata that describe another set exist.
        width, height: pixels of a frame.
        alpha: whether frames are transparent somewhere.

    Raises:
        GazeError: there are no sheets, or they do not fit their metadata.
    """

    def __init__(self, folder: Path, metadata: Metadata) -> None:
        self._folder = folder
        self.width, self.height = metadata.image_width, metadata.image_height
        self._names = _names(folder, metadata)
        self.grid = GazeGrid(self._size())
        self.alpha = any("A" in open_picture(folder / name).getbands() for name in self._names)

    def frames(self, cells: Sequence[Cell]) -> Iterator[tuple[Cell, np.ndarray]]:
        """The frames of cells, (height, width, 3 or 4) uint8, in the order of the sheets: one is in memory at a time.

        Raises:
            GazeError: a sheet is damaged.
        """
        wanted = set(cells)
        for number, name in enumerate(self._names):
            own = self.grid.quadrant(number) if len(self._names) == 4 else list(self.grid.cells())
            here = [cell for cell in own if cell in wanted]
            if not here:
                continue
            sheet = _pixels(self._folder / name, self.alpha)
            for cell in here:
                top, left = (cell.row - own[0].row) * self.height, (cell.col - own[0].col) * self.width
                # A copy, so that the sheet can be let go.
                yield cell, sheet[top : top + self.height, left : left + self.width].copy()

    def _size(self) -> int:
        sizes = {open_picture(self._folder / name).size for name in self._names}
        if len(sizes) > 1:
            raise GazeError("The sheets are not of one size. Put those of one portrait together.")
        [(across, tall)] = sizes
        cells = across // self.width
        if (across, tall) != (cells * self.width, cells * self.height):
            raise GazeError(
                f"Sheets of {across} × {tall} pixels do not divide into frames of {self.width} × {self.height}. "
                f"Correct imageWidth and imageHeight in {METADATA}."
            )
        return cells * (2 if len(self._names) == 4 else 1)


def _names(folder: Path, metadata: Metadata) -> tuple[str, ...]:
    names = metadata.sheet_names
    if not names:
        raise GazeError(f"{METADATA} lists no sheets, and a pack is made from sheets. Make the portrait with sheets.")
    phone = metadata.mobile_sheets or tuple(f"q{i}_{MOBILE_SIZE}.webp" for i in range(4))
    there = [all((folder / name).is_file() for name in some) for some in (names, phone)]
    return phone if there == [False, True] and len(phone) == 4 else names


def open_picture(path: Path) -> Image.Image:
    """A picture, not decoded yet.

    Raises:
        GazeError: it is not there, or is no picture.
    """
    try:
        with path.open("rb") as file:
            start = file.read(16)
        picture = next(filter(None, (_opened(path, start, name) for name in _FORMATS)), None)
    except FileNotFoundError as error:
        raise GazeError(f"{path.name} is not there. Copy it again.") from error
    except (OSError, SyntaxError, ValueError) as error:
        raise GazeError(f"{path.name} cannot be read as a picture. Copy it again.") from error
    if picture is None or max(picture.size) > WEBP_LIMIT:
        raise GazeError(f"{path.name} cannot be read as a picture. Copy it again.")
    return picture


def _opened(path: Path, start: bytes, name: str) -> Image.Image | None:
    """The picture if it is of this format. Not by `Image.open`, which refuses what sheets of large frames have."""
    Image.init()
    factory, accepts = Image.OPEN.get(name, (None, None))
    if factory is None or accepts is None or accepts(start) is not True:
        return None
    return factory(path, str(path))  # type: ignore[arg-type]  # a path is opened, and closed, by the picture


def _pixels(path: Path, alpha: bool) -> np.ndarray:
    picture = open_picture(path)
    try:
        return np.asarray(picture.convert("RGBA" if alpha else "RGB"))
    except (OSError, SyntaxError, ValueError) as error:
        raise GazeError(f"{path.name} is damaged or cut off. Copy it again.") from error
