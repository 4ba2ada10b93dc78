"""Specks and halos beside a person: sharpening and compression leave them along outlines, and they go along with those.

Left behind, they show before a plain background where the head was. Anywhere else they are lost among what is there.
"""

from __future__ import annotations

import cv2
import numpy as np

from gaze.engines.warp.ease import fall
from gaze.engines.warp.fill import through_layer
from gaze.engines.warp.smaller import as_large, smaller, times_smaller

_WIDE = (0.22, 0.32)
"""Iris distances from the person up to which the background is smoothed, and from which on it is as it was."""
_BLUR, _REACH = 0.1, 0.7
"""How much it is smoothed, and from how far around it is said to be plain; in the same unit."""
_PLAIN = (6, 12)
"""Standard deviation in grey levels farther out up to which it is plain, and from which on it is not."""
_ENOUGH = 0.1
"""Share of what is around that has to be background, to say so."""
_LOUD = (15, 30)
"""Grey levels by which specks differ at most, and from which on they are things: those stay whole where they are."""
_COPY = 12
"""Pixels per iris distance of a copy in which that is found."""


def without_halo(behind: np.ndarray, alpha: np.ndarray, unit: float) -> np.ndarray:
    """A background smoothed beside the person where it is plain farther out: (h, w, 3) uint8.

    Args:
        behind: (h, w, 3) uint8, filled where the person is.
        alpha: (h, w) uint8, of the person.
        unit: pixels per iris distance.
    """
    times = times_smaller(unit, _COPY)
    shown, small = smaller(behind, times), unit / times
    away = cv2.distanceTransform((smaller(alpha, times) < 128).astype(np.uint8), cv2.DIST_L2, 5) / small
    grey = cv2.cvtColor(behind, cv2.COLOR_RGB2GRAY)
    square = smaller(cv2.multiply(grey, grey, dtype=cv2.CV_32F), times)
    share = fall((away - _WIDE[0]) / (_WIDE[1] - _WIDE[0])) * _plain(smaller(grey, times), square, away, small)
    if not share.any():
        return behind
    calm = as_large(cv2.GaussianBlur(shown, (0, 0), _BLUR * small), times, alpha.shape)
    share = as_large(cv2.convertScaleAbs(share, alpha=255), times, alpha.shape)
    red, green, blue = cv2.split(cv2.absdiff(behind, calm))
    quiet = cv2.convertScaleAbs(fall((np.arange(256) - _LOUD[0]) / (_LOUD[1] - _LOUD[0])), alpha=255)
    size = (2 * round(_BLUR * unit) + 1,) * 2
    loudest = cv2.dilate(cv2.max(cv2.max(red, green), blue), np.ones(size, np.uint8))
    share = cv2.multiply(share, cv2.blur(cv2.LUT(loudest, quiet), size), scale=1 / 255)
    return np.asarray(cv2.add(through_layer(behind, share), through_layer(calm, cv2.bitwise_not(share))))


def _plain(grey: np.ndarray, square: np.ndarray, away: np.ndarray, unit: float) -> np.ndarray:
    """How plain a background is around each place, seen from `_WIDE` on: (h, w), 0 to 1.

    Args:
        grey: (h, w) uint8.
        square: (h, w) float32, the mean of its square there.
        away: (h, w), how many iris distances places lie outside the person.
        unit: pixels per iris distance.
    """
    far, size = (away > _WIDE[1]).astype(np.float32), (2 * round(_REACH * unit) + 1,) * 2
    seen, mean, square = (cv2.boxFilter(it, cv2.CV_32F, size) for it in (far, far * grey, far * square))
    seen = np.maximum(seen, 1e-6)
    spread = np.sqrt(np.maximum(square / seen - (mean / seen) ** 2, 0))
    plain = fall((spread - _PLAIN[0]) / (_PLAIN[1] - _PLAIN[0]))
    plain[seen < _ENOUGH] = 0
    return plain
