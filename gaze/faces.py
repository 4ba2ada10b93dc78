"""From a `Portrait` to its faces: irises, lids, brows, nose, mouth and chin, by classical means that need no download.

Haar cascades propose boxes. `gaze.irises` finds both irises of each, and what lies around them in the face levelled by
them is found by `gaze.landmarks`. How far to trust a find is told by the weaker of its eyes, and by whether the cascade
finds the levelled face again, with its irises where those of a face belong.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, NamedTuple

import cv2
import numpy as np

from gaze import landmarks
from gaze.errors import FaceError
from gaze.irises import UNIT, Circle, find_irises, level_patch
from gaze.landmarks import BROW, CHIN, CORNER, LOWER_LID, MOUTH, MOUTH_HALF, NOSE, UPPER_LID, Parts, Point, find_parts
from gaze.portrait import Portrait


class _Search(NamedTuple):
    """One run of the cascade: the picture's longer side in pixels, tilt in degrees, margin as part of the side.

    Boxes are tried from `smallest` pixels up, each larger by the factor `step`.
    """

    side: int
    tilt: float = 0.0
    margin: float = 0.0
    smallest: int = 34
    step: float = 1.08


# The next is tried where the one before found nothing. The margin is for faces that the picture's border cuts, the last
# search for small faces in large pictures.
_SEARCHES = (
    _Search(400, step=1.05),
    _Search(280, margin=0.2),
    _Search(280, -20.0, 0.2),
    _Search(280, 20.0, 0.2),
    _Search(280, -35.0, 0.2),
    _Search(280, 35.0, 0.2),
    _Search(600, smallest=22),
)
# How many overlapping windows must agree, of boxes that grow by 5 % per step. On 7 portraits at -30° to 30° faces had
# 27 to 157; on 20 pictures without a face nothing had more than 16.
_MIN_SUPPORT = 17

# Where the irises lie in a box of the frontal cascade, as fractions of it (shared measurements on 17 portraits).
_LEFT_IRIS, _RIGHT_IRIS = (0.305, 0.385), (0.690, 0.385)
_IRIS_DISTANCE = _RIGHT_IRIS[0] - _LEFT_IRIS[0]

_AGREEMENT_UNIT = 30.0
_MIN_IRIS_DISTANCE = 14.0
_MIN_CONFIDENCE = 0.35


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
        confidence: 0 to 1; how clearly both irises were found, and how much the rest looks like their face.
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

        The tip of the nose stands out about 0.55 iris distances before the irises, the mouth about 0.3: turned by yaw,
        they move off the middle between the irises by sin(yaw) times that. Yaw is fitted to both by least squares.
        """
        mouth = sum(self.to_frame(*corner)[0] for corner in self.mouth) / 2
        sine = (0.55 * self.to_frame(*self.nose)[0] + 0.3 * mouth) / (0.55**2 + 0.3**2)
        return max(-20.0, min(20.0, math.degrees(math.asin(max(-1.0, min(1.0, sine))))))

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
        aside=0.0,
        lids=(
            (UPPER_LID * left.radius / unit, LOWER_LID * left.radius / unit),
            (UPPER_LID * right.radius / unit, LOWER_LID * right.radius / unit),
        ),
        brows=((-BROW[0], BROW[1]), BROW),
        nose=NOSE,
        mouth=((MOUTH[0] - MOUTH_HALF, MOUTH[1]), (MOUTH[0] + MOUTH_HALF, MOUTH[1])),
        chin=CHIN,
    )
    return _laid_out(left, right, 1.0, parts)


def _laid_out(left: Iris, right: Iris, confidence: float, parts: Parts) -> Face:
    """The face whose parts, given in the face frame, lie around these irises."""
    unit = math.hypot(right.x - left.x, right.y - left.y)
    cos, sin = (right.x - left.x) / unit, (right.y - left.y) / unit
    centre = (left.x + right.x) / 2, (left.y + right.y) / 2

    def point(u: float, v: float) -> Point:
        return centre[0] + unit * (u * cos - v * sin), centre[1] + unit * (u * sin + v * cos)

    def opening(u: float, lids: Point) -> Opening:
        across, down = CORNER
        middle = u - parts.aside
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
    """All faces found, the main one (the largest) first; an empty list when there is none."""
    grey = cv2.cvtColor(portrait.image, cv2.COLOR_RGB2GRAY)
    for search in _SEARCHES:
        boxes = _boxes(grey, search)
        faces = [_face_in(portrait.image, box, search.tilt) for box in boxes]
        if faces:
            return sorted(faces, key=lambda face: -face.iris_distance)
    return []


def main_face(portrait: Portrait) -> tuple[Face, int]:
    """The face to animate, and how many there are.

    Raises:
        FaceError: no face, one too small, or one whose eyes are not clear.
    """
    faces = find_faces(portrait)
    if not faces:
        raise FaceError(
            "No face was found. Use a photo that shows one face from the front, well lit, with both eyes open."
        )
    face = faces[0]
    if face.iris_distance < _MIN_IRIS_DISTANCE:
        raise FaceError(
            f"The face is too small: {face.iris_distance:.0f} pixels between the eyes, at least "
            f"{_MIN_IRIS_DISTANCE:.0f} are needed, 40 look good. Use a larger photo, or cut it closer to the face."
        )
    if face.confidence < _MIN_CONFIDENCE:
        raise FaceError(
            "The eyes could not be found clearly. Use a photo that is sharper or better lit, from the front, "
            "with both eyes open and uncovered."
        )
    return face, len(faces)


@cache
def _cascade() -> cv2.CascadeClassifier:
    return cv2.CascadeClassifier(cv2.data.haarcascades + "haarcascade_frontalface_alt2.xml")  # type: ignore[attr-defined]


def _boxes(grey: np.ndarray, search: _Search) -> list[tuple[float, float, float]]:
    """Well-supported face boxes: x, y of the middle and width, in image pixels."""
    scale = search.side / max(grey.shape)
    shrunk = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    height, width = shrunk.shape
    pad = search.margin * search.side
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), search.tilt, 1.0)
    turn = turn + [[0, 0, pad], [0, 0, pad]]
    size = round(width + 2 * pad), round(height + 2 * pad)
    upright = cv2.warpAffine(shrunk, turn, size, borderMode=cv2.BORDER_REPLICATE)
    found, support = _cascade().detectMultiScale2(
        cv2.equalizeHist(upright), search.step, 2, minSize=(search.smallest, search.smallest)
    )
    # A false find is backed by few of the overlapping windows, a face by most of them.
    floor = max(_MIN_SUPPORT * math.log(1.05) / math.log(search.step), 0.25 * max(support, default=0))
    back = cv2.invertAffineTransform(turn)
    boxes = []
    for (x, y, w, h), count in zip(found, support, strict=True):
        if count >= floor:
            middle = back @ (x + w / 2, y + h / 2, 1.0) / scale
            # In the margin there is nothing but the smeared border.
            if 0 <= middle[0] < grey.shape[1] and 0 <= middle[1] < grey.shape[0]:
                boxes.append((float(middle[0]), float(middle[1]), w / scale))
    return boxes


def _agreement(image: np.ndarray, left: tuple[float, ...], right: tuple[float, ...]) -> float:
    """0 to 1: whether the cascade, shown the face levelled by its irises, finds them where they belong."""
    patch, _ = level_patch(image, left, right, _AGREEMENT_UNIT, (-1.9, -1.6, 1.9, 2.2))
    grey = cv2.equalizeHist(cv2.cvtColor(patch, cv2.COLOR_RGB2GRAY))
    width = _AGREEMENT_UNIT / _IRIS_DISTANCE
    least, most = int(0.75 * width), int(1.3 * width)
    found, support = _cascade().detectMultiScale2(grey, 1.05, 1, minSize=(least, least), maxSize=(most, most))
    best = 0.0
    for (x, y, w, _), count in zip(found, support, strict=True):
        off = 0.0
        for side, (u, v) in ((-0.5, _LEFT_IRIS), (0.5, _RIGHT_IRIS)):
            at_x, at_y = (x + u * w) / _AGREEMENT_UNIT - 1.9, (y + v * w) / _AGREEMENT_UNIT - 1.6
            off += ((at_x - side) ** 2 + at_y**2) / 2
        best = max(best, min(1.0, count / 30) * math.exp(-0.5 * off / 0.12**2))
    return best


def _face_in(image: np.ndarray, box: tuple[float, float, float], tilt: float) -> Face:
    """The face in a box whose sides are tilted clockwise by `tilt` degrees."""
    x, y, width = box
    # A copy of the face alone, small enough that patches taken from it do not alias.
    x0, y0 = max(0, int(x - width)), max(0, int(y - width))
    near = image[y0 : int(y + width) + 1, x0 : int(x + width) + 1]
    scale = min(1.0, 1.25 * UNIT / (_IRIS_DISTANCE * width))
    size = max(1, round(near.shape[1] * scale)), max(1, round(near.shape[0] * scale))
    near = cv2.resize(near, size, interpolation=cv2.INTER_AREA)
    cos, sin = math.cos(math.radians(tilt)), math.sin(math.radians(tilt))

    def place(fraction: tuple[float, float]) -> tuple[float, float, float]:
        u, v = (fraction[0] - 0.5) * width, (fraction[1] - 0.5) * width
        return (x + u * cos - v * sin - x0) * scale, (y + u * sin + v * cos - y0) * scale, 0.0

    def judge(left: Circle, right: Circle) -> float:
        return _agreement(near, left, right)

    left, right, evidence = find_irises(near, place(_LEFT_IRIS), place(_RIGHT_IRIS), judge)
    # On seven portraits the product was 0.35 to 0.83; with one eye painted over 0.01 to 0.38, with both at most 0.19.
    confidence = float(np.clip(max(0.0, evidence) * judge(left, right) / 0.6, 0, 1))
    patch, _ = level_patch(near, left, right, landmarks.UNIT, landmarks.WINDOW)
    unit = math.dist(left[:2], right[:2])
    eyes, _ = level_patch(near, left, right, landmarks.EYES_UNIT, landmarks.EYES_WINDOW)
    parts = find_parts(patch, eyes, (left[2] / unit, right[2] / unit))
    face = _laid_out(Iris(*left), Iris(*right), confidence, parts)
    return face.moved(1 / scale, x0 + 0.5 / scale - 0.5, y0 + 0.5 / scale - 0.5)
