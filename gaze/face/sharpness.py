"""How sharp a face's eyes are."""

from __future__ import annotations

import cv2
import numpy as np

from gaze.face.coordinates import Point, aligned_crop

_UNIT, _WINDOW = 64.0, (-0.85, -0.3, 0.85, 0.25)
_FINE, _COARSE = 0.02, 0.2
"""Standard deviations, in iris distances, of the two blurs whose details are compared."""


def eye_sharpness(image: np.ndarray, left: Point, right: Point) -> float:
    """0 blurred to 1 sharp: the share of fine details in all details of the eyes.

    Light and contrast do not count. A picture that was enlarged is as sharp as it was before.

    Args:
        image: (height, width, 3) uint8 RGB.
        left, right: the irises.
    """
    crop, _ = aligned_crop(image, left, right, _UNIT, _WINDOW)
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY).astype(np.float32)
    fine = cv2.GaussianBlur(grey, (0, 0), _FINE * _UNIT)
    coarse = cv2.GaussianBlur(grey, (0, 0), _COARSE * _UNIT)
    details, all_details = float(np.std(grey - fine)), float(np.std(grey - coarse))
    return min(1.0, 3 * details / max(all_details, 4.0))
