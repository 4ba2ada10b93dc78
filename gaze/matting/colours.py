"""The colours of what stands in front, freed of the background behind its soft edges."""

from __future__ import annotations

import cv2
import numpy as np

_RADII = 90 / 512, 6 / 512, 2 / 512
"""Of the means, one pass after the other, as shares of the longer side."""
_NEAR = 12 / 512
"""Radius of the mean that a soft edge's hue is compared with, as a share of the longer side."""
_APART = 80.0
"""Levels between the hues of front and back at which the edge's hue is corrected by half."""
_LUMA = np.array([0.299, 0.587, 0.114], np.float32)


def find_colours(image: np.ndarray, matte: np.ndarray) -> np.ndarray:
    """The picture as it would be if what stands in front filled all of it, (height, width, 3) uint8.

    Where the matte is opaque it is the picture. Elsewhere the background's share of the colours is taken out, so that
    no halo is left on a page of another colour.

    Forte, "Approximate Fast Foreground Colour Estimation", 2021: passes with ever narrower means, after each of which
    the colours move towards such that the layers give the picture, c = a f + (1 - a) b. Forte moves the front alone;
    here what is missing is shared among both, by a and 1 - a, so that the background's detail is not taken for the
    front's. At last soft edges lose what of the background's hue they still have.

    Args:
        image: (height, width, 3) uint8 RGB.
        matte: (height, width) uint8.
    """
    front, back = find_layers(image, matte)
    return np.rint(_without_spill(front, back, matte)).astype(np.uint8)


def _without_spill(front: np.ndarray, back: np.ndarray, matte: np.ndarray) -> np.ndarray:
    """The front, whose hue at soft edges leans no further to the background's than that of its neighbours.

    JPEG and video keep hue coarser than brightness, so that some of a background's hue lies further inside an edge
    than its share of the brightness: dark hair before a blue wall has a blue rim.

    Args:
        front, back: (height, width, 3) float32, as of `find_layers`.
        matte: (height, width) uint8.
    """
    alpha = matte.astype(np.float32)[..., None] / 255
    soft = (matte > 0) & (matte < 255)
    near = _mean(front, alpha * alpha, 2 * max(1, round(_NEAR * max(matte.shape))) + 1)[soft]
    way = _hue(back[soft] - near)
    square = (way * way).sum(axis=1, keepdims=True)
    lean = (_hue(front[soft] - near) * way).sum(axis=1, keepdims=True) / np.maximum(square, 1)
    freed = front.copy()
    freed[soft] -= np.clip(lean, 0, 1) * square / (square + _APART**2) * way
    return np.clip(freed, 0, 255)


def _hue(colours: np.ndarray) -> np.ndarray:
    """Colours, (n, 3), less their luma."""
    return colours - (colours @ _LUMA)[:, None]


def find_layers(image: np.ndarray, matte: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What stands in front and what lies behind, each as if it filled the picture.

    Args:
        image: (height, width, 3) uint8 RGB.
        matte: (height, width) uint8.

    Returns:
        Two pictures, (height, width, 3) float32, 0 to 255.
    """
    picture = image.astype(np.float32)
    alpha = matte.astype(np.float32)[..., None] / 255
    front = back = picture
    for share in _RADII:
        side = 2 * max(1, round(share * max(matte.shape))) + 1
        front = _mean(front, alpha, side)
        back = _mean(back, 1 - alpha, side)
        missing = picture - alpha * front - (1 - alpha) * back
        front = np.clip(front + alpha * missing, 0, 255)
        back = np.clip(back + (1 - alpha) * missing, 0, 255)
    return front, back


def _mean(picture: np.ndarray, weight: np.ndarray, side: int) -> np.ndarray:
    """The weighted mean of the square around each pixel; where nothing has weight, the picture's own colour."""
    least = np.float32(1e-4)
    weight = weight + least
    total = cv2.blur(weight, (side, side))[..., None]
    return cv2.blur(picture * weight, (side, side)) / total
