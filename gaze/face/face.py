"""What is known of a face in a picture: irises, lids, brows, nose, mouth and chin. `gaze.face.detection` finds it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from gaze.face.aligned_crop import Point, to_frame
from gaze.face.landmarks import BROW, CHIN, CORNER, LOWER_LID, MOUTH, MOUTH_HALF, NOSE, UPPER_LID, Parts


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
        """Image positions, numbers or arrays, in the face frame (`gaze.face.aligned_crop`)."""
        return to_frame(x, y, (self.left.x, self.left.y), (self.right.x, self.right.y))

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
    return laid_out(left, right, 1.0, 0.0, parts)


def laid_out(left: Iris, right: Iris, confidence: float, aside: float, parts: Parts) -> Face:
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
