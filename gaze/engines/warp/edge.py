"""The edge of an iris: how soft a photo shows it, to a part of a pixel, so that an iris that is moved is as crisp."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from gaze.face.face import Iris
from gaze.photo.remapping import NO_MAP

_RAYS = np.radians(np.concatenate([np.arange(-48, 61, 6), 180 - np.arange(-48, 61, 6)]))
"""Angles, clockwise from the right, at which the edge is read: lids hide it above and below."""
_RADII = np.arange(0.7, 1.5, 0.02)
_FEWEST = 6
"""Rays that have to show it."""
_SOLID, _CLEAR = 0.65, 0.4
"""What a ray shows of the iris at its start, and at its end, if it crosses the edge: at least, and at most."""
_QUARTERS = 1.349
"""Standard deviations of a Gaussian between the quarters of an edge that it blurs."""
_OFF = 0.15
"""How far from a radius of 1 it may be."""
_SHARPEST = 0.29
"""Pixels: standard deviation of the blur of an edge that only the size of pixels softens, 1 / √12."""
_READ = 1.12
"""How much softer an edge is drawn than it is read, since drawing it between pixels must not make it crisper."""


class Edge(NamedTuple):
    """Radius of an iris's edge and the standard deviation of its blur, in radii of the iris."""

    radius: float
    blur: float

    def within(self, distance: np.ndarray) -> np.ndarray:
        """How much of the iris there is at distances from its centre, 0 to 1: a step blurred by a Gaussian."""
        # A logistic curve instead of the normal distribution's: nowhere is it farther off than 0.01.
        return np.asarray(1 / (1 + np.exp(np.clip((distance - self.radius) * 1.702 / self.blur, -30, 30))))


def find_edge(cover: np.ndarray, visible: np.ndarray, iris: Iris) -> Edge | None:
    """The edge as the median of rays: an iris that is not quite a circle is not made softer by that.

    Args:
        cover: (h, w), what share of a place the iris seems to cover, by its colour.
        visible: (h, w) bool, between the lids and apart from lashes.
        iris: in the same pixels.

    Returns:
        None where too few rays show it.
    """
    ways = iris.radius * np.stack([np.cos(_RAYS), np.sin(_RAYS)], 1)[:, None] * _RADII[:, None]
    at = (ways + (iris.x, iris.y)).astype(np.float32)
    shown = cv2.remap(cover.astype(np.float32), at, NO_MAP, cv2.INTER_CUBIC)
    free = cv2.remap(visible.astype(np.float32), at, NO_MAP, cv2.INTER_LINEAR) > 0.9
    places, widths = [], []
    for ray, known in zip(shown, free, strict=True):
        length = len(known) if known.all() else int(known.argmin())
        falling = np.minimum.accumulate(ray[:length])
        if length < 2 or falling[0] < _SOLID or falling[-1] > _CLEAR:
            continue
        levels = falling[-1] + np.array([0.25, 0.5, 0.75]) * (min(falling[0], 1.0) - falling[-1])
        outer, middle, inner = np.interp(levels, falling[::-1], _RADII[:length][::-1])
        places.append(middle)
        widths.append(outer - inner)
    if len(places) < _FEWEST:
        return None
    radius, blur = (float(np.median(each)) for each in (places, widths))
    return Edge(radius, _READ * max(blur / _QUARTERS, _SHARPEST / iris.radius)) if abs(radius - 1) < _OFF else None
