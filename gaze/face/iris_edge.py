"""Irises refined on the picture itself: circles of one size that are dark within and bright around, between the lids.

The idea is that of Daugman, "How Iris Recognition Works", 2004: of all circles about a place, the one with the clearest
edge. Clearness is d', the difference of two means in standard deviations, so that a circle along half an iris and half
a pupil is not clear.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np

from gaze.face.coordinates import aligned_crop, to_frame
from gaze.face.irises import FoundEye
from gaze.photo.remapping import NO_MAP

# Lengths are in iris distances.
_UNIT, _WINDOW = 80.0, (-0.95, -0.4, 0.95, 0.4)
"""The aligned crop: pixels per iris distance; left, top, right, bottom."""
_SMOOTH = 0.012
"""Standard deviation of the blur that takes noise and fibres away."""
_ANGLES = np.radians(np.arange(-30, 41, 10))
_RAYS = np.concatenate([np.stack([side * np.cos(_ANGLES), np.sin(_ANGLES)], 1) for side in (-1, 1)])
"""Directions in which edges are looked for, first to the left, then to the right: lids hide what is above and below."""
_REACH, _STEPS = (0.1, 0.06), (0.02, 0.03)
"""How far from the network's centre others are tried first, across and down, and their steps."""
_NEAR = 0.014
"""How far from the best of these others are tried then, in steps of `_FINE`: the rest is between steps (`_peak`)."""
_COARSE, _FINE = 0.01, 0.007
"""Steps of the radius."""
_LEAST, _MOST = 0.06, 0.18
"""Radii that are tried."""
_EDGE, _BEYOND = 0.02, 0.05
"""How far within and without a circle brightness is read; and where it is read once more, where that is in the eye."""
_LID = 0.03
"""How far outside the network's lids an edge may lie: it knows no eyes larger than a person's."""
_FLOOR, _NOISE = 0.12, 3.0
"""Differences of brightness that say nothing: as a share of the contrast in the eye, and in grey levels."""
_TRUST = 2.4
"""How much clearness counts beside what is likely beforehand."""
_OFF = (0.03, 0.015)
"""How far the network's centres usually are off, across and down."""
_HUMAN, _SMALLER, _LARGER = 0.093, 0.06, 0.5
"""Radius of a person's iris (11.7 mm wide, 63 mm apart), and its spread, as logarithms: drawn ones are often larger."""
_ASTRAY = 0.11
"""Spread, as logarithms, of the network's radii about those that fit the picture where these are clear."""
_CLEAR = 0.6
"""Clearness that both eyes must have: d' of 0.9."""
_PUPIL = 0.7
"""Radius of the widest pupils, in radii of their irises."""
_AROUND_PUPIL = 0.02
"""How far from a pupil's centre that of its iris is looked for."""
_OUTER, _RISE, _PUPIL_CLEARER = 1.0, 0.05, 1.5
"""Clearness of an iris around a pupil in both eyes, how much that is above what lies between their edges, and how many
times as clear the pupil is."""
_FEWEST = 8
"""Pixels between the lids below which nothing is seen."""


class _Seen(NamedTuple):
    """One eye in the crop.

    Attributes:
        smooth: (h, w) float32 brightness of the whole crop.
        weights: (h, w) float32, how far a pixel counts: 1 between the lids, 0 well outside.
        contrast: in grey levels, between the lids.
        start: (2,) where the network has the iris, in the crop.
    """

    smooth: np.ndarray
    weights: np.ndarray
    contrast: float
    start: np.ndarray


class _Best(NamedTuple):
    """The likeliest circles: offsets from the network's centres, (2,) each, the radius, how clear they are."""

    offsets: tuple[np.ndarray, np.ndarray]
    radius: float
    clear: float


def refine_irises(image: np.ndarray, eyes: tuple[FoundEye, FoundEye]) -> tuple[FoundEye, FoundEye]:
    """Both eyes with centres and one radius that fit the picture.

    Where their edges are not clear, they stay where they were, with the likeliest radius.

    Args:
        image: (height, width, 3) uint8 RGB.
        eyes: of which both irises are at least a pixel apart.
    """
    left, right = ((eye.x, eye.y) for eye in eyes)
    crop, matrix = aligned_crop(image, left, right, _UNIT, _WINDOW)
    # On the red channel irises of every colour are dark.
    smooth = cv2.GaussianBlur(crop[..., 0].astype(np.float32), (0, 0), _SMOOTH * _UNIT)
    seen = []
    for eye, side in zip(eyes, (-0.5, 0.5), strict=True):
        weights, inside = _between_lids(eye, left, right, smooth.shape)
        if inside.sum() < _FEWEST:
            return _unclear(eyes)
        low, high = np.percentile(smooth[inside], (10, 90))
        start = np.array([side - _WINDOW[0], -_WINDOW[1]]) * _UNIT
        seen.append(_Seen(smooth, weights, float(high - low), start))

    around = _grid(_REACH, _STEPS)
    first = _best(seen, [around, around], (_LEAST, _MOST), _COARSE)
    first = first._replace(radius=_around_pupil(seen, first))
    around = _grid((_NEAR, _NEAR), (_FINE, _FINE))
    radii = max(_LEAST, first.radius - 0.015), min(_MOST, first.radius + 0.015)
    best = _best(seen, [around + it for it in first.offsets], radii, _FINE)
    if best.clear < _CLEAR:
        return _unclear(eyes)
    places = [
        (eye.start + _UNIT * it) @ matrix[:, :2].T + matrix[:, 2] for eye, it in zip(seen, best.offsets, strict=True)
    ]
    radius = best.radius * math.dist(left, right)
    first_eye, second_eye = (
        eye._replace(x=float(x), y=float(y), radius=radius) for eye, (x, y) in zip(eyes, places, strict=True)
    )
    return first_eye, second_eye


def _unclear(eyes: tuple[FoundEye, FoundEye]) -> tuple[FoundEye, FoundEye]:
    """Both eyes with the radius that is likeliest by the network's and by what people have.

    The network's is often that of something within the iris.
    """
    left, right = eyes
    human = _HUMAN * math.dist((left.x, left.y), (right.x, right.y))
    ratio = math.log((left.radius + right.radius) / (2 * human))
    spread = _SMALLER if ratio < 0 else _LARGER
    radius = human * math.exp(ratio * spread**2 / (spread**2 + _ASTRAY**2))
    return left._replace(radius=radius), right._replace(radius=radius)


def _best(seen: list[_Seen], offsets: list[np.ndarray], between: tuple[float, float], step: float) -> _Best:
    """Of circles about `offsets`, two grids (rows, columns, 2), with radii `between`, one radius for both eyes."""
    radii = between[0] + step * np.arange(round((between[1] - between[0]) / step) + 1)
    clear = [_clearness(eye, it.reshape(-1, 2), radii, step) for eye, it in zip(seen, offsets, strict=True)]
    likely = [
        _TRUST * it - ((off.reshape(-1, 2) / _OFF) ** 2).sum(1)[:, None] / 2
        for it, off in zip(clear, offsets, strict=True)
    ]
    ratio = np.log(radii / _HUMAN)
    prior = (ratio / np.where(ratio < 0, _SMALLER, _LARGER)) ** 2 / 2
    joint = likely[0].max(0) + likely[1].max(0) - prior
    size = int(joint.argmax())
    left, right = (
        _highest(values[:, size].reshape(grid.shape[:2]), grid) for values, grid in zip(likely, offsets, strict=True)
    )
    return _Best(
        (left, right),
        float(radii[size] + step * _peak(joint, size)),
        float(min(it[values[:, size].argmax(), size] for it, values in zip(clear, likely, strict=True))),
    )


def _around_pupil(seen: list[_Seen], first: _Best) -> float:
    """The radius of the irises around `first` if these are pupils of pale irises, else its own.

    A pupil that is as large as a person's iris is the clearest circle by far. Beyond an iris there is no further circle
    that both eyes have, and clearness falls; beyond a pupil it rises once more.
    """
    around = _grid((_AROUND_PUPIL, _AROUND_PUPIL), (_AROUND_PUPIL, _AROUND_PUPIL)).reshape(-1, 2)
    radii = first.radius + _COARSE * np.arange(math.ceil((_MOST - first.radius) / _COARSE) + 2)
    each = [_clearness(eye, around + it, radii, _COARSE).max(0) for eye, it in zip(seen, first.offsets, strict=True)]
    clear = np.minimum(*each)
    least = math.ceil(first.radius * (1 / _PUPIL - 1) / _COARSE)
    for at in range(len(radii) - 2, least - 1, -1):
        rises = clear[at] >= max(_OUTER, clear[at + 1], clear[:at].min() + _RISE)
        if rises and first.clear >= _PUPIL_CLEARER * clear[at]:
            return float(radii[at])
    return first.radius


def _highest(values: np.ndarray, grid: np.ndarray) -> np.ndarray:
    """The place, (2,), of the largest of `values`, (rows, columns), between the places of a grid (rows, columns, 2)."""
    row, column = np.unravel_index(values.argmax(), values.shape)
    part = np.array([_peak(values[row], int(column)), _peak(values[:, column], int(row))])
    return grid[row, column] + part * (grid[1, 1] - grid[0, 0])


def _clearness(eye: _Seen, offsets: np.ndarray, radii: np.ndarray, step: float) -> np.ndarray:
    """(offsets, radii): log(1 + d'²) of what is without against what is within, times the share of it that is seen."""
    edge, beyond = round(_EDGE / step), round(_BEYOND / step)
    distances = _UNIT * (radii[0] + step * np.arange(-edge, len(radii) + beyond))
    centres = (eye.start + _UNIT * offsets).astype(np.float32)
    rings = (distances[:, None, None] * _RAYS).astype(np.float32)
    places = (centres[:, None] + rings.reshape(1, -1, 2)).reshape(len(centres), -1, 2)
    shape = len(centres), len(distances), len(_RAYS)
    levels = cv2.remap(eye.smooth, places, NO_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).reshape(shape)
    counts = cv2.remap(eye.weights, places, NO_MAP, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT).reshape(shape)

    def ring(values: np.ndarray, shift: int) -> np.ndarray:
        return values[:, edge + shift : edge + shift + len(radii)]

    weights = ring(counts, 0)
    # Both sides count alike, and one that is hardly seen hardly counts.
    half = len(_ANGLES)
    sides = weights.reshape(*weights.shape[:2], 2, half).sum(3)
    weights = weights * (0.5 / np.maximum(sides, half / 4)).repeat(half, 2)
    share, dark, dark_square = _moments(weights, ring(levels, -edge))
    seen, bright, square = (
        sum(it)
        for it in zip(
            _moments(weights, ring(levels, edge)),
            _moments(weights * ring(counts, beyond), ring(levels, beyond)),
            strict=True,
        )
    )
    share, seen = np.maximum(share, 1e-6), np.maximum(seen, 1e-6)
    dark, bright = dark / share, bright / seen
    spread = np.maximum(dark_square / share - dark**2, 0) + np.maximum(square / seen - bright**2, 0)
    nothing = (_FLOOR * eye.contrast) ** 2 + _NOISE**2
    return share * np.log1p(np.maximum(bright - dark, 0) ** 2 / (spread / 2 + nothing))


def _moments(weights: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Along the last axis: sums of the weights, of the values, and of their squares."""
    weighted = weights * values
    return weights.sum(2), weighted.sum(2), np.einsum("abc,abc->ab", weighted, values)


def _peak(values: np.ndarray, at: int) -> float:
    """Where between its neighbours a maximum lies, -0.5 to 0.5: that of the parabola through the three."""
    if not 0 < at < len(values) - 1:
        return 0.0
    before, here, after = values[at - 1 : at + 2]
    bend = before - 2 * here + after
    return float(np.clip((before - after) / (2 * bend), -0.5, 0.5)) if bend < 0 else 0.0


def _grid(reach: tuple[float, float], steps: tuple[float, float]) -> np.ndarray:
    """(rows, columns, 2) offsets, across and down."""
    across, down = (
        step * np.arange(-round(far / step), round(far / step) + 1) for far, step in zip(reach, steps, strict=True)
    )
    return np.stack(np.meshgrid(across, down), -1)


def _between_lids(
    eye: FoundEye, left: tuple[float, float], right: tuple[float, float], shape: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """How far each pixel of the crop counts, (h, w) float32, and which lie between the lids, (h, w) bool."""
    x, y = np.vstack([eye.upper, eye.lower[::-1]]).T
    u, v = to_frame(x, y, left, right)
    outline = np.stack([(u - _WINDOW[0]) * _UNIT, (v - _WINDOW[1]) * _UNIT], 1)
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.round(outline * 16).astype(np.int32)], 1, shift=4)
    outside = cv2.distanceTransform(1 - mask, cv2.DIST_L2, 3)
    return np.clip(1 - outside / (_LID * _UNIT), 0, 1).astype(np.float32), mask > 0
