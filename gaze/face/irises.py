"""Both irises of a face together, from a rough guess of where it is and how it is tilted.

The integro-differential operator of Daugman ("How Iris Recognition Works", 2004): an iris is a circle whose side arcs
divide dark from bright, here on the red channel, where irises of every colour are dark. It is applied twice: on a patch
laid by the guess, and on patches laid by the irises themselves, level and of a fixed distance, so that what is found
depends neither on the guess nor on the tilt of the head.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache

import cv2
import numpy as np

from gaze.face.aligned_crop import Circle, Point, level_patch
from gaze.face.cascade import Seen, agreement, see_eyes

_Scored = tuple[float, tuple[Circle, Circle]]

UNIT = 96.0
"""Pixels between the irises in the level patch."""
_EYES = (-0.85, -0.4, 0.85, 0.4)
_RADII = np.linspace(0.07, 0.135, 14)
_RADIUS, _RADIUS_SPREAD = 0.098, 0.015
_UNLIKE = 0.012
_TRUST = 0.02
_TILTS = (0.0, -9.0, 9.0, -18.0, 18.0)
_SEEN = (0.06, 0.02)
"""How far an iris lies off where its eye is seen, across and down: standard deviations, as `across` in `_pairs`."""
_CANDIDATES = 5
_HYPOTHESES = 8
_PASSES = 2


def find_irises(
    image: np.ndarray, left: Circle, right: Circle, judge: Callable[[Circle, Circle, float, Seen], float]
) -> tuple[Circle, Circle, float]:
    """Find the irises near a guess.

    Args:
        image: (height, width, 3) uint8 RGB, with the irises at most about 1.5 `UNIT` apart, else it aliases.
        left, right: the guess; off by up to a sixth of its distance, and 25° of tilt.
        judge: the log odds that a pair is right, given how strange it is and where eyes are seen.

    Returns:
        The circles, left and right in the image, and their log odds.
    """
    found: list[_Scored] = []
    for tilt in _TILTS:
        a, b = _turned_pair(left, right, tilt)
        patch, matrix = _eyes_patch(image, a, b, UNIT / 2)
        for score, pair in _pairs(_evidence(patch, UNIT / 2), UNIT / 2, 0.17, 0.12):
            found.append((score, (_moved(pair[0], matrix), _moved(pair[1], matrix))))
    found.sort(key=lambda it: -it[0])
    best, most = (left, right), -math.inf
    for _, pair in _distinct(found, 0.05 * math.dist(left[:2], right[:2]))[:_HYPOTHESES]:
        if agreement(image, *pair) == 0:
            continue  # refining takes five times as long, and no face would be seen then either
        first, second, seen, score = _refined(image, *pair, UNIT / 2)
        strange = _strangeness(first, second, left, right)
        value = score - strange + _TRUST * judge(first, second, strange, seen)
        if value > most:
            best, most = (first, second), value
    first, second, seen, _ = _refined(image, *best, UNIT)
    return first, second, judge(first, second, _strangeness(first, second, left, right), seen)


def _strangeness(a: Circle, b: Circle, left: Circle, right: Circle) -> float:
    """How far a pair is from the guess, in points of the score: by distance, tilt and place."""
    expected = math.dist(left[:2], right[:2])
    # Both may be the same spot.
    stretch = math.log(max(math.dist(a[:2], b[:2]) / expected, 0.01)) / 0.12
    tilt = math.atan2(b[1] - a[1], b[0] - a[0]) - math.atan2(right[1] - left[1], right[0] - left[0])
    x, y = ((a[i] + b[i] - left[i] - right[i]) / (2 * expected * 0.1) for i in (0, 1))
    return 0.02 * (stretch**2 + (tilt / math.radians(10)) ** 2 + x**2 + y**2)


def _refined(image: np.ndarray, left: Circle, right: Circle, unit: float) -> tuple[Circle, Circle, Seen, float]:
    """The best pair on patches laid by the pair itself, near where eyes are seen; where that is; and its score."""
    seen = see_eyes(image, left, right)
    score = 0.0
    for _ in range(_PASSES):
        patch, matrix = _eyes_patch(image, left, right, unit)
        back = cv2.invertAffineTransform(matrix)
        places = [_moved((*eye.at, 0.0), back)[:2] if eye else None for eye in seen]
        score, (a, b) = _pairs(_evidence(patch, unit), unit, 0.05, 0.05, 1, places)[0]
        left, right = _moved(a, matrix), _moved(b, matrix)
    return left, right, seen, score


def _eyes_patch(
    image: np.ndarray, left: tuple[float, ...], right: tuple[float, ...], unit: float
) -> tuple[np.ndarray, np.ndarray]:
    """The level patch of both eyes; at less than `UNIT` it is averaged, so that nothing aliases."""
    patch, matrix = level_patch(image, left, right, UNIT, _EYES)
    shrink = UNIT / unit
    if shrink > 1:
        patch = cv2.resize(patch, None, fx=1 / shrink, fy=1 / shrink, interpolation=cv2.INTER_AREA)
        centre = shrink / 2 - 0.5
        matrix = matrix @ np.array([[shrink, 0, centre], [0, shrink, centre], [0, 0, 1]])
    return patch, matrix


def _turned_pair(left: Circle, right: Circle, degrees: float) -> tuple[tuple[float, float], tuple[float, float]]:
    x, y = (left[0] + right[0]) / 2, (left[1] + right[1]) / 2
    half = math.dist(left[:2], right[:2]) / 2
    angle = math.atan2(right[1] - left[1], right[0] - left[0]) + math.radians(degrees)
    dx, dy = half * math.cos(angle), half * math.sin(angle)
    return (x - dx, y - dy), (x + dx, y + dy)


def _moved(circle: Circle, matrix: np.ndarray) -> Circle:
    x, y = matrix @ (circle[0], circle[1], 1.0)
    return float(x), float(y), circle[2] * float(np.hypot(*matrix[:, 0]))


def _distinct(found: list[_Scored], apart: float) -> list[_Scored]:
    kept: list[_Scored] = []
    for item in found:
        if all(max(math.dist(a[:2], b[:2]) for a, b in zip(item[1], it[1], strict=True)) > apart for it in kept):
            kept.append(item)
    return kept


@cache
def _kernels(radius: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Kernels that average the outward gradient, of x and of y, over both side arcs of a circle; and the disc's mean.

    The arcs reach farther down than up, since the upper lid hides more of an iris than the lower.
    """
    reach = math.ceil(radius) + 2
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(np.float32)
    distance = np.hypot(x, y)
    angle = np.degrees(np.arctan2(y, np.abs(x)))
    arc = np.clip((angle + 45) / 15, 0, 1) * np.clip((75 - angle) / 30, 0, 1)
    ring = np.clip(1 - np.abs(distance - radius), 0, 1) * arc
    distance[reach, reach] = 1
    # Each side has the same say, however long its arc.
    weight = ring / np.where(x < 0, ring[x < 0].sum(), ring[x > 0].sum()) / 2 * (x != 0)
    disc = np.clip(0.8 * radius + 0.5 - distance, 0, 1) * (y > -0.4 * radius)
    return weight * x / distance, weight * y / distance, disc / disc.sum()


def _evidence(patch: np.ndarray, unit: float) -> np.ndarray:
    """How much each pixel looks like an iris centre, for each radius: (radii, h, w), 1 for a clear one."""
    red = patch[..., 0]
    size = int(0.035 * unit) * 2 + 1
    # Opening takes away highlights, which are small and bright, and would else cut the dark disc in two.
    plain = cv2.morphologyEx(red, cv2.MORPH_OPEN, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
    smooth = cv2.GaussianBlur(plain.astype(np.float32), (0, 0), 0.0125 * unit)
    contrast = max(float(smooth.std()), 4.0)
    dx = cv2.Sobel(smooth, cv2.CV_32F, 1, 0) / 8
    dy = cv2.Sobel(smooth, cv2.CV_32F, 0, 1) / 8
    # Beyond a fair contrast a stronger edge is no better one: a highlight or a frame must not outweigh an iris.
    weight = 1 / np.sqrt(dx**2 + dy**2 + (48.0 * contrast / unit) ** 2)
    dx, dy = dx * weight, dy * weight
    scores = []
    for radius in _RADII * unit:
        along_x, along_y, disc = _kernels(float(radius))
        edge = cv2.filter2D(dx, -1, along_x) + cv2.filter2D(dy, -1, along_y)
        inside = cv2.filter2D(smooth, -1, disc)
        around = cv2.blur(smooth, (int(6 * radius) | 1, int(4 * radius) | 1))
        scores.append(edge + 0.2 * np.clip((around - inside) / contrast, -2, 2))
    return np.stack(scores)


def _pairs(
    evidence: np.ndarray,
    unit: float,
    across: float,
    down: float,
    count: int = _CANDIDATES,
    seen: Sequence[Point | None] = (None, None),
) -> list[_Scored]:
    """Pairs of circles in patch pixels near where the irises are expected, best first.

    `across` and `down` are how far off they may be (standard deviations, in distances between the irises); where an eye
    is `seen`, in patch pixels, it tells better.
    """
    y, x = np.mgrid[: evidence.shape[1], : evidence.shape[2]].astype(np.float32)
    size = ((_RADII - _RADIUS) / _RADIUS_SPREAD)[:, None, None] ** 2
    sides: list[list[tuple[float, Circle]]] = []
    for side, place in zip((-0.5, 0.5), seen, strict=True):
        at_x, at_y = place or ((side - _EYES[0]) * unit, -_EYES[1] * unit)
        wide, high = _SEEN if place else (across, down)
        off = ((x - at_x) / (wide * unit)) ** 2 + ((y - at_y) / (high * unit)) ** 2
        volume = evidence - 0.04 * off - 0.03 * size
        best = volume.max(0)
        found = []
        for _ in range(count):
            row, col = np.unravel_index(int(best.argmax()), best.shape)
            found.append((float(best[row, col]), (float(col), float(row), 0.0)))
            near = max(2, int(0.05 * unit))
            best[max(0, row - near) : row + near + 1, max(0, col - near) : col + near + 1] = -np.inf
        sides.append(found)
    pairs = []
    for a_score, a in sides[0]:
        for b_score, b in sides[1]:
            off = ((math.dist(a[:2], b[:2]) / unit - 1) / across) ** 2 + ((b[1] - a[1]) / (0.12 * unit)) ** 2
            pairs.append(((a_score + b_score) / 2 - 0.02 * off, a, b))
    pairs.sort(key=lambda it: -it[0])
    return [(score, _alike(evidence, a, b, unit)) for score, a, b in pairs[:_HYPOTHESES]]


def _alike(evidence: np.ndarray, left: Circle, right: Circle, unit: float) -> tuple[Circle, Circle]:
    """Radii that suit both irises, which are of one size, and the centres that suit these radii."""
    reach = max(1, round(0.03 * unit))
    spots, profiles = [], []
    for x, y, _ in (left, right):
        row, col = max(0, round(y) - reach), max(0, round(x) - reach)
        near = evidence[:, row : row + 2 * reach + 1, col : col + 2 * reach + 1]
        spots.append((near, row, col))
        profiles.append(near.max((1, 2)))
    apart = (_RADII[:, None] - _RADII) / _UNLIKE
    size = (_RADII - _RADIUS) / _RADIUS_SPREAD
    joint = np.add.outer(profiles[0] - 0.03 * size**2, profiles[1] - 0.03 * size**2) - 0.06 * apart**2
    circles = []
    for layer, (near, row, col) in zip(np.unravel_index(int(joint.argmax()), joint.shape), spots, strict=True):
        down, across = np.unravel_index(int(near[layer].argmax()), near[layer].shape)
        circles.append(_peak(evidence, int(layer), row + int(down), col + int(across), unit))
    return circles[0], circles[1]


def _peak(volume: np.ndarray, layer: int, row: int, col: int, unit: float) -> Circle:
    """A maximum, refined along each axis by the parabola through it and its neighbours."""
    at = []
    for axis, index in enumerate((layer, row, col)):
        if 0 < index < volume.shape[axis] - 1:
            line = np.moveaxis(volume, axis, 0)[index - 1 : index + 2]
            others = [i for k, i in enumerate((layer, row, col)) if k != axis]
            before, here, after = (float(part[others[0], others[1]]) for part in line)
            bend = before - 2 * here + after
            index_off = float(np.clip((before - after) / (2 * bend), -0.5, 0.5)) if bend < 0 else 0.0
            at.append(index + index_off)
        else:
            at.append(float(index))
    radius = _RADII[0] + at[0] * (_RADII[1] - _RADII[0])
    return at[2], at[1], float(radius) * unit
