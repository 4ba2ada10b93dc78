"""How far a head carries what lies on it, in pixels, and less next to the picture's border."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gaze.engines.warp.head import HeadFields, head_weights
from gaze.face.face import Iris
from gaze.grid import Pose


@dataclass(frozen=True)
class Anchors:
    """What the head's fields give at each iris, in pixels of the image.

    Attributes:
        across, down: (irises, 2, fields) float32: x and y of each field of `HeadFields`.
    """

    across: np.ndarray
    down: np.ndarray

    def carried(self, pose: Pose, turn: float) -> np.ndarray:
        """How far the head carries each iris: (irises, 2), x and y in pixels. Arguments as in `head_weights`."""
        across, down = head_weights(pose, turn)
        carried: np.ndarray = (self.across * across).sum(-1) + (self.down * down).sum(-1)
        return carried


def find_anchors(
    fields: HeadFields, keep: np.ndarray, axes: np.ndarray, irises: Sequence[Iris], corner: tuple[int, ...], stride: int
) -> Anchors:
    """The fields at irises, between the four points of the lattice around each.

    Args:
        fields: of the whole lattice.
        keep, axes: as for `in_pixels`.
        irises: in pixels.
        corner: x, y of the lattice's first pixel.
        stride: pixels between its points.
    """
    rows, cols = keep.shape[1:]
    found: tuple[list[np.ndarray], list[np.ndarray]] = [], []
    for iris in irises:
        place = (np.array([iris.x, iris.y]) - corner + 0.5) / stride - 0.5
        x, y = (int(it) for it in np.clip(np.floor(place), 0, (cols - 2, rows - 2)))
        right, down = np.clip(place - (x, y), 0, 1)
        weights = np.outer([1 - down, down], [1 - right, right]) * keep[:, y : y + 2, x : x + 2]
        for each, field, axis in zip(found, (fields.across, fields.down), axes, strict=True):
            here = np.einsum("fij,aij->af", field[:, y : y + 2, x : x + 2], weights)
            each.append((axis[:, None] * here).astype(np.float32))
    return Anchors(*(np.stack(each) for each in found))


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
