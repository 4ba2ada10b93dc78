"""From a `Portrait` to its faces: irises, lids, brows, nose, mouth and chin, by classical means that need no download.

`gaze.cascade` proposes boxes, `gaze.irises` finds both irises of each. In the face levelled by them, `gaze.landmarks`
finds what lies around them, `gaze.symmetry` where they look, and `gaze.confidence` says how far to trust all that.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np

from gaze import confidence, landmarks, symmetry
from gaze.cascade import Box, Seen, agreement, propose
from gaze.errors import FaceError
from gaze.irises import UNIT, find_irises
from gaze.landmarks import BROW, CHIN, CORNER, LOWER_LID, MOUTH, MOUTH_HALF, NOSE, UPPER_LID, Parts, find_parts
from gaze.level import Circle, Point, level_patch
from gaze.portrait import Portrait

_MIN_IRIS_DISTANCE = 14.0
_MIN_CONFIDENCE = 0.5
_NO_FACE = 0.01
"""Confidence below which a find is not even doubtful."""


@dataclass(frozen=True)
class Iris:
    """A circle in image pixels."""

    x: float
    y: float
    radius: float


@dataclass(frozen=True)
class Opening:
    """What is seen of an eyeball: bounded by two arcs from corner to corner.

    Attributes:
        left, right: the corners; left and right as in the image.
        upper, lower: the point of each lid's edge that is farthest from the line between the corners.
    """

    left: Point
    right: Point
    upper: Point
    lower: Point


@dataclass(frozen=True)
class Face:
    """A face in image pixels. Left and right are the viewer's, as in the image.

    Attributes:
        box: x, y, width, height of the upright square around the face, brows to mouth.
        left, right: the irises.
        confidence: 0 to 1; the probability that these are the open eyes of a face.
        openings: of the left and the right eye.
        brows: the middle of the left and the right brow.
        nose: its tip.
        mouth: its left and right corner.
        chin: its lowest point.
    """

    box: tuple[float, float, float, float]
    left: Iris
    right: Iris
    confidence: float
    openings: tuple[Opening, Opening]
    brows: tuple[Point, Point]
    nose: Point
    mouth: tuple[Point, Point]
    chin: Point

    @property
    def iris_distance(self) -> float:
        """Pixels between the iris centres: the unit of length of the face frame."""
        return math.hypot(self.right.x - self.left.x, self.right.y - self.left.y)

    @property
    def roll(self) -> float:
        """Tilt of the line through the irises, radians, clockwise in the image."""
        return math.atan2(self.right.y - self.left.y, self.right.x - self.left.x)

    @property
    def centre(self) -> tuple[float, float]:
        """The point between the irises: the origin of the face frame."""
        return (self.left.x + self.right.x) / 2, (self.left.y + self.right.y) / 2

    def to_frame(self, x: Any, y: Any) -> tuple[Any, Any]:
        """Image positions, numbers or arrays, in the face frame.

        Its origin is `centre`, u runs through the irises to the right, v down, the unit is `iris_distance`.
        """
        cos, sin = math.cos(self.roll), math.sin(self.roll)
        dx, dy = x - self.centre[0], y - self.centre[1]
        return (dx * cos + dy * sin) / self.iris_distance, (dy * cos - dx * sin) / self.iris_distance

    @property
    def yaw(self) -> float:
        """Turn of the head, degrees, positive to the image's right, within ±20.

        The tip of the nose stands out before the irises: turned by yaw, it moves off the middle between them by
        sin(yaw) times 0.85 (measured against a mesh laid over some 90 photos, whose mouths tell nothing more).
        """
        sine = self.to_frame(*self.nose)[0] / 0.85
        return max(-20.0, min(20.0, math.degrees(math.asin(max(-1.0, min(1.0, sine))))))

    @property
    def camera_gaze(self) -> float:
        """How far the irises lie to the right of the middle of their eyes if the face looks at the camera.

        In iris distances. Corners of eyes lie about 5 mm before the middle of the eyeball, so a turned head moves them
        off it by sin(yaw) times that; irises are 63 mm apart.
        """
        return -5 / 63 * math.sin(math.radians(self.yaw))

    def moved(self, scale: float, dx: float = 0.0, dy: float = 0.0) -> Face:
        """The same face after every pixel position p has become p * scale + (dx, dy)."""

        x, y, width, height = self.box
        box = (x * scale + dx, y * scale + dy, width * scale, height * scale)
        return self.mapped(lambda x, y: (x * scale + dx, y * scale + dy), scale, box)

    def mirrored(self, width: int) -> Face:
        """The same face in the picture, `width` pixels wide, that was flipped left to right."""
        x, y, across, down = self.box
        face = self.mapped(lambda x, y: (width - 1 - x, y), 1, (width - 1 - x - across, y, across, down))
        flipped = [Opening(it.right, it.left, it.upper, it.lower) for it in face.openings]
        return replace(
            face,
            left=face.right,
            right=face.left,
            openings=(flipped[1], flipped[0]),
            brows=face.brows[::-1],
            mouth=face.mouth[::-1],
        )

    def mapped(
        self, move: Callable[[float, float], Point], scale: float, box: tuple[float, float, float, float]
    ) -> Face:
        """The same face after `move` has been applied to every point and lengths have grown by `scale`; in `box`."""

        def opening(it: Opening) -> Opening:
            return Opening(move(*it.left), move(*it.right), move(*it.upper), move(*it.lower))

        return Face(
            box=box,
            left=Iris(*move(self.left.x, self.left.y), self.left.radius * scale),
            right=Iris(*move(self.right.x, self.right.y), self.right.radius * scale),
            confidence=self.confidence,
            openings=(opening(self.openings[0]), opening(self.openings[1])),
            brows=(move(*self.brows[0]), move(*self.brows[1])),
            nose=move(*self.nose),
            mouth=(move(*self.mouth[0]), move(*self.mouth[1])),
            chin=move(*self.chin),
        )


def typical_face(left: Iris, right: Iris) -> Face:
    """A face seen from the front whose other parts lie where they lie on average for these irises."""
    unit = math.hypot(right.x - left.x, right.y - left.y)
    parts = Parts(
        lids=(
            (UPPER_LID * left.radius / unit, LOWER_LID * left.radius / unit),
            (UPPER_LID * right.radius / unit, LOWER_LID * right.radius / unit),
        ),
        brows=((-BROW[0], BROW[1]), BROW),
        nose=NOSE,
        mouth=((MOUTH[0] - MOUTH_HALF, MOUTH[1]), (MOUTH[0] + MOUTH_HALF, MOUTH[1])),
        chin=CHIN,
    )
    return _laid_out(left, right, 1.0, 0.0, parts)


def _laid_out(left: Iris, right: Iris, confidence: float, aside: float, parts: Parts) -> Face:
    """The face whose parts, given in the face frame, lie around irises that look aside by so much."""
    unit = math.hypot(right.x - left.x, right.y - left.y)
    cos, sin = (right.x - left.x) / unit, (right.y - left.y) / unit
    centre = (left.x + right.x) / 2, (left.y + right.y) / 2

    def point(u: float, v: float) -> Point:
        return centre[0] + unit * (u * cos - v * sin), centre[1] + unit * (u * sin + v * cos)

    def opening(u: float, lids: Point) -> Opening:
        across, down = CORNER
        middle = u - aside
        corners = point(middle - across, down), point(middle + across, down)
        return Opening(*corners, point(u, lids[0]), point(u, lids[1]))

    x, y = point(0, 0.3)
    return Face(
        box=(x - 1.3 * unit, y - 1.3 * unit, 2.6 * unit, 2.6 * unit),
        left=left,
        right=right,
        confidence=confidence,
        openings=(opening(-0.5, parts.lids[0]), opening(0.5, parts.lids[1])),
        brows=(point(*parts.brows[0]), point(*parts.brows[1])),
        nose=point(*parts.nose),
        mouth=(point(*parts.mouth[0]), point(*parts.mouth[1])),
        chin=point(*parts.chin),
    )


def find_faces(portrait: Portrait) -> list[Face]:
    """All faces found, the main one first: the largest whose eyes are clear. An empty list when there is none."""
    doubtful: list[Face] = []
    for boxes in propose(cv2.cvtColor(portrait.image, cv2.COLOR_RGB2GRAY)):
        faces = _distinct([_face_in(portrait.image, box) for box in boxes])
        # A few pixels can look like anything: they end no search.
        large = [face for face in faces if face.iris_distance >= _MIN_IRIS_DISTANCE]
        clear = [face for face in large if face.confidence >= _MIN_CONFIDENCE]
        if clear:
            return sorted(clear, key=lambda face: -face.iris_distance)
        doubtful += [face for face in faces if face.confidence >= _NO_FACE]
    return _distinct(doubtful)


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
    clear = [it for it in faces if it.iris_distance >= _MIN_IRIS_DISTANCE and it.confidence >= _MIN_CONFIDENCE]
    if clear:
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
    face = _laid_out(Iris(*left), Iris(*right), trust, aside or 0.0, parts)
    if aside is None:
        face = _laid_out(face.left, face.right, trust, face.camera_gaze, parts)
    return face.moved(1 / scale, x0 + 0.5 / scale - 0.5, y0 + 0.5 / scale - 0.5)


def _radii(left: Circle, right: Circle) -> tuple[float, float]:
    """Of irises, in distances between them."""
    distance = math.dist(left[:2], right[:2])
    return left[2] / distance, right[2] / distance
