"""An eye's opening between its lids, and how the skin around it moves when a lid does."""

from __future__ import annotations

from copy import copy

import numpy as np

from gaze.engines.warp.ease import fall
from gaze.face.face import Contours

_STEPS = 6
"""Points that stand for each stretch between two points of a contour."""
FOLD = 0.26
"""Iris distances above the upper lid's edge over which its motion fades: lashes and the fold come along."""
BAG = 0.20
"""The same below the lower lid's edge."""


class Lids:
    """The edges of both lids, from corner to corner. Positions are pixels.

    Args:
        contours: points of both edges from left to right, the corners included.

    Attributes:
        soft: how many pixels wide the lids' edges are.
        length: pixels between the corners.
    """

    def __init__(self, contours: Contours) -> None:
        self._left = contours.upper[0]
        chord = contours.upper[-1] - self._left
        self.length = float(np.hypot(*chord))
        self.soft = max(1.5, 0.045 * self.length)
        self._along = chord / self.length
        self._upper, self._lower = (self._smooth(edge) for edge in contours)

    @property
    def along(self) -> np.ndarray:
        """(2,) the unit vector from the left corner to the right one."""
        return self._along

    @property
    def across(self) -> np.ndarray:
        """(2,) the unit vector from the upper lid down to the lower one."""
        return np.array([-self._along[1], self._along[0]])

    def shifted(self, dx: float, dy: float) -> Lids:
        """The same lids in a picture whose first pixel lies at (-dx, -dy)."""
        moved = copy(self)
        moved._left = self._left + (dx, dy)
        return moved

    @property
    def gap(self) -> float:
        """Pixels between the lids where they are farthest apart."""
        at = np.linspace(0, self.length, 33)
        return float((np.interp(at, *self._lower) - np.interp(at, *self._upper)).max())

    def depth(self, x: np.ndarray | float, y: np.ndarray | float) -> np.ndarray:
        """Pixels below the edge of the upper lid."""
        along, down = self.local(x, y)
        return down - np.interp(along, *self._upper)

    def height(self, x: np.ndarray | float, y: np.ndarray | float) -> np.ndarray:
        """Pixels above the edge of the lower lid."""
        along, down = self.local(x, y)
        return np.interp(along, *self._lower) - down

    def coverage(self, x: np.ndarray, y: np.ndarray, more: float = 0.0) -> np.ndarray:
        """1 between the lids, 0 beyond them; float32. `more`: widths of the soft edge that lie beyond the upper lid."""
        along, _ = self.local(x, y)
        inside = np.minimum(self.depth(x, y) + more * self.soft, self.height(x, y))
        ends = np.minimum(along, self.length - along)
        return (np.clip(inside / self.soft + 0.5, 0, 1) * np.clip(ends / self.soft + 0.5, 0, 1)).astype(np.float32)

    def fields(
        self, x: np.ndarray, y: np.ndarray, unit: float, reach: tuple[float, float] = (FOLD, BAG)
    ) -> tuple[np.ndarray, np.ndarray]:
        """What share of the upper and of the lower lid's motion each place makes, 0 to 1.

        All of it where the lids are farthest apart; less towards the corners, towards the brow or the cheek, and across
        the opening, where it has gone at the other lid.

        Args:
            x, y: the places.
            unit: iris distance in pixels.
            reach: iris distances above the upper and below the lower lid over which their motion fades.
        """
        depth, height = self.depth(x, y), self.height(x, y)
        inner = np.maximum(depth + height, 1e-3)
        # In proportion to the gap, so that nothing folds where the lids come close to each other.
        bow = np.clip(inner / self.gap, 0, 1)
        upper = np.where(depth < 0, fall(-depth / (reach[0] * unit)), fall(depth / inner))
        lower = np.where(height < 0, fall(-height / (reach[1] * unit)), fall(height / inner))
        return bow * upper, bow * lower

    def beside(self, x: np.ndarray, y: np.ndarray, to: float) -> np.ndarray:
        """Positions as high above the lower lid, but `to` pixels from the left corner to the right one; float32."""
        along, down = self.local(x, y)
        down = down + np.interp(to, *self._lower) - np.interp(along, *self._lower)
        return (self._left + to * self._along + down[..., None] * self.across).astype(np.float32)

    def local(self, x: np.ndarray | float, y: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
        """Pixels from the left corner along the line to the right one, and below that line."""
        dx, dy = np.asarray(x) - self._left[0], np.asarray(y) - self._left[1]
        return dx * self._along[0] + dy * self._along[1], dy * self._along[0] - dx * self._along[1]

    def _smooth(self, edge: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """An edge as a dense line of points along and below the chord: a Catmull-Rom spline through its own."""
        along, down = self.local(edge[:, 0], edge[:, 1])
        along = np.maximum.accumulate(along + np.arange(len(along)) * 1e-6)
        points = np.stack([along, down], 1)
        padded = np.vstack([2 * points[0] - points[1], points, 2 * points[-1] - points[-2]])
        t = (np.arange(_STEPS) / _STEPS)[:, None, None]
        p0, p1, p2, p3 = (padded[i : i + len(points) - 1] for i in range(4))
        curve = 0.5 * (
            2 * p1 + (p2 - p0) * t + (2 * p0 - 5 * p1 + 4 * p2 - p3) * t**2 + (3 * p1 - p0 - 3 * p2 + p3) * t**3
        )
        dense = np.vstack([curve.transpose(1, 0, 2).reshape(-1, 2), points[-1:]])
        return np.maximum.accumulate(dense[:, 0]), dense[:, 1]
