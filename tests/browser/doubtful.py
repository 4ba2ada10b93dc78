"""A photo whose eyes are hard to see: a real one, paled around the eyes as widely as it takes."""

from __future__ import annotations

import cv2
import numpy as np

from gaze.face.confidence import DOUBTFUL, SURE
from gaze.face.detection import find_faces
from gaze.photo.portrait import Portrait

_STEPS = 16


def doubtful(portrait: Portrait) -> np.ndarray:
    """The portrait with eyes like the skin around them, so much that the face is taken only if somebody says so."""
    face = find_faces(portrait)[0]
    (x, y), unit = face.centre, face.iris_distance
    rows, columns = np.mgrid[: portrait.height, : portrait.width]
    skin = cv2.GaussianBlur(portrait.image, (0, 0), 0.5 * unit).astype(float)
    low, high = 0.5, 1.3
    for _ in range(_STEPS):
        wide = (low + high) / 2 * unit
        share = np.clip(1.6 - np.hypot((columns - x) / wide, (rows - y) / (0.45 * wide)), 0, 1)[..., None]
        image = np.rint(portrait.image * (1 - share) + skin * share).astype(np.uint8)
        confidence = max((found.confidence for found in find_faces(Portrait(image))), default=0.0)
        if DOUBTFUL <= confidence < SURE:
            return image
        low, high = ((low + high) / 2, high) if confidence >= SURE else (low, (low + high) / 2)
    raise AssertionError("no paleness makes the eyes hard to see")
