"""What is known of a face in a picture. `gaze.face.detection` finds it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from gaze.face import topology
from gaze.face.coordinates import Point, to_frame
from gaze.face.pose import HeadPose, head_pose
from gaze.face.typical import mirrored_indices

_CORNERS_BEFORE_EYE, _IRISES_APART = 5.0, 63.0
"""Millimetres: the corners of an eye lie so far before the middle of its ball; irises of adults lie so far apart."""

_KNOWN_YAW, _EYES_AGREE = 30.0, (0.03, 0.08)
"""Degrees within which the gaze can be told: beyond, a corner that is off by little says much; and the iris distances
up to which both eyes say the same, and from which on one of them must be wrong."""


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


class Contours(NamedTuple):
    """Two edges, (n, 2) image pixels each, from left to right in the image."""

    upper: np.ndarray
    lower: np.ndarray


@dataclass(frozen=True)
class Face:
    """A face in image pixels, whose centres are whole numbers. Left and right are the viewer's, as in the image.

    Attributes:
        left, right: the irises.
        mesh: (468, 3) float64, not to be written to: x and y in pixels, z in the same unit, growing away from the
            viewer, zero between the corners of the eyes. `gaze.face.topology` says which point lies where.
        confidence: 0 to 1; the probability that these are the open eyes of a face.
        sharpness: of the eyes, 0 blurred to 1 sharp (`gaze.face.sharpness`).
        enlarged: how many times as large it is here as in the photo that it was found in.
    """

    left: Iris
    right: Iris
    mesh: np.ndarray = field(compare=False, repr=False)
    confidence: float = 1.0
    sharpness: float = 1.0
    enlarged: float = field(default=1.0, compare=False)

    @property
    def iris_distance(self) -> float:
        """Pixels between the iris centres: the unit of length of face coordinates."""
        return math.hypot(self.right.x - self.left.x, self.right.y - self.left.y)

    @property
    def tilt(self) -> float:
        """Of the line through the irises, the u axis of face coordinates: radians, clockwise in the image."""
        return math.atan2(self.right.y - self.left.y, self.right.x - self.left.x)

    @property
    def centre(self) -> Point:
        """The point between the irises: the origin of face coordinates."""
        return (self.left.x + self.right.x) / 2, (self.left.y + self.right.y) / 2

    def to_frame(self, x: Any, y: Any) -> tuple[Any, Any]:
        """Image positions, numbers or arrays, in face coordinates (`gaze.face.coordinates`)."""
        return to_frame(x, y, (self.left.x, self.left.y), (self.right.x, self.right.y))

    @property
    def frame_mesh(self) -> np.ndarray:
        """(468, 3): the mesh in face coordinates; z in the same unit, iris distances."""
        u, v = self.to_frame(self.mesh[:, 0], self.mesh[:, 1])
        return np.stack([u, v, self.mesh[:, 2] / self.iris_distance], 1)

    @property
    def box(self) -> tuple[float, float, float, float]:
        """x, y, width, height of the upright square around the face's outline."""
        outline = self.outline
        least, most = outline.min(0), outline.max(0)
        side = float((most - least).max())
        x, y = (least + most) / 2 - side / 2
        return float(x), float(y), side, side

    @cached_property
    def pose(self) -> HeadPose:
        """How the head is turned, in degrees."""
        return head_pose(self.mesh)

    @property
    def yaw(self) -> float:
        """Turn of the head, degrees, positive to the image's right."""
        return self.pose.yaw

    @property
    def pitch(self) -> float:
        """Nod of the head, degrees, positive downwards."""
        return self.pose.pitch

    @property
    def lids(self) -> tuple[Contours, Contours]:
        """Edges of the left and the right eye's lids, 9 points each; the corners are the first and the last of both."""
        return (
            self._contours(topology.LEFT_UPPER_LID, topology.LEFT_LOWER_LID),
            self._contours(topology.RIGHT_UPPER_LID, topology.RIGHT_LOWER_LID),
        )

    @property
    def openings(self) -> tuple[Opening, Opening]:
        """The left and the right eye by four points each."""
        left, right = (_opening(contours) for contours in self.lids)
        return left, right

    @property
    def openness(self) -> tuple[float, float]:
        """How far the left and the right eye are open: the lids' greatest distance in widths of the eye.

        About 0.3 for an eye at ease, below 0.15 for one that is closed or nearly so.
        """
        left, right = (_openness(contours) for contours in self.lids)
        return left, right

    @property
    def brows(self) -> tuple[Contours, Contours]:
        """Edges of the left and the right brow, 5 points each."""
        return (
            self._contours(topology.LEFT_BROW, topology.LEFT_BROW_BELOW),
            self._contours(topology.RIGHT_BROW, topology.RIGHT_BROW_BELOW),
        )

    @property
    def lips(self) -> Contours:
        """Outer edges of the lips, 11 points each, both corners of the mouth included."""
        return self._contours(topology.UPPER_LIP, topology.LOWER_LIP)

    @property
    def mouth(self) -> tuple[Point, Point]:
        """Its left and right corner."""
        return self._point(topology.UPPER_LIP[0]), self._point(topology.UPPER_LIP[-1])

    @property
    def nose(self) -> Point:
        """Its tip."""
        return self._point(topology.NOSE_TIP)

    @property
    def chin(self) -> Point:
        """Its lowest point."""
        return self._point(topology.CHIN)

    @property
    def outline(self) -> np.ndarray:
        """(36, 2): around the face, clockwise in the image, from the middle of the forehead's upper edge."""
        return self.mesh[list(topology.OUTLINE), :2]

    @property
    def iris_offset(self) -> Point:
        """How far right and down the irises lie of the middle between the corners of their eyes; iris distances."""
        across, down = np.mean(self._iris_offsets(), axis=0)
        return float(across), float(down)

    @property
    def camera_gaze(self) -> float:
        """What `iris_offset` is across if the face looks at the camera.

        The corners of an eye lie before the middle of its ball, so a turned head moves them off it by sin(yaw) times
        that, while the distance between the irises shrinks with cos(yaw).
        """
        yaw = math.radians(max(-60.0, min(60.0, self.yaw)))
        return -_CORNERS_BEFORE_EYE / _IRISES_APART * math.tan(yaw)

    @property
    def gaze(self) -> float:
        """How far to the image's right the irises lie of where they would if the face looked at the camera.

        In iris distances, within about ±0.11. Up and down the lids move with the irises, so that they tell too little.
        """
        return self.iris_offset[0] - self.camera_gaze

    @property
    def gazes(self) -> tuple[float, float]:
        """What the left and the right eye each say of `gaze`."""
        left, right = (float(across) - self.camera_gaze for across, _ in self._iris_offsets())
        return left, right

    @property
    def least_gaze(self) -> float:
        """What both eyes say of `gaze`: the lesser of what each says, 0 where one denies it or none can be believed."""
        left, right = self.gazes
        alike = abs(self.yaw) <= _KNOWN_YAW and left * right > 0
        return min(left, right, key=abs) if alike else 0.0

    @property
    def is_gaze_known(self) -> bool:
        """Whether `gaze` can be believed: the head is not turned far, and both eyes say much the same."""
        return self.gaze_certainty > 0

    @property
    def gaze_certainty(self) -> float:
        """How far `gaze` can be believed, 0 to 1: less where both eyes do not say the same."""
        left, right = (across for across, _ in self._iris_offsets())
        same, other = _EYES_AGREE
        agreed = float(np.clip((other - abs(left - right)) / (other - same), 0, 1))
        return agreed if abs(self.yaw) <= _KNOWN_YAW else 0.0

    def moved(self, scale: float, dx: float = 0.0, dy: float = 0.0) -> Face:
        """The same face after every pixel position p has become p * scale + (dx, dy)."""
        return self.mapped(lambda points: points * scale + (dx, dy), scale)

    def scaled(self, scale: float) -> Face:
        """The same face in the picture that was resized: its edges stay edges, and centres of pixels whole numbers."""
        return self.moved(scale, scale / 2 - 0.5, scale / 2 - 0.5)

    def mirrored(self, width: int) -> Face:
        """The same face in the picture, `width` pixels wide, that was flipped left to right."""
        face = self.mapped(lambda points: (width - 1, 0) + points * (-1, 1), 1)
        return replace(face, left=face.right, right=face.left, mesh=_frozen(face.mesh[mirrored_indices()]))

    def mapped(self, move: Callable[[np.ndarray], np.ndarray], scale: float) -> Face:
        """The same face after `move` has been applied to all points, (n, 2), and lengths have grown by `scale`."""
        mesh = np.column_stack([move(self.mesh[:, :2]), self.mesh[:, 2] * scale])
        (left, right) = move(np.array([[self.left.x, self.left.y], [self.right.x, self.right.y]]))
        return replace(
            self,
            left=Iris(float(left[0]), float(left[1]), self.left.radius * scale),
            right=Iris(float(right[0]), float(right[1]), self.right.radius * scale),
            mesh=_frozen(mesh),
            enlarged=self.enlarged * scale,
        )

    def _iris_offsets(self) -> list[Any]:
        """(2,) of the left and the right eye: as `iris_offset`."""
        return [
            np.subtract(
                self.to_frame(iris.x, iris.y), np.mean([self.to_frame(*lid.upper[end]) for end in (0, -1)], axis=0)
            )
            for iris, lid in zip((self.left, self.right), self.lids, strict=True)
        ]

    def _point(self, index: int) -> Point:
        x, y = self.mesh[index, :2]
        return float(x), float(y)

    def _contours(self, upper: tuple[int, ...], lower: tuple[int, ...]) -> Contours:
        return Contours(self.mesh[list(upper), :2], self.mesh[list(lower), :2])


def _frozen(mesh: np.ndarray) -> np.ndarray:
    mesh.setflags(write=False)
    return mesh


def _opening(lids: Contours) -> Opening:
    left, right = lids.upper[0], lids.upper[-1]
    apexes = []
    for sign, edge in zip((1, -1), lids, strict=True):
        apex = edge[int(np.argmax(sign * _above(edge, left, right)))]
        apexes.append((float(apex[0]), float(apex[1])))
    return Opening((float(left[0]), float(left[1])), (float(right[0]), float(right[1])), *apexes)


def _openness(lids: Contours) -> float:
    left, right = lids.upper[0], lids.upper[-1]
    gaps = _above(lids.upper, left, right) - _above(lids.lower, left, right)
    return float(gaps.max() / max(math.dist(left, right), 1e-6))


def _above(points: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """How far points, (n, 2), lie above the line from left to right; pixels."""
    across, down = (right - left) / max(math.dist(left, right), 1e-6)
    return (points[:, 0] - left[0]) * down - (points[:, 1] - left[1]) * across
