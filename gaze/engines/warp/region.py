"""Which part of a portrait moves."""

from __future__ import annotations

import cv2
import numpy as np

from gaze.engines.warp.backdrop import Backdrop
from gaze.engines.warp.head import STILL_CENTRE, STILL_RADII
from gaze.face.face import Face

_BANDS = 10
_LEAST_ALPHA = 25
"""Alpha from which on a place belongs to the person."""

Bands = tuple[tuple[slice, slice], ...]
"""Rows and columns of pixels."""


def frame_axes(face: Face) -> np.ndarray:
    """Rows: u and v of the face frame as image vectors, in pixels."""
    cos, sin = np.cos(face.tilt), np.sin(face.tilt)
    return face.iris_distance * np.array([[cos, sin], [-sin, cos]])


def moving_region(face: Face, axes: np.ndarray, width: int, height: int) -> tuple[int, int, int, int]:
    """The upright rectangle around the ellipse of motion, inside the picture: x, y, width, height."""
    centre = np.array(face.centre) + np.array(STILL_CENTRE) @ axes
    reach = np.hypot(*(np.array(STILL_RADII)[:, None] * axes)) + 2
    x0, y0 = np.clip(np.floor(centre - reach), 0, (width - 1, height - 1)).astype(int)
    x1, y1 = np.clip(np.ceil(centre + reach), (x0 + 1, y0 + 1), (width, height)).astype(int)
    return int(x0), int(y0), int(x1 - x0), int(y1 - y0)


def find_bands(moving: np.ndarray, stride: int, width: int, height: int) -> Bands:
    """Strips of pixels, at most `_BANDS`, that cover the lattice points that move."""
    bands = []
    rows = moving.shape[0]
    step = -(-rows // _BANDS)
    for top in range(0, rows, step):
        cols = np.flatnonzero(moving[top : top + step].any(0))
        if len(cols):
            across = slice(int(cols[0]) * stride, min(int(cols[-1] + 1) * stride, width))
            bands.append((slice(top * stride, min((top + step) * stride, height)), across))
    return tuple(bands)


def find_outside(backdrop: Backdrop | None, stride: int, shape: tuple[int, ...]) -> np.ndarray:
    """How many pixels the points of the lattice lie outside the person; float32."""
    if backdrop is None:
        return np.zeros(shape, np.float32)
    height, width = backdrop.alpha.shape
    more = shape[0] * stride - height, shape[1] * stride - width
    whole = cv2.copyMakeBorder(backdrop.alpha, 0, more[0], 0, more[1], cv2.BORDER_REPLICATE)
    solid = cv2.resize(whole, shape[::-1], interpolation=cv2.INTER_AREA) > _LEAST_ALPHA
    return cv2.distanceTransform(1 - solid.astype(np.uint8), cv2.DIST_L2, 5) * stride
