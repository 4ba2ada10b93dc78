"""What the network that finds the person doubts beside a face: ears and hair, which must not stay behind.

Its map falls from one to nothing within a few of its own pixels where it is sure. An ear that it takes for background
is a plateau, far below a half and far above what it gives a wall.
"""

from __future__ import annotations

import cv2
import numpy as np

from gaze.engines.warp.ease import fall
from gaze.face.face import Face

_DOUBT = (0.1, 0.3)
"""What the map says of places that may be the head's, and from which on they are."""
_SURE, _EDGE = 0.9, 3
"""What it says of the person where it is sure, and pixels of the map over which it falls at an edge."""
_BESIDE, _SOFT = 0.6, 0.4
"""Iris distances around the mesh in which what is doubted is the head's, and over which that ends."""
_DOWN = (0.8, 1.1)
"""Iris distances below the eyes, between nose and mouth, over which that ends as well: below ears there are clothes."""


def settle(found: np.ndarray, face: Face, width: int, height: int) -> np.ndarray:
    """The map, with the head where it doubts beside the face: (rows, cols) float32, 0 to 1.

    Args:
        found: (rows, cols) float32, the network's map of a photo, stretched.
        face: in the photo.
        width, height: of the photo.
    """
    scale = np.array(found.shape[::-1]) / (width, height)
    near = np.zeros(found.shape, np.uint8)
    cv2.fillPoly(near, [np.round(face.outline * scale).astype(np.int32)], 1)
    reach, soft = (2 * np.ceil(way * face.iris_distance * scale).astype(int) + 1 for way in (_BESIDE, _SOFT / 2))
    share = cv2.blur(cv2.dilate(near, np.ones(reach[::-1], np.uint8)).astype(np.float32), tuple(soft.tolist()))
    y, x = np.ogrid[: found.shape[0], : found.shape[1]]
    _, v = face.to_frame(x / scale[0], y / scale[1])
    share *= fall((v - _DOWN[0]) / (_DOWN[1] - _DOWN[0])).astype(np.float32)
    edge = np.ones((2 * _EDGE + 1,) * 2, np.uint8)
    sure = cv2.dilate((found > _SURE).astype(np.uint8), edge)
    plateau = cv2.dilate(((found > _DOUBT[0]) & (sure == 0)).astype(np.uint8), edge)
    head = np.clip((found - _DOUBT[0]) / (_DOUBT[1] - _DOUBT[0]), 0, 1)
    return np.maximum(found, head * share * plateau)
