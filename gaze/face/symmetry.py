"""Where a face looks, left or right: how far both irises lie off the middle of their eyes.

The corners of eyes are too faint in most photos to be found one by one. But the eyes of a face are each other's mirror
image in all but the irises, which go the same way: laid over each other by their irises, the left eye and the mirrored
right one are apart by twice what the irises lie aside. That shift is found by normalised correlation of what surrounds
the irises: lids, lashes, folds, whites. It takes no colour, so it works on grey pictures and paintings alike.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

UNIT, WINDOW = 48.0, (-1.25, -0.4375, 1.25, 0.4375)
"""The level patch: pixels per unit, and left, top, right, bottom in units. The irises lie on whole pixels."""

_ACROSS, _DOWN = 11, 2
"""Pixels by which the mirrored eye is shifted at most. Across, that is twice 0.11 units: as far as an eye can turn."""
_SPREAD = (0.24, 0.12)
"""Weights of the pixels fall off with the distance from the middle of the eye: standard deviations across and down."""
_ALIKE = 0.55
"""Least correlation of eyes that are alike (measured: benchmarks/RESULTS.md)."""


class Likeness(NamedTuple):
    """How far the irises lie to the right of the middle of their eyes, and how alike the eyes are.

    Attributes:
        aside: in iris distances, within ±0.11; None where the eyes are too unlike to tell.
        correlation: of the eyes in the best fit, -1 to 1.
    """

    aside: float | None
    correlation: float


def compare_eyes(patch: np.ndarray, radius: float) -> Likeness:
    """Lay the right eye, mirrored, over the left.

    Args:
        patch: (h, w, 3) uint8 RGB, the level `WINDOW` at `UNIT` pixels per unit.
        radius: of the irises, in units.
    """
    detail = _detail(patch)
    reach = round(2 * _SPREAD[0] * UNIT) + _ACROSS // 2 + 1
    columns = [round((side - WINDOW[0]) * UNIT) for side in (-0.5, 0.5)]
    left, right = (detail[:, iris - reach : iris + reach + 1] for iris in columns)
    v, u = np.mgrid[: left.shape[0], -reach : reach + 1] / UNIT
    v += WINDOW[1]
    seen = np.clip((np.hypot(u, v) / radius - 1.15) / 0.2, 0, 1)
    shifts = range(-_ACROSS, _ACROSS + 1)
    fits = [max(_fit(left, right[:, ::-1], seen, x, y) for y in range(-_DOWN, _DOWN + 1)) for x in shifts]
    best = int(np.argmax(fits))
    if fits[best] < _ALIKE or best in (0, len(fits) - 1):
        return Likeness(None, fits[best])
    before, here, after = fits[best - 1 : best + 2]
    shift = shifts[best] + 0.5 * (before - after) / (before - 2 * here + after)
    return Likeness(-shift / 2 / UNIT, here)


def _detail(patch: np.ndarray) -> np.ndarray:
    """Lightness freed from light and shadow: less its mean and by its deviation, both over an eye's height."""
    grey = cv2.GaussianBlur(cv2.cvtColor(patch, cv2.COLOR_RGB2GRAY).astype(np.float32), (0, 0), 0.015 * UNIT)
    mean = cv2.GaussianBlur(grey, (0, 0), 0.12 * UNIT)
    square = cv2.GaussianBlur(grey * grey, (0, 0), 0.12 * UNIT)
    return (grey - mean) / (np.sqrt(np.maximum(square - mean * mean, 0)) + 6)


def _fit(a: np.ndarray, b: np.ndarray, seen: np.ndarray, across: int, down: int) -> float:
    """Weighted correlation of `a` with `b` moved by whole pixels, where `seen` shows no iris in either."""
    height, width = a.shape
    rows, other_rows = _overlap(height, down)
    cols, other_cols = _overlap(width, across)
    x = (np.arange(width)[cols] - (width - 1 + across) / 2) / (_SPREAD[0] * UNIT)
    y = (np.arange(height)[rows] - (height - 1 + down) / 2) / (_SPREAD[1] * UNIT)
    weight = np.outer(np.exp(-y * y / 2), np.exp(-x * x / 2)) * seen[rows, cols] * seen[other_rows, other_cols]
    weight /= weight.sum()
    a, b = a[rows, cols], b[other_rows, other_cols]
    a, b = a - (weight * a).sum(), b - (weight * b).sum()
    return float((weight * a * b).sum() / np.sqrt((weight * a * a).sum() * (weight * b * b).sum() + 1e-9))


def _overlap(length: int, shift: int) -> tuple[slice, slice]:
    """Where a row meets another one moved by `shift`: the part of the one and of the other."""
    return slice(max(0, shift), length + min(0, shift)), slice(max(0, -shift), length + min(0, -shift))
