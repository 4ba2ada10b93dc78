"""Where in a portrait the networks look: a square window around the face, levelled, and the way back.

Specification: sections 9 and 12. Pixel centres have integer coordinates.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from gaze.face.face import Face

SIDE = 512
"""Pixels of the window's side: what the decoder gives."""
SCALE, SHIFT = 2.3, -0.125
"""The window's side in sizes of the face, and how far its middle is moved down, in window sides."""
_FEATHER = 16.0

# The face without landmarks: brows to chin and ear to ear as one square, in distances between the irises.
_FACE_SIZE = 2.15
_FACE_MIDDLE = 0.62

# Points of the left eye, the right eye and the mouth in the sets of landmarks of that many points.
_ANCHORS: dict[int, tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]] = {
    106: ((33, 35, 40, 39), (87, 89, 94, 93), (52, 61)),
    203: ((0, 6, 12, 18), (24, 30, 36, 42), (48, 66)),
}


@dataclass(frozen=True)
class Crop:
    """A square window on a picture.

    Attributes:
        x, y: its middle in the picture's pixels.
        size: its side in the picture's pixels.
        angle: radians by which it is turned clockwise.
        side: pixels of its side once cut out.
    """

    x: float
    y: float
    size: float
    angle: float
    side: int = SIDE

    def from_picture(self) -> np.ndarray:
        """(3, 3): positions in the picture → positions in the window."""
        k = self.side / self.size
        cos, sin = k * math.cos(self.angle), k * math.sin(self.angle)
        middle = self.side / 2
        return np.array(
            [
                [cos, sin, middle - cos * self.x - sin * self.y],
                [-sin, cos, middle + sin * self.x - cos * self.y],
                [0, 0, 1],
            ]
        )

    def to_picture(self) -> np.ndarray:
        """(3, 3): positions in the window → positions in the picture."""
        return np.linalg.inv(self.from_picture())

    def cut(self, image: np.ndarray) -> np.ndarray:
        """The window, (side, side, 3) uint8; black where it reaches beyond the picture."""
        return cv2.warpAffine(image, self.from_picture()[:2], (self.side, self.side), flags=cv2.INTER_LINEAR)


def crop_around_face(face: Face, scale: float = SCALE, shift: float = SHIFT, side: int = SIDE) -> Crop:
    """The window around a face of which only the irises are sure; arguments as for `crop_around_landmarks`."""
    lean = face.tilt
    down = np.array([-math.sin(lean), math.cos(lean)])
    size = scale * _FACE_SIZE * face.iris_distance
    x, y = np.array(face.centre) + down * (_FACE_MIDDLE * face.iris_distance + shift * size)
    return Crop(float(x), float(y), size, lean, side)


def crop_around_landmarks(points: np.ndarray, scale: float = SCALE, shift: float = SHIFT, side: int = SIDE) -> Crop:
    """The window around 106 (InsightFace's order) or 203 landmarks (LivePortrait's), as the weights were trained.

    Args:
        points: (n, 2) in the picture's pixels.
        scale: the window's side in sizes of the box around the points.
        shift: how far its middle is moved down, in window sides.
        side: pixels of its side once cut out.

    Raises:
        ValueError: another number of landmarks.
    """
    if len(points) not in _ANCHORS:
        raise ValueError(f"{len(points)} landmarks; known are sets of {', '.join(map(str, _ANCHORS))}")
    left, right, mouth = (points[list(group)].mean(0) for group in _ANCHORS[len(points)])
    eyes = (left + right) / 2
    down = mouth - eyes
    length = float(np.hypot(*down))
    down = down / length if length > 1e-3 else np.array([0.0, 1.0])
    across = np.array([down[1], -down[0]])
    middle = points.mean(0)
    spread = (points - middle) @ np.stack([across, down], 1)
    least, most = spread.min(0), spread.max(0)
    size = float((most - least).max()) * scale
    along = (least + most) / 2 + (0, shift * size)
    x, y = middle + across * along[0] + down * along[1]
    return Crop(float(x), float(y), size, math.atan2(across[1], across[0]), side)


def feather_mask() -> np.ndarray:
    """(512, 512) uint8: 255 inside the window, falling to 0 over its outermost 16 pixels."""
    place = np.arange(SIDE)
    outside = np.maximum(0, np.maximum(_FEATHER - place, place - (SIDE - _FEATHER)))
    distance = np.hypot(outside[:, None], outside[None, :])
    return np.floor(255 * np.clip(1 - distance / _FEATHER, 0, 1)).astype(np.uint8)
