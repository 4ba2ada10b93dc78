"""How far a head carries what lies on it, in pixels, and softly less next to the picture's border."""

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
        limit: (2, irises, 2, 2), pixels that they may move across and down at most.
        weights: (irises, 2, 2), by which the iris is between them.
    """

    fields: HeadFields
    limit: np.ndarray
    weights: np.ndarray

    def carried(self, pose: Pose, turn: float, axes: np.ndarray) -> np.ndarray:
        """How far the head carries each iris: (irises, 2), x and y in pixels. Arguments as in `head_shift` and
        `hold_back`.
        """
        moved = hold_back(*head_shift(self.fields, pose, turn), axes, self.limit)
        carried: np.ndarray = (moved * self.weights[..., None]).sum((1, 2))
        return carried


def find_anchors(
    fields: HeadFields, limit: np.ndarray, irises: Sequence[Iris], corner: tuple[int, ...], stride: int
) -> Anchors:
    """The points around irises.

    Args:
        fields: of the whole lattice.
        limit: likewise, (2, rows, cols).
        irises: in pixels.
        corner: x, y of the lattice's first pixel.
        stride: pixels between its points.
    """
    rows, cols = limit.shape[1:]
    near, weights = [], []
    for iris in irises:
        place = (np.array([iris.x, iris.y]) - corner + 0.5) / stride - 0.5
        x, y = (int(it) for it in np.clip(np.floor(place), 0, (cols - 2, rows - 2)))
        right, down = np.clip(place - (x, y), 0, 1)
        near.append(np.s_[..., y : y + 2, x : x + 2])
        weights.append(np.outer([1 - down, down], [1 - right, right]))
    across, down_, most = (np.stack([it[at] for at in near], 1) for it in (fields.across, fields.down, limit))
    return Anchors(HeadFields(across, down_), most, np.stack(weights))


def hold_back(across: np.ndarray, down: np.ndarray, axes: np.ndarray, limit: np.ndarray) -> np.ndarray:
    """A displacement in pixels that stays softly below a limit: (..., 2) float32, x and y.

    Args:
        across, down: along the face's axes, in iris distances; arrays of one shape.
        axes: (2, 2): these axes as image vectors, in pixels.
        limit: (2, ...), pixels across and down.
    """
    moved = np.empty((*across.shape, 2), np.float32)
    for axis in (0, 1):
        free = across * np.float32(axes[0, axis]) + down * np.float32(axes[1, axis])
        # limit · free / (limit⁴ + free⁴)^¼, written so that it needs roots only.
        ratio = free / limit[axis]
        ratio *= ratio
        moved[..., axis] = free / np.sqrt(np.sqrt(1 + ratio * ratio))
    return moved
