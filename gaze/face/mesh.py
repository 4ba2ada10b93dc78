"""A mesh of 468 points laid over a face, with a depth for each (`gaze.face.topology` names them).

Kartynnik et al., "Real-time Facial Surface Geometry from Monocular Video on Mobile GPUs", 2019.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from gaze.face.coordinates import square_crop
from gaze.face.detector import Detection
from gaze.face.networks import MESH, network
from gaze.face.topology import LEFT_LOWER_LID, OUTLINE, RIGHT_LOWER_LID

_AROUND_BOX = 1.5
"""Side of the network's crop in sides of the detector's box, as it was trained."""
_AROUND_MESH = 1.5
"""The same in sides of the square around a mesh that is already there."""


class FoundMesh(NamedTuple):
    """What the network gives.

    Attributes:
        points: (468, 3) float64: x and y in image pixels; z in the same unit, growing away from the viewer.
        score: 0 to 1, how sure the network is that the crop shows a face.
    """

    points: np.ndarray
    score: float


def find_mesh(image: np.ndarray, detection: Detection) -> FoundMesh:
    """Lay the mesh over the face in a detector's box; image: (height, width, 3) uint8 RGB."""
    size = _AROUND_BOX * max(detection.width, detection.height)
    return _run(image, (detection.x, detection.y), size, detection.roll)


def improve_mesh(image: np.ndarray, points: np.ndarray) -> FoundMesh:
    """Lay it again, over the crop that the mesh found before asks for: upright, and around the whole outline."""
    left, right = (points[[lid[0], lid[-1]], :2].mean(0) for lid in (LEFT_LOWER_LID, RIGHT_LOWER_LID))
    across = (right - left) / math.dist(left, right)
    axes = np.array([across, [-across[1], across[0]]])
    outline = points[list(OUTLINE), :2] @ axes.T
    least, most = outline.min(0), outline.max(0)
    x, y = (least + most) / 2 @ axes
    return _run(image, (float(x), float(y)), _AROUND_MESH * float((most - least).max()), math.atan2(*across[::-1]))


def _run(image: np.ndarray, middle: tuple[float, float], size: float, tilt: float) -> FoundMesh:
    net = network(MESH)
    crop, matrix = square_crop(image, middle, size, tilt, net.side)
    values, logit = net(crop)
    points = values.reshape(-1, 3).astype(np.float64)
    points[:, :2] = points[:, :2] @ matrix[:, :2].T + matrix[:, 2]
    points[:, 2] *= size / net.side
    return FoundMesh(points, 1 / (1 + math.exp(-float(np.clip(logit[0], -80, 80)))))
