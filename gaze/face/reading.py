"""From a detector's box to a `Face`: mesh, irises, and how far to trust them."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from gaze.face.confidence import UNIT, WINDOW, confidence, eye_signs
from gaze.face.coordinates import aligned_crop
from gaze.face.detector import Detection
from gaze.face.face import Face, Iris
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
    left, right = _irises(eyes)
    if math.dist((left.x, left.y), (right.x, right.y)) < 1:
        return None
    mesh = put_lids(found.points, eyes)
    mesh[:, 2] -= mesh[list(_CORNERS), 2].mean()
    mesh.setflags(write=False)
    face = Face(left, right, mesh, 1.0, eye_sharpness(image, (left.x, left.y), (right.x, right.y)))
    return _trusted(image, face, found.score)


def _irises(eyes: tuple[FoundEye, FoundEye]) -> tuple[Iris, Iris]:
    """Both of one size, as the irises of a person are."""
    radius = (eyes[0].radius + eyes[1].radius) / 2
    return Iris(eyes[0].x, eyes[0].y, radius), Iris(eyes[1].x, eyes[1].y, radius)


def _trusted(image: np.ndarray, face: Face, mesh_score: float) -> Face:
    """The face with its confidence."""
    height, width = image.shape[:2]
    inside = all(
        it.radius <= it.x < width - it.radius and it.radius <= it.y < height - it.radius
        for it in (face.left, face.right)
    )
    if not inside:
        return replace(face, confidence=0.0)
    # Beyond the picture's border there is only its edge, repeated.
    ends = (face.left.x, face.left.y), (face.right.x, face.right.y)
    crop, _ = aligned_crop(image, *ends, UNIT, WINDOW)
    radius = face.left.radius / face.iris_distance
    return replace(face, confidence=confidence(mesh_score, face.openness, face.yaw, eye_signs(crop, (radius, radius))))
