"""Where in a portrait the networks look: a square window around the face, levelled, and the way back.

Pixel centres have integer coordinates.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from gaze.face.face import Face
from gaze.photo.portrait import Portrait

SIDE = 512
"""Pixels of the window's side: what the decoder gives."""
SCALE, SHIFT = 2.3, -0.125
"""The window's side in sizes of the face, and how far its middle is moved down, in window sides."""
_FEATHER = 16.0
_PHOTO_SIDE = 1280
"""The longer side of a photo that windows are cut from."""

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

    def cut(self, image: np.ndarray, place: np.ndarray | None = None) -> np.ndarray:
        """The window, (side, side, 3) uint8; black where it reaches beyond the picture.

        Args:
            image: the picture, (height, width, 3) uint8.
            place: (3, 3), positions in `image` → positions in the window's picture, where it is another one.
        """
        there = self.from_picture() if place is None else self.from_picture() @ place
        return cv2.warpAffine(image, there[:2], (self.side, self.side), flags=cv2.INTER_LINEAR)


def cut_window(portrait: Portrait, crop: Crop) -> np.ndarray:
    """What the networks see of a portrait: out of the original photo, at up to 1,280 pixels, where that shows more."""
    original = portrait.original
    if original is None or original.framed is not portrait.image:
        return crop.cut(portrait.image)
    photo = original.photo
    x, y, width, height = original.window
    shrink = min(1.0, _PHOTO_SIDE / max(photo.shape[:2]))
    size = (round(photo.shape[1] * shrink), round(photo.shape[0] * shrink))
    to_photo = _scaled(photo.shape[1] / size[0], photo.shape[0] / size[1])
    to_portrait = _scaled(portrait.width / width, portrait.height / height) @ np.array(
        [[1, 0, -x], [0, 1, -y], [0, 0, 1]]
    )
    small = cv2.resize(photo, size, interpolation=cv2.INTER_AREA) if shrink < 1 else photo
    return crop.cut(small, to_portrait @ to_photo)


def _scaled(across: float, down: float) -> np.ndarray:
    """(3, 3): positions after a picture was scaled. Edges stay edges, and centres of pixels have whole coordinates."""
    return np.array([[across, 0, across / 2 - 0.5], [0, down, down / 2 - 0.5], [0, 0, 1]])


def crop_around_face(face: Face, scale: float = SCALE, shift: float = SHIFT, side: int = SIDE) -> Crop:
    """The window around a face by its mesh; arguments as for `crop_around_landmarks`.

    Of the mesh only what the 106 landmarks cover counts, brows to chin: it reaches up to the hair, and the face would
    come out smaller in the window than in those that the weights were trained on.
    """
    points = face.mesh[:, :2]
    left, right = (np.concatenate([lids.upper[[0, 4, 8]], lids.lower[[4]]]).mean(0) for lids in face.lids)
    mouth = np.mean(face.mouth, axis=0)
    axes = _axes(left, right, mouth)
    height = points @ axes[:, 1]
    brows = np.concatenate([brow.upper for brow in face.brows]) @ axes[:, 1]
    return _around(points[height >= brows.min()], axes, scale, shift, side)


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
    return _around(points, _axes(left, right, mouth), scale, shift, side)


def _axes(left: np.ndarray, right: np.ndarray, mouth: np.ndarray) -> np.ndarray:
    """(2, 2): unit vectors across and down the face, side by side, by its eyes and its mouth."""
    down = mouth - (left + right) / 2
    length = float(np.hypot(*down))
    down = down / length if length > 1e-3 else np.array([0.0, 1.0])
    return np.array([[down[1], down[0]], [-down[0], down[1]]])


def _around(points: np.ndarray, axes: np.ndarray, scale: float, shift: float, side: int) -> Crop:
    """The window around points, turned like the face."""
    spread = points @ axes
    least, most = spread.min(0), spread.max(0)
    size = float((most - least).max()) * scale
    x, y = axes @ ((least + most) / 2 + (0, shift * size))
    across = axes[:, 0]
    return Crop(float(x), float(y), size, math.atan2(across[1], across[0]), side)


def feather_mask() -> np.ndarray:
    """(512, 512) uint8: 255 inside the window, falling to 0 over its outermost 16 pixels."""
    place = np.arange(SIDE)
    outside = np.maximum(0, np.maximum(_FEATHER - place, place - (SIDE - _FEATHER)))
    distance = np.hypot(outside[:, None], outside[None, :])
    return np.floor(255 * np.clip(1 - distance / _FEATHER, 0, 1)).astype(np.uint8)
