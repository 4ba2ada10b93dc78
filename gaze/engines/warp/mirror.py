"""The background as a mirror along a person's outline shows it: as rich and as crisp as what is seen beside it.

A mirror that lies straight in an outline bends lines that run into it aslant. Here each place looks out of the outline
in the direction in which the background changes least, by its structure tensor (Bigün & Granlund, 1987): lines go
straight on.
"""

from __future__ import annotations

import cv2
import numpy as np

from gaze.engines.warp.along import DEEP, Structure, join, part_of, taken
from gaze.engines.warp.ease import fall, smoothstep
from gaze.engines.warp.smaller import as_large, smaller, times_smaller

_COPY = 16
"""Pixels per iris distance of a copy in which directions are found."""
_OUTLINE, _LINES = 0.1, 0.6
"""Iris distances: a blur of the outline, and the side of what lines are looked for in around a place."""
_BESIDE = 0.6
"""Iris distances outside the outline up to which lines are looked at."""
_NOISE = 300
"""Squared grey levels per iris distance along the outline, below which there is no line that is worth a slant."""
_ASLANT = 2.5
"""Tangent of the angle between straight out and the most slanting direction."""
_STEEP = 0.5
"""By how much depth grows on the way in at least, where its direction counts in full."""
_TORN, _SQUEEZED = (0.2, 0.6), (1.5, 3.0)
"""How many pixels one shows: up to how few it is stretched or folded too much, and from how many on it is not; and up
to how many it is not squeezed too much, and from how many on it is.
"""
_EDGE = 0.04
"""Iris distances over which a mirror ends softly where it would show what is hidden itself."""


def mirror(shown: np.ndarray, hidden: np.ndarray, around: np.ndarray, unit: float) -> np.ndarray:
    """What is mirrored to where it is hidden: (h, w, 4) uint8, premultiplied by how much of it there is.

    Args:
        shown: (h, w, 3) uint8, an image premultiplied by how little of it is hidden.
        hidden: (h, w) uint8, 255 where nothing of it is to be used.
        around: (h, w) uint8, 255 where what lies outside is mirrored: without strands, which have no outline.
        unit: pixels per iris distance.
    """
    times = times_smaller(unit, _COPY)
    small, covered = unit / times, smaller(hidden, times)
    depth = _depth(cv2.min(covered, smaller(around, times)), small)
    grey = cv2.cvtColor(smaller(shown, times), cv2.COLOR_RGB2GRAY)
    structure = _structure(grey, covered == 0, depth, small)
    come = _outwards(structure) * (2 * depth)[..., None]
    share = _whole(come) * fall((depth / small - DEEP[0]) / (DEEP[1] - DEEP[0]))
    seen = taken(cv2.bitwise_not(covered), come)
    seen[depth <= 1] = 255  # The outline's own softness hides nothing.
    edge = (2 * max(1, round(_EDGE * small)) + 1,) * 2
    share *= cv2.blur(cv2.erode(seen, np.ones(edge, np.uint8)), edge)
    share = as_large(cv2.convertScaleAbs(share), times, hidden.shape)
    come[depth < 0] = 0
    come = as_large(come * np.float32(times), times, hidden.shape)
    image = cv2.merge([*cv2.split(shown), cv2.bitwise_not(hidden)])
    found = part_of(taken(image, come), share)
    lines = join(image, depth, structure, small, times)
    if lines is None:
        return found
    return np.asarray(cv2.add(lines, part_of(found, cv2.bitwise_not(lines[..., 3]))))


def _depth(covered: np.ndarray, unit: float) -> np.ndarray:
    """How many pixels places lie within an outline, below zero outside: (h, w) float32."""
    inside = (covered > 127).astype(np.uint8)
    # OpenCV says the largest float where there is nothing to be far from.
    within, out = (np.minimum(cv2.distanceTransform(it, cv2.DIST_L2, 5), sum(it.shape)) for it in (inside, 1 - inside))
    return cv2.GaussianBlur(within - out + np.float32(0.5) - inside, (0, 0), _OUTLINE * unit)


def _structure(grey: np.ndarray, known: np.ndarray, depth: np.ndarray, unit: float) -> Structure:
    """What is seen around each pixel of depth.

    Args:
        grey: (h, w) uint8.
        known: (h, w) bool, where it is to be used.
        depth: as `_depth` gives it.
        unit: pixels per iris distance.
    """
    x, y = (-it for it in _slopes(depth))
    longest = np.maximum(np.hypot(x, y), _STEEP)
    known = cv2.erode((known & (depth > -_BESIDE * unit)).astype(np.float32), np.ones((3, 3), np.uint8))
    across, down = (known * it for it in _slopes(grey))
    tensor = cv2.merge([across * across, across * down, down * down, known * np.float32(_NOISE / unit**2)])
    size = (2 * round(_LINES * unit / 2) + 1,) * 2
    return Structure(x / longest, y / longest, *cv2.split(cv2.blur(cv2.blur(tensor, size), size)))


def _outwards(structure: Structure) -> np.ndarray:
    """The way out of an outline: (h, w, 2) float32, x and y."""
    x, y, xx, xy, yy, noise = structure
    # The least change along normal + slant · tangent, and the least slant.
    both = xy * (x * x - y * y) + x * y * (yy - xx)
    along = yy * x * x + xx * y * y - 2 * xy * x * y
    slant = np.clip(-both / (along + noise + np.float32(1e-6)), -_ASLANT, _ASLANT)
    return cv2.merge([x - slant * y, y + slant * x])


def _whole(come: np.ndarray) -> np.ndarray:
    """Where nothing is torn or folded, by the mirror's Jacobian: -1 along straight outlines; (h, w), 0 to 1.

    Args:
        come: (h, w, 2) float32, how far each pixel looks across and down.
    """
    (xx, xy), (yx, yy) = (_slopes(it) for it in cv2.split(come))
    size = xy * yx - (1 + xx) * (1 + yy)
    untorn = smoothstep((size - _TORN[0]) / (_TORN[1] - _TORN[0]))
    return np.asarray(untorn * fall((size - _SQUEEZED[0]) / (_SQUEEZED[1] - _SQUEEZED[0])))


def _slopes(image: np.ndarray) -> tuple[np.ndarray, ...]:
    """What changes from pixel to pixel across and down: (h, w) float32 each."""
    return tuple(cv2.Sobel(image, cv2.CV_32F, *it, scale=1 / 8) for it in ((1, 0), (0, 1)))
