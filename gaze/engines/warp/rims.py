"""Glasses and brows near an eye: they must not be bent when a lid moves.

Rims show up against plain skin. Where they lie on lashes or in a brow they do not, but then their bridge does, on the
nose.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from gaze.engines.warp.brows import LOWER
from gaze.engines.warp.lids import BAG, FOLD, Lids
from gaze.engines.warp.region import tilt_axes
from gaze.face.face import Contours, Face
from gaze.face.topology import NOSE_ROOT
from gaze.photo.remapping import NO_MAP

_NEAREST = 0.19
"""Iris distances from a lid's edge within which a line is its own: lashes, the fold, a shadow."""
_STEP = 0.01
_ACROSS = np.linspace(0.15, 0.85, 29)
"""Where lines are looked for, from one corner of the eye to the other."""
_DARK = 14.0
"""Grey levels by which a rim differs from the skin at both of its sides."""
_THICK = 0.05
"""Iris distances between a rim's middle and the skin that it is held against."""
_SHARE = 0.85
"""Share of the width along which a rim is to be seen."""
_MARGIN = 0.03
"""Iris distances between the skin that moves with a lid and a rim below it."""
_BRIDGE = 0.09 * np.linspace(-1, 1, 13)[:, None], 0.35 * np.linspace(-1, 1, 71)
"""Iris distances across and down the nose around its root where a bridge is looked for."""
_BOW = 2
"""Steps down that it may be bowed up or down by."""
_BRIDGES = (6, 0.08, 0.1), (12, 0.3, 0.4)
"""Of thin and of thick ones: steps between its middle and the skin, and the share of the skin's brightness by which a
wrinkle, and a bridge, differ from it. Brows that meet are as thick as a bar, but not as dark."""
_NEAR_SIDE = 0.35
"""How far to the near side of the nose's root a bridge may be seen where a head is turned: the far lens and the nose
hide what is on the other one."""
_DARK_SKIN = 20.0
"""Grey levels that the skin is taken for at least."""
_BESIDE = np.linspace(-0.25, 1.25, 46)
"""Where a rim above an eye is looked for, from one corner to the other: lashes and folds end there."""
_HEIGHTS = np.arange(-0.1, 0.5, _STEP)
"""Iris distances above the line through the corners in which it is."""
_SLOPE, _CURVE = (it.reshape(-1, 1) for it in np.meshgrid(np.linspace(-0.5, 0.5, 9), np.linspace(0, 0.45, 4)))
"""How it may rise to the right, and fall to both sides, per width of the eye."""
_RIM = 0.15
"""Share of the skin's brightness by which it differs from what is above and below it."""
_BELOW_RIM, _BELOW_BROW = 0.125, 0.2
"""Iris distances above a lid over which skin moves with it at least; below glasses, and below a
brow: with less it would fold, or the lid would be seen to move less."""


def glasses_worn(image: np.ndarray, face: Face) -> float:
    """How surely the picture shows the bridge of glasses, 0 to 1: a dark or a light line all across the nose.

    Args:
        image: (height, width, 3) uint8 RGB.
        face: in it.
    """
    to_right, to_below = tilt_axes(face.tilt)
    across, down = _BRIDGE
    sure = 0.0
    for aside in np.linspace(0, -_NEAR_SIDE * math.sin(math.radians(face.yaw)), 3):
        way = (across[..., None] + aside) * to_right + down[:, None] * to_below
        shown = _values(image, face.mesh[NOSE_ROOT, :2] + face.iris_distance * way)
        for thick, wrinkle, bridge in _BRIDGES:
            sure = max(sure, (_line_across(shown, thick) - wrinkle) / (bridge - wrinkle))
    return min(sure, 1.0)


def lid_freedom(image: np.ndarray, lids: Contours, unit: float, worn: float) -> float:
    """What share of its motion glasses leave to an upper lid, 0 to 1: nothing where their rim lies on it.

    Args:
        image: (height, width, 3) uint8 RGB.
        lids: the edges of an eye's lids.
        unit: pixels per iris distance.
        worn: how surely there are glasses, 0 to 1.
    """
    if not worn:
        return 1.0
    edges = Lids(lids)
    path = _SLOPE * (_BESIDE - 0.5) - _CURVE * (_BESIDE - 0.5) ** 2
    steps = np.round(path * edges.length / unit / _STEP).astype(int)[..., None] + np.arange(len(_HEIGHTS))
    inside = ((steps >= 0) & (steps < len(_HEIGHTS))).all(1)
    steps = np.clip(steps, 0, len(_HEIGHTS) - 1)
    along, down = edges.local(*lids.upper.T)
    eye = np.abs(_BESIDE - 0.5) < _ACROSS[-1] - 0.5
    lid = -np.interp(_BESIDE[eye] * edges.length, along, down) / unit
    gaps = (_HEIGHTS[steps[:, eye]] - lid[:, None]).min(1)
    seen = np.where(inside & (gaps >= 0), _seen_along(steps, image, lids, unit), 0)
    best = seen.argmax()
    free = min(1.0, float(gaps.flat[best]) / _BELOW_RIM) if seen.flat[best] > _RIM else 1.0
    return 1 - worn * (1 - free)


def lid_reach(image: np.ndarray, lids: Contours, brow: Contours, unit: float, worn: float = 0.0) -> tuple[float, float]:
    """How far above the upper lid, and below the lower one, skin moves with it: up to a brow or a rim.

    Args:
        image: (height, width, 3) uint8 RGB.
        lids: the edges of an eye's lids.
        brow: the edges of the brow above it.
        unit: pixels per iris distance.
        worn: how surely there are glasses, 0 to 1.

    Returns:
        Two lengths in iris distances, at most `FOLD` and `BAG`.
    """
    edges = Lids(lids)
    above = min(FOLD, max(_BELOW_BROW, (1 - LOWER) * _gap(edges, brow) / unit))
    chord, down = lids.upper[-1] - lids.upper[0], edges.across
    distances = np.arange(_NEAREST, BAG, _STEP)
    apex = float(((lids.lower - lids.upper[0]) @ down).max())
    start = lids.upper[0] + down * apex + _ACROSS[:, None] * chord
    shown = [
        _values(image, start[None] + unit * (distances + shift)[:, None, None] * down)
        for shift in (0.0, -_THICK, _THICK)
    ]
    skin = np.stack(shown[1:])
    differs = np.minimum(*np.abs(shown[0] - skin)) > _DARK
    # Of one kind: darker than both sides or lighter than both, all along.
    kinds = [differs & (np.sign(shown[0] - skin) == kind).all(0) for kind in (-1, 1)]
    lines = np.flatnonzero(np.maximum(*(kind.mean(1) for kind in kinds)) > _SHARE)
    below = float(distances[lines[0]]) - _MARGIN if len(lines) else BAG
    return above + worn * (_BELOW_RIM - above), below


def _seen_along(steps: np.ndarray, image: np.ndarray, lids: Contours, unit: float) -> np.ndarray:
    """By what share of the brightness paths above an eye differ from both their sides, nearly all along: (n, m).

    Args:
        steps: (n, `_BESIDE`, m), which of `_HEIGHTS` each path has at each of these places.
        image, lids, unit: as for `lid_freedom`.
    """
    chord, up = lids.upper[-1] - lids.upper[0], -Lids(lids).across
    at = lids.upper[0] + _BESIDE[:, None, None] * chord + unit * _HEIGHTS[:, None] * up
    shown, above, below = (_values(image, at + unit * way * up) for way in (0.0, _THICK, -_THICK))
    weakest, places = round((1 - _SHARE) * len(_BESIDE)), np.arange(len(_BESIDE))[:, None]
    lines = (it[places, steps] for it in _lines(shown, above, below, 1))
    least = np.maximum(*(np.partition(it, weakest, 1)[:, weakest] for it in lines))
    return np.asarray(least / max(float(np.median(shown)), _DARK_SKIN))


def _line_across(shown: np.ndarray, thick: int) -> float:
    """By what share of the brightness a line differs from what is above and below it, nearly all across.

    Args:
        shown: (n, m) grey levels, across and down.
        thick: how many places down from its middle that is.
    """
    middle = shown[:, thick:-thick]
    lines = _lines(middle, shown[:, : -2 * thick], shown[:, 2 * thick :], _BOW)
    differs = max(float(np.quantile(line, 1 - _SHARE, axis=0).max()) for line in lines)
    return differs / max(float(np.median(middle)), _DARK_SKIN)


def _lines(shown: np.ndarray, one: np.ndarray, other: np.ndarray, bow: int) -> list[np.ndarray]:
    """By how much places are darker than both their sides, and lighter: the most so many columns to left and right."""
    kinds = np.minimum(one, other) - shown, shown - np.maximum(one, other)
    return [cv2.dilate(it, np.ones((1, 2 * bow + 1))) for it in kinds]


def _gap(edges: Lids, brow: Contours) -> float:
    """Pixels between an eye and the brow above it where they are closest to each other."""
    along, _ = edges.local(*brow.lower.T)
    above = (along > 0) & (along < edges.length)
    return float(-edges.depth(*brow.lower[above].T).max()) if above.any() else np.inf


def _values(image: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Grey levels at places, (..., 2): x and y."""
    at = places.astype(np.float32)
    grey = cv2.remap(image, at, NO_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
    return grey.mean(2)
