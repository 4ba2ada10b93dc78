"""Where lids, brows, nose, mouth and chin lie, in the face frame: x axis through the irises, their distance the unit.

Each part is the place near its average where its mark is plainest: a dark bar (brow, line of the mouth), or a bright
area above a dark one (underside of the nose, chin). The farther from the average, the plainer the mark has to be, and
none is taken farther than twice its usual spread; without a mark the average remains.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from gaze.face.aligned_crop import Point

UNIT = 48.0
WINDOW = (-1.4, -1.0, 1.4, 2.5)
"""The level patch that is searched: pixels per unit, and left, top, right, bottom in units."""

# Averages and spreads, by marks on portraits: BROW by hand, the others by a mesh laid over some 90 photos.
BROW, NOSE, MOUTH, CHIN = (0.57, -0.28), (0.0, 0.64), (0.0, 1.08), (0.0, 1.8)
MOUTH_HALF = 0.43
CORNER = (0.22, 0.045)
"""Of an eye's opening, outwards and down from the iris centre."""
UPPER_LID, LOWER_LID = -0.62, 1.0
"""Apexes of the lids, in iris radii down from the iris centre."""
_COST = 0.06
"""Of the first standard deviation away from an average, in evidence."""
_NOSTRIL = (0.12, 0.06)
"""Aside of and below the tip of the nose."""
_UNDER_NOSE, _ABOVE_NECK, _BEYOND = 0.08, 0.06, 0.03
"""How far the shadow under the nose lies below its tip, the middle of the chin's edge above its lowest point, and each
corner of the mouth beyond the end of its dark."""


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
    spot = _spot(grey)
    mouth = _mouth(grey, spot)
    middle = (mouth[0][0] + mouth[1][0]) / 2, (mouth[0][1] + mouth[1][1]) / 2
    longer = middle[1] - MOUTH[1]
    neck = (0.9 * middle[0], CHIN[1] - _ABOVE_NECK + 0.9 * longer)
    neck = _search(_drop(grey, 0.5, 0.12), neck, (0.05, 0.11))
    return Parts(
        lids=lids,
        brows=(brows[0], brows[1]),
        nose=_search(_nose(grey, spot), NOSE, (0.17, 0.09)),
        mouth=mouth,
        chin=(neck[0], neck[1] + _ABOVE_NECK),
    )


def _nose(grey: np.ndarray, spot: np.ndarray) -> np.ndarray:
    """How much each pixel looks like the tip of a nose: nostrils beside it, a shadow below, its sides darker."""
    across, below = _NOSTRIL
    nostrils = _from(spot, -across, below), _from(spot, across, below)
    smooth = cv2.GaussianBlur(grey, (0, 0), 0.06 * UNIT)
    ridge = smooth - (_from(smooth, -0.24, 0) + _from(smooth, 0.24, 0)) / 2
    shadow = _from(_drop(grey, 0.25, 0.16), 0, _UNDER_NOSE)
    return shadow + np.minimum(*nostrils) + (nostrils[0] + nostrils[1]) / 2 + 0.3 * ridge


def _mouth(grey: np.ndarray, spot: np.ndarray) -> tuple[Point, Point]:
    """The corners: a dark line between them that ends at both, in dark spots. First of all widths, then each alone."""
    line = _bar(grey, 0.12, 0.06)
    corners = [0.4 * (line - _from(line, side * 0.08, 0) + spot) for side in (-1, 1)]
    long = 0.2 * _bar(grey, 0.5, 0.08)
    best = (-np.inf, MOUTH, 0.0, 0.0)
    for half in MOUTH_HALF + 0.06 * np.arange(-2, 2.5, 0.5):
        for raised in (0.06, 0.02, -0.02, -0.06):
            ends = _from(corners[0], -half, -raised) + _from(corners[1], half, -raised)
            unlikely = ((half - MOUTH_HALF) / 0.06) ** 2 + ((raised - 0.015) / 0.045) ** 2
            value, at = _best(long + ends / 2 - _COST * unlikely, MOUTH, (0.06, 0.1))
            best = max(best, (value, at, half, raised))
    _, (u, v), half, raised = best
    left, right = (
        _search(0.5 * end, (u + side * half, v - raised), (0.035, 0.035))
        for end, side in zip(corners, (-1, 1), strict=True)
    )
    return (left[0] - _BEYOND, left[1]), (right[0] + _BEYOND, right[1])


def _from(evidence: np.ndarray, across: float, down: float) -> np.ndarray:
    """For each pixel what is said at the one so far away."""
    return np.roll(evidence, (-round(down * UNIT), -round(across * UNIT)), (0, 1))


def _spot(grey: np.ndarray) -> np.ndarray:
    """How much darker a spot of the size of a nostril is than what lies around it."""
    return cv2.GaussianBlur(grey, (0, 0), 0.11 * UNIT) - cv2.GaussianBlur(grey, (0, 0), 0.03 * UNIT)


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
    return _best(evidence, average, spread)[1]


def _best(evidence: np.ndarray, average: Point, spread: Point) -> tuple[float, Point]:
    """`_search`, with the evidence less the cost."""
    (left, right), (top, bottom) = (
        (max(0, round((at - 2 * by - start) * UNIT)), round((at + 2 * by - start) * UNIT) + 1)
        for at, by, start in zip(average, spread, WINDOW, strict=False)
    )
    near = evidence[top:bottom, left:right]
    u = np.arange(left, left + near.shape[1]) / UNIT + WINDOW[0]
    v = np.arange(top, top + near.shape[0]) / UNIT + WINDOW[1]
    cost = np.add.outer(((v - average[1]) / spread[1]) ** 2, ((u - average[0]) / spread[0]) ** 2)
    value = near - _COST * cost
    row, col = np.unravel_index(int(value.argmax()), value.shape)
    return float(value[row, col]), (float(u[col]), float(v[row]))


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
