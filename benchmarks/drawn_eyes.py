"""Eyes drawn into a photo of a face, at known places: irises of many sizes and colours between many lids."""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np

from gaze.engines.warp.region import tilt_axes
from gaze.face.face import Face, Iris

_FINE = 4
"""Samples per pixel, each way."""
_SOCKET_REACH = 0.42
"""Iris distances from the middle of an eye to where nothing is drawn any more."""
_SKIN_AT = (0.5, 0.42)
"""Where the colour of the skin is taken from, in face coordinates: the right cheek."""


class DrawnEyes(NamedTuple):
    """How a pair of eyes is drawn. Lengths are in iris distances, brightness and colours 0 to 1.

    Attributes:
        radius: of both irises.
        across, down: how far they are moved from the middles of the eyes.
        iris: RGB.
        sclera: brightness of the whites.
        pupil: radius, in radii of the iris.
        ring: how much darker the iris's edge is.
        soft: half the width of the iris's edge.
        width: from corner to corner.
        above, below: how far the lids' apexes lie above and below the corners.
        lashes: thickness of the dark line along the upper lid.
        shade: how much darker the whites are near the corners and below the upper lid.
        highlight: radius of the reflected light, 0 for none.
    """

    radius: float = 0.093
    across: float = 0.0
    down: float = 0.0
    iris: tuple[float, float, float] = (0.35, 0.24, 0.15)
    sclera: float = 0.85
    pupil: float = 0.4
    ring: float = 0.3
    soft: float = 0.006
    width: float = 0.44
    above: float = 0.1
    below: float = 0.06
    lashes: float = 0.015
    shade: float = 0.3
    highlight: float = 0.015


def random_eyes(seed: int, radius: tuple[float, float] = (0.08, 0.105)) -> DrawnEyes:
    """Eyes as people have them, open and looking anywhere; `radius`: the least and the largest."""
    rng = np.random.default_rng(seed)
    irises = ((0.16, 0.1, 0.07), (0.35, 0.22, 0.13), (0.45, 0.38, 0.25), (0.38, 0.47, 0.56), (0.52, 0.6, 0.66))
    size = rng.uniform(*radius)
    wide = size / 0.093
    return DrawnEyes(
        radius=size,
        across=rng.uniform(-0.08, 0.08),
        down=rng.uniform(-0.02, 0.025),
        iris=irises[rng.integers(len(irises))],
        sclera=rng.uniform(0.65, 0.95),
        pupil=rng.uniform(0.3, 0.55),
        ring=rng.uniform(0, 0.5),
        soft=rng.uniform(0.003, 0.012),
        width=rng.uniform(0.42, 0.5) * max(1.0, wide**0.7),
        above=rng.uniform(0.07, 0.12) * wide,
        below=rng.uniform(0.045, 0.08) * wide,
        lashes=rng.uniform(0.005, 0.025),
        shade=rng.uniform(0.1, 0.5),
        highlight=rng.uniform(0, 0.025),
    )


def draw_eyes(image: np.ndarray, face: Face, eyes: DrawnEyes) -> tuple[np.ndarray, Face]:
    """A picture, (h, w, 3) uint8 RGB, with eyes drawn over those of a face, and the face with their irises."""
    unit = face.iris_distance
    skin = _median_about(image, face, _SKIN_AT)
    made = image.copy()
    for side in (-0.5, 0.5):
        x, y = face.centre[0] + side * unit * math.cos(face.tilt), face.centre[1] + side * unit * math.sin(face.tilt)
        reach = math.ceil(_SOCKET_REACH * unit)
        x0, y0 = max(0, int(x) - reach), max(0, int(y) - reach)
        part = made[y0 : int(y) + reach, x0 : int(x) + reach]
        height, width = part.shape[:2]
        down, across = (np.mgrid[: height * _FINE, : width * _FINE] + 0.5) / _FINE - 0.5
        u, v = face.to_frame(across + x0, down + y0)
        fine = np.repeat(np.repeat(part / 255, _FINE, 0), _FINE, 1)
        fine = _draw_eye(fine, u - side, v, -math.copysign(1, side), eyes, skin, 0.25 / unit)
        drawn = cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA)
        part[:] = (255 * drawn.clip(0, 1) + 0.5).astype(np.uint8)
    return made, _looking(face, eyes)


def _draw_eye(
    image: np.ndarray, x: np.ndarray, y: np.ndarray, nose: float, eyes: DrawnEyes, skin: np.ndarray, soft: float
) -> np.ndarray:
    """One eye whose middle is the origin of `x` and `y`; `nose`: on which side the inner corner is."""
    socket = _step(1 - ((x / 0.36) ** 4 + (y / 0.24) ** 4), 0.25)
    image = _over(image, socket, 0.97 * skin)
    # Lids: parabolas whose apexes lie towards the nose above and away from it below.
    share = np.clip(2 * x / eyes.width, -1, 1)
    upper = -eyes.above * (1 - (share - 0.15 * nose * (1 - share**2)) ** 2)
    lower = eyes.below * (1 - (share + 0.15 * nose * (1 - share**2)) ** 2)
    inside = np.abs(2 * x / eyes.width) < 1
    between = _step(y - upper, soft) * _step(lower - y, soft) * inside
    fold = np.exp(-(((y - upper + 0.04) / 0.012) ** 2)) * inside
    image = _over(image, 0.35 * fold, 0.5 * skin)
    near_lid = np.exp(-np.maximum(y - upper, 0) / 0.03)
    white = eyes.sclera * (1 - eyes.shade * (0.7 * share**2 + 0.5 * near_lid))
    image = _over(image, between, white[..., None] * np.array([1.0, 0.96, 0.93]))
    distance = np.hypot(x - eyes.across, y - eyes.down)
    angle = np.arctan2(y - eyes.down, x - eyes.across)
    fibres = 1 + 0.12 * np.sin(23 * angle) + 0.08 * np.sin(41 * angle + 1)
    ring = 1 - eyes.ring * np.exp(-(((distance - eyes.radius) / (0.15 * eyes.radius)) ** 2))
    coloured = (fibres * ring * (1 - 0.3 * near_lid))[..., None] * np.array(eyes.iris)
    image = _over(image, between * _step(eyes.radius - distance, max(soft, eyes.soft)), coloured)
    image = _over(image, between * _step(eyes.pupil * eyes.radius - distance, soft), np.array([0.04, 0.03, 0.03]))
    light = np.hypot(x - eyes.across + 0.3 * eyes.radius, y - eyes.down + 0.3 * eyes.radius)
    if eyes.highlight:
        image = _over(image, between * _step(eyes.highlight - light, soft), np.array([0.98, 0.98, 0.98]))
    lashes = _step(eyes.lashes / 2 - np.abs(y - upper), soft) * inside
    return _over(image, 0.85 * lashes, np.array([0.12, 0.09, 0.08]))


def _looking(face: Face, eyes: DrawnEyes) -> Face:
    """The face with the irises that were drawn."""
    shift = face.iris_distance * np.array([eyes.across, eyes.down]) @ tilt_axes(face.tilt)
    radius = eyes.radius * face.iris_distance
    left, right = (Iris(it.x + shift[0], it.y + shift[1], radius) for it in (face.left, face.right))
    return Face(left, right, face.mesh)


def _median_about(image: np.ndarray, face: Face, at: tuple[float, float]) -> np.ndarray:
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    u, v = face.to_frame(x, y)
    return np.median(image[np.hypot(u - at[0], v - at[1]) < 0.12], axis=0) / 255


def _step(values: np.ndarray, soft: float) -> np.ndarray:
    """0 below, 1 above zero, with a slope of half-width `soft`."""
    return np.clip(values / (2 * soft) + 0.5, 0, 1)


def _over(image: np.ndarray, cover: np.ndarray, colour: np.ndarray) -> np.ndarray:
    return image * (1 - cover[..., None]) + cover[..., None] * colour
