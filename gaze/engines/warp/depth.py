"""How deep a head lies at each place: from the mesh on the face, and round behind its outline.

A map is a lattice over face coordinates, (rows, cols) float32, wide enough for all that moves.
"""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

from gaze.face.topology import OUTLINE

_LEFT, _TOP, _RIGHT, _BOTTOM = -2.375, -2.9, 2.375, 3.0
_PER_UNIT = 24
"""Points of the map per iris distance."""
_COARSE = 4
_SMOOTH = 0.09
"""Blur of the mesh's depths, in iris distances."""
_CELLS = 16
"""How many cells of a map what is too steep is eased over."""
_BEHIND = 1.1
"""Depth at which a head's own outline lies, ears and hair, however it is turned; in iris distances."""
_REACH, _REACH_ABOVE = 0.7, 0.9
"""How far outside the mesh two thirds of the way to that depth are gone: at the sides, and above the forehead."""


@cache
def coarse_places() -> tuple[np.ndarray, np.ndarray]:
    """The same of every fourth point, for what changes slowly: `from_coarse`."""
    cols, rows = _size()
    u, v = np.meshgrid(
        _LEFT + np.arange(-(-cols // _COARSE) + 1) * _COARSE / _PER_UNIT,
        _TOP + np.arange(-(-rows // _COARSE) + 1) * _COARSE / _PER_UNIT,
    )
    return u, v


def from_coarse(field: np.ndarray) -> np.ndarray:
    """A map from what is known at `coarse_places`: (rows, cols) float32."""
    cols, rows = _size()
    x, y = np.meshgrid(np.arange(cols, dtype=np.float32) / _COARSE, np.arange(rows, dtype=np.float32) / _COARSE)
    return cv2.remap(field.astype(np.float32), x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


@cache
def places() -> tuple[np.ndarray, np.ndarray]:
    """u and v of the points of a map, (rows, cols) each. The same arrays each time: do not write to them."""
    cols, rows = _size()
    u, v = np.meshgrid(_LEFT + np.arange(cols) / _PER_UNIT, _TOP + np.arange(rows) / _PER_UNIT)
    return u, v


def sample(field: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """A map's values at face coordinates u and v, arrays of one shape; float32."""
    x, y = ((u - _LEFT) * _PER_UNIT).astype(np.float32), ((v - _TOP) * _PER_UNIT).astype(np.float32)
    flat = x.reshape(len(x), -1), y.reshape(len(x), -1)
    found = cv2.remap(field.astype(np.float32), *flat, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return found.reshape(x.shape)


def find_depth(mesh: np.ndarray) -> np.ndarray:
    """The map of the depths of a face and what is around it, iris distances behind the corners of the eyes.

    Args:
        mesh: (468, 3) in face coordinates.
    """
    size = _size()
    x, y = (mesh[:, 0] - _LEFT) * _PER_UNIT, (mesh[:, 1] - _TOP) * _PER_UNIT
    face = np.zeros(size[::-1], np.uint8)
    outline = np.stack([x, y], 1)[list(OUTLINE)]
    cv2.fillPoly(face, [np.round(outline * 16).astype(np.int32)], 1, shift=4)
    inside = _interpolated(x, y, mesh[:, 2], size)
    far, nearest = cv2.distanceTransformWithLabels(1 - face, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    labels = np.zeros(int(nearest.max()) + 1, np.float32)
    labels[nearest[face > 0]] = inside[face > 0]
    edge = labels[nearest]
    above = np.clip(-(np.arange(size[1]) / _PER_UNIT + _TOP) - 0.3, 0, 1)[:, None]
    gone = 1 - np.exp(-far / ((_REACH + above * (_REACH_ABOVE - _REACH)) * _PER_UNIT))
    whole = np.where(face > 0, inside, edge + (np.maximum(edge, _BEHIND) - edge) * gone)
    return whole.astype(np.float32)


def _size() -> tuple[int, int]:
    """Columns and rows of a map."""
    return round((_RIGHT - _LEFT) * _PER_UNIT) + 1, round((_BOTTOM - _TOP) * _PER_UNIT) + 1


def _interpolated(x: np.ndarray, y: np.ndarray, z: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Depths of points spread over a map by normalised convolution (Knutsson and Westin, 1993)."""
    sums, weights = np.zeros((2, size[1], size[0]), np.float32)
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    for dx in (0, 1):
        for dy in (0, 1):
            part = (1 - np.abs(x - left - dx)) * (1 - np.abs(y - top - dy))
            col, row = np.clip(left + dx, 0, size[0] - 1), np.clip(top + dy, 0, size[1] - 1)
            np.add.at(sums, (row, col), part * z)
            np.add.at(weights, (row, col), part)
    found = np.zeros_like(sums)
    for sigma in (4 * _SMOOTH, 2 * _SMOOTH, _SMOOTH):
        total, weight = (cv2.GaussianBlur(it, (0, 0), sigma * _PER_UNIT) for it in (sums, weights))
        known = weight / (weight + np.float32(2e-3))
        found += known * (total / np.maximum(weight, np.float32(1e-9)) - found)
    return found


def eased(field: np.ndarray, steepest: float) -> np.ndarray:
    """The map where it is not too steep, and elsewhere halfway between the nearest maps above and below that are not.

    These two are its inf- and sup-convolutions with a cone, in steps from cell to cell.

    Args:
        field: (rows, cols) float32.
        steepest: how much it may change per iris distance.
    """
    step = np.float32(steepest / _PER_UNIT)
    below = _lowered(field, step)
    above = -_lowered(-field, step)
    return cv2.GaussianBlur((below + above) / 2, (0, 0), _SMOOTH * _PER_UNIT)


def _lowered(field: np.ndarray, step: np.float32) -> np.ndarray:
    """The highest map below one that changes by no more than `step` from cell to cell."""
    slanted = np.ones((3, 3), np.uint8)
    straight = np.array([[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.uint8)
    for _ in range(_CELLS):
        before = field
        for kernel, rise in ((straight, step), (slanted, step * np.float32(np.sqrt(2)))):
            field = np.minimum(field, cv2.erode(field, kernel) + rise)
        if np.array_equal(field, before):
            break
    return field
