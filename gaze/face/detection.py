"""From a `Portrait` to its faces, and to the one that is to be animated."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict

import numpy as np

from gaze.errors import DoubtfulFaceError, FaceError
from gaze.face.confidence import DOUBTFUL, SURE
from gaze.face.detector import Detection, detect, overlap
from gaze.face.face import Face
from gaze.face.reading import read_face
from gaze.face.refusal import MIN_IRIS_DISTANCE, reason
from gaze.photo.portrait import Portrait

_REMEMBERED = 32
"""How many pictures' faces are remembered, about 12 kB each."""
_MOST = 40
"""How many faces of one picture are read at most."""
_SAME = 0.6
"""Overlap, intersection over union, from which on a box is of a face that was read already: the mesh finds its own crop
in either."""


def find_faces(portrait: Portrait) -> list[Face]:
    """All faces found; an empty list when there is none.

    The first is the main one: the largest whose eyes are clear, or else the one that is most likely a face. What was
    found in a picture is remembered, by its content.
    """
    return list(_FOUND.faces(portrait))


def main_face(portrait: Portrait, number: int = 0, anyway: bool = False) -> tuple[Face, int]:
    """The face to animate, and how many there are to choose from.

    Args:
        portrait: the whole photo.
        number: 0 for the main face, 1 for the next largest, and so on: its place in `clear_faces`.
        anyway: as for `clear_faces`.

    Raises:
        FaceError: as `clear_faces`, or there are not so many faces.
    """
    faces = clear_faces(portrait, anyway)
    if not 0 <= number < len(faces):
        several = f"Choose a number from 0, the main one, to {len(faces) - 1}"
        numbers = several if len(faces) > 1 else "There is only one: choose 0"
        raise FaceError(f"There is no face number {number} in the photo. {numbers}.")
    return faces[number], len(faces)


def clear_faces(portrait: Portrait, anyway: bool = False) -> list[Face]:
    """The faces that can be animated, the largest first.

    Args:
        portrait: the whole photo.
        anyway: whether a face whose eyes are hard to see is taken where there is no better one.

    Raises:
        DoubtfulFaceError: there are only faces whose eyes are hard to see, and `anyway` is not set.
        FaceError: no face, or only such that cannot be animated: the message says why.
    """
    faces = find_faces(portrait)
    if clear := [face for face in faces if _usable(face, SURE)]:
        return clear
    doubtful = sorted((face for face in faces if _usable(face, DOUBTFUL)), key=lambda face: -face.iris_distance)
    if doubtful and anyway:
        return doubtful
    if not faces:
        raise FaceError(
            "No face was found. Use a photo that shows one face from the front, well lit, with both eyes open "
            "and uncovered."
        )
    shown = doubtful[0] if doubtful else faces[0]
    told = reason(shown, portrait.width, portrait.height)
    raise DoubtfulFaceError(told) if doubtful else FaceError(told)


class _Remembered:
    """The faces of the pictures looked at last, by a digest of their pixels."""

    def __init__(self) -> None:
        self._faces: OrderedDict[bytes, tuple[Face, ...]] = OrderedDict()
        self._lock = threading.Lock()

    def faces(self, portrait: Portrait) -> tuple[Face, ...]:
        key = portrait.digest
        with self._lock:
            if key in self._faces:
                self._faces.move_to_end(key)
                return self._faces[key]
        found = tuple(_search(portrait.image))
        with self._lock:
            self._faces[key] = found
            while len(self._faces) > _REMEMBERED:
                self._faces.popitem(last=False)
        return found


_FOUND = _Remembered()


def _search(image: np.ndarray) -> list[Face]:
    others: list[Face] = []
    known: list[Detection] = []
    for detections in detect(image):
        faces: list[Face] = []
        for it in detections[:_MOST]:
            if all(overlap(it, other) < _SAME for other in known) and (face := read_face(image, it)):
                faces.append(face)
                known.append(it)
        faces = _distinct(faces)
        if clear := [face for face in faces if _usable(face, SURE)]:
            return sorted(clear, key=lambda face: -face.iris_distance)
        others += faces
    return _distinct(others)


def _usable(face: Face, confidence: float) -> bool:
    """Whether it can be animated. A few pixels can look like anything: they end no search."""
    return face.iris_distance >= MIN_IRIS_DISTANCE and face.confidence >= confidence


def _distinct(faces: list[Face]) -> list[Face]:
    """Of faces found in one place the most confident one; the most confident first."""
    kept: list[Face] = []
    for face in sorted(faces, key=lambda face: -face.confidence):
        if all(math.dist(face.centre, other.centre) > 0.8 * other.iris_distance for other in kept):
            kept.append(face)
    return kept
