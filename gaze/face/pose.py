"""How a head is turned: the rotation between its mesh and that of an average face."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from gaze.face.topology import STEADY
from gaze.face.typical import typical_mesh


class HeadPose(NamedTuple):
    """Degrees. Zero is an average face that looks straight into the camera.

    Attributes:
        yaw: turn, positive to the image's right.
        pitch: nod, positive downwards.
        roll: lean, positive clockwise in the image.
    """

    yaw: float
    pitch: float
    roll: float


def head_pose(mesh: np.ndarray) -> HeadPose:
    """The pose of a mesh, (468, 3).

    The rotation is the one of least squares (Kabsch, "A solution for the best rotation to relate two sets of vectors",
    1976) over the points that no expression moves. Roll is applied last, pitch first.
    """
    points, average = mesh[list(STEADY)], typical_mesh()[list(STEADY)]
    u, _, vt = np.linalg.svd((average - average.mean(0)).T @ (points - points.mean(0)))
    handed = np.diag([1, 1, np.sign(np.linalg.det(u @ vt))])
    rotation = (u @ handed @ vt).T
    return HeadPose(
        yaw=math.degrees(math.asin(max(-1.0, min(1.0, rotation[2, 0])))),
        pitch=math.degrees(math.atan2(rotation[2, 1], rotation[2, 2])),
        roll=math.degrees(math.atan2(rotation[1, 0], rotation[0, 0])),
    )
