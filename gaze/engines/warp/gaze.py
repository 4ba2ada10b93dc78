"""What a look does inside the eyes: how far irises and lids move beside the corners, as LivePortrait moves them.

Polynomials in x and y, the gaze across and down with 1 at the grid's edge, in iris distances. They are least-squares
fits to 25 cells of frames that LivePortrait rendered for this grid, read by an iris model (residuals about 0.003, which
is the noise of the reading); what differs between left and right, or at rest, is left out.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gaze.grid import GAZE_RANGE, Pose

IRIS_SWING = 0.0803
"""How far the irises move across at full gaze."""
_IRIS_X, _IRIS_XXX = 0.0583, 0.0220
_IRIS_Y, _IRIS_XX, _IRIS_YY, _IRIS_XXY = 0.0058, 0.0107, -0.0061, 0.0207
_UPPER_Y, _UPPER_XX, _UPPER_YY = 0.0132, 0.0144, 0.0091
_LOWER_Y, _LOWER_XX, _LOWER_YY, _LOWER_XXY = 0.0017, -0.0106, -0.0063, 0.0072
_READ = 0.6
"""What the iris model reads of a motion up or down that was drawn, by our own frames of four portraits: what was read
of LivePortrait's was drawn larger by as much."""
_REACH = 0.125
"""Iris distances that an iris can move before it vanishes behind the corner of its eye; it comes softly to a halt."""


@dataclass(frozen=True)
class EyeMotion:
    """How parts of both eyes move beside the corners, iris distances along the face's axes.

    Attributes:
        across, down: the irises.
        upper, lower: the middle of the lids' edges, down.
    """

    across: float
    down: float
    upper: float
    lower: float


def eye_motion(pose: Pose, straighten: float = 0.0) -> EyeMotion:
    """The motion of a look.

    Args:
        pose: the look; zero moves nothing but what `straighten` asks for.
        straighten: iris distances that the irises are moved to the right in every look.
    """
    x, y = pose.pupil_x / GAZE_RANGE, -pose.pupil_y / GAZE_RANGE
    # Beyond the grid's edge, where a strength above 1 leads, the polynomials would run away: they go on straight.
    cx, cy = float(np.clip(x, -1, 1)), float(np.clip(y, -1, 1))
    beyond_x, beyond_y = x - cx, y - cy
    across = _IRIS_X * cx + _IRIS_XXX * cx**3 + IRIS_SWING * beyond_x + straighten
    rise = (cy + beyond_y) / _READ
    down = (_IRIS_Y + _IRIS_XXY * cx**2) * rise + _IRIS_XX * cx**2 + _IRIS_YY * cy**2
    upper = _UPPER_Y * rise + _UPPER_XX * cx**2 + _UPPER_YY * cy**2
    lower = (_LOWER_Y + _LOWER_XXY * cx**2) * rise + _LOWER_XX * cx**2 + _LOWER_YY * cy**2
    return EyeMotion(_soft(across), _soft(down), upper, lower)


def _soft(way: float) -> float:
    return way / (1 + abs(way / _REACH) ** 6) ** (1 / 6)
