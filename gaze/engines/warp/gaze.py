"""What a look does inside the eyes: how far irises and lids move beside the corners, as LivePortrait moves them.

Polynomials in x and y, the gaze across and down with 1 at the grid's edge, in iris distances. How it is to look is
known from 25 cells of frames that LivePortrait rendered for this grid, read by an iris model; what differs between left
and right, or at rest, is left out. That model sees about half of a motion up or down that is drawn, and takes a little
off where the head nods. So the coefficients are those with which it reads in our own frames, the median of six
portraits, about what it read in LivePortrait's (`benchmarks/gaze.py`). In the lower corners they stay below: an iris
goes no farther down than the upper lid, or white would be seen above it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import numpy as np

from gaze.engines.warp.lids import Lids
from gaze.face.face import Iris
from gaze.grid import GAZE_RANGE, Pose

IRIS_SWING = 0.0803
"""How far the irises move across at full gaze."""
_IRIS_X, _IRIS_XXX = 0.0583, 0.0220
_IRIS_Y, _IRIS_XX, _IRIS_YY, _IRIS_XXY = 0.031, 0.010, -0.0061, 0.034
_UPPER_Y, _UPPER_XX, _UPPER_YY = 0.038, 0.024, 0.010
_LOWER_Y, _LOWER_XX, _LOWER_YY, _LOWER_XXY = 0.0104, -0.0095, -0.0063, 0.0100
IRIS_REACH, _LID_REACH = 0.125, 0.085
"""Iris distances that an iris can move before it vanishes behind the corner of its eye; and, up and down, an iris or a
lid before the eye is all white or shut: they come softly to a halt."""
_LID_FOLLOWS = 0.4
"""Share of the irises' way across that the lids' edges make: the cornea stands out and carries their bow with it."""
_PLACES = IRIS_REACH * np.linspace(-1, 1, 9)
"""Ways across for which it is known how much room irises have."""
_LEAST_REACH = 0.01
_SEEN, _HIDDEN = 0.2, 0.3
"""Radii of an iris that its middle stays away from the upper lid; and that the lower one hides of it beyond what it
hides at rest."""
_OPEN, _SHARES = 0.15, (0.4, 1.25)
"""Iris distances between the lids where the coefficients were fitted; the least and the largest share."""


@dataclass(frozen=True)
class EyeMotion:
    """How parts of both eyes move beside the corners, iris distances along the face's axes.

    Attributes:
        across, down: the irises.
        upper, lower: the middle of the lids' edges, down.
        bow: both edges, across.
    """

    across: float
    down: float
    upper: float
    lower: float
    bow: float

    def scaled(self, share: float) -> EyeMotion:
        """A part of this motion."""
        return EyeMotion(*(share * getattr(self, it.name) for it in fields(self)))

    def with_lids(self, share: float) -> EyeMotion:
        """The same, but with a part of the lids' motion."""
        return replace(self, upper=self.upper * share, lower=self.lower * share, bow=self.bow * share)


@dataclass(frozen=True)
class Room:
    """How much room irises have to move up and down, iris distances, the mean of both eyes.

    Attributes:
        gap: between the lids where they are farthest apart.
        above, below: that the middle of an iris may come nearer to the upper lid, and to the lower one.
    """

    gap: float = _OPEN
    above: tuple[float, ...] = (math.inf,) * len(_PLACES)
    below: tuple[float, ...] = (math.inf,) * len(_PLACES)

    @property
    def share(self) -> float:
        """Of the usual motion up and down: in narrow eyes an iris that went as far would vanish behind its lid."""
        return float(np.clip(self.gap / _OPEN, *_SHARES))


def find_room(irises: Sequence[Iris], lids: Sequence[Lids], unit: float) -> Room:
    """The room of both irises between their lids; `unit`: pixels per iris distance."""
    gaps, above, below = [], [], []
    for it, edges in zip(irises, lids, strict=True):
        ways = (1 - _LID_FOLLOWS) * unit * _PLACES
        x, y = np.array([it.x, it.y])[:, None] + ways * edges.along[:, None]
        rest = min(float(edges.height(np.array(it.x), np.array(it.y))), it.radius)
        gaps.append(edges.gap)
        above.append(edges.depth(x, y) - _SEEN * it.radius)
        below.append(edges.height(x, y) - rest + _HIDDEN * it.radius)
    return Room(float(np.mean(gaps)) / unit, *(tuple(np.mean(each, 0) / unit) for each in (above, below)))


def eye_motion(pose: Pose, straighten: float = 0.0, room: Room = Room()) -> EyeMotion:
    """The motion of a look.

    Args:
        pose: the look; zero moves nothing but what `straighten` asks for.
        straighten: iris distances that the irises are moved to the right in every look.
        room: of the irises, whose middles stay between the lids.
    """
    x, y = pose.pupil_x / GAZE_RANGE, -pose.pupil_y / GAZE_RANGE
    # Beyond the grid's edge, where a strength above 1 leads, the polynomials would run away: they go on straight.
    cx, cy = float(np.clip(x, -1, 1)), float(np.clip(y, -1, 1))
    across = _IRIS_X * cx + _IRIS_XXX * cx**3 + IRIS_SWING * (x - cx) + straighten
    down = (_IRIS_Y + _IRIS_XXY * cx**2) * y + _IRIS_XX * cx**2 + _IRIS_YY * cy**2
    upper = _UPPER_Y * y + _UPPER_XX * cx**2 + _UPPER_YY * cy**2
    lower = (_LOWER_Y + _LOWER_XXY * cx**2) * y + _LOWER_XX * cx**2 + _LOWER_YY * cy**2
    upper, lower = (room.share * _soft(way, _LID_REACH) for way in (upper, lower))
    across = _soft(across, IRIS_REACH)
    free = np.interp(across, _PLACES, room.above if down < 0 else room.below)
    most = free - upper if down < 0 else free + lower
    down = _soft(room.share * down, max(_LEAST_REACH, min(_LID_REACH, most)))
    return EyeMotion(across, down, upper, lower, _LID_FOLLOWS * across)


def _soft(way: float, reach: float) -> float:
    return way / (1 + abs(way / reach) ** 6) ** (1 / 6)
