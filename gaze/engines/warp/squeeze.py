"""What a warp squeezes stays as soft as the photo: crisper than all around, it shows as thin lines and hooks."""

from __future__ import annotations

import math

import cv2
import numpy as np

from gaze.face.face import Contours, Iris

_ACROSS, _DOWN = 0.3, 0.15
"""Iris distances around an iris in which the photo's blur is read."""
_STEADY = 1.0
"""Pixels: the blur that noise, and the steps between grey levels, are read with; it is taken off again."""
_FINEST = 0.5
"""Pixels: the blur of a picture that is as crisp as can be."""
_STEP = 4
_AROUND = 0.35
"""Eye widths around an eye over which this ends."""


def photo_blur(image: np.ndarray, iris: Iris, unit: float) -> float:
    """Standard deviation of the blur that a photo shows an eye with, in pixels.

    The power of pictures falls with the square of the frequency (Field, 1987). Of such a picture, blurred by a
    Gaussian, that is the ratio of the root mean squares of gradient and Laplacian.

    Args:
        image: (height, width, 3) uint8 RGB.
        iris: of the eye.
        unit: iris distance in pixels.
    """
    x0, y0 = max(0, int(iris.x - _ACROSS * unit)), max(0, int(iris.y - _DOWN * unit))
    part = image[y0 : int(iris.y + _DOWN * unit) + 2, x0 : int(iris.x + _ACROSS * unit) + 2]
    grey = cv2.GaussianBlur(part.mean(2, dtype=np.float32), (0, 0), _STEADY)
    slopes = sum(float((cv2.Sobel(grey, -1, *way, ksize=1) ** 2).mean()) / 4 for way in ((1, 0), (0, 1)))
    bends = float((cv2.Laplacian(grey, -1, ksize=1) ** 2).mean())
    return math.sqrt(max(_FINEST**2, slopes / bends - _STEADY**2)) if bends else _FINEST


def soften_squeezed(
    frame: np.ndarray, positions: np.ndarray, region: tuple[int, int], lids: Contours, moved: np.ndarray, blur: float
) -> None:
    """Blur what is squeezed in and around an eye by what it became crisper.

    Squeezed to a share k of its width, a blur's variance is k² of what it was. A mixture with a blurred picture has
    1 - k² of it, the share of that picture, in addition.

    Args:
        frame: (height, width, 3) uint8, drawn into.
        positions: (h, w, 2) float32, for each pixel of the warped region the region's position it shows.
        region: x, y of the region's first pixel in the frame.
        lids: of the eye in the portrait.
        moved: x, y in pixels, how far the head carries the eye.
        blur: of the photo (`photo_blur`).
    """
    corners = np.stack([lids.upper[0], lids.upper[-1]]) + moved - region
    middle, width = corners.mean(0), float(np.hypot(*(corners[1] - corners[0])))
    reach = (0.5 + _AROUND) * width
    left, top = np.maximum(middle - reach, 0).astype(int)
    right, bottom = np.minimum(middle + reach + 1, positions.shape[1::-1]).astype(int)
    if min(right - left, bottom - top) < 2 * _STEP:
        return
    # Motion is smooth: some of the pixels tell it of all.
    at = positions[top + _STEP // 2 : bottom : _STEP, left + _STEP // 2 : right : _STEP]
    across, down = (cv2.Sobel(at, -1, *way, ksize=1) / (2 * _STEP) for way in ((1, 0), (0, 1)))
    # The squared largest singular value of the Jacobian: frame pixels are so much larger in the photo.
    squares = (across**2 + down**2).sum(2)
    area = across[..., 0] * down[..., 1] - across[..., 1] * down[..., 0]
    larger = (squares + np.sqrt(np.maximum(squares**2 - 4 * area**2, 0))) / 2
    y, x = np.ogrid[: at.shape[0], : at.shape[1]]
    far = np.hypot(x * _STEP + left - middle[0], y * _STEP + top - middle[1])
    share = (1 - 1 / np.maximum(larger, 1)) * np.clip((reach - far) / (_AROUND * width), 0, 1)
    if not share.any():
        return
    share = cv2.resize(share.astype(np.float32), (right - left, bottom - top))
    view = frame[region[1] + top : region[1] + bottom, region[0] + left : region[0] + right]
    cv2.blendLinear(cv2.GaussianBlur(view, (0, 0), blur), view, share, 1 - share, dst=view)
