"""From a `Portrait` to its faces, and to the one that is to be animated."""

from __future__ import annotations

import math

from gaze.errors import FaceError
from gaze.face.detector import detect
from gaze.face.face import Face
from gaze.face.reading import read_face
from gaze.photo.portrait import Portrait

_MIN_IRIS_DISTANCE = 14.0
_MIN_CONFIDENCE = 0.5


def find_faces(portrait: Portrait) -> list[Face]:
    """All faces found, the main one first: the largest whose eyes are clear. An empty list when there is none."""
    doubtful: list[Face] = []
    for detections in detect(portrait.image):
        read = (read_face(portrait.image, it) for it in detections)
        faces = _distinct([face for face in read if face])
        if clear := list(filter(_is_clear, faces)):
            return sorted(clear, key=lambda face: -face.iris_distance)
        doubtful += faces
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
