"""From a detector's box to a `Face`: mesh, irises, and how far to trust them."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from gaze.face.confidence import confidence
from gaze.face.detector import Detection
from gaze.face.face import Face, Iris
from gaze.face.iris_edge import refine_irises
from gaze.face.irises import FoundEye, find_eyes, put_lids
from gaze.face.mesh import find_mesh, improve_mesh
from gaze.face.sharpness import eye_sharpness
from gaze.face.topology import LEFT_LOWER_LID, RIGHT_LOWER_LID

_LEAST_MESH_SCORE = 0.1
"""Below it there is no face in the box."""
_CORNERS = (LEFT_LOWER_LID[0], LEFT_LOWER_LID[-1], RIGHT_LOWER_LID[0], RIGHT_LOWER_LID[-1])


def read_face(image: np.ndarray, detection: Detection) -> Face | None:
    """The face in a box; None where there is none. Image: (height, width, 3) uint8 RGB."""
    first = find_mesh(image, detection)
    if first.score < _LEAST_MESH_SCORE:
        return None
    found = improve_mesh(image, first.points)
    if found.score < _LEAST_MESH_SCORE:
        return None
    eyes = find_eyes(image, found.points)
    if math.dist((eyes[0].x, eyes[0].y), (eyes[1].x, eyes[1].y)) < 1:
        return None
    refined = refine_irises(image, eyes)
    left, right = _irises(refined)
    mesh = put_lids(found.points, refined)
    mesh[:, 2] -= mesh[list(_CORNERS), 2].mean()
    mesh.setflags(write=False)
    face = Face(left, right, mesh, 1.0, eye_sharpness(image, (left.x, left.y), (right.x, right.y)))
    return replace(face, confidence=confidence(image, face, [eye.features for eye in eyes]))


def _irises(eyes: tuple[FoundEye, FoundEye]) -> tuple[Iris, Iris]:
    """Both of one size, as the irises of a person are."""
    radius = (eyes[0].radius + eyes[1].radius) / 2
    return Iris(eyes[0].x, eyes[0].y, radius), Iris(eyes[1].x, eyes[1].y, radius)
