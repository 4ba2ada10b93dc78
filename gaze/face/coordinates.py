"""Face coordinates: origin between the irises, u through them to the right, v down, unit the distance between them.

What is cut out along them is free of tilt and size.
"""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np

Point = tuple[float, float]
"""x, y in pixels, or u, v in face coordinates."""


def aligned_crop(
    image: np.ndarray, left: tuple[float, ...], right: tuple[float, ...], unit: float, window: tuple[float, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Cut out a window of face coordinates.

    Args:
        image: (height, width, 3) uint8.
        left, right: x, y of the irises in image pixels.
        unit: pixels of the crop per distance between the irises.
        window: left, top, right, bottom in distances between the irises.

    Returns:
        The crop, (h, w, 3) uint8, and the (2, 3) matrix from its pixels to those of the image.
    """
    dx, dy = (right[0] - left[0]) / unit, (right[1] - left[1]) / unit
    x, y = (left[0] + right[0]) / 2, (left[1] + right[1]) / 2
    u, v = window[0] * unit, window[1] * unit
    matrix = np.array([[dx, -dy, x + u * dx - v * dy], [dy, dx, y + u * dy + v * dx]])
    size = round((window[2] - window[0]) * unit), round((window[3] - window[1]) * unit)
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(image, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE), matrix


def to_frame(x: Any, y: Any, left: tuple[float, ...], right: tuple[float, ...]) -> tuple[Any, Any]:
    """Image positions, numbers or arrays, in the face coordinates of a pair of irises."""
    unit = math.dist(left[:2], right[:2])
    cos, sin = (right[0] - left[0]) / unit, (right[1] - left[1]) / unit
    dx, dy = x - (left[0] + right[0]) / 2, y - (left[1] + right[1]) / 2
    return (dx * cos + dy * sin) / unit, (dy * cos - dx * sin) / unit


def square_crop(
    image: np.ndarray, middle: Point, size: float, tilt: float, side: int, mirrored: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Cut out a tilted square for a network.

    Args:
        image: (height, width, 3) uint8.
        middle: of the square, in pixels.
        size: its side in pixels.
        tilt: radians by which it is turned clockwise.
        side: pixels of its side once cut out.
        mirrored: whether the crop is flipped left to right.

    Returns:
        The crop, (side, side, 3) float32 in [0, 1], and the (2, 3) matrix from its coordinates, 0 at the left or upper
        edge and `side` at the right or lower one, to pixels of the image, whose centres are whole numbers.
    """
    scale = size / side
    if scale > 1.5:
        # Averaged first, so that nothing aliases. Only what the square can reach is shrunk.
        reach = math.ceil(size * 0.75)
        x0, y0 = max(0, int(middle[0]) - reach), max(0, int(middle[1]) - reach)
        x1, y1 = (max(lo + 1, int(at) + reach) for lo, at in ((x0, middle[0]), (y0, middle[1])))
        part = image[y0:y1, x0:x1]
        if part.size:
            small = max(1, round(part.shape[1] / scale)), max(1, round(part.shape[0] / scale))
            across, down = part.shape[1] / small[0], part.shape[0] / small[1]
            shrunk = cv2.resize(part, small, interpolation=cv2.INTER_AREA)
            at = ((middle[0] - x0 + 0.5) / across - 0.5, (middle[1] - y0 + 0.5) / down - 0.5)
            crop, matrix = _square(shrunk, at, size / math.sqrt(across * down), tilt, side, mirrored)
            grow = np.array([[across, 0, x0 + across / 2 - 0.5], [0, down, y0 + down / 2 - 0.5], [0, 0, 1]])
            return crop, (grow @ np.vstack([matrix, [0, 0, 1]]))[:2]
    return _square(image, middle, size, tilt, side, mirrored)


def _square(
    image: np.ndarray, middle: Point, size: float, tilt: float, side: int, mirrored: bool
) -> tuple[np.ndarray, np.ndarray]:
    scale = size / side
    cos, sin = scale * math.cos(tilt), scale * math.sin(tilt)
    half = side / 2
    turn = np.array(
        [[cos, -sin, middle[0] - (cos - sin) * half], [sin, cos, middle[1] - (sin + cos) * half], [0, 0, 1]]
    )
    if mirrored:
        turn = turn @ np.array([[-1, 0, side], [0, 1, 0], [0, 0, 1]])
    # In the crop, pixel i has its centre at i + 1/2.
    pixels = turn @ np.array([[1, 0, 0.5], [0, 1, 0.5], [0, 0, 1]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    crop = cv2.warpAffine(image, pixels[:2], (side, side), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return crop.astype(np.float32) / 255, turn[:2]
