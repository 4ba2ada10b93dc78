"""Rims of glasses near an eye: what lies beyond them must not be bent when a lid moves."""

from __future__ import annotations

import cv2
import numpy as np

from gaze.engines.warp.lids import BAG, FOLD
from gaze.face.face import Contours
from gaze.photo.remapping import NO_MAP

_NEAREST = 0.19
"""Iris distances from a lid's edge within which a line is its own: lashes, the fold, a shadow."""
_STEP = 0.01
_ACROSS = np.linspace(0.15, 0.85, 29)
"""Where lines are looked for, from one corner of the eye to the other."""
_DARK = 14.0
"""Grey levels by which a rim differs from the skin at both of its sides."""
_THICK = 0.05
"""Iris distances between a rim's middle and the skin that it is held against."""
_SHARE = 0.85
"""Share of the width along which a rim is to be seen."""
_MARGIN = 0.03


def lid_reach(image: np.ndarray, lids: Contours, unit: float) -> tuple[float, float]:
    """How far above the upper lid, and below the lower one, skin moves with it: up to a rim, if there is one.

    Args:
        image: (height, width, 3) uint8 RGB.
        lids: the edges of an eye's lids.
        unit: pixels per iris distance.

    Returns:
        Two lengths in iris distances, at most `FOLD` and `BAG`.
    """
    chord = lids.upper[-1] - lids.upper[0]
    along = chord / max(float(np.hypot(*chord)), 1e-6)
    down = np.array([-along[1], along[0]])
    reaches = []
    for edge, sign, most in ((lids.upper, -1, FOLD), (lids.lower, 1, BAG)):
        depth = (edge - lids.upper[0]) @ down
        apex = float(depth.min() if sign < 0 else depth.max())
        distances = np.arange(_NEAREST, most, _STEP)
        start = lids.upper[0] + down * apex + _ACROSS[:, None] * chord
        shown = [
            _values(image, start[None] + sign * unit * (distances + shift)[:, None, None] * down)
            for shift in (0.0, -_THICK, _THICK)
        ]
        skin = np.stack(shown[1:])
        differs = np.minimum(*np.abs(shown[0] - skin)) > _DARK
        # Of one kind: darker than both sides or lighter than both, all along.
        kinds = [differs & (np.sign(shown[0] - skin) == kind).all(0) for kind in (-1, 1)]
        lines = np.flatnonzero(np.maximum(*(kind.mean(1) for kind in kinds)) > _SHARE)
        reaches.append(float(distances[lines[0]]) - _MARGIN if len(lines) else most)
    return reaches[0], reaches[1]


def _values(image: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Grey levels at places, (..., 2): x and y."""
    at = places.astype(np.float32)
    grey = cv2.remap(image, at, NO_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
    return grey.mean(2)
