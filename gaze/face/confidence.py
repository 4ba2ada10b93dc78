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


def confidence(mesh_score: float, openness: tuple[float, float], yaw: float, eyes: EyeSigns) -> float:
    """0 to 1, for a pair of irises being those of a face's open eyes."""
    open_enough = 1 / (1 + math.exp(-(min(openness) - 0.12) / 0.015))
    facing = 1 / (1 + math.exp((abs(yaw) - 50) / 3))
    sides = 1 / (1 + math.exp(-(eyes.aside - 0.12) / 0.03))
    tall = 1 / (1 + math.exp(-(eyes.height - 1.7) / 0.15))
    return mesh_score * min(open_enough, facing, sides, tall)


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
