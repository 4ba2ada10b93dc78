"""Lids that neither cut off what the picture shows of an iris nor let it hang over them, and how clearly that is seen.

The network knows people: in cartoons and paintings irises are larger, and the lids elsewhere, than it says.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np
from numpy.polynomial import Polynomial

from gaze.engines.warp.lids import Lids
from gaze.face.face import Contours, Face, Iris
from gaze.photo.remapping import NO_MAP

_SIDES = np.radians(np.concatenate([np.arange(-30, 51, 8), 180 - np.arange(-30, 51, 8)]))
"""Angles at which irises are seen beside the lids, clockwise from the right."""
_APART, _FARTHER = 0.1, 0.2
"""How far inside and outside of a circle brightness is compared, in radii; and where one side alone is to show it: an
iris that is seen on one side may be found that far off."""
RED, BLUE = 0, 2
"""Channels of an image."""
_COLUMNS, _DOWNS, _STEP = np.linspace(-0.6, 0.6, 13), np.arange(0.2, 1.5, 0.03), 8
"""Radii across from the iris's centre, and down from it, at which brightness is read; and how many of these it is
compared apart."""
_SEEN = 0.5
"""Share of the contrast at the sides from which on it gets lighter below, too."""
_LASHES = 0.5
"""Share of the contrast at the sides by which it may be darker above that edge than there: lashes and pupils are."""
_SPREAD = (0.4, 0.2)
"""Radii between the quarters of its distances from the lid, or from the circle, for no trust in an edge and for all."""
_CUT = (0.04, 0.12)
"""Radii that an edge lies inside of the circle, for none and for all of it being a lid's that covers the iris."""
_FEWEST = 5
"""Columns that have to show it."""
_CIRCULAR, _AS_DARK = (0.95, 0.75), (1.0, 0.5)
"""What speaks for an iris's edge, from not at all to all of it: how much less its distances from the circle spread than
those from the lid; and by how much, in shares of the contrast at the sides, it is darker or lighter inside of it than
there."""
_DOUBTED, _UNLIKE = 0.6, 0.7
"""Share of its way down that a lid goes if the first speaks against it; and the share of that if the last does."""
_CLEAR = 0.06
"""How far a lid is kept away from an iris's edge that is seen, in radii."""
_BEND = 1.5
"""How far beside that edge the lid goes along, in radii: it has no corners of its own."""
_LARGE = 0.121
"""Radius, in distances between the irises, from which on an eye is no person's: its lids are looked for anew."""
_WHITE = (0.3, 0.5)
"""Lids are looked for anew, too, where white is seen all around the upper half of an iris, but they lie nearer to it:
what is white differs from that beside the iris by no more than these shares of what the iris does, and the skin above.
"""
_OVER, _BESIDE = np.radians(np.arange(-150, -29, 10)), np.radians([-20, -10, 0, 10, 20])
"""Angles over an iris, clockwise from the right; and beside it, on the right."""
_IRIS_AT, _WHITE_AT, _SKIN_AT = 0.85, 1.15, 2.2
"""Radii at which these are read."""
_INSIDE, _AROUND = (1.2, 0.3), (2.5, 1.6)
"""Radii across and down from the iris's centre up to which there is only eyeball, and from which on only skin."""
_LINE = 0.08
"""Radii by which that division, somewhere in the lid's dark line, lies outside the eyeball."""
_EYEBALL, _SKIN = 1, 2
_CORNER = 1.25
"""Radii from the iris that the corners of the eye are kept away."""


class SeenEye(NamedTuple):
    """An iris and the lids around it; how much brighter it is beside the iris than in it, in grey levels.

    That is the median of both sides, and of the left and the right one alone, there read farther apart. How bright it
    is beside the iris is read in the brightest channel.
    """

    iris: Iris
    lids: Contours
    contrast: float
    contrasts: tuple[float, float]
    beside: float


def fit_lids(image: np.ndarray, face: Face, channel: int = RED) -> tuple[SeenEye, SeenEye]:
    """Both eyes of a face, with lids as the picture shows them; as they were found where it does not show more.

    Args:
        image: (height, width, 3) uint8 RGB.
        face: the face.
        channel: of the image on which irises are darker than what is beside them.
    """
    # Seen from the side, irises lie closer to each other.
    apart = face.iris_distance / max(math.cos(math.radians(face.yaw)), 0.5)
    both = zip((face.left, face.right), face.lids, strict=True)
    left, right = (_fitted(image, iris, lids, apart, channel) for iris, lids in both)
    return left, right


class _Part(NamedTuple):
    """What is around an eye, float32 RGB, blurred; the channel that is read; x and y of its first pixel."""

    colours: np.ndarray
    level: np.ndarray
    x: int
    y: int


def _fitted(image: np.ndarray, iris: Iris, lids: Contours, apart: float, channel: int) -> SeenEye:
    part = _around(image, iris, channel)
    if iris.radius > _LARGE * apart or _is_misplaced(part, iris, lids):
        lids = _around_eyeball(image, part, iris, lids)
    return _pushed(part, iris, lids)


def _around(image: np.ndarray, iris: Iris, channel: int) -> _Part:
    reach = 3.6 * iris.radius + 3
    x0, y0 = max(0, int(iris.x - reach)), max(0, int(iris.y - reach))
    part = image[y0 : int(iris.y + reach) + 2, x0 : int(iris.x + reach) + 2].astype(np.float32)
    colours = cv2.GaussianBlur(part, (0, 0), max(0.5, 0.06 * iris.radius))
    return _Part(colours, np.ascontiguousarray(colours[..., channel]), x0, y0)


def _is_misplaced(part: _Part, iris: Iris, lids: Contours) -> bool:
    """Whether white is seen all around the upper half of an iris, also where the upper lid is said to be."""
    axes, sides = _axes(lids.upper), np.concatenate([_BESIDE, np.pi - _BESIDE])
    if float(Lids(lids).depth(iris.x, iris.y)) > _WHITE_AT * iris.radius:
        return False

    def ring(angles: np.ndarray, away: float) -> np.ndarray:
        rays = away * iris.radius * np.stack([np.cos(angles), np.sin(angles)], 1)
        return _read(part.colours, part, (rays @ axes + (iris.x, iris.y))[None])[0]

    own, white = (np.median(ring(sides, away), axis=0) for away in (_IRIS_AT, _WHITE_AT))
    skin = np.median(ring(_OVER, _SKIN_AT), axis=0)
    differs = float(np.linalg.norm(ring(_OVER, _WHITE_AT) - white, axis=1).max())
    return all(differs < share * np.linalg.norm(it - white) for share, it in zip(_WHITE, (own, skin), strict=True))


def _around_eyeball(image: np.ndarray, part: _Part, iris: Iris, lids: Contours) -> Contours:
    """Lids around iris and sclera as a watershed (Meyer, 1992) divides them from the skin; as they were if it fails.

    The edges are polynomials through its bounds.
    """
    axes = _axes(lids.upper)
    height, width = part.level.shape
    y, x = np.mgrid[part.y : part.y + height, part.x : part.x + width]
    local = np.stack([x - iris.x, y - iris.y], 2) @ axes.T / iris.radius
    along, down = local[..., 0], local[..., 1]
    markers = np.zeros(part.level.shape, np.int32)
    markers[np.hypot(along / _AROUND[0], down / _AROUND[1]) > 1] = _SKIN
    markers[(np.abs(along) < _INSIDE[0]) & (np.abs(down) < _INSIDE[1])] = _EYEBALL
    picture = np.ascontiguousarray(image[part.y : part.y + height, part.x : part.x + width])
    eyeball = cv2.watershed(picture, markers) == _EYEBALL
    if not eyeball.any():  # an eye of less than a pixel
        return lids
    along, down = along[eyeball], down[eyeball]
    ends = float(along.min()), float(along.max())
    if not -ends[0] > _INSIDE[0] < ends[1]:
        return lids
    at, edges = np.linspace(*ends, len(lids.upper)), []
    corners = [(end, float(np.median(down[np.abs(along - end) < 0.15]))) for end in ends]
    for sign in (-1, 1):
        points = [*corners, *corners]
        for column in np.arange(ends[0] + 0.1, ends[1] - 0.05, 0.1):
            here = sign * down[np.abs(along - column) < 0.06]
            points += [(float(column), sign * (float(here.max()) - _LINE))] if len(here) else []
        columns, bounds = np.transpose(points)
        edge = Polynomial.fit(columns, bounds, 4)(at)
        edge[[0, -1]] = corners[0][1], corners[1][1]
        edges.append(np.column_stack([at, edge]) * iris.radius @ axes + (iris.x, iris.y))
    return Contours(*edges)


def _axes(edge: np.ndarray) -> np.ndarray:
    """Unit vectors along the line between an eye's corners and down from it."""
    chord = edge[-1] - edge[0]
    along = chord / max(float(math.hypot(*chord)), 1e-6)
    return np.array([along, (-along[1], along[0])])


def _pushed(part: _Part, iris: Iris, lids: Contours) -> SeenEye:
    """The lids, the lower one pushed to where it is seen to cover the iris, or back from the iris's edge."""
    sides = float(np.median(_rise(part, iris, _APART)))
    right, left = (float(np.median(it)) for it in np.split(_rise(part, iris, _FARTHER), 2))
    axes = _axes(lids.upper)
    upper, lower = ((edge - (iris.x, iris.y)) @ axes.T for edge in lids)
    # Corners first: between them nothing of the iris may be lacking.
    for edge in (upper, lower):
        edge[0, 0] = min(edge[0, 0], -_CORNER * iris.radius)
        edge[-1, 0] = max(edge[-1, 0], _CORNER * iris.radius)
    columns = lower[1:-1, 0] / iris.radius
    push = iris.radius * _way(part, iris, lower, axes, sides)(np.clip(columns, _COLUMNS[0], _COLUMNS[-1]))
    push *= np.cos(np.pi / 2 * np.clip((np.abs(columns) - _COLUMNS[-1]) / _BEND, 0, 1)) ** 2
    lower[1:-1, 1] += push
    if push.max() > 0:
        lower[:, 1] = _bowed(lower, 1 + int(push.argmax()))
    moved = (edge @ axes + (iris.x, iris.y) for edge in (upper, lower))
    beside = float(np.median(_read(part.colours, part, _around_iris(iris, 1 + _APART)).max(2)))
    return SeenEye(iris, Contours(*moved), sides, (left, right), beside)


def _way(part: _Part, iris: Iris, lower: np.ndarray, axes: np.ndarray, sides: float) -> Polynomial:
    """How far the lower lid has to go down to lie where the picture shows it, in radii; below zero, up.

    Where it gets lighter below an iris, the iris ends, or it is covered by its lid. The iris's edge goes around it, and
    the lid lies farther down; a lid's edge lies inside of the circle, and the lid is there. What gets lighter
    along the lid, but below it, may be the edge of lashes, too.

    Args:
        part: around the eye.
        iris: of the eye.
        lower: (points, 2), the lid's edge, from the iris's centre along `axes`.
        axes: of the eye.
        sides: how much brighter it is outside of the iris than inside at the sides.

    Returns:
        Of radii across from the iris's centre.
    """
    grid = np.stack(np.broadcast_arrays(_COLUMNS[:, None], _DOWNS), 2)
    rays = np.stack([np.cos(_SIDES), np.sin(_SIDES)], 1)[None] * (1 - _APART)
    shown, beside = (_values(part, iris.radius * it @ axes + (iris.x, iris.y)) for it in (grid, rays))
    usual = float(np.median(beside))
    rises = shown[:, _STEP:] - shown[:, :-_STEP]
    steepest = rises.argmax(1)
    inside = np.take_along_axis(shown, steepest[:, None], 1)[:, 0]
    seen = (rises.max(1) > max(_SEEN * sides, 4.0)) & (inside > usual - _LASHES * max(sides, 0.0))
    if seen.sum() < _FEWEST:
        return Polynomial([0])
    at, edge = _COLUMNS[seen], _DOWNS[steepest + _STEP // 2][seen]
    beyond, below = edge - np.sqrt(1 - at**2), edge - np.interp(at, *lower.T / iris.radius)
    line = _line(at, below)
    spread = min(_between_quarters(it) for it in (beyond, below - line(at)))
    way, cut = line(0), _ramp(-float(np.median(beyond)), _CUT)
    own = (1 - cut) * _ramp(float(beyond.std() / max(below.std(), 1e-6)), _CIRCULAR)
    unlike = abs(float(np.median(inside[seen])) - usual) / max(sides, 1.0)
    likely = _DOUBTED * (_UNLIKE + (1 - _UNLIKE) * _ramp(unlike, _AS_DARK))
    there = cut if way < 0 else (1 - own) * likely
    return _ramp(spread, _SPREAD) * (there * line + own * max(way + _CLEAR, 0.0))


def _line(at: np.ndarray, values: np.ndarray) -> Polynomial:
    """The line through values, (n,): the medians of all slopes and of what they leave (Theil, 1950; Sen, 1968)."""
    first, second = np.triu_indices(len(at), 1)
    slope = np.median((values[second] - values[first]) / (at[second] - at[first]))
    return Polynomial([np.median(values - slope * at), slope])


def _between_quarters(values: np.ndarray) -> float:
    return float(np.subtract(*np.quantile(values, (0.75, 0.25))))


def _ramp(value: float, ends: tuple[float, float]) -> float:
    """0 at the first end and beyond it, 1 at the second."""
    return float(np.clip((value - ends[0]) / (ends[1] - ends[0]), 0, 1))


def _bowed(edge: np.ndarray, deepest: int) -> np.ndarray:
    """Heights of an edge as those of one bow from corner to corner, of the third degree, that is no less deep there."""
    first, last = edge[0], edge[-1]
    t = (edge[:, 0] - first[0]) / (last[0] - first[0])
    chord, bow = first[1] + t * (last[1] - first[1]), t * (1 - t)
    terms = bow[:, None] * np.stack([np.ones_like(t), t], 1)
    found = chord + terms @ np.linalg.lstsq(terms, edge[:, 1] - chord, rcond=None)[0]
    lacks = max(0.0, float(edge[deepest, 1] - found[deepest]))
    return np.asarray(found + lacks / bow[deepest] * bow)


def _rise(part: _Part, iris: Iris, apart: float) -> np.ndarray:
    """How much brighter it is outside of an iris than inside, `apart` radii from its edge, at `_SIDES`."""
    outside, inside = (_values(part, _around_iris(iris, share))[0] for share in (1 + apart, 1 - apart))
    return np.asarray(outside - inside)


def _around_iris(iris: Iris, away: float) -> np.ndarray:
    """Places at `_SIDES` so many radii from an iris's middle, (1, places, 2) x and y."""
    return (away * iris.radius * np.stack([np.cos(_SIDES), np.sin(_SIDES)], 1) + (iris.x, iris.y))[None]


def _values(part: _Part, places: np.ndarray) -> np.ndarray:
    """The picture's level at places, (rows, cols, 2) x and y."""
    return _read(part.level, part, places)


def _read(picture: np.ndarray, part: _Part, places: np.ndarray) -> np.ndarray:
    at = (places - (part.x, part.y)).astype(np.float32)
    return cv2.remap(picture, at, NO_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
