"""How far each part of a head moves in the picture: its own depth, turned as LivePortrait turns heads at this grid.

Everything is in face coordinates: origin between the irises, u through them to the right, v down, unit the distance
between them. A head that turns rigidly about an axis c behind its eyes by a small angle moves each place by the angle
times (c - z), z being its depth. LivePortrait's heads nearly do: what it moves otherwise is in c, which differs from
place to place. It was fitted to one published result (18 points of a face in 25 cells of the grid) and made the same
for left and right (docs/engines.md).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np

from gaze.engines.warp.brows import brow_rise, levelled, rigid
from gaze.engines.warp.depth import coarse_places, eased, find_depth, from_coarse, places, sample
from gaze.engines.warp.ease import smoothstep
from gaze.face.topology import CHIN
from gaze.face.typical import typical_mesh
from gaze.grid import GAZE_RANGE, Pose

YAW_RANGE = GAZE_RANGE / 2
"""Degrees of head turn at the grid's edge: one unit of x and y below."""
_ANGLE = math.sin(math.radians(YAW_RANGE))

# (u, v, shift across per x, shift down per y) of an average face; points with u > 0 stand for both sides.
_POINTS = (
    (0.00, -0.88, 0.262, 0.236),  # forehead
    (0.00, -0.02, 0.247, 0.259),  # bridge of the nose
    (0.00, 0.76, 0.265, 0.261),  # tip of the nose
    (0.00, 1.69, 0.175, 0.123),  # chin
    (1.07, 0.16, 0.168, 0.153),  # outline of the cheek
    (0.41, 1.09, 0.190, 0.163),  # corner of the mouth
    (0.72, -0.40, 0.218, 0.222),  # brow
    (0.73, -0.02, 0.226, 0.219),  # outer corner of the eye
    (0.26, 0.08, 0.236, 0.230),  # inner corner of the eye
)
_AXIS = 1.75
"""Iris distances behind the eyes about which a head turns where nothing else was measured: in the hair."""
_STEEPEST = 0.26
"""How much the shift may change per iris distance: at strength 2, across and down together, nothing folds."""
_SPREAD = 0.5
"""How far the difference from a rigid turn reaches around one of these points."""

# What is not proportional to x or y: the far side is compressed, the motion saturates, and the head rolls a little in
# the corners of the grid. Terms of the shift across, then of the shift down.
_XXU, _XY, _XXX, _XYV, _YUUU = -0.0232, 0.0180, -0.0077, -0.0199, -0.0197
_YYV, _XX, _YY = -0.0126, -0.0046, -0.0088
_IN_DEPTH = -(_ANGLE**2) / 2
"""What of the first the depth of a head that is turned already has in it."""

_MOST_TURN = 1.0
"""Turn beyond which the fit says nothing, in the same unit, but how heads roll: that is a nod about a turned axis."""

STILL_CENTRE, STILL_RADII = (0.0, 0.1), (2.3, 2.8)
"""Where motion has faded to nothing: an ellipse outside the hair and across the shoulders."""
_FADE = 0.4
"""Share of the way from that rim inwards over which motion sets in."""
_NECK = (-0.45, 0.95)
"""The same for the neck: from there to there below the chin."""


@dataclass(frozen=True)
class HeadFields:
    """What depends on the place alone: `head_shift` is a sum of these fields, weighted by the pose.

    Attributes:
        across: (5, ...) float32, of the shift to the right: per x, then the terms in 1, u, v and u³.
        down: (4, ...) float32, of the shift down: per y, the terms in 1 and v, the raise of the brows.
    """

    across: np.ndarray
    down: np.ndarray

    @property
    def fade(self) -> np.ndarray:
        """1 well inside the head, 0 outside."""
        return self.across[1]


def head_fields(u: np.ndarray, v: np.ndarray, mesh: np.ndarray, worn: float = 0.0, yaw: float = 0.0) -> HeadFields:
    """The fields at face coordinates u and v, arrays of one shape.

    Args:
        u, v: the places.
        mesh: (468, 3), of the face, in face coordinates (`Face.frame_mesh`).
        worn: how surely it wears glasses, 0 to 1. They are rigid: brows that rose behind them would bend their rims.
        yaw: how far it is turned to the right, in degrees: it nods about its own axis, from ear to ear.
    """
    fade = _fade(u, v, float(mesh[CHIN, 1]))
    everywhere = places()
    axes = [from_coarse(axis) for axis in _axes(*coarse_places(), mesh)]
    depths = [find_depth(it) for it in (mesh, _turned_back(mesh, yaw))]
    rim = _ANGLE * _fade(*everywhere, float(mesh[CHIN, 1]))
    across, down = (rim * (axis - depth) for axis, depth in zip(axes, depths, strict=True))
    across = rigid(across, *everywhere, mesh, worn, yaw)
    across, down = (eased(field.astype(np.float32), _STEEPEST) for field in (across, down))
    down = levelled(down, *everywhere, mesh, worn, yaw)
    cubes = rim / _ANGLE * everywhere[0] ** 3
    stiffer = rigid(cubes, *everywhere, mesh, worn, yaw) - cubes
    across, down, stiffer = (np.where(fade > 0, sample(field, u, v), 0) for field in (across, down, stiffer))
    return HeadFields(
        across=np.stack([across, fade, fade * u, fade * v, fade * u**3 + stiffer]).astype(np.float32),
        down=np.stack([down, fade, fade * v, (1 - worn) * brow_rise(u, v, mesh)]).astype(np.float32),
    )


def head_shift(fields: HeadFields, pose: Pose, turn: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """How far the places of `fields` move to the right and down, in iris distances; arrays of their shape.

    Args:
        fields: the places.
        pose, turn: as for `head_weights`.
    """
    across, down = head_weights(pose, turn)
    return np.tensordot(across, fields.across, 1), np.tensordot(down, fields.down, 1)


def head_weights(pose: Pose, turn: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """How much each of the fields counts: (5,) and (4,) float32.

    Args:
        pose: the look; zero moves nothing.
        turn: how far the face is turned to the right in the source, in units of `YAW_RANGE`.
    """
    x, y = -pose.head_yaw / YAW_RANGE, pose.head_pitch / YAW_RANGE
    turned, turn = x + turn, min(max(turn, -_MOST_TURN), _MOST_TURN)
    # Beyond the grid's edge, where a strength above 1 leads, squares and cubes would run away: they go on straight.
    squares, cubes = _square(x) + 2 * x * turn, _cube(x) + 3 * turn * _square(x) + 3 * turn**2 * x
    sides = _XXU * squares - 2 * _IN_DEPTH * x * turn
    across = [x, _XXX * cubes + _XY * turned * y, sides, _XYV * turned * y, _YUUU * y]
    down = [y, _XX * squares + _YY * _square(y), _YYV * _square(y), pose.eyebrow / GAZE_RANGE]
    return np.array(across, np.float32), np.array(down, np.float32)


def _turned_back(mesh: np.ndarray, yaw: float) -> np.ndarray:
    """A mesh where it is seen, but as deep as if its head were not turned."""
    angle = math.radians(yaw)
    return np.column_stack([mesh[:, :2], mesh[:, 2] * math.cos(angle) - mesh[:, 0] * math.sin(angle)])


class _Averages(NamedTuple):
    """Places on an average face, (n, 2), its nearest vertex to each, and the axes there beside `_AXIS`, (n, 2)."""

    places: np.ndarray
    vertices: np.ndarray
    axes: np.ndarray


@cache
def _averages() -> _Averages:
    points = np.array([(side * p[0], *p[1:]) for p in _POINTS for side in ((1, -1) if p[0] else (1,))])
    at, mesh = points[:, :2], typical_mesh()
    vertices = np.array([int(np.argmin(((mesh[:, :2] - place) ** 2).sum(1))) for place in at])
    depth = sample(find_depth(mesh), at[:, 0], at[:, 1])
    fade = _fade(at[:, 0], at[:, 1], float(mesh[CHIN, 1]))
    return _Averages(at, vertices, points[:, 2:] / (_ANGLE * fade)[:, None] + depth[:, None] - _AXIS)


def _axes(u: np.ndarray, v: np.ndarray, mesh: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far behind the eyes the axes lie about which each place turns across and down.

    `_POINTS` lie where this face has what lies there in an average one; radial basis functions between and around.
    """
    at, vertices, axes = _averages()
    known = at + mesh[vertices, :2] - typical_mesh()[vertices, :2]
    weights = np.linalg.solve(_kernel(known[:, 0], known[:, 1], known) + 1e-2 * np.eye(len(known)), axes)
    found = _AXIS + _kernel(u, v, known) @ weights
    return found[..., 0], found[..., 1]


def _kernel(u: np.ndarray, v: np.ndarray, known: np.ndarray) -> np.ndarray:
    square = (u[..., None] - known[:, 0]) ** 2 + (v[..., None] - known[:, 1]) ** 2
    return np.exp(square.astype(np.float32) / np.float32(-2 * _SPREAD**2))


def _fade(u: np.ndarray, v: np.ndarray, chin: float) -> np.ndarray:
    """1 well inside the head, 0 from its rim and from the shoulders outwards."""
    distance = np.hypot((u - STILL_CENTRE[0]) / STILL_RADII[0], (v - STILL_CENTRE[1]) / STILL_RADII[1])
    neck = (v - chin - _NECK[0]) / (_NECK[1] - _NECK[0])
    return smoothstep((1 - distance) / _FADE) * (1 - smoothstep(neck))


def _square(x: float) -> float:
    return x * x if abs(x) <= 1 else 2 * abs(x) - 1


def _cube(x: float) -> float:
    return x**3 if abs(x) <= 1 else 3 * x - math.copysign(2, x)
