"""What a look does inside the eyes: how far irises and lids move beside the corners, as LivePortrait moves them.

Polynomials in x and y, the gaze across and down with 1 at the grid's edge, in iris distances. How it is to look is
known from 25 cells of frames that LivePortrait rendered for this grid, read by an iris model; what differs between left
and right, or at rest, is left out. That model sees about half of a motion up or down that is drawn, and takes a little
off where the head nods. So the coefficients are those with which it reads in our own frames, the median of six
portraits, about what it read in LivePortrait's (`benchmarks/gaze.py`). In the lower corners they stay below: an iris
goes no farther down than the upper lid, or white would be seen above it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gaze.grid import GAZE_RANGE, Pose

IRIS_SWING = 0.0803
"""How far the irises move across at full gaze."""
_IRIS_X, _IRIS_XXX = 0.0583, 0.0220
_IRIS_Y, _IRIS_XX, _IRIS_YY, _IRIS_XXY = 0.026, 0.010, -0.0061, 0.040
_UPPER_Y, _UPPER_XX, _UPPER_YY = 0.038, 0.024, 0.010
_LOWER_Y, _LOWER_XX, _LOWER_YY, _LOWER_XXY = 0.0104, -0.0095, -0.0063, 0.0100
IRIS_REACH, _LID_REACH = 0.125, 0.085
"""Iris distances that an iris can move before it vanishes behind the corner of its eye; and, up and down, an iris or a
lid before the eye is all white or shut: they come softly to a halt."""
_OPEN, _SHARES = 0.16, (0.4, 1.25)
"""Iris distances between the lids where the coefficients were fitted; the least and the largest share."""


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

    def scaled(self, share: float) -> EyeMotion:
        """A part of this motion."""
        return EyeMotion(self.across * share, self.down * share, self.upper * share, self.lower * share)


def opening_share(gap: float) -> float:
    """Share of their motion up and down that eyes make which are open by `gap` iris distances.

    In narrow ones an iris that went as far would vanish behind its lid, and the lid would close.
    """
    return float(np.clip(gap / _OPEN, *_SHARES))


def eye_motion(pose: Pose, straighten: float = 0.0, opening: float = 1.0) -> EyeMotion:
    """The motion of a look.

    Args:
        pose: the look; zero moves nothing but what `straighten` asks for.
        straighten: iris distances that the irises are moved to the right in every look.
        opening: share of the motion up and down that is made (`opening_share`).
    """
    x, y = pose.pupil_x / GAZE_RANGE, -pose.pupil_y / GAZE_RANGE
    # Beyond the grid's edge, where a strength above 1 leads, the polynomials would run away: they go on straight.
    cx, cy = float(np.clip(x, -1, 1)), float(np.clip(y, -1, 1))
    across = _IRIS_X * cx + _IRIS_XXX * cx**3 + IRIS_SWING * (x - cx) + straighten
    down = (_IRIS_Y + _IRIS_XXY * cx**2) * y + _IRIS_XX * cx**2 + _IRIS_YY * cy**2
    upper = _UPPER_Y * y + _UPPER_XX * cx**2 + _UPPER_YY * cy**2
    lower = (_LOWER_Y + _LOWER_XXY * cx**2) * y + _LOWER_XX * cx**2 + _LOWER_YY * cy**2
    lids = (opening * _soft(way, _LID_REACH) for way in (upper, lower))
    return EyeMotion(_soft(across, IRIS_REACH), opening * _soft(down, _LID_REACH), *lids)


def _soft(way: float, reach: float) -> float:
    return way / (1 + abs(way / reach) ** 6) ** (1 / 6)
