"""From how far the points of a portrait go to what each pixel of a frame shows.

A displacement d is given on a lattice whose points lie at the middle of blocks of stride × stride pixels, as those of
`cv2.resize` do.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np

_LEAST = 0.3
"""Determinant of the Jacobian below which a step of Newton's method is held back: it could leave the way."""
_COARSE_STEPS, _MOST_STEPS = 1, 8
_FOUND = 0.15
"""Pixels: after a step no longer than that a point is where it belongs."""
_SLOPE = np.array([[-0.5, 0, 0.5]], np.float32)


def source_positions(forward: np.ndarray, stride: int, width: int, height: int) -> np.ndarray:
    """For each of width × height pixels, the position it shows: (height, width, 2) float32, x and y.

    Args:
        forward: (rows, cols, 2) float32, how far points go across and down; nothing may fold.
        stride: pixels between its points.
        width, height: of the frame.
    """
    there = _inverse(forward, stride)
    size = (forward.shape[1] * stride, forward.shape[0] * stride)
    offsets = cv2.resize(there, size, interpolation=cv2.INTER_LINEAR)[:height, :width]
    return np.subtract(pixels(width, height), offsets, out=offsets)


@lru_cache(maxsize=8)
def pixels(width: int, height: int) -> np.ndarray:
    """(height, width, 2) float32: every pixel's own x and y. The same array for every frame: do not write to it."""
    grid = np.empty((height, width, 2), np.float32)
    grid[..., 0], grid[..., 1] = np.arange(width), np.arange(height)[:, None]
    grid.setflags(write=False)
    return grid


def _inverse(forward: np.ndarray, stride: int) -> np.ndarray:
    """How far what each point of the lattice shows has come: solves p + d(p) = q for q - p, by Newton's method.

    One or two steps from what a coarser lattice gives do nearly everywhere. Where they do not, another start is taken,
    from which the method does not go astray: twice what half the displacement gives.
    """
    field = _Field(forward, stride)
    at = cv2.split(pixels(forward.shape[1], forward.shape[0]))
    found = cv2.split(_start(forward, stride))
    step = field.step(at, found)
    found = [part + more for part, more in zip(found, step, strict=True)]
    flat, places = ([it.reshape(-1, 1) for it in each] for each in (found, at))
    left = field.follow(places, flat, _far(step), 1)
    if len(left):
        half = [it.reshape(-1, 1) / 2 for it in cv2.split(forward)]
        field.follow(places, half, left, _MOST_STEPS, 0.5)
        for whole, part in zip(flat, half, strict=True):
            whole[left] = 2 * part[left]
        field.follow(places, flat, left, _MOST_STEPS)
    return cv2.merge(found)


def _start(forward: np.ndarray, stride: int) -> np.ndarray:
    """The same, nearly: from a lattice with half as many rows and columns."""
    rows, cols = forward.shape[:2]
    coarse = cv2.resize(forward, (-(-cols // 2), -(-rows // 2)), interpolation=cv2.INTER_AREA)
    field, at, found = _Field(coarse, 2 * stride), cv2.split(pixels(*coarse.shape[1::-1])), cv2.split(coarse)
    for _ in range(_COARSE_STEPS):
        found = [part + more for part, more in zip(found, field.step(at, found), strict=True)]
    return cv2.resize(cv2.merge(found), (cols, rows))


def _far(step: Sequence[np.ndarray]) -> np.ndarray:
    """The numbers of the points whose step was long, so that another one is due."""
    return np.flatnonzero(cv2.magnitude(*step) > _FOUND)


class _Field:
    """A displacement on a lattice, with its slopes.

    Args:
        forward: (rows, cols, 2) float32, in pixels.
        stride: pixels between its points.
    """

    def __init__(self, forward: np.ndarray, stride: int) -> None:
        self._forward, self._scale = forward, np.float32(1 / stride)
        across, down = (
            cv2.filter2D(forward, -1, kernel * self._scale, borderType=cv2.BORDER_REPLICATE)
            for kernel in (_SLOPE, _SLOPE.T)
        )
        self._slopes = cv2.merge([across, down])

    def step(self, at: Sequence[np.ndarray], come: Sequence[np.ndarray], share: float = 1.0) -> list[np.ndarray]:
        """One of Newton's method: what is to be added to how far points have come; across and down, in pixels.

        Args:
            at: x and y of what they show, in the lattice's points: two arrays of one shape.
            come: how far that has come, by now; likewise, in pixels.
            share: of the displacement that is made.
        """
        x, y = at[0] - come[0] * self._scale, at[1] - come[1] * self._scale
        moved, slopes = (
            cv2.split(cv2.remap(it, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))
            for it in (self._forward, self._slopes)
        )
        if share != 1:
            moved, slopes = ([it * np.float32(share) for it in each] for each in (moved, slopes))
        off_x, off_y = moved[0] - come[0], moved[1] - come[1]
        a, c, b, d = slopes
        a, d = a + 1, d + 1
        one = 1 / np.maximum(a * d - b * c, np.float32(_LEAST))
        return [(d * off_x - b * off_y) * one, (a * off_y - c * off_x) * one]

    def follow(
        self, at: Sequence[np.ndarray], come: Sequence[np.ndarray], left: np.ndarray, steps: int, share: float = 1.0
    ) -> np.ndarray:
        """Up to so many steps of some points, until they are found: `come` is changed. The rest is returned.

        Args:
            at, come, share: as for `step`, (n, 1) each.
            left: (k,) the numbers of the points.
            steps: at most.
        """
        for _ in range(steps):
            if not len(left):
                break
            step = self.step([it[left] for it in at], [it[left] for it in come], share)
            for whole, part in zip(come, step, strict=True):
                whole[left] += part
            left = left[_far(step)]
        return left
