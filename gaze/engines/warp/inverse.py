"""From how far the points of a portrait go to what each pixel of a frame shows.

A displacement d is given on a lattice whose points lie at the middle of blocks of stride × stride pixels, as those of
`cv2.resize` do.
"""

from __future__ import annotations

import cv2
import numpy as np

from gaze.photo.remapping import NO_MAP, pixels

_LEAST = 0.3
"""Determinant of the Jacobian below which a step of Newton's method is held back: it could leave the way."""
_MOST_STEPS = 8
_FOUND = 0.15
"""Pixels: after a step no longer than that a point is where it belongs."""
_AROUND = np.array([[0, 0], [1, 0], [-1, 0], [0, 1], [0, -1]], np.float32)
"""A point of the lattice, and its neighbours, whose differences are the slopes."""


def source_positions(forward: np.ndarray, stride: int, width: int, height: int) -> np.ndarray:
    """For each of width × height pixels, the position it shows: (height, width, 2) float32, x and y.

    Args:
        forward: (rows, cols, 2) float32, how far points go across and down; nothing may fold.
        stride: pixels between its points.
        width, height: of the frame.
    """
    come = _inverse(forward * np.float32(1 / stride), _FOUND / stride)
    # A point more on each side: pixels beyond the outermost points come from as far away as those.
    around = cv2.copyMakeBorder(come, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    rows, cols = around.shape[:2]
    places = (pixels(cols, rows) - around - np.float32(0.5)) * np.float32(stride) - np.float32(0.5)
    whole = cv2.resize(places, (cols * stride, rows * stride), interpolation=cv2.INTER_LINEAR)
    return whole[stride : stride + height, stride : stride + width]


def moved_on(forward: np.ndarray, before: np.ndarray, stride: int) -> np.ndarray:
    """A displacement of what another one has moved before: with both, nothing folds that neither of them folds.

    Args:
        forward, before: (rows, cols, 2) float32, how far points go across and down.
        stride: pixels between the points.
    """
    return _sample(forward, pixels(forward.shape[1], forward.shape[0]) + before / np.float32(stride))


def _inverse(forward: np.ndarray, found: float) -> np.ndarray:
    """How far what each point of a lattice shows has come: solves p + d(p) = q for q - p; all in the lattice's steps.

    A step or two from what a lattice with half as many rows and columns gives do nearly everywhere. Where they do not,
    Newton's method is begun at twice what half the displacement gives, from where it does not go astray.
    """
    rows, cols = forward.shape[:2]
    coarse = cv2.resize(forward, (-(-cols // 2), -(-rows // 2)), interpolation=cv2.INTER_AREA) / 2
    start = cv2.resize(_step(coarse, coarse)[0], (cols, rows)) * 2
    come, missed = _step(forward, _step(forward, start)[0])
    left = np.flatnonzero(_is_far(missed, found))
    if len(left):
        whole = come.reshape(-1, 2)
        half = whole.copy()
        half[left] = forward.reshape(-1, 2)[left] / 2
        _follow(forward / 2, half, left, found)
        whole[left] = 2 * half[left]
        _follow(forward, whole, left, found)
    return come


def _step(forward: np.ndarray, come: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A better guess of how far has come what the points of a lattice show, and by how much the last one missed.

    What is taken to have come to q from p = q - come(q) goes in truth to q + r with r = d(p) - come(q). So what is at
    q + r has come by d(p), which is then looked up at q: with no slopes of d, as good as a step of Newton's method.
    """
    at = pixels(forward.shape[1], forward.shape[0])
    moved = _sample(forward, at - come)
    missed = moved - come
    return _sample(moved, at - missed), missed


def _follow(forward: np.ndarray, come: np.ndarray, left: np.ndarray, found: float) -> None:
    """Newton's method for some points, until they are found.

    Args:
        forward: (rows, cols, 2) float32.
        come: (rows · cols, 2) float32, how far what they show has come: it is changed.
        left: (k,) the numbers of the points.
        found: length of a step after which a point is found.
    """
    cols = forward.shape[1]
    for _ in range(_MOST_STEPS):
        if not len(left):
            break
        places = np.stack([left % cols, left // cols], 1) - come[left]
        moves = _sample(forward, (places[:, None] + _AROUND).astype(np.float32))
        off_x, off_y = (moves[:, 0] - come[left]).T
        a, c = (moves[:, 1] - moves[:, 2]).T / 2
        b, d = (moves[:, 3] - moves[:, 4]).T / 2
        a, d = a + 1, d + 1
        one = 1 / np.maximum(a * d - b * c, _LEAST)
        step = np.stack([(d * off_x - b * off_y) * one, (a * off_y - c * off_x) * one], 1)
        come[left] += step
        left = left[_is_far(step, found)]


def _is_far(step: np.ndarray, found: float) -> np.ndarray:
    """Whether steps, (..., 2), are long, so that another one is due."""
    return step[..., 0] ** 2 + step[..., 1] ** 2 > found**2


def _sample(field: np.ndarray, at: np.ndarray) -> np.ndarray:
    return cv2.remap(field, at, NO_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
