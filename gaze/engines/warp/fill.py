"""What may be behind a person: beside the outline a mirror of what is seen there, and deeper in ever softer colours."""

from __future__ import annotations

import cv2
import numpy as np

from gaze.engines.warp.beyond import beyond
from gaze.engines.warp.mirror import mirror
from gaze.engines.warp.smaller import as_large, smaller, times_smaller

_NEAR = 0.15
"""Iris distances around what is hidden in which it matters what is left."""


def fill(image: np.ndarray, hidden: np.ndarray, around: np.ndarray, unit: float) -> np.ndarray:
    """The image, and where it is hidden, what is around goes on: (h, w, 3) uint8.

    Where the outline is near, that is `mirror`. What goes on from the sides and from above elsewhere (`beyond`) is
    corrected by a pyramid of sums and weights of what is left there, read from its top down (Gortler et al., "The
    Lumigraph", 1996: push and pull).

    Args:
        image: (h, w, 3) uint8.
        hidden: (h, w) uint8, 255 where nothing of it is to be used.
        around: (h, w) uint8, 255 where what lies outside goes on: without strands, which reach far out in one row
            and nowhere in the next.
        unit: pixels per iris distance.
    """
    times = times_smaller(unit)
    # In a copy, a place of which anything is hidden is hidden.
    covered = cv2.dilate(hidden, np.ones((2 * times - 1, 2 * times - 1), np.uint8))
    shown, covered, close = smaller(image, times), smaller(covered, times), smaller(around, times)
    filled = as_large(_filled(shown, covered, close, unit / times), times, image.shape)
    left = through_layer(image, hidden)
    *colours, known = cv2.split(mirror(left, hidden, around, unit))
    filled = cv2.add(through_layer(filled, known), cv2.merge(colours))
    return np.asarray(cv2.add(left, through_layer(filled, cv2.bitwise_not(hidden))))


def _filled(image: np.ndarray, hidden: np.ndarray, around: np.ndarray, unit: float) -> np.ndarray:
    """All of it as what is around goes on softly."""
    known = cv2.bitwise_not(hidden)
    reach = 2 * max(2, round(_NEAR * unit)) + 1
    guide = beyond(image, hidden, around, unit)
    near = cv2.min(known, cv2.dilate(hidden, np.ones((reach, reach), np.uint8)))
    left = cv2.subtract(image, guide, dtype=cv2.CV_16S)
    seen = cv2.multiply(left, cv2.cvtColor(near, cv2.COLOR_GRAY2RGB), scale=1 / 255, dtype=cv2.CV_16S)
    levels: list[np.ndarray] = [cv2.pyrDown(cv2.merge([*cv2.split(seen), near.astype(np.int16)])).astype(np.float32)]
    levels[0][..., 3] /= 255
    while min(levels[-1].shape[:2]) > 4:
        levels.append(cv2.pyrDown(levels[-1]))
    coarse: np.ndarray = levels[-1][..., :3] / np.maximum(levels[-1][..., 3:], 1e-6)
    for level in levels[-2::-1]:
        coarse = cv2.pyrUp(coarse, dstsize=level.shape[1::-1])
        coarse = coarse + _pulled(level, coarse)
    whole = cv2.pyrUp(np.rint(coarse).astype(np.int16), dstsize=image.shape[1::-1])
    return cv2.add(whole, guide, dtype=cv2.CV_8U)


def through_layer(behind: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """What is seen of a background through a layer of such alpha, (h, w, 3) uint8."""
    return cv2.multiply(behind, cv2.cvtColor(cv2.bitwise_not(alpha), cv2.COLOR_GRAY2RGB), scale=1 / 255)


def _pulled(level: np.ndarray, coarse: np.ndarray) -> np.ndarray:
    weight = level[..., 3:]
    sure = np.minimum(1, 4 * weight)
    return sure * (level[..., :3] / np.maximum(weight, 1e-6) - coarse)
