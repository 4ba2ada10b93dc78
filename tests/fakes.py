"""Stand-ins for the parts that need a photo or a model: frames that tell which cell they are."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image

from gaze.engines.base import Engine
from gaze.face.face import Face
from gaze.grid import GAZE_RANGE, Cell, Look, Pose
from gaze.photo.portrait import Portrait


def cell_colour(look: Cell | Look) -> tuple[int, int, int]:
    """The flat colour of a look's frame: red tells the row, green the column; up to 31 rows."""
    return (round(look.row * 8 + 4), round(look.col * 8 + 4), 128)


def cell_of(colour: tuple[int, ...]) -> Cell:
    """The cell whose frame has this colour; lossy coding may have moved each channel by up to 3."""
    return Cell((int(colour[0]) - 4 + 4) // 8, (int(colour[1]) - 4 + 4) // 8)


def cell_frame(cell: Cell | Look, width: int, height: int) -> np.ndarray:
    """A frame (height, width, 3) uint8 in the cell's colour."""
    return np.full((height, width, 3), cell_colour(cell), np.uint8)


class FakeEngine(Engine):
    """Renders, for each pose of an unscaled grid, the frame that tells its look."""

    name = "fake"

    def __init__(self, size: int) -> None:
        self._last = size - 1
        self.batches: list[int] = []
        self.rendered: list[Look] = []

    def look_of(self, pose: Pose) -> Look:
        """The look that asks for a pose."""
        row, col = ((value / GAZE_RANGE + 1) / 2 * self._last for value in (-pose.pupil_y, pose.pupil_x))
        return Look(round(row, 6), round(col, 6))

    def prepare(self, portrait: Portrait, face: Face) -> tuple[int, int]:
        return portrait.width, portrait.height

    def render(self, source: tuple[int, int], poses: Sequence[Pose]) -> np.ndarray:
        self.batches.append(len(poses))
        self.rendered += [self.look_of(pose) for pose in poses]
        return np.stack([cell_frame(self.look_of(pose), *source) for pose in poses])


def decode_sheet(data: bytes, width: int, height: int) -> Iterator[np.ndarray]:
    """The frames of an encoded sheet, row by row."""
    picture = np.asarray(Image.open(io.BytesIO(data)))
    for top in range(0, picture.shape[0], height):
        for left in range(0, picture.shape[1], width):
            yield picture[top : top + height, left : left + width]
