"""Telling open eyes from others: the networks find animals, statues, and eyes that are closed or covered, too.

The network for irises was trained on open eyes alone, and gives lids and an iris for anything. But what it saw tells:
one linear function of its features (Alain and Bengio, "Understanding intermediate layers using linear classifier
probes", 2016) separates open eyes from others. `open_eye.npy` is that function, (129,) float32: a weight for each
feature, and the constant. It was fitted by logistic regression on eyes in pictures of faces that are not part of the
project, changed as photos are, and covered or closed: benchmarks/RESULTS.md has how many, and how it errs on those that
a fit had not seen.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np

from gaze.face.face import Face

SURE, DOUBTFUL = 0.5, 0.2
"""Confidence from which on a face is taken; and from which on a person is asked whether to take it."""
BLURRED = 0.2
"""`Face.sharpness` below which eyes are too blurred to be sure of them."""

_FACING, _FACING_SOFT = 50.0, 3.0
"""Degrees of yaw beyond which one eye is hardly seen, and over how many that sets in: the fit had few such faces."""
_OF_BLURRED = 0.45
"""Share of the confidence that blurred eyes leave: none are taken, and a person is asked about the likeliest."""
_FILE = Path(__file__).with_name("open_eye.npy")
_MOST = 50.0
"""Log odds beyond which a probability is 0 or 1."""


def confidence(image: np.ndarray, face: Face, features: Sequence[np.ndarray]) -> float:
    """0 to 1, for the irises of a face being those of open eyes.

    Args:
        image: (height, width, 3) uint8 RGB.
        face: as found in it.
        features: of both eyes, (128,) each (`gaze.face.irises.FoundEye`).
    """
    height, width = image.shape[:2]
    for it in (face.left, face.right):
        # Beyond the picture's border there is only its edge, repeated.
        if not (it.radius <= it.x < width - it.radius and it.radius <= it.y < height - it.radius):
            return 0.0
    facing = 1 / (1 + math.exp((abs(face.yaw) - _FACING) / _FACING_SOFT))
    clear = _OF_BLURRED if face.sharpness < BLURRED else 1.0
    return facing * clear * min(open_eye(it) for it in features)


def open_eye(features: np.ndarray) -> float:
    """How likely an eye is open and uncovered, 0 to 1, by its features, (128,)."""
    weights = _weights()
    odds = float(weights[:-1] @ features + weights[-1])
    return 1 / (1 + math.exp(-min(max(odds, -_MOST), _MOST)))


@cache
def _weights() -> np.ndarray:
    """(129,) float64: of the features, and the constant."""
    weights: np.ndarray = np.load(_FILE).astype(np.float64)
    return weights
