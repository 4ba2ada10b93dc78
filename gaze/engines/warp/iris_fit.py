"""The outline of both irises as the picture shows it, and lids that do not cut off what is seen of them.

The networks know people: in cartoons and paintings irises are larger, and the lids elsewhere, than they say. Circles of
one size are laid where brightness rises the most across them: Daugman's operator ("High confidence visual recognition
of persons by a test of statistical independence", 1993), held near to what the networks found.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np

from gaze.face.face import Contours, Iris
from gaze.photo.remapping import NO_MAP

_SIDES = np.radians(np.concatenate([np.arange(-30, 51, 8), 180 - np.arange(-30, 51, 8)]))
"""Angles at which irises are seen beside the lids, clockwise from the right."""
_BELOW = np.radians(np.arange(28, 153, 8))
_RADII = np.linspace(0.8, 1.65, 35)
"""Radii that are tried, in the network's."""
_NEAR = 5
"""How many of these around the first choice are looked at again."""
_OFF = 0.15, 0.8
"""What being off by one radius costs, of a full contrast: squared, the centre; squared, the logarithm of the radius."""
_BETTER = 0.07
"""How much more of the full contrast another circle must show than the network's to be taken."""
_SEEN = 0.6
"""Share of the contrast at the sides from which on the edge is seen below, too."""
_CLEAR = 0.06
"""How far a lid is kept away from an edge that is seen, in radii."""
_LARGE = 0.121
"""Radius, in distances between the irises, from which on an eye is no person's: its lids are looked for anew."""
_GROWTH, _LINE = 1.4, 0.3
"""How far out they are looked for, in radii, and how much of the full contrast such a line has."""
_CORNER = 1.25
"""The same for a corner of the eye."""


class _Search(NamedTuple):
    """How circles are tried.

    Attributes:
        spread: how far off centres may lie, in radii.
        apart: how far inside and outside of a circle brightness is compared, in radii.
        light: how much it counts that it is light outside, beside that it is darker inside: pupils have edges, too.
    """

    spread: np.ndarray
    apart: float
    light: float


_COARSE = _Search(np.linspace(-0.32, 0.32, 9), 0.1, 0.4)
_FINE = _Search(np.linspace(-0.08, 0.08, 5), 0.05, 0.0)


class FittedEye(NamedTuple):
    """An iris and the lids around it; how much brighter it is beside the iris than in it, in grey levels."""

    iris: Iris
    lids: Contours
    contrast: float


def fit_eyes(
    image: np.ndarray, irises: tuple[Iris, Iris], lids: tuple[Contours, Contours]
) -> tuple[FittedEye, FittedEye]:
    """Both eyes as the picture shows them; as they were found where it does not show more.

    Args:
        image: (height, width, 3) uint8 RGB.
        irises: as found, left and right.
        lids: likewise.
    """
    # On the red channel irises of every colour are dark.
    red = [_around(image, iris) for iris in irises]
    first = (irises[0].radius + irises[1].radius) / 2
    parts = list(zip(red, irises, strict=True))
    found = [_steps(part, iris, first, np.zeros(2), _COARSE) for part, iris in parts]
    radius, best = _choose(found)
    here, middle = len(found[0].offsets) // 2, int(np.argmin(np.abs(_RADII - 1)))
    gain = sum(float(it.scores[:, radius].max() - it.scores[here, middle]) for it in found)
    if gain < 2 * _BETTER:
        radius, best = middle, [np.zeros(2), np.zeros(2)]
    else:
        finer = [_steps(*part, first, at, _FINE) for part, at in zip(parts, best, strict=True)]
        near = slice(max(0, radius - _NEAR), radius + _NEAR + 1)
        radius, best = _choose([it._replace(scores=it.scores[:, near]) for it in finer])
        radius += near.start
    size = first * float(_RADII[radius])
    apart = math.dist((irises[0].x, irises[0].y), (irises[1].x, irises[1].y))
    eyes = []
    for part, iris, at, contours in zip(red, irises, best, lids, strict=True):
        fitted = Iris(iris.x + float(at[0]) * first, iris.y + float(at[1]) * first, size)
        if size > _LARGE * apart:
            contours = Contours(*(_grown(part, fitted, edge) for edge in contours))
        eyes.append(_with_lids(part, fitted, contours))
    return eyes[0], eyes[1]


class _Part(NamedTuple):
    """The red channel around an eye, blurred; x and y of its first pixel; what is dark there, and a full contrast."""

    red: np.ndarray
    x: int
    y: int
    dark: float
    full: float


class _Steps(NamedTuple):
    """Offsets of centres, (n, 2) in radii, and what the circles around them score, (n, radii)."""

    offsets: np.ndarray
    scores: np.ndarray


def _around(image: np.ndarray, iris: Iris) -> _Part:
    reach = 3.6 * iris.radius + 3
    x0, y0 = max(0, int(iris.x - reach)), max(0, int(iris.y - reach))
    red = image[y0 : int(iris.y + reach) + 2, x0 : int(iris.x + reach) + 2, 0].astype(np.float32)
    red = cv2.GaussianBlur(red, (0, 0), max(0.5, 0.06 * iris.radius)).astype(np.float32)
    dark, light = np.percentile(red, (10, 90))
    return _Part(red, x0, y0, float(dark), max(float(light - dark), 12.0))


def _steps(part: _Part, iris: Iris, first: float, about: np.ndarray, how: _Search) -> _Steps:
    offsets = about + np.stack(np.meshgrid(how.spread, how.spread), 2).reshape(-1, 2)
    centres = np.array([iris.x, iris.y]) + offsets * first
    outside, inside = _beside(part, centres, first * _RADII, _SIDES, how.apart)
    rises, light = (outside - inside) / part.full, (outside - part.dark) / part.full
    cost = _OFF[0] * (offsets**2).sum(1)[:, None] + _OFF[1] * np.log(_RADII) ** 2
    shown = np.clip(rises, -0.3, 0.6) + how.light * np.clip(light, 0, 1)
    # Both sides have to show it: a lid's shadow at one of them goes along with many circles.
    right, left = (half.mean(1) for half in np.split(shown, 2, axis=1))
    return _Steps(offsets, (left + right) / 4 + np.minimum(left, right) / 2 - cost)


def _beside(
    part: _Part, centres: np.ndarray, radii: np.ndarray, angles: np.ndarray, apart: float
) -> tuple[np.ndarray, np.ndarray]:
    """How bright it is outside and inside of circles: (centres, angles, radii) each."""
    rays = np.stack([np.cos(angles), np.sin(angles)], 1)
    shown = []
    for share in (1 + apart, 1 - apart):
        places = centres[:, None, None] + rays[:, None] * (share * radii)[:, None] - (part.x, part.y)
        flat = places.reshape(len(centres), -1, 2).astype(np.float32)
        shown.append(cv2.remap(part.red, flat, NO_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))
    outside, inside = (it.reshape(len(centres), len(angles), len(radii)) for it in shown)
    return outside, inside


def _rise(part: _Part, iris: Iris, angles: np.ndarray) -> np.ndarray:
    """How much brighter it is outside of an iris than inside, (angles,)."""
    outside, inside = _beside(part, np.array([[iris.x, iris.y]]), np.array([iris.radius]), angles, _COARSE.apart)
    return (outside - inside)[0, :, 0]


def _choose(eyes: list[_Steps]) -> tuple[int, list[np.ndarray]]:
    """The radius that suits both eyes best, and the best centre of each for it."""
    radius = int(np.sum([it.scores.max(0) for it in eyes], axis=0).argmax())
    return radius, [it.offsets[int(it.scores[:, radius].argmax())] for it in eyes]


def _grown(part: _Part, iris: Iris, edge: np.ndarray) -> np.ndarray:
    """A lid's edge, moved out from the iris to the first line that the picture shows; left where it shows none."""
    ray = edge - (iris.x, iris.y)
    ray /= np.maximum(np.hypot(*ray.T), 1e-6)[:, None]
    way = np.linspace(0, _GROWTH, 33)
    places = edge[:, None] + ray[:, None] * (way * iris.radius)[:, None] - (part.x, part.y)
    shown = cv2.remap(part.red, places.astype(np.float32), NO_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    step = np.abs(shown[:, 4:] - shown[:, :-4]) > _LINE * part.full
    out = np.where(step.any(1), way[step.argmax(1)], 0)
    return np.asarray(edge + ray * (out * iris.radius)[:, None])


def _with_lids(part: _Part, iris: Iris, lids: Contours) -> FittedEye:
    """The lids pushed back from the edge of the iris where it is seen."""
    sides = float(np.median(_rise(part, iris, _SIDES)))
    chord = lids.upper[-1] - lids.upper[0]
    length = max(float(math.hypot(*chord)), 1e-6)
    along = chord / length
    down = np.array([-along[1], along[0]])
    seen = _BELOW[_rise(part, iris, _BELOW) > max(_SEEN * sides, 4.0)]
    edge = np.stack([np.cos(seen), np.sin(seen)], 1) * (1 + _CLEAR) * iris.radius
    moved = []
    for contour in lids:
        local = (contour - (iris.x, iris.y)) @ np.stack([along, down], 1)
        # Corners first: between them nothing of the iris may be lacking.
        local[0, 0] = min(local[0, 0], -_CORNER * iris.radius)
        local[-1, 0] = max(local[-1, 0], _CORNER * iris.radius)
        moved.append(local)
    if len(edge):
        points = edge @ np.stack([along, down], 1)
        order = np.argsort(points[:, 0])
        least = np.interp(moved[1][:, 0], points[order, 0], points[order, 1], left=-np.inf, right=-np.inf)
        moved[1][1:-1, 1] = np.maximum(moved[1][1:-1, 1], least[1:-1])
    back = [local @ np.stack([along, down]) + (iris.x, iris.y) for local in moved]
    return FittedEye(iris, Contours(*back), sides)
