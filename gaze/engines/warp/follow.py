"""How the surroundings of an iris follow it from key to key: a mesh cannot move a disc alone."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from gaze.engines.warp.ease import smoothstep
from gaze.engines.warp.lids import Lids
from gaze.face.face import Iris

_REACH = (1.1, 2.4)
"""Iris radii up to which the eye moves as its iris does, and from which on it does not."""
_LID_SOFTNESS = 0.3
"""Iris radii over which that fades at the lids."""


@dataclass(frozen=True)
class Follower:
    """Which share of the gaze's shift points around an iris make.

    Attributes:
        window: rows and columns of the portrait.
        share: (h, w) float32, 0 to 1, of the points in it.
    """

    window: tuple[slice, slice]
    share: np.ndarray


def find_follower(iris: Iris, lids: Lids, rest: np.ndarray, shape: tuple[int, ...]) -> Follower:
    """All of the shift on the iris; less and less towards lids and corners.

    Args:
        iris: as the photo shows it.
        lids: around it.
        rest: (2,) how far it is moved where it looks straight, in pixels.
        shape: of the portrait.
    """
    x, y = iris.x + rest[0], iris.y + rest[1]
    reach = _REACH[1] * iris.radius
    x0, y0 = max(0, int(x - reach)), max(0, int(y - reach))
    x1, y1 = min(shape[1], int(x + reach) + 2), min(shape[0], int(y + reach) + 2)
    px, py = np.meshgrid(np.arange(x0, x1, dtype=np.float32), np.arange(y0, y1, dtype=np.float32))
    far = np.hypot(px - x, py - y) / iris.radius
    part = smoothstep((_REACH[1] - far) / (_REACH[1] - _REACH[0]))
    inside = cv2.GaussianBlur(lids.coverage(px, py), (0, 0), _LID_SOFTNESS * iris.radius)
    return Follower(np.s_[y0:y1, x0:x1], (part * inside).astype(np.float32))
