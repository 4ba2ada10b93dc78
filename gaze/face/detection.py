"""From a `Portrait` to its faces, by classical means that need no download.

Beside this module, `cascade` proposes boxes, `irises` finds both irises of each. In the face levelled by them,
`landmarks` finds what lies around them, `symmetry` where they look, and `confidence` says how far to trust all that.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from gaze.errors import FaceError
from gaze.face import confidence, landmarks, symmetry
from gaze.face.aligned_crop import Circle, level_patch
from gaze.face.cascade import Box, Seen, agreement, propose
from gaze.face.face import Face, Iris, laid_out
from gaze.face.irises import UNIT, find_irises
from gaze.face.landmarks import find_parts
from gaze.photo.portrait import Portrait

_MIN_IRIS_DISTANCE = 14.0
_MIN_CONFIDENCE = 0.5
_NO_FACE = 0.01
"""Confidence below which a find is not even doubtful."""


def find_faces(portrait: Portrait) -> list[Face]:
    """All faces found, the main one first: the largest whose eyes are clear. An empty list when there is none."""
    doubtful: list[Face] = []
    for boxes in propose(cv2.cvtColor(portrait.image, cv2.COLOR_RGB2GRAY)):
        faces = _distinct([_face_in(portrait.image, box) for box in boxes])
        if clear := list(filter(_is_clear, faces)):
            return sorted(clear, key=lambda face: -face.iris_distance)
        doubtful += [face for face in faces if face.confidence >= _NO_FACE]
    return _distinct(doubtful)


def _is_clear(face: Face) -> bool:
    """Whether it can be animated. A few pixels can look like anything: they end no search."""
    return face.iris_distance >= _MIN_IRIS_DISTANCE and face.confidence >= _MIN_CONFIDENCE


def _distinct(faces: list[Face]) -> list[Face]:
    """Of faces found in one place the most confident one; the most confident first."""
    kept: list[Face] = []
    for face in sorted(faces, key=lambda face: -face.confidence):
        if all(math.dist(face.centre, other.centre) > 0.8 * other.iris_distance for other in kept):
            kept.append(face)
    return kept


def main_face(portrait: Portrait, number: int = 0) -> tuple[Face, int]:
    """The face to animate, and how many there are to choose from.

    Args:
        portrait: the whole photo.
        number: 0 for the main face, 1 for the next largest, and so on: its place in `clear_faces`.

    Raises:
        FaceError: as `clear_faces`, or there are not so many faces.
    """
    faces = clear_faces(portrait)
    if not 0 <= number < len(faces):
        numbers = f"Choose 0, the main one, to {len(faces) - 1}" if len(faces) > 1 else "There is only one: choose 0"
        raise FaceError(f"There is no face number {number} in the photo. {numbers}.")
    return faces[number], len(faces)


def clear_faces(portrait: Portrait) -> list[Face]:
    """The faces that can be animated, the largest first.

    Raises:
        FaceError: no face, or only such that are too small or whose eyes are not clear.
    """
    faces = find_faces(portrait)
    if clear := list(filter(_is_clear, faces)):
        return clear
    if not faces:
        raise FaceError(
            "No face was found. Use a photo that shows one face from the front, well lit, with both eyes open "
            "and uncovered."
        )
    if faces[0].iris_distance < _MIN_IRIS_DISTANCE:
        raise FaceError(
            f"The face is too small: {faces[0].iris_distance:.0f} pixels between the eyes, at least "
            f"{_MIN_IRIS_DISTANCE:.0f} are needed, 40 look good. Use a larger photo, or cut it closer to the face."
        )
    raise FaceError(
        "The eyes could not be found clearly. Use a photo that is sharper or better lit, from the front, "
        "with both eyes open and uncovered."
    )


def _face_in(image: np.ndarray, box: Box) -> Face:
    # A copy of the face alone, small enough that patches taken from it do not alias.
    x0, y0 = max(0, int(box.x - box.width)), max(0, int(box.y - box.width))
    near = image[y0 : int(box.y + box.width) + 1, x0 : int(box.x + box.width) + 1]
    scale = min(1.0, 1.25 * UNIT / math.dist(*box.irises))
    size = max(1, round(near.shape[1] * scale)), max(1, round(near.shape[0] * scale))
    near = cv2.resize(near, size, interpolation=cv2.INTER_AREA)

    def level(left: Circle, right: Circle, unit: float, window: tuple[float, ...]) -> np.ndarray:
        return level_patch(near, left, right, unit, window)[0]

    def likeness(left: Circle, right: Circle) -> symmetry.Likeness:
        return symmetry.compare_eyes(level(left, right, symmetry.UNIT, symmetry.WINDOW), sum(_radii(left, right)) / 2)

    def judge(left: Circle, right: Circle, strangeness: float, seen: Seen) -> float:
        agreed = agreement(near, left, right)
        if agreed == 0:
            return confidence.HOPELESS
        eyes = confidence.eye_signs(level(left, right, confidence.UNIT, confidence.WINDOW), _radii(left, right))
        pairs = zip(seen, (left, right), strict=True)
        sight = min(eye.clearness(iris, left, right) if eye else 0.0 for eye, iris in pairs)
        return confidence.log_odds(agreed, likeness(left, right).correlation, strangeness, eyes, sight)

    guess = [((x - x0) * scale, (y - y0) * scale, 0.0) for x, y in box.irises]
    left, right, odds = find_irises(near, guess[0], guess[1], judge)
    parts = find_parts(level(left, right, landmarks.UNIT, landmarks.WINDOW), _radii(left, right))
    trust = confidence.confidence(odds)
    # Beyond the picture's border there is only its edge, repeated.
    if not all(r <= x < near.shape[1] - r and r <= y < near.shape[0] - r for x, y, r in (left, right)):
        trust = 0.0
    aside = likeness(left, right).aside
    face = laid_out(Iris(*left), Iris(*right), trust, aside or 0.0, parts)
    if aside is None:
        face = laid_out(face.left, face.right, trust, face.camera_gaze, parts)
    return face.moved(1 / scale, x0 + 0.5 / scale - 0.5, y0 + 0.5 / scale - 0.5)


def _radii(left: Circle, right: Circle) -> tuple[float, float]:
    """Of irises, in distances between them."""
    distance = math.dist(left[:2], right[:2])
    return left[2] / distance, right[2] / distance
