"""Smaller copies of a picture, for what does not depend on its last pixel."""

from __future__ import annotations

import cv2
import numpy as np

_ENOUGH = 48
"""Pixels per iris distance in which edges of pictures and what lies around a head are seen well."""


def times_smaller(unit: float, enough: float = _ENOUGH) -> int:
    """By what a picture with so many pixels per iris distance may be divided, so that enough of them are left."""
    return max(1, int(unit / enough))


def smaller(image: np.ndarray, times: int) -> np.ndarray:
    """The means of blocks of times × times pixels, the last ones as if the picture went on as it ends."""
    if times == 1:
        return image
    height, width = image.shape[:2]
    whole = cv2.copyMakeBorder(image, 0, -height % times, 0, -width % times, cv2.BORDER_REPLICATE)
    return cv2.resize(whole, (-(-width // times), -(-height // times)), interpolation=cv2.INTER_AREA)


def as_large(copy: np.ndarray, times: int, shape: tuple[int, ...]) -> np.ndarray:
    """A copy enlarged again to the rows and columns that the picture has."""
    if times == 1:
        return copy
    height, width = copy.shape[:2]
    return cv2.resize(copy, (width * times, height * times))[: shape[0], : shape[1]]
