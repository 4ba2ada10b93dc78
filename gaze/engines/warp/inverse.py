"""From how far the points of a portrait go to what each pixel of a frame shows.

A displacement d is given on a lattice whose points lie at the middle of blocks of stride × stride pixels, as those of
`cv2.resize` do.
"""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

_LEAST = 0.3
"""Determinant of the Jacobian below which a step of Newton's method is held back: it could leave the way."""
_SLOPE = np.array([[-0.5, 0, 0.5]], np.float32)


def source_positions(forward: np.ndarray, stride: int, width: int, height: int, steps: int) -> np.ndarray:
    """For each of width × height pixels, the position it shows: (height, width, 2) float32, x and y.

    Args:
        forward: (rows, cols, 2) float32, how far points go across and down; nothing may fold.
        stride: pixels between its points.
        width, height: of the frame.
        steps: of Newton's method; two where places move by a quarter of what lies between them, four beside lids.
    """
    there = _inverse(forward, stride, steps)
    size = (forward.shape[1] * stride, forward.shape[0] * stride)
    offsets = cv2.resize(there, size, interpolation=cv2.INTER_LINEAR)[:height, :width]
    return np.subtract(pixels(width, height), offsets)


@lru_cache(maxsize=8)
def pixels(width: int, height: int) -> np.ndarray:
    """(height, width, 2) float32: every pixel's own x and y. The same array for every frame: do not write to it."""
    grid = np.empty((height, width, 2), np.float32)
    grid[..., 0], grid[..., 1] = np.arange(width), np.arange(height)[:, None]
    grid.setflags(write=False)
    return grid


def _inverse(forward: np.ndarray, stride: int, steps: int) -> np.ndarray:
    """How far what each point of the lattice shows has come: solves p + d(p) = q for q - p, by Newton's method."""
    scale = np.float32(1 / stride)
    x, y = cv2.split(pixels(forward.shape[1], forward.shape[0]))
    jacobian = _inverse_jacobian(forward, scale)
    across, down = cv2.split(forward)
    for _ in range(steps):
        at = x - across * scale, y - down * scale
        off, inverse = (
            cv2.split(cv2.remap(it, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))
            for it in (forward, jacobian)
        )
        off_x, off_y = off[0] - across, off[1] - down
        across, down = (
            across + inverse[0] * off_x + inverse[1] * off_y,
            down + inverse[2] * off_x + inverse[3] * off_y,
        )
    return cv2.merge([across, down])


def _inverse_jacobian(forward: np.ndarray, scale: np.float32) -> np.ndarray:
    """Of p + d(p): (rows, cols, 4), row by row."""
    across, down = (
        cv2.filter2D(forward, -1, kernel * scale, borderType=cv2.BORDER_REPLICATE) for kernel in (_SLOPE, _SLOPE.T)
    )
    (a, c), (b, d) = cv2.split(across), cv2.split(down)
    a, d = a + 1, d + 1
    one = 1 / np.maximum(a * d - b * c, np.float32(_LEAST))
    return cv2.merge([d * one, -b * one, -c * one, a * one])
