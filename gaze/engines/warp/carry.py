"""How far a head carries what lies on it, in pixels, and less next to the picture's border."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gaze.engines.warp.head import HeadFields, head_shift
from gaze.face.face import Iris
from gaze.grid import Pose


@dataclass(frozen=True)
class Anchors:
    """The four points of a lattice around each iris.

    Attributes:
        fields: the head's there, (..., irises, 2, 2).
        keep: (2, irises, 2, 2), the share of that motion that they make, across and down.
        weights: (irises, 2, 2), by which the iris is between them.
    """

    fields: HeadFields
    keep: np.ndarray
    weights: np.ndarray

    def carried(self, pose: Pose, turn: float, axes: np.ndarray) -> np.ndarray:
        """How far the head carries each iris: (irises, 2), x and y in pixels. Arguments as in `head_shift` and
        `in_pixels`.
        """
        moved = in_pixels(*head_shift(self.fields, pose, turn), axes, self.keep)
        carried: np.ndarray = (moved * self.weights[..., None]).sum((1, 2))
        return carried


def find_anchors(
    fields: HeadFields, keep: np.ndarray, irises: Sequence[Iris], corner: tuple[int, ...], stride: int
) -> Anchors:
    """The points around irises.

    Args:
        fields: of the whole lattice.
        keep: likewise, (2, rows, cols).
        irises: in pixels.
        corner: x, y of the lattice's first pixel.
        stride: pixels between its points.
    """
    rows, cols = keep.shape[1:]
    near, weights = [], []
    for iris in irises:
        place = (np.array([iris.x, iris.y]) - corner + 0.5) / stride - 0.5
        x, y = (int(it) for it in np.clip(np.floor(place), 0, (cols - 2, rows - 2)))
        right, down = np.clip(place - (x, y), 0, 1)
        near.append(np.s_[..., y : y + 2, x : x + 2])
        weights.append(np.outer([1 - down, down], [1 - right, right]))
    across, down_, kept = (np.stack([it[at] for at in near], 1) for it in (fields.across, fields.down, keep))
    return Anchors(HeadFields(across, down_), kept, np.stack(weights))


def in_pixels(across: np.ndarray, down: np.ndarray, axes: np.ndarray, keep: np.ndarray) -> np.ndarray:
    """A displacement in pixels: (..., 2) float32, x and y.

    Args:
        across, down: along the face's axes, in iris distances; arrays of one shape.
        axes: (2, 2): these axes as image vectors, in pixels.
        keep: (2, ...), the share of it that is made, across and down in the image.
    """
    moved = np.empty((*across.shape, 2), np.float32)
    for axis in (0, 1):
        moved[..., axis] = (across * np.float32(axes[0, axis]) + down * np.float32(axes[1, axis])) * keep[axis]
    return moved
