"""The irises and lids of a face whose mesh is known: Ablavatski et al., "Real-time Pupil Tracking", 2020."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from gaze.face.coordinates import square_crop
from gaze.face.networks import IRIS, network
from gaze.face.topology import LEFT_LOWER_LID, LEFT_UPPER_LID, RIGHT_LOWER_LID, RIGHT_UPPER_LID

_AROUND_EYE = 2.3
"""Side of the network's crop in widths of the eye, as it was trained."""
_FEATURES = 128
"""Channels of the layer that features are taken from."""


class FoundEye(NamedTuple):
    """What the network gives, in image pixels.

    Attributes:
        x, y, radius: of the iris.
        upper, lower: (9, 2) edges of the lids, from left to right in the image, corners included.
        features: (128,) of the layer that lids and brow are read from, means over its places: what kind of eye it is.
    """

    x: float
    y: float
    radius: float
    upper: np.ndarray
    lower: np.ndarray
    features: np.ndarray


def find_eyes(image: np.ndarray, mesh: np.ndarray) -> tuple[FoundEye, FoundEye]:
    """The left and the right eye of a mesh, (468, 3); image: (height, width, 3) uint8 RGB."""
    outer = mesh[[LEFT_LOWER_LID[0], RIGHT_LOWER_LID[-1]], :2]
    across = outer[1] - outer[0]
    tilt = math.atan2(across[1], across[0])
    left = _run(image, mesh[[LEFT_LOWER_LID[0], LEFT_LOWER_LID[-1]], :2], tilt, mirrored=False)
    # The network knows eyes whose outer corner is at the left.
    right = _run(image, mesh[[RIGHT_LOWER_LID[0], RIGHT_LOWER_LID[-1]], :2], tilt, mirrored=True)
    return left, right


def put_lids(mesh: np.ndarray, eyes: tuple[FoundEye, FoundEye]) -> np.ndarray:
    """The mesh with the lids of both eyes where this network sees them: it looks closer.

    The corners stay where the mesh has them: this network lets them follow the iris, by a third of its way. Next to the
    corners the lids are bent to meet them.
    """
    better = mesh.copy()
    indices = ((LEFT_UPPER_LID, LEFT_LOWER_LID), (RIGHT_UPPER_LID, RIGHT_LOWER_LID))
    for eye, contours in zip(eyes, indices, strict=True):
        for edge, contour in zip((eye.upper, eye.lower), contours, strict=True):
            near = np.clip(1 - np.arange(len(edge)) / (len(edge) // 2), 0, 1)[:, None] ** 2
            ends = mesh[[contour[0], contour[-1]], :2] - edge[[0, -1]]
            better[list(contour), :2] = edge + near * ends[0] + near[::-1] * ends[1]
    return better


def _run(image: np.ndarray, corners: np.ndarray, tilt: float, mirrored: bool) -> FoundEye:
    net = network(IRIS)
    x, y = corners.mean(0)
    size = _AROUND_EYE * float(np.abs(corners[1] - corners[0]).max())
    crop, matrix = square_crop(image, (float(x), float(y)), size, tilt, net.side, mirrored)
    *points, features = net(crop)
    iris, contours = (
        values.reshape(-1, 3)[:, :2].astype(np.float64) @ matrix[:, :2].T + matrix[:, 2] for values in points
    )
    # The middle, then four points of the edge. Of the contours the lower lid is first, from the outer corner to the
    # inner one, then the upper lid without corners.
    radius = float(np.hypot(*(iris[1:] - iris[0]).T).mean())
    lower = contours[:9]
    upper = np.vstack([contours[:1], contours[9:16], contours[8:9]])
    order = slice(None, None, -1 if mirrored else 1)
    kind = features.reshape(_FEATURES, -1).mean(1)
    return FoundEye(float(iris[0, 0]), float(iris[0, 1]), radius, upper[order], lower[order], kind)
