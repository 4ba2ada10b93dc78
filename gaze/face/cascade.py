"""Where faces may be: boxes of a Haar cascade (Viola and Jones, "Robust Real-Time Face Detection", 2004).

The cascades come with OpenCV. They find upright faces, so the picture is also searched tilted; and one is asked again
about a face levelled by its irises, whether they lie where those of a face belong.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Iterator
from typing import NamedTuple

import cv2
import numpy as np

from gaze.face.aligned_crop import Circle, Point, level_patch, to_frame


class Box(NamedTuple):
    """A square that may hold a face: its middle and width in image pixels, its tilt in degrees clockwise."""

    x: float
    y: float
    width: float
    tilt: float

    @property
    def irises(self) -> tuple[tuple[float, float], tuple[float, float]]:
        """Where the left and the right iris of such a face usually are."""
        cos, sin = math.cos(math.radians(self.tilt)), math.sin(math.radians(self.tilt))
        places = []
        for u, v in (_LEFT_IRIS, _RIGHT_IRIS):
            across, down = (u - 0.5) * self.width, (v - 0.5) * self.width
            places.append((self.x + across * cos - down * sin, self.y + across * sin + down * cos))
        return places[0], places[1]


class _Search(NamedTuple):
    """One run of a cascade: the picture's longer side in pixels, tilt in degrees, margin as part of the side.

    Boxes are tried from `smallest` pixels up, each larger by the factor `step`; the `most` best supported are kept.
    """

    cascade: str
    side: int
    tilt: float = 0.0
    margin: float = 0.2
    smallest: int = 34
    step: float = 1.1
    most: int = 2


# The next is tried where the one before found nothing. The second cascade bears more tilt and shade than the first, and
# errs more. The margin is for faces that the picture's border cuts, the last searches for small ones in large pictures.
_STRICT, _LENIENT = "haarcascade_frontalface_alt2.xml", "haarcascade_frontalface_default.xml"
_SEARCHES = (
    _Search(_STRICT, 340, step=1.07, most=12),
    _Search(_LENIENT, 280),
    _Search(_LENIENT, 280, -25.0),
    _Search(_LENIENT, 280, 25.0),
    _Search(_STRICT, 640, margin=0.0, smallest=24, most=4),
    _Search(_LENIENT, 560, -22.0, 0.0, 24),
    _Search(_LENIENT, 560, 22.0, 0.0, 24),
)
# How many overlapping windows must agree, of boxes that grow by 10 % per step.
_MIN_SUPPORT = 4

# Where the irises lie in a box of the frontal cascade, as fractions of it (shared measurements on 17 portraits).
_LEFT_IRIS, _RIGHT_IRIS = (0.305, 0.385), (0.690, 0.385)
_IRIS_DISTANCE = _RIGHT_IRIS[0] - _LEFT_IRIS[0]

_AGREEMENT_UNIT = 30.0

_EYE = "haarcascade_eye_tree_eyeglasses.xml"
_EYE_UNIT, _EYE_WINDOW, _EYE_SIZES = 72.0, (0.5, 0.45), (0.4, 0.7)
"""Pixels per distance between the irises; how far around each the eye is looked for; how wide its window may be."""
_EYE_INWARDS = 0.021
"""How far an iris lies on average from the middle of that window towards the nose."""


def propose(grey: np.ndarray) -> Iterator[list[Box]]:
    """Boxes in a picture, (height, width) uint8, one search after the other: look on only where those held no face."""
    return (_boxes(grey, search) for search in _SEARCHES)


def agreement(image: np.ndarray, left: tuple[float, ...], right: tuple[float, ...]) -> float:
    """0 to 1: whether the cascade, shown the face levelled by its irises, finds them where they belong."""
    patch, _ = level_patch(image, left, right, _AGREEMENT_UNIT, (-1.9, -1.6, 1.9, 2.2))
    grey = cv2.equalizeHist(cv2.cvtColor(patch, cv2.COLOR_RGB2GRAY))
    width = _AGREEMENT_UNIT / _IRIS_DISTANCE
    least, most = int(0.75 * width), int(1.3 * width)
    found, support = _cascade(_STRICT).detectMultiScale2(grey, 1.05, 1, minSize=(least, least), maxSize=(most, most))
    best = 0.0
    for (x, y, w, _), count in zip(found, support, strict=True):
        off = 0.0
        for side, (u, v) in ((-0.5, _LEFT_IRIS), (0.5, _RIGHT_IRIS)):
            at_x, at_y = (x + u * w) / _AGREEMENT_UNIT - 1.9, (y + v * w) / _AGREEMENT_UNIT - 1.6
            off += ((at_x - side) ** 2 + at_y**2) / 2
        best = max(best, min(1.0, count / 30) * math.exp(-0.5 * off / 0.12**2))
    return best


class SeenEye(NamedTuple):
    """Where an eye is seen.

    Attributes:
        at: where its iris most likely is, in image pixels.
        support: how many windows agree.
    """

    at: Point
    support: int

    def clearness(self, iris: Circle, left: Circle, right: Circle) -> float:
        """0 to 1: how many windows agree on the eye, and how close to `iris`, one of the pair that levels the face."""
        across, down = np.subtract(to_frame(*self.at, left, right), to_frame(*iris[:2], left, right))
        return min(1.0, self.support / 8) * math.exp(-0.5 * ((across / 0.1) ** 2 + (down / 0.04) ** 2))


Seen = tuple[SeenEye | None, SeenEye | None]
"""The left and the right eye; None where none is seen."""


def see_eyes(image: np.ndarray, left: tuple[float, ...], right: tuple[float, ...]) -> Seen:
    """Where the eye cascade sees the eyes of a face levelled by its irises, or by what was taken for them."""
    across, down = _EYE_WINDOW
    window = (-0.5 - across, -down, 0.5 + across, down)
    patch, matrix = level_patch(image, left, right, _EYE_UNIT, window)
    grey = cv2.createCLAHE(2.5, (4, 4)).apply(cv2.cvtColor(patch, cv2.COLOR_RGB2GRAY))
    width = round(2 * across * _EYE_UNIT)
    least, most = (round(size * _EYE_UNIT) for size in _EYE_SIZES)
    eyes: list[SeenEye | None] = []
    for side in (-1, 1):
        # The right eye is shown mirrored: so what is found does not depend on which eye it is.
        eye = np.ascontiguousarray(grey[:, ::-side][:, :width])
        found, support = _cascade(_EYE).detectMultiScale2(eye, 1.05, 2, minSize=(least, least), maxSize=(most, most))
        if not len(found):
            eyes.append(None)
            continue
        best = int(np.argmax(support))
        left_edge, top, size, _ = found[best]
        x = left_edge + size / 2 - 0.5 + _EYE_INWARDS * _EYE_UNIT
        at = matrix @ (x if side < 0 else patch.shape[1] - 1 - x, top + size / 2 - 0.5, 1.0)
        eyes.append(SeenEye((float(at[0]), float(at[1])), int(support[best])))
    return eyes[0], eyes[1]


def _boxes(grey: np.ndarray, search: _Search) -> list[Box]:
    """Well-supported boxes."""
    scale = search.side / max(grey.shape)
    shrunk = cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    height, width = shrunk.shape
    pad = search.margin * search.side
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), search.tilt, 1.0)
    turn = turn + [[0, 0, pad], [0, 0, pad]]
    size = round(width + 2 * pad), round(height + 2 * pad)
    upright = cv2.warpAffine(shrunk, turn, size, borderMode=cv2.BORDER_REPLICATE)
    # Contrast is evened out place by place: a bright shirt must not press a dark face into few levels.
    even = cv2.createCLAHE(2.5, (6, 6)).apply(upright)
    found, support = _cascade(search.cascade).detectMultiScale2(
        even, search.step, 2, minSize=(search.smallest, search.smallest)
    )
    # A false find is backed by few of the overlapping windows, a face by most of them.
    floor = max(_MIN_SUPPORT * math.log(1.1) / math.log(search.step), 0.15 * max(support, default=0))
    back = cv2.invertAffineTransform(turn)
    boxes: list[Box] = []
    for (x, y, w, h), count in sorted(zip(found, support, strict=True), key=lambda it: -it[1]):
        if count >= floor and len(boxes) < search.most:
            middle = back @ (x + w / 2, y + h / 2, 1.0) / scale
            # In the margin there is nothing but the smeared border.
            if 0 <= middle[0] < grey.shape[1] and 0 <= middle[1] < grey.shape[0]:
                boxes.append(Box(float(middle[0]), float(middle[1]), w / scale, search.tilt))
    return boxes


class _Cascades(threading.local):
    """Those of one thread: threads that share one fail, or find what is not there."""

    def __init__(self) -> None:
        self.loaded: dict[str, cv2.CascadeClassifier] = {}


_CASCADES = _Cascades()


def _cascade(name: str) -> cv2.CascadeClassifier:
    if name not in _CASCADES.loaded:
        _CASCADES.loaded[name] = cv2.CascadeClassifier(cv2.data.haarcascades + name)  # type: ignore[attr-defined]
    return _CASCADES.loaded[name]
