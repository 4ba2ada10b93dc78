"""The level patch: what lies around a pair of irises, cut out in the face frame, so that tilt and size do not count."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np

Circle = tuple[float, float, float]
"""x, y, radius in pixels."""
Point = tuple[float, float]
"""x, y in pixels, or u, v in the face frame."""


def level_patch(
    image: np.ndarray, left: tuple[float, ...], right: tuple[float, ...], unit: float, window: tuple[float, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Cut out a window of the face frame: its x axis through the irises, its origin between them.

    Args:
        image: (height, width, 3) uint8.
        left, right: x, y of the irises in image pixels.
        unit: pixels of the patch per distance between the irises.
        window: left, top, right, bottom in distances between the irises.

    Returns:
        The patch, (h, w, 3) uint8, and the (2, 3) matrix from its pixels to those of the image.
    """
    dx, dy = (right[0] - left[0]) / unit, (right[1] - left[1]) / unit
    x, y = (left[0] + right[0]) / 2, (left[1] + right[1]) / 2
    u, v = window[0] * unit, window[1] * unit
    matrix = np.array([[dx, -dy, x + u * dx - v * dy], [dy, dx, y + u * dy + v * dx]])
    size = round((window[2] - window[0]) * unit), round((window[3] - window[1]) * unit)
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(image, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE), matrix


def to_frame(x: Any, y: Any, left: tuple[float, ...], right: tuple[float, ...]) -> tuple[Any, Any]:
    """Image positions, numbers or arrays, in the face frame of a pair of irises.

    Its origin lies between them, u runs through them to the right, v down, the unit is the distance between them.
    """
    unit = math.dist(left[:2], right[:2])
    cos, sin = (right[0] - left[0]) / unit, (right[1] - left[1]) / unit
    dx, dy = x - (left[0] + right[0]) / 2, y - (left[1] + right[1]) / 2
    return (dx * cos + dy * sin) / unit, (dy * cos - dx * sin) / unit
