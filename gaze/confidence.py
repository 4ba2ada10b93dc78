"""Telling a good find from a guess: four signs that the irises found are a face's open eyes.

Constants were set on 11 portraits in 35 variations that should pass, looks to all sides among them, and in 32 with an
eye covered or both closed that should not.
"""

from __future__ import annotations

import cv2
import numpy as np

UNIT, WINDOW = 96.0, (-1.1, -0.5, 1.1, 0.5)
"""The level patch of the eyes: pixels per unit, and left, top, right, bottom in units."""

_UNLIKE, _ALIKE = 0.25, 0.4
_ENDS, _GOES_ON = 0.2, 0.35
_CLEAR = 0.6
"""Evidence times agreement of a clear find: 0.35 to 0.83 on seven portraits, at most 0.38 with one eye painted over."""


def confidence(evidence: float, agreement: float, correlation: float, dark_aside: float) -> float:
    """0 to 1, from what speaks for a pair of irises. 0.35 parts finds from guesses.

    Args:
        evidence: how clear the weaker iris is; a clear one has 0.5 and more (`gaze.irises`).
        agreement: 0 to 1; whether the cascade sees the face where the irises say it is (`gaze.cascade`).
        correlation: of the left eye with the mirrored right one (`gaze.symmetry`).
        dark_aside: of the darkness of the irises, how much is left beside them (`dark_aside`).
    """
    alike = np.clip((correlation - _UNLIKE) / (_ALIKE - _UNLIKE), 0, 1)
    goes_on = np.clip((dark_aside - _ENDS) / (_GOES_ON - _ENDS), 0, 1)
    return float(np.clip(max(0.0, evidence) * agreement * alike * goes_on / _CLEAR, 0, 1))


def dark_aside(patch: np.ndarray, radii: tuple[float, float]) -> float:
    """How dark the darkest is beside an iris, by the iris itself; the least of the four sides, 1 for as dark.

    An open eye goes on as lashes and corners on both sides of its iris. Where the end of a closed eye's lashes, or the
    corner of a patch, was taken for an iris, there is bare skin on one side.

    Args:
        patch: (h, w, 3) uint8 RGB, the level `WINDOW` at `UNIT` pixels per unit.
        radii: of the left and the right iris, in units.
    """
    grey = cv2.cvtColor(patch, cv2.COLOR_RGB2GRAY)
    # Highlights are small and bright.
    grey = cv2.morphologyEx(grey, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7)))
    grey = cv2.GaussianBlur(grey, (0, 0), 0.01 * UNIT).astype(np.float32)
    u = np.arange(grey.shape[1]) / UNIT + WINDOW[0]
    v = np.arange(grey.shape[0]) / UNIT + WINDOW[1]
    shares = []
    for at, radius in zip((-0.5, 0.5), radii, strict=True):
        x, y = (u - at) / radius, v / radius
        light = np.percentile(grey[np.ix_(np.abs(y) < 1.8, np.abs(x) < 2.5)], 85)
        dark = light - grey[np.abs(y) < 1].min(0)
        inside = dark[np.abs(x) < 0.4].mean()
        shares += [dark[(side * x > 1.2) & (side * x < 2)].mean() / max(inside, 1.0) for side in (-1, 1)]
    return float(min(shares))
