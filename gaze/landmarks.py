"""Where lids, brows, nose, mouth and chin lie, in the face frame: x axis through the irises, their distance the unit.

Each part is the place near its average where its mark is plainest: a dark bar (brow, line of the mouth), or a bright
area above a dark one (underside of the nose, chin). The farther from the average, the plainer the mark has to be, and
none is taken farther than twice its usual spread; without a mark the average remains.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from gaze.level import Point

UNIT = 48.0
WINDOW = (-1.4, -1.0, 1.4, 2.5)
"""The level patch that is searched: pixels per unit, and left, top, right, bottom in units."""

# Averages and spreads over marks set by hand on seven portraits.
BROW, NOSE, MOUTH, CHIN = (0.57, -0.28), (0.0, 0.67), (0.0, 1.08), (0.0, 1.75)
MOUTH_HALF = 0.4
CORNER = (0.22, 0.045)
"""Of an eye's opening, outwards and down from the iris centre."""
UPPER_LID, LOWER_LID = -0.62, 1.0
"""Apexes of the lids, in iris radii down from the iris centre."""
_UNDER_NOSE, _ABOVE_NECK = 0.08, 0.06
"""How far the shadow under the nose lies below its tip, and the middle of the chin's edge above its lowest point."""


@dataclass(frozen=True)
class Parts:
    """Points in the face frame; lids as (upper, lower) heights of their apexes, the left eye's first."""

    lids: tuple[Point, Point]
    brows: tuple[Point, Point]
    nose: Point
    mouth: tuple[Point, Point]
    chin: Point


def find_parts(patch: np.ndarray, radii: tuple[float, float]) -> Parts:
    """Find all parts.

    Args:
        patch: (h, w, 3) uint8 RGB, the level `WINDOW` at `UNIT` pixels per unit.
        radii: of the left and the right iris, in units.
    """
    smooth = cv2.GaussianBlur(cv2.cvtColor(patch, cv2.COLOR_RGB2GRAY).astype(np.float32), (0, 0), 0.015 * UNIT)
    top, left = round(-WINDOW[1] * UNIT), round(-WINDOW[0] * UNIT)
    face = smooth[
        top - round(0.5 * UNIT) : top + round(1.6 * UNIT), left - round(0.8 * UNIT) : left + round(0.8 * UNIT)
    ]
    grey = smooth / max(float(face.std()), 8.0)

    lids = (_lids(grey, -0.5, radii[0]), _lids(grey, 0.5, radii[1]))
    bars = _bar(grey, 0.4, 0.08)
    brows = tuple(_search(bars, (side * BROW[0], BROW[1]), (0.05, 0.06)) for side in (-1, 1))
    middle = _search(_bar(grey, 0.5, 0.06), MOUTH, (0.06, 0.1))
    longer = middle[1] - MOUTH[1]
    under = _search(_drop(grey, 0.35, 0.1), (NOSE[0], NOSE[1] + _UNDER_NOSE + 0.5 * longer), (0.1, 0.06))
    line = _bar(grey, 0.12, 0.06)
    step = round(0.06 * UNIT)
    ends = [np.roll(line, side * step, 1) - np.roll(line, -side * step, 1) for side in (-1, 1)]
    corners = [
        _search(end, (middle[0] + side * MOUTH_HALF, middle[1]), (0.04, 0.03))
        for end, side in zip(ends, (-1, 1), strict=True)
    ]
    neck = _search(_drop(grey, 0.5, 0.12), (0.7 * middle[0], CHIN[1] - _ABOVE_NECK + 0.5 * longer), (0.05, 0.09))
    return Parts(
        lids=lids,
        brows=(brows[0], brows[1]),
        nose=(under[0], under[1] - _UNDER_NOSE),
        mouth=(corners[0], corners[1]),
        chin=(neck[0], neck[1] + _ABOVE_NECK),
    )


def _bar(grey: np.ndarray, width: float, height: float) -> np.ndarray:
    """How much darker a bar around each pixel is than what lies above and below it; the weaker of both counts."""
    size = round(width * UNIT) | 1, round(height * UNIT) | 1
    mean = cv2.blur(grey, size)
    step = round(1.3 * height * UNIT)
    above = np.roll(mean, step, 0) - mean
    below = np.roll(mean, -step, 0) - mean
    return (np.minimum(above, below) + 0.5 * (above + below)) / 2


def _drop(grey: np.ndarray, width: float, height: float) -> np.ndarray:
    """How much brighter it is above each pixel than below it."""
    mean = cv2.blur(grey, (round(width * UNIT) | 1, round(height * UNIT) | 1))
    step = round(0.5 * height * UNIT)
    return np.roll(mean, step, 0) - np.roll(mean, -step, 0)


def _search(evidence: np.ndarray, average: Point, spread: Point) -> Point:
    """The place of most evidence, where each standard deviation away from the average costs more than the last."""
    y, x = np.mgrid[: evidence.shape[0], : evidence.shape[1]]
    u = x / UNIT + WINDOW[0]
    v = y / UNIT + WINDOW[1]
    off = np.maximum(np.abs(u - average[0]) / spread[0], np.abs(v - average[1]) / spread[1])
    cost = ((u - average[0]) / spread[0]) ** 2 + ((v - average[1]) / spread[1]) ** 2
    value = np.where(off <= 2, evidence - 0.06 * cost, -np.inf)
    row, col = np.unravel_index(int(value.argmax()), value.shape)
    return float(u[row, col]), float(v[row, col])


def _lids(grey: np.ndarray, at: float, radius: float) -> Point:
    """Heights of the lids above and below an iris: where its dark begins and ends."""
    left, right = ((at + side * 0.6 * radius - WINDOW[0]) * UNIT for side in (-1, 1))
    profile = grey[:, int(left) : int(np.ceil(right)) + 1].mean(1)
    v = np.arange(len(profile)) / UNIT + WINDOW[1]

    def edge(sign: int, average: float, spread: float) -> float:
        heights = (average + spread * np.linspace(-2, 2, 33)) * radius
        step = 0.25 * radius
        contrast = sign * (np.interp(heights + step, v, profile) - np.interp(heights - step, v, profile))
        return float(heights[int((contrast - 0.15 * ((heights / radius - average) / spread) ** 2).argmax())])

    return edge(-1, UPPER_LID, 0.15), edge(1, LOWER_LID, 0.1)
