"""Brows and eyes move as one piece: what lies around them is stretched instead.

Their inner ends lie less deep than their outer ones, and a head that nods would carry them farther: frowns in looks
down, sorrow in looks up, and a far eye aslant in both. Glasses are one piece, too, and before the face: bent by its
depth, up and down or aside, their rims would wave.

The mesh has most brows too high, by up to half of what it says is between them and the lids: all of that moves as one.

Everything is in face coordinates (`gaze.engines.warp.head`).
"""

from __future__ import annotations

import math

import numpy as np

from gaze.engines.warp.ease import fall
from gaze.face.topology import (
    LEFT_BROW,
    LEFT_BROW_BELOW,
    LEFT_LOWER_LID,
    LEFT_UPPER_LID,
    RIGHT_BROW,
    RIGHT_BROW_BELOW,
    RIGHT_LOWER_LID,
    RIGHT_UPPER_LID,
)

_MARGIN = 0.025
"""How far hairs stand out above the mesh's upper edge of a brow."""
_ABOVE, _ASIDE = 0.6, 0.35
"""How far above the brows, and beside them and the eyes, skin moves with them."""
_BELOW = 0.5
"""How far below the lids cheeks move with the eyes."""
_LEAST_GAP = 0.14
"""What lies between the mesh's brow and the lid at least."""
LOWER = 0.45
"""Share of that by which a brow may reach lower than the mesh says."""
_RISE, _MOST_OF_GAP = 0.08, 0.4
"""How far they go up at full raise, as LivePortrait's, and the share of what is then left below them that this is at
most: with more, lashes are drawn out into combs."""
_TEMPLES, _RIMS, _AROUND = 0.15, 0.45, 0.6
"""How far glasses reach beyond the brows' outer ends, and below the eyes; and how far around them the face goes along.
"""
_BEFORE = 0.7
"""How far before those ends they stand: in a head that is turned they lie to that side of it."""


def levelled(field: np.ndarray, u: np.ndarray, v: np.ndarray, mesh: np.ndarray, worn: float, yaw: float) -> np.ndarray:
    """A motion that both brows and eyes make in one piece: what they do of it is linear in u and v.

    Args:
        field: how far places go, an array of the shape of u and v.
        u, v: the places.
        mesh: (468, 3), of the face.
        worn: how surely it wears glasses, 0 to 1, which are of that piece.
        yaw: how far it is turned to the right, in degrees.
    """
    near = _near(v, mesh, worn)
    u, v, before = u[near], v[near], field[near]
    share = np.maximum(*_boards(u, v, mesh))
    if worn:
        share = np.maximum(share, worn * _glasses(u, v, mesh, yaw))
    level = field.copy()
    level[near] = _flattened(before, share, u, v)
    return level


def rigid(field: np.ndarray, u: np.ndarray, v: np.ndarray, mesh: np.ndarray, worn: float, yaw: float) -> np.ndarray:
    """The same of glasses alone: without them nothing changes. Arguments as for `levelled`."""
    if not worn:
        return field
    near = _near(v, mesh, worn)
    u, v, level = u[near], v[near], field.copy()
    level[near] = _flattened(field[near], worn * _glasses(u, v, mesh, yaw), u, v)
    return level


def _near(v: np.ndarray, mesh: np.ndarray, worn: float) -> np.ndarray:
    """Whether places are as high as what may move in one piece."""
    rows = mesh[list(LEFT_BROW + RIGHT_BROW + LEFT_LOWER_LID + RIGHT_LOWER_LID), 1]
    below = max(_BELOW, bool(worn) * (_RIMS + _AROUND))
    return np.asarray((v > rows.min() - _ABOVE - _MARGIN) & (v < rows.max() + below))


def _flattened(field: np.ndarray, share: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """A motion of which a share, 0 to 1, is linear in u and v: what fits it best there. Arrays of shape (n,)."""
    terms = np.stack([np.ones_like(u), u, v], -1)
    weighted = (share[:, None] * terms).T
    fit = np.linalg.solve(weighted @ terms, weighted @ field)
    return np.asarray(field + share * (terms @ fit - field))


def brow_rise(u: np.ndarray, v: np.ndarray, mesh: np.ndarray) -> np.ndarray:
    """How far places go down at full raise, below zero: an array of the shape of u and v.

    Args:
        u, v: the places.
        mesh: (468, 3), of the face.
    """
    return np.minimum(*(-min(_RISE, _MOST_OF_GAP * left) * share for share, left in _shares(u, v, mesh)))


def _shares(u: np.ndarray, v: np.ndarray, mesh: np.ndarray) -> list[tuple[np.ndarray, float]]:
    """How much places go along with each brow, 0 to 1; and over what way below it that ends."""
    found = []
    for upper, lower, lid in (
        (LEFT_BROW, LEFT_BROW_BELOW, LEFT_UPPER_LID),
        (RIGHT_BROW, RIGHT_BROW_BELOW, RIGHT_UPPER_LID),
    ):
        bottom = _edge(u, mesh[list(lower), :2])
        inner = mesh[list(lid[1:-1]), :2]
        gap = max(_LEAST_GAP, float((inner[:, 1] - _edge(inner[:, 0], mesh[list(lower), :2])).min()))
        left = (1 - LOWER) * gap
        share = _above_and_beside(u, v, mesh[list(upper), :2]) * fall(np.maximum(v - bottom - LOWER * gap, 0) / left)
        found.append((share, left))
    return found


def _above_and_beside(u: np.ndarray, v: np.ndarray, edge: np.ndarray) -> np.ndarray:
    """How much places go along with a brow whose upper edge this is, (n, 2), but for what is below it."""
    aside, above = np.maximum(edge[0, 0] - u, u - edge[-1, 0]), _edge(u, edge) - _MARGIN - v
    return np.asarray(fall(np.maximum(aside, 0) / _ASIDE) * fall(np.maximum(above, 0) / _ABOVE))


def _boards(u: np.ndarray, v: np.ndarray, mesh: np.ndarray) -> list[np.ndarray]:
    """How much places go along with each brow and the eye below it, 0 to 1."""
    found = []
    for brow, lid in ((LEFT_BROW, LEFT_LOWER_LID), (RIGHT_BROW, RIGHT_LOWER_LID)):
        below = v - mesh[list(lid), 1].max()
        found.append(_above_and_beside(u, v, mesh[list(brow), :2]) * fall(np.maximum(below, 0) / _BELOW))
    return found


def _glasses(u: np.ndarray, v: np.ndarray, mesh: np.ndarray, yaw: float) -> np.ndarray:
    """How much places go along with glasses, 0 to 1."""
    left, right = mesh[[LEFT_BROW[0], RIGHT_BROW[-1]], 0] + _BEFORE * math.sin(math.radians(yaw))
    top = mesh[[*LEFT_BROW_BELOW, *RIGHT_BROW_BELOW], 1].min()
    bottom = mesh[[*LEFT_LOWER_LID, *RIGHT_LOWER_LID], 1].max()
    aside = np.maximum(left - u, u - right) - _TEMPLES
    off = np.maximum(np.maximum(top - v, v - bottom - _RIMS), 0)
    return np.asarray(fall(np.hypot(np.maximum(aside, 0), off) / _AROUND))


def _edge(u: np.ndarray, points: np.ndarray) -> np.ndarray:
    """v of an edge at u. In a head that is turned its points may lie above each other."""
    return np.interp(u, np.maximum.accumulate(points[:, 0]), points[:, 1])
