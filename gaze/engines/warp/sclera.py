"""The white of an eye, rebuilt where its iris was: what is seen when the iris has moved away."""

from __future__ import annotations

import cv2
import numpy as np

from gaze.face.face import Iris, Opening

_HOLE = 1.18
"""Radius around the iris, in its own, within which the white has to be rebuilt."""
_UNDER = 0.2
"""How far below the lower lid's edge, in iris radii, the iris may still be seen: the edge is not found that well."""
_RISE = 0.35
"""Height above the lower lid, in iris radii, up to which the eye is filled from its sides."""
_NO_MAP = np.empty((0, 0), np.float32)


class Lids:
    """An eye's opening: two parabolas through its corners and the lids' apexes. Positions are pixels.

    Attributes:
        soft: how many pixels wide their edge is.
    """

    def __init__(self, opening: Opening) -> None:
        self._opening = opening
        self._left = np.array(opening.left)
        chord = np.array(opening.right) - self._left
        self._length = float(np.hypot(*chord))
        self.soft = max(1.5, 0.045 * self._length)
        self._along = chord / self._length
        self._upper, self._lower = (self._local(*apex) for apex in (opening.upper, opening.lower))

    def shifted(self, dx: float, dy: float) -> Lids:
        """The same lids in a picture whose first pixel lies at (-dx, -dy)."""
        it = self._opening
        return Lids(Opening(*((x + dx, y + dy) for x, y in (it.left, it.right, it.upper, it.lower))))

    def depth(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Pixels below the edge of the upper lid."""
        along, down = self._local(x, y)
        return down - self._edge(along, self._upper)

    def height(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """Pixels above the edge of the lower lid."""
        along, down = self._local(x, y)
        return self._edge(along, self._lower) - down

    def coverage(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """1 between the lids, 0 beyond them; float32."""
        along, _ = self._local(x, y)
        inside = np.minimum(self.depth(x, y), self.height(x, y))
        ends = np.minimum(along, self._length - along)
        return (np.clip(inside / self.soft + 0.5, 0, 1) * np.clip(ends / self.soft + 0.5, 0, 1)).astype(np.float32)

    def beside(self, x: np.ndarray, y: np.ndarray, to: float) -> np.ndarray:
        """Positions as high above the lower lid, but `to` pixels from the left corner to the right one; float32."""
        along, down = self._local(x, y)
        down = down + self._edge(np.array(to), self._lower) - self._edge(along, self._lower)
        across = np.array([-self._along[1], self._along[0]])
        return (self._left + to * self._along + down[..., None] * across).astype(np.float32)

    def along(self, x: np.ndarray | float, y: np.ndarray | float) -> np.ndarray:
        """Pixels from the left corner along the line to the right one."""
        return self._local(x, y)[0]

    def _local(self, x: np.ndarray | float, y: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
        dx, dy = np.asarray(x) - self._left[0], np.asarray(y) - self._left[1]
        return dx * self._along[0] + dy * self._along[1], dy * self._along[0] - dx * self._along[1]

    def _edge(self, along: np.ndarray, apex: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        """How far a lid's edge lies below the line between the corners: one parabola on each side of its apex."""
        s, at = along / self._length, np.clip(apex[0] / self._length, 0.3, 0.7)
        bow = np.where(s < at, 1 - ((at - s) / at) ** 2, 1 - ((s - at) / (1 - at)) ** 2)
        return apex[1] * np.clip(bow, -0.2, 1)


def rebuild_white(patch: np.ndarray, lids: Lids, iris: Iris, opening: np.ndarray) -> np.ndarray:
    """The patch with the white of the eye where the iris was.

    Its colour goes over from what is seen on the one side of the iris to what is seen on the other. Under the upper lid
    it is darkened as it is there, by lashes and by the lid's shadow; along the lower lid all that is seen at the sides,
    lashes included, goes on across.

    Args:
        patch: (h, w, 3) float32 RGB.
        lids: of the eye, in the patch's pixels.
        iris: likewise.
        opening: (h, w) float32, what the lids cover: 1 between them.
    """
    y, x = np.mgrid[: patch.shape[0], : patch.shape[1]].astype(np.float32)
    distance = np.hypot(x - iris.x, y - iris.y) / iris.radius
    middle = float(lids.along(iris.x, iris.y))
    share = np.clip(0.5 + (lids.along(x, y) - middle) / (2 * _HOLE * iris.radius), 0, 1)[..., None]
    seen = (opening > 0.85) & (distance > _HOLE) & (distance < 2.3)
    left, right = _side_colours(patch, seen, share[..., 0], opening, distance)
    white = left * (1 - share) + right * share
    depth = lids.depth(x, y)
    shade = _lid_shade(patch.mean(2) / np.maximum(white.mean(2), 1), seen, depth / iris.radius)
    white *= shade[..., None]

    height = lids.height(x, y) / iris.radius
    sides = [
        cv2.remap(patch, lids.beside(x, y, middle + side * 1.1 * _HOLE * iris.radius), _NO_MAP, cv2.INTER_LINEAR)
        for side in (-1, 1)
    ]
    low = np.clip(1 - height / _RISE, 0, 1)[..., None]
    filled = white * (1 - low) + (sides[0] * (1 - share) + sides[1] * share) * low

    under = np.clip((height + _UNDER) / 0.1, 0, 1) * np.clip(depth / lids.soft + 0.5, 0, 1)
    hole = (np.clip((_HOLE + 0.1 - distance) / 0.2, 0, 1) * under)[..., None]
    return (patch * (1 - hole) + filled * hole).astype(np.float32)


def _side_colours(
    patch: np.ndarray, seen: np.ndarray, share: np.ndarray, opening: np.ndarray, distance: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The white to the left and to the right of the iris; the one for the other where only one is seen.

    Where none is, the skin around with half of its colour stands for it.
    """
    left, right = _lightest(patch[seen & (share <= 0)]), _lightest(patch[seen & (share >= 1)])
    if left is None and right is None:
        skin = np.median(patch[(opening < 0.1) & (distance < 2.5)], axis=0)
        left = (skin + skin.mean()) / 2
    return (right if left is None else left), (left if right is None else right)  # type: ignore[return-value]


def _lightest(colours: np.ndarray) -> np.ndarray | None:
    """Mean of the lighter third, (n, 3): lashes, and what lids and iris leak into the white, are darker than it."""
    if len(colours) < 3:
        return None
    grey = colours.mean(1)
    return colours[grey >= np.percentile(grey, 66)].mean(0)


def _lid_shade(brightness: np.ndarray, seen: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """How dark the white is for each pixel, 0 to 1, by its depth below the upper lid in iris radii.

    Taken from `brightness`, relative to the lightest white, where that is `seen`; at least a faint shadow.
    """
    depths = np.linspace(0.05, 0.85, 9)
    levels = np.minimum(1, 0.65 + depths)
    for index, at in enumerate(depths):
        there = seen & (np.abs(depth - at) < 0.08)
        if there.sum() >= 4:
            levels[index] = min(levels[index], float(np.median(brightness[there])))
    levels = np.maximum.accumulate(np.maximum(levels, 0.3))
    return np.interp(depth, np.append(depths, 1.1), np.append(levels, 1.0)).astype(np.float32)
