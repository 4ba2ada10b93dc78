"""Which part of a portrait moves."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from gaze.engines.warp.backdrop import Backdrop
from gaze.engines.warp.border import Border
from gaze.engines.warp.head import STILL_CENTRE, STILL_RADII
from gaze.face.face import Face

_BANDS = 16
_LEAST_ALPHA = 25
"""Alpha from which on a place belongs to the person."""


class Band(NamedTuple):
    """A part of the region: its rows and columns, and whether it shows nothing but the person."""

    place: tuple[slice, slice]
    opaque: bool


def tilt_axes(tilt: float) -> np.ndarray:
    """(2, 2): the directions of u and v of face coordinates in the image, as rows of length 1.

    Args:
        tilt: radians by which the face leans clockwise.
    """
    cos, sin = np.cos(tilt), np.sin(tilt)
    return np.array([[cos, sin], [-sin, cos]])


def frame_axes(face: Face) -> np.ndarray:
    """(2, 2): the same in pixels: rows as long as the irises are apart."""
    return face.iris_distance * tilt_axes(face.tilt)


def moving_region(face: Face, axes: np.ndarray, border: Border) -> tuple[int, int, int, int]:
    """The upright rectangle around the ellipse of motion, inside the picture: x, y, width, height."""
    centre = np.array(face.centre) + np.array(STILL_CENTRE) @ axes
    reach = np.hypot(*(np.array(STILL_RADII)[:, None] * axes)) + 2
    x0, y0 = np.clip(np.floor(centre - reach), border[:2], np.array(border[2:]) - 1).astype(int)
    x1, y1 = np.clip(np.ceil(centre + reach), (x0 + 1, y0 + 1), border[2:]).astype(int)
    return int(x0), int(y0), int(x1 - x0), int(y1 - y0)


def find_bands(
    moving: np.ndarray, outside: np.ndarray, reach: float, stride: int, width: int, height: int
) -> tuple[Band, ...]:
    """Strips of pixels, at most `_BANDS` and each in up to three parts, that cover what may move.

    Args:
        moving: (rows, cols) bool, whether the points of the lattice move.
        outside: (rows, cols), how far they lie outside the person (`find_outside`).
        reach: how far anything goes at most, in the same unit.
        stride: pixels between the points.
        width, height: of the region in pixels.
    """
    bands = []
    rows = moving.shape[0]
    step = -(-rows // _BANDS)
    for top in range(0, rows, step):
        strip = slice(top, top + step)
        cols = np.flatnonzero((moving[strip] & (outside[strip] < reach)).any(0))
        if not len(cols):
            continue
        first, last = int(cols[0]), int(cols[-1]) + 1
        deep = np.flatnonzero(~(outside[strip, first:last] < -reach).all(0))
        # The widest run of columns between two that are not deep inside the person.
        edges = np.concatenate([[-1], deep, [last - first]])
        widest = int(np.argmax(np.diff(edges)))
        inner = first + int(edges[widest]) + 1, first + int(edges[widest + 1])
        down = slice(top * stride, min((top + step) * stride, height))
        for start, end, opaque in ((first, inner[0], False), (*inner, True), (inner[1], last, False)):
            if start < end and start * stride < width:
                bands.append(Band((down, slice(start * stride, min(end * stride, width))), opaque))
    return tuple(bands)


def find_outside(backdrop: Backdrop | None, stride: int, shape: tuple[int, ...]) -> np.ndarray:
    """How many pixels the points of the lattice lie outside the person; below zero within it; float32."""
    if backdrop is None:
        return np.full(shape, -np.inf, np.float32)
    height, width = backdrop.alpha.shape
    more = shape[0] * stride - height, shape[1] * stride - width
    whole = cv2.copyMakeBorder(backdrop.alpha, 0, more[0], 0, more[1], cv2.BORDER_REPLICATE)
    mean = cv2.resize(whole, shape[::-1], interpolation=cv2.INTER_AREA)
    # OpenCV says the largest float where there is nothing to be far from.
    out, within = (
        np.minimum(cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5), sum(shape))
        for mask in (mean <= _LEAST_ALPHA, mean == 255)
    )
    return np.asarray((out - within) * stride, np.float32)
