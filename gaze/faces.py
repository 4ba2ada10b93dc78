"""From a `Portrait` to its faces: box, irises and tilt, by classical means that need no download.

Haar cascades propose boxes. In each box both irises are searched together: circles whose side arcs divide dark from
bright (the integro-differential operator of Daugman, "How Iris Recognition Works", 2004, on the red channel, where
irises of every colour are dark), at a plausible distance and tilt.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache

import cv2
import numpy as np

from gaze.errors import FaceError
from gaze.portrait import Portrait

# (longer side in pixels, tilt in degrees) of each search; the next is tried where the one before found nothing.
# The last is for small faces in large pictures.
_SEARCHES = ((400, 0.0), (400, -20.0), (400, 20.0), (400, -35.0), (400, 35.0), (720, 0.0))
# How many overlapping windows must agree. On 7 portraits at -30° to 30° faces had 27 to 157; on 20 pictures without a
# face nothing had more than 16.
_MIN_SUPPORT = 17

# Where the irises lie in a box of the frontal cascade, as fractions of it (shared measurements on 17 portraits).
_LEFT_IRIS, _RIGHT_IRIS = (0.305, 0.385), (0.690, 0.385)
_IRIS_DISTANCE = _RIGHT_IRIS[0] - _LEFT_IRIS[0]

# The search runs in a patch of the box scaled to this width, so that all its lengths are fixed numbers of pixels.
_BOX_PIXELS = 256.0
_PATCH = (282, 141)
_PATCH_ORIGIN = (-0.05, 0.12)
_RADII = np.arange(7.0, 13.1, 0.5)

_MIN_IRIS_DISTANCE = 14.0
_MIN_CONFIDENCE = 0.25


@dataclass(frozen=True)
class Iris:
    """A circle in image pixels."""

    x: float
    y: float
    radius: float


Point = tuple[float, float]
"""x, y in image pixels."""


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
        confidence: 0 to 1; how clearly both irises were found.
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

    def moved(self, scale: float, dx: float = 0.0, dy: float = 0.0) -> Face:
        """The same face after every pixel position p has become p * scale + (dx, dy)."""

        x, y, width, height = self.box
        box = (x * scale + dx, y * scale + dy, width * scale, height * scale)
        return self._mapped(lambda x, y: (x * scale + dx, y * scale + dy), scale, box)

    def mirrored(self, width: int) -> Face:
        """The same face in the picture, `width` pixels wide, that was flipped left to right."""
        x, y, across, down = self.box
        face = self._mapped(lambda x, y: (width - 1 - x, y), 1, (width - 1 - x - across, y, across, down))
        flipped = [Opening(it.right, it.left, it.upper, it.lower) for it in face.openings]
        return replace(
            face,
            left=face.right,
            right=face.left,
            openings=(flipped[1], flipped[0]),
            brows=face.brows[::-1],
            mouth=face.mouth[::-1],
        )

    def _mapped(
        self, move: Callable[[float, float], Point], scale: float, box: tuple[float, float, float, float]
    ) -> Face:
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


def typical_face(left: Iris, right: Iris, confidence: float = 1.0) -> Face:
    """A face seen from the front whose other parts lie where they lie on average for these irises."""
    unit = math.hypot(right.x - left.x, right.y - left.y)
    cos, sin = (right.x - left.x) / unit, (right.y - left.y) / unit
    centre = (left.x + right.x) / 2, (left.y + right.y) / 2

    def point(u: float, v: float) -> Point:
        return centre[0] + unit * (u * cos - v * sin), centre[1] + unit * (u * sin + v * cos)

    def opening(u: float) -> Opening:
        return Opening(point(u - 0.25, 0.03), point(u + 0.25, 0.03), point(u, -0.08), point(u, 0.1))

    x, y = point(0, 0.3)
    return Face(
        box=(x - 1.3 * unit, y - 1.3 * unit, 2.6 * unit, 2.6 * unit),
        left=left,
        right=right,
        confidence=confidence,
        openings=(opening(-0.5), opening(0.5)),
        brows=(point(-0.6, -0.4), point(0.6, -0.4)),
        nose=point(0, 0.65),
        mouth=(point(-0.41, 1.08), point(0.41, 1.08)),
        chin=point(0, 1.69),
    )


def find_faces(portrait: Portrait) -> list[Face]:
    """All faces found, the main one (the largest) first; an empty list when there is none."""
    grey = cv2.cvtColor(portrait.image, cv2.COLOR_RGB2GRAY)
    for side, tilt in _SEARCHES:
        boxes = _boxes(grey, side, tilt)
        faces = [face for box in boxes if (face := _find_irises(portrait.image, box, tilt))]
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


def _rotation(image: np.ndarray, degrees: float) -> np.ndarray:
    """2×3 matrix that turns the image clockwise by `degrees` about its middle, so that a face tilted so is upright."""
    height, width = image.shape[:2]
    return cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)


def _boxes(grey: np.ndarray, side: int, tilt: float) -> list[tuple[float, float, float, float]]:
    """Well-supported face boxes, in pixels of the image turned upright by `tilt`; searched at `side` pixels."""
    scale = side / max(grey.shape)
    shrunk = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    if tilt:
        turn = _rotation(shrunk, tilt)
        shrunk = cv2.warpAffine(shrunk, turn, shrunk.shape[::-1], borderMode=cv2.BORDER_REPLICATE)
    found, support = _cascade().detectMultiScale2(cv2.equalizeHist(shrunk), 1.05, 3, minSize=(24, 24))
    # A false find is backed by few of the overlapping windows, a face by most of them.
    floor = max(_MIN_SUPPORT, 0.25 * max(support, default=0))
    return [
        (x / scale, y / scale, w / scale, h / scale)
        for (x, y, w, h), count in zip(found, support, strict=True)
        if count >= floor
    ]


def _find_irises(image: np.ndarray, box: tuple[float, float, float, float], tilt: float) -> Face | None:
    """Both irises of the face in `box`, which lies in the image turned upright by `tilt` degrees."""
    x, y, width, _ = box
    scale = _BOX_PIXELS / width
    to_patch = np.array(
        [
            [scale, 0, -x * scale - _PATCH_ORIGIN[0] * _BOX_PIXELS],
            [0, scale, -y * scale - _PATCH_ORIGIN[1] * _BOX_PIXELS],
        ]
    )
    if tilt:
        to_patch = (np.vstack([to_patch, [0, 0, 1]]) @ np.vstack([_rotation(image, tilt), [0, 0, 1]]))[:2]
    patch = _resample(image, to_patch, scale)
    score = _iris_score(patch)
    pair = _best_pair(score)
    if pair is None:
        return None
    back = cv2.invertAffineTransform(to_patch)
    irises = []
    for px, py, radius in pair[0]:
        ix, iy = back @ (px, py, 1.0)
        irises.append(Iris(float(ix), float(iy), radius / scale))
    return typical_face(irises[0], irises[1], pair[1])


def _resample(image: np.ndarray, matrix: np.ndarray, scale: float) -> np.ndarray:
    """The patch under `matrix`, averaged first when it shrinks the image so that nothing aliases."""
    if scale < 1:
        small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        matrix = matrix.copy()
        matrix[:, 0] *= image.shape[1] / small.shape[1]
        matrix[:, 1] *= image.shape[0] / small.shape[0]
        image = small
    return cv2.warpAffine(image, matrix, _PATCH, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


@cache
def _arc_kernels(radius: float, side: int) -> tuple[np.ndarray, np.ndarray]:
    """Kernels that average the outward gradient over one side arc (±50°: the lids hide the rest) of a circle."""
    reach = math.ceil(radius) + 2
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float32)
    distance = np.hypot(x, y)
    weight = np.clip(1 - np.abs(distance - radius), 0, 1) * (np.abs(np.arctan2(y, x * side)) < math.radians(50))
    weight /= weight.sum()
    distance[distance == 0] = 1
    return weight * x / distance, weight * y / distance


@cache
def _disc_kernel(radius: float) -> np.ndarray:
    reach = math.ceil(radius) + 1
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    weight = np.clip(radius + 0.5 - np.hypot(x, y), 0, 1).astype(np.float32)
    return weight / weight.sum()


def _iris_score(patch: np.ndarray) -> np.ndarray:
    """How much each pixel looks like an iris centre, for each radius: (radii, height, width), in patch contrasts."""
    red = patch[..., 0].astype(np.float32)
    # Opening takes away highlights, which are small and bright, and would else cut the dark disc in two.
    smooth = cv2.morphologyEx(red, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7)))
    smooth = cv2.GaussianBlur(smooth, (0, 0), 1.2)
    dx = cv2.Sobel(smooth, cv2.CV_32F, 1, 0) / 8
    dy = cv2.Sobel(smooth, cv2.CV_32F, 0, 1) / 8
    scores = []
    for radius in _RADII:
        sides = []
        for side in (-1, 1):
            kx, ky = _arc_kernels(float(radius), side)
            sides.append(cv2.filter2D(dx, -1, kx) + cv2.filter2D(dy, -1, ky))
        edge = (sides[0] + sides[1]) / 4 + np.minimum(*sides) / 2
        inside = cv2.filter2D(smooth, -1, _disc_kernel(0.8 * float(radius)))
        around = cv2.blur(smooth, (int(8 * radius) | 1, int(5 * radius) | 1))
        scores.append(edge * radius * 0.5 + 0.35 * (around - inside))
    return np.stack(scores) / max(float(smooth.std()), 4.0)


def _best_pair(score: np.ndarray) -> tuple[list[tuple[float, float, float]], float] | None:
    """The two circles (x, y, radius in patch pixels) that are good irises and a plausible pair, with a confidence."""
    y, x = np.mgrid[: score.shape[1], : score.shape[2]].astype(np.float32)
    candidates = []
    for fraction_x, fraction_y in (_LEFT_IRIS, _RIGHT_IRIS):
        at_x = (fraction_x - _PATCH_ORIGIN[0]) * _BOX_PIXELS
        at_y = (fraction_y - _PATCH_ORIGIN[1]) * _BOX_PIXELS
        prior = ((x - at_x) / (0.085 * _BOX_PIXELS)) ** 2 + ((y - at_y) / (0.06 * _BOX_PIXELS)) ** 2
        best = (score - 0.175 * prior).max(0)
        found = []
        for _ in range(6):
            py, px = np.unravel_index(int(best.argmax()), best.shape)
            radius = float(_RADII[int(score[:, py, px].argmax())])
            found.append((float(px), float(py), radius, float(best[py, px])))
            best[max(0, py - 4) : py + 5, max(0, px - 4) : px + 5] = -np.inf
        candidates.append(found)

    def pair_score(left: tuple[float, ...], right: tuple[float, ...]) -> float:
        distance = math.hypot(right[0] - left[0], right[1] - left[1]) / _BOX_PIXELS
        tilt = math.degrees(math.atan2(right[1] - left[1], right[0] - left[0]))
        penalty = ((left[2] - right[2]) / 1.5) ** 2 + ((distance - _IRIS_DISTANCE) / 0.045) ** 2 + (tilt / 7) ** 2
        return left[3] + right[3] - 0.15 * penalty

    pairs = [(pair_score(a, b), a, b) for a in candidates[0] for b in candidates[1]]
    total, left, right = max(pairs)
    if total <= 0:
        return None
    # Calibrated on portraits where both irises are right: the weakest of them scores about 1.8.
    return [left[:3], right[:3]], float(np.clip(total / 2.5, 0, 1))
