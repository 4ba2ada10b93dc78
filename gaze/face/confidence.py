"""Telling a good find from a guess: signs that the irises found are a face's open eyes.

How much each sign says was fitted by logistic regression on finds in some 100 portraits that are not part of the
project, changed as photos are: right ones against wrong ones, finds in pictures without a face, and eyes
covered or closed (all these at a fifth of the weight). benchmarks/RESULTS.md says how often it errs.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np

UNIT, WINDOW = 96.0, (-1.1, -0.5, 1.1, 0.5)
"""The level patch of the eyes: pixels per unit, and left, top, right, bottom in units."""

_SAYS, _BIAS = (4.5, 4.1, 6.4, -12.8, 2.3, -8.0, 1.1, 5.2), -6.7
"""Of the signs in `log_odds`, in its order."""

HOPELESS = -10.0
"""Log odds of a pair around which the cascade sees no face: no other sign is worth looking for."""


class EyeSigns(NamedTuple):
    """What tells open eyes from other dark spots. Darkness is relative to the iris's.

    Attributes:
        aside: how dark the darkest is beside an iris; the least of the four sides. An open eye goes on as lashes and
            corners on both sides. Where the end of a closed eye's lashes was taken for an iris, there is bare skin.
        closed: how dark the lightest is beside an iris, by the darker side, on average of both eyes. Beside an iris is
            white, or skin; along closed lashes it stays dark.
        height: of what is dark, in iris radii, for the flatter eye: at half and at three quarters of its darkness.
    """

    aside: float
    closed: float
    height: float


def log_odds(agreement: float, correlation: float, strangeness: float, eyes: EyeSigns, sight: float) -> float:
    """For a pair of irises being right.

    Args:
        agreement: 0 to 1; whether the cascade sees the face where the irises say it is (`gaze.face.cascade`).
        correlation: of the left eye with the mirrored right one (`gaze.face.symmetry`).
        strangeness: how far the irises lie from where the box had them (`gaze.face.irises`).
        eyes: from `eye_signs`.
        sight: 0 to 1; how clearly the eye cascade sees the less clear eye around its iris (`gaze.face.cascade`).
    """
    signs = (
        math.sqrt(agreement),
        min(max(correlation, 0.1), 0.6),
        min(max(correlation, 0.1), 0.35),
        min(strangeness, 0.25),
        min(max(eyes.aside, 0.0), 0.4),
        min(max(eyes.closed, 0.3), 1.0),
        min(max(eyes.height, 1.4), 3.5),
        sight,
    )
    # Where the cascade sees hardly a face, foliage or a pen and a cuff can pass for eyes by most other signs.
    blind = max(0.0, 1 - agreement / 0.3)
    return float(np.dot(_SAYS, signs)) + _BIAS - 0.5 * blind


def confidence(log_odds: float) -> float:
    """The odds as a probability, 0 to 1."""
    return 1 / (1 + math.exp(-log_odds))


def eye_signs(patch: np.ndarray, radii: tuple[float, float]) -> EyeSigns:
    """Look at both eyes.

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
    eyes = [_one_eye(grey, (u - at) / radius, v / radius) for at, radius in zip((-0.5, 0.5), radii, strict=True)]
    aside, closed, height = zip(*eyes, strict=True)
    return EyeSigns(min(aside), sum(closed) / 2, min(height))


def _one_eye(grey: np.ndarray, x: np.ndarray, y: np.ndarray) -> EyeSigns:
    """`x` and `y` are the columns' and rows' places about the iris, in its radii."""
    light = np.percentile(grey[np.ix_(np.abs(y) < 1.8, np.abs(x) < 2.5)], 85)
    dark = np.maximum(light - grey, 0)
    down = dark[:, np.abs(x) < 0.4].mean(1)
    top = max(float(np.sort(down[np.abs(y) < 1])[-3:].mean()), 1.0)
    skin = min(float(down[(y > 1.1) & (y < 1.8)].min()), 0.7 * top)
    near = (down[np.abs(y) < 1.3] - skin) / (top - skin)
    height = min(2.0, 2.6 * float((near > 0.5).mean())) + 2.6 * float((near > 0.75).mean())

    darkest = dark[np.abs(y) < 1].max(0)
    inside = max(float(darkest[np.abs(x) < 0.4].mean()), 1.0)
    sides = [(side * x > 1.2) & (side * x < 2) for side in (-1, 1)]
    aside = min(float(darkest[beside].mean()) for beside in sides) / inside
    closed = max(float(dark[np.ix_((y > -0.3) & (y < 0.6), beside)].min(1).mean()) for beside in sides) / top
    return EyeSigns(aside, closed, height)
