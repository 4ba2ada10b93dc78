"""How far each part of a head moves in the picture, as LivePortrait moves it at this grid.

Everything is in the face frame: origin between the irises, u through them to the right, v down, unit the distance
between them. The numbers were fitted to one published LivePortrait result (18 points of a face in 25 cells of the
grid), made the same for left and right, for a face that is turned by `turn` already (docs/engines.md).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gaze.grid import GAZE_RANGE, Pose

YAW_RANGE = GAZE_RANGE / 2
"""Degrees of head turn at the grid's edge: one unit of x and y below."""

# (u, v, shift across per x, shift down per y); points with u > 0 stand for both sides.
_POINTS = (
    (0.00, -0.88, 0.262, 0.233),  # forehead
    (0.00, -0.02, 0.247, 0.246),  # bridge of the nose
    (0.00, 0.76, 0.265, 0.257),  # tip of the nose
    (0.00, 1.69, 0.175, 0.123),  # chin
    (1.07, 0.16, 0.101, 0.139),  # outline of the cheek
    (0.41, 1.09, 0.190, 0.165),  # corner of the mouth
    (0.72, -0.40, 0.218, 0.205),  # brow
    (0.73, -0.02, 0.226, 0.212),  # outer corner of the eye
    (0.26, 0.08, 0.236, 0.225),  # inner corner of the eye
)
# What is not proportional to x or y: the far side is compressed, the motion saturates, and the head rolls a little in
# the corners of the grid. Terms of the shift across, then of the shift down.
_XXU, _XY, _XXX, _XYV, _YUUU = -0.0232, 0.0180, -0.0077, -0.0199, -0.0197
_YYV, _XX = -0.0180, -0.0062

# u, v, spread across, above and below, shift down.
_BROW = (0.70, -0.42, 0.34, 0.30, 0.15, -0.100)  # at full raise

# Where motion has faded to nothing: an ellipse outside the hair and across the neck.
STILL_CENTRE, STILL_RADII = (0.0, 0.15), (2.0, 2.65)
_FADE = 0.65
"""Share of the way from that rim inwards over which motion sets in; the wider, the less it stretches."""


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


def head_fields(u: np.ndarray, v: np.ndarray) -> HeadFields:
    """The fields at face coordinates u and v, arrays of one shape."""
    across, down = _interpolate(u, v)
    fade = _fade(u, v)
    brow = _bumps(u, v, *_BROW)
    return HeadFields(
        across=np.stack([across, fade, fade * u, fade * v, fade * u**3]).astype(np.float32),
        down=np.stack([down, fade, fade * v, brow]).astype(np.float32),
    )


def head_shift(fields: HeadFields, pose: Pose, turn: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """How far the places of `fields` move to the right and down, in iris distances; arrays of their shape.

    Args:
        fields: the places.
        pose: the look; zero moves nothing.
        turn: how far the face is turned to the right in the source, in units of `YAW_RANGE`.
    """
    x, y = -pose.head_yaw / YAW_RANGE, pose.head_pitch / YAW_RANGE
    turned = x + turn
    squares, cubes = turned**2 - turn**2, turned**3 - turn**3
    across = [x, _XXX * cubes + _XY * turned * y, _XXU * squares, _XYV * turned * y, _YUUU * y]
    down = [y, _XX * squares, _YYV * y * y, pose.eyebrow / GAZE_RANGE]
    return (
        np.tensordot(np.array(across, np.float32), fields.across, 1),
        np.tensordot(np.array(down, np.float32), fields.down, 1),
    )


def _interpolate(u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`_POINTS` interpolated by thin-plate splines, with a rim of still points, faded out towards that rim."""
    points = np.array([(side * p[0], *p[1:]) for p in _POINTS for side in ((1, -1) if p[0] else (1,))])
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    rim = np.stack([STILL_CENTRE[i] + STILL_RADII[i] * f(angle) for i, f in enumerate((np.sin, np.cos))], 1)
    known = np.vstack([points[:, :2], rim])
    # The fade takes something from the outer points as well: they are raised by as much before.
    values = np.vstack([points[:, 2:] / _fade(points[:, 0], points[:, 1])[:, None], np.zeros((len(rim), 2))])

    def kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        square = ((a[:, None] - b[None]) ** 2).sum(-1)
        return 0.5 * square * np.log(square + 1e-12)

    weights = np.linalg.solve(kernel(known, known) + 1e-3 * np.eye(len(known)), values)
    at = np.stack([u.ravel(), v.ravel()], 1)
    shifts = (kernel(at, known) @ weights).reshape(*u.shape, 2)
    fade = _fade(u, v)
    return shifts[..., 0] * fade, shifts[..., 1] * fade


def _fade(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """1 well inside the still rim, 0 from it outwards."""
    distance = np.hypot((u - STILL_CENTRE[0]) / STILL_RADII[0], (v - STILL_CENTRE[1]) / STILL_RADII[1])
    return _smoothstep((1 - distance) / _FADE)


def _bumps(
    u: np.ndarray, v: np.ndarray, at_u: float, at_v: float, across: float, above: float, below: float, size: float
) -> np.ndarray:
    """A smooth bump at (±at_u, at_v) that is exactly zero beyond 2.5 of its spreads."""
    down = v - at_v
    far = ((np.abs(u) - at_u) / across) ** 2 + (down / np.where(down < 0, above, below)) ** 2
    return size * np.exp(-far / 2) * _smoothstep(2.5 - np.sqrt(far))


def _smoothstep(t: np.ndarray) -> np.ndarray:
    t = np.clip(t, 0, 1)
    return t * t * (3 - 2 * t)
