"""Telling open eyes from others: the networks find animals, statues, and eyes that are closed or covered, too.

How much each sign counts was fitted by logistic regression on 540 pictures of open eyes and 774 of closed and covered
ones, made from 217 pictures of faces that are not part of the project, changed as photos are: in half of
them, by source, that the fit had not seen, it errs as benchmarks/RESULTS.md says.
"""

from __future__ import annotations

import math
from functools import cache
from typing import NamedTuple

import cv2
import numpy as np

from gaze.face.coordinates import aligned_crop
from gaze.face.face import Face

SURE, DOUBTFUL = 0.5, 0.35
"""Confidence from which on a face is taken; and from which on a person is asked whether to take it."""

_UNIT, _WINDOW = 96.0, (-1.1, -0.5, 1.1, 0.5)
"""The aligned crop of the eyes: pixels per iris distance; left, top, right, bottom."""

# Weight, least and largest value of each sign.
_WEIGHTS = {
    "beside": (6.05, 0.0, 0.6),
    "contrast": (6.01, -0.1, 0.5),
    "openness": (38.11, 0.05, 0.35),
    "difference": (-12.58, 0.0, 0.5),
    "mesh": (1.87, -2.0, 12.0),
    "edge": (3.18, 0.0, 1.0),
    "radius": (-107.74, 0.06, 0.11),
}
_BIAS = -24.34
_FEW = 5
"""Pixels below which a median says nothing."""
_FACING, _FACING_SOFT = 50.0, 3.0
"""Degrees of yaw beyond which one eye is hardly seen, and over how many that sets in: the fit had few such faces."""


class Signs(NamedTuple):
    """What tells open eyes from others. Darkness is relative to the iris's, brightness to the skin's around the eye.

    Attributes:
        beside: how dark the darkest is beside an iris; the least of the four sides. An open eye goes on as lashes and
            corners on both sides. Where an iris was put on covered eyes, there is bare skin.
        contrast: how much brighter the eye is between the lids than its iris; of the eye with less.
        openness: of the eye that is less open (`Face.openness`).
        difference: between the brightness of both irises.
        mesh: log odds by the mesh's network that there is a face.
        edge: 1 where both irises have a clear edge (`gaze.face.iris_edge`), else 0.
        radius: of the irises, in iris distances. What is taken for an iris where there is none is often too large.
    """

    beside: float
    contrast: float
    openness: float
    difference: float
    mesh: float
    edge: float
    radius: float


def confidence(image: np.ndarray, face: Face, mesh_score: float, edge: bool) -> float:
    """0 to 1, for the irises of a face being those of open eyes.

    Args:
        image: (height, width, 3) uint8 RGB.
        face: as found in it.
        mesh_score: 0 to 1, by the mesh's network.
        edge: whether both irises have a clear edge.
    """
    height, width = image.shape[:2]
    for it in (face.left, face.right):
        # Beyond the picture's border there is only its edge, repeated.
        if not (it.radius <= it.x < width - it.radius and it.radius <= it.y < height - it.radius):
            return 0.0
    facing = 1 / (1 + math.exp((abs(face.yaw) - _FACING) / _FACING_SOFT))
    return facing * probability(find_signs(image, face, mesh_score, edge))


def probability(signs: Signs) -> float:
    """Of open eyes, 0 to 1, by the signs alone."""
    odds = _BIAS
    for name, (weight, least, most) in _WEIGHTS.items():
        odds += weight * min(max(getattr(signs, name), least), most)
    return 1 / (1 + math.exp(-odds))


def find_signs(image: np.ndarray, face: Face, mesh_score: float, edge: bool) -> Signs:
    """Look at both eyes; arguments as for `confidence`."""
    ends = (face.left.x, face.left.y), (face.right.x, face.right.y)
    crop, _ = aligned_crop(image, *ends, _UNIT, _WINDOW)
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)
    radius = face.left.radius / face.iris_distance
    contrasts, levels = zip(*(_brightness(grey, face, eye, radius) for eye in (0, 1)), strict=True)
    score = min(max(mesh_score, 1e-6), 1 - 1e-6)
    return Signs(
        beside=_beside(grey, radius),
        contrast=min(contrasts),
        openness=min(face.openness),
        difference=abs(levels[0] - levels[1]),
        mesh=math.log(score / (1 - score)),
        edge=float(edge),
        radius=radius,
    )


def _brightness(grey: np.ndarray, face: Face, eye: int, radius: float) -> tuple[float, float]:
    """How much brighter an eye is beside its iris than within, and how bright its iris is; in the skin's brightness."""
    half = _half(eye)
    grey = grey[:, half.columns]
    lids = face.lids[eye]
    u, v = face.to_frame(*np.vstack([lids.upper, lids.lower[::-1]]).T)
    outline = np.stack([(u - _WINDOW[0]) * _UNIT - half.columns.start, (v - _WINDOW[1]) * _UNIT], 1)
    mask = np.zeros(grey.shape, np.uint8)
    cv2.fillPoly(mask, [np.round(outline * 16).astype(np.int32)], 1, shift=4)
    seen = mask > 0
    levels, distance = grey[seen], half.distance[seen]
    skin = float(np.median(grey[half.skin]))
    iris, beside = levels[distance < 0.85 * radius], levels[distance > 1.15 * radius]
    inner = float(np.median(iris)) if iris.size > _FEW else skin
    outer = float(np.median(beside)) if beside.size > _FEW else inner
    return (outer - inner) / max(skin, 20.0), inner / max(skin, 20.0)


class _Half(NamedTuple):
    """The part of the aligned crop around one eye.

    Attributes:
        columns: of the crop.
        distance: (h, w) from the iris, in iris distances.
        skin: (h, w) bool, what lies around the eye.
    """

    columns: slice
    distance: np.ndarray
    skin: np.ndarray


@cache
def _half(eye: int) -> _Half:
    """That of the left eye, 0, or of the right one, 1."""
    width, height = (round((_WINDOW[axis + 2] - _WINDOW[axis]) * _UNIT) for axis in (0, 1))
    columns = slice(eye * (width // 2), width // 2 if eye == 0 else width)
    down, across = np.mgrid[:height, columns] / _UNIT
    down, across = down + _WINDOW[1], across + _WINDOW[0] - (eye - 0.5)
    distance = np.hypot(across, down)
    return _Half(columns, distance, (np.abs(down) < 0.35) & (np.abs(across) < 0.45) & (distance > 0.25))


def _beside(grey: np.ndarray, radius: float) -> float:
    """How dark the darkest is beside an iris, relative to the iris: the least of the four sides."""
    # Highlights are small and bright.
    grey = cv2.morphologyEx(grey, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (7, 7)))
    smooth = cv2.GaussianBlur(grey, (0, 0), 0.01 * _UNIT).astype(np.float32)
    u = np.arange(grey.shape[1]) / _UNIT + _WINDOW[0]
    y = (np.arange(grey.shape[0]) / _UNIT + _WINDOW[1]) / radius
    found = []
    for middle in (-0.5, 0.5):
        x = (u - middle) / radius
        light = np.percentile(smooth[np.ix_(np.abs(y) < 1.8, np.abs(x) < 2.5)], 85)
        darkest = np.maximum(light - smooth[np.abs(y) < 1], 0).max(0)
        inside = max(float(darkest[np.abs(x) < 0.4].mean()), 1.0)
        found += [float(darkest[(side * x > 1.2) & (side * x < 2)].mean()) / inside for side in (-1, 1)]
    return min(found)
