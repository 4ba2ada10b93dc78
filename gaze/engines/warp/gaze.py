"""What a look does inside the eyes: how far irises and lids move beside the corners, as LivePortrait moves them.

Polynomials in x and y, the gaze across and down with 1 at the grid's edge, in iris distances. How it is to look is
known from 25 cells of frames that LivePortrait rendered for this grid, read by an iris model; what differs between left
and right, or at rest, is left out. That model sees about a third of a motion up or down that is drawn, and takes a bit
off where the head nods. So the coefficients are those with which it reads in our own frames, the median of six
portraits, about what it read in LivePortrait's (`benchmarks/gaze.py`). In the lower corners they stay below: an iris
goes no farther down than the upper lid, or white would be seen above it. In each photo, each iris keeps off the corners
of its own eye, and both lids go with it, as in a real eye, where about as much of an iris is seen wherever it looks:
lids that cut a disc off above and below make a block of it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np

from gaze.engines.warp.lids import Lids
from gaze.face.face import Iris
from gaze.grid import GAZE_RANGE, Pose

IRIS_SWING = 0.0700
"""How far the irises move across at full gaze."""
_IRIS_X, _IRIS_XXX = 0.0508, 0.0192
_IRIS_Y, _IRIS_XX, _IRIS_YY, _IRIS_XXY = 0.0355, 0.010, -0.0061, 0.046
_UPPER_Y, _UPPER_XX, _UPPER_YY, _UPPER_XXY = 0.0505, 0.012, 0.010, 0.006
_LOWER_Y, _LOWER_XX, _LOWER_YY, _LOWER_XXY = 0.015, -0.0095, -0.0063, 0.0100
IRIS_REACH, _LID_REACH = 0.125, 0.085
"""Iris distances that an iris can move from where it looks straight before it vanishes behind the corner of its eye;
and, up and down, an iris or a lid before the eye is all white or shut: they come softly to a halt."""
_LID_FOLLOWS, _BOW_REACH = 0.55, 0.058
"""Share of the irises' way across that the lids' edges make: the cornea stands out and carries their bow with it; and
the iris distances at which they come softly to a halt, or the skin in the corners would fold."""
_PLACES, _MIDDLE = 1.75 * IRIS_REACH * np.linspace(-1, 1, 15), 7
"""Ways across for which it is known how much room irises have: one that looks aside may go across its whole eye."""
_LEAST_REACH = 0.01
_SEEN, _HIDDEN, _WHITE = 0.3, 0.02, 0.1
"""Radii of an iris that its middle stays away from the upper lid; that the lower one hides of its foot beyond what it
hides at rest; and of white below it beyond what is there at rest."""
_ABOVE = (0.65, 0.33)
"""What the upper lid leaves of an iris above its middle in any look down: of what is seen there at rest, a share, but
no more than so many radii. An iris that its lids cut above and below has no round side left, and looks square."""
_FOOT = np.radians(np.linspace(45, 135, 13))
"""Where on its edge an iris has its foot, clockwise from the right."""
_YIELDS = 0.027
"""Iris distances that the lower lid gives way for that, or comes after."""
_BESIDE, _LEAST_ASIDE = 1.1, 0.3
"""Radii that the middle of an iris stays away from the corners of its eye, but for the least way that it has."""
_OPEN, _SHARES = 0.14, (0.4, 1.25)
"""Iris distances between the lids where the coefficients were fitted; the least and the largest share."""
_TURNED, _ASLANT = (15.0, 32.0), 0.6
"""Degrees from which on a face is turned, and from which on only that share is left of the motion up and down: lids of
the far eye run aslant then, and such a way would fold them over its iris."""


@dataclass(frozen=True)
class EyeMotion:
    """How parts of both eyes move beside the corners, iris distances along the face's axes.

    Attributes:
        across: (2,) the left and the right iris.
        down: both irises.
        upper, lower: the middle of the lids' edges, down.
        bow: (2,) both edges of the left and of the right eye, across.
    """

    across: np.ndarray
    down: float
    upper: float
    lower: float
    bow: np.ndarray

    def scaled(self, share: float) -> EyeMotion:
        """A part of this motion."""
        return EyeMotion(*(share * getattr(self, it.name) for it in fields(self)))

    def shifts(self, axes: np.ndarray) -> np.ndarray:
        """Of both irises: (2, 2), x and y of each in pixels; `axes`: (2, 2), the face's u and v as image vectors."""
        return np.column_stack([self.across, np.full(2, self.down)]) @ axes

    def closing(self, closed: float) -> EyeMotion:
        """The same of eyes that are closed so far, 0 to 1: lids go back, and irises, which are level in a blink."""
        return replace(self.scaled(1 - closed), across=self.across)


@dataclass(frozen=True)
class Room:
    """How much room irises have to move, iris distances: up and down the mean of both eyes, aside each its own.

    Attributes:
        gap: between the lids where they are farthest apart.
        above, below: that the middle of an iris may come nearer to the upper lid, and its foot to the lower one.
        white: that its foot may go away from the lower lid.
        lid: that the upper lid may come down farther than an iris.
        left, right: that the left and the right iris may go to either side.
        yaw: how far the face is turned, in degrees.
        reach: how far irises and lids can move up or down in any look.
        free: share of the lids' motion that glasses leave, 0 to 1: they would bend rims that lie on them.
    """

    gap: float = _OPEN
    above: tuple[float, ...] = (math.inf,) * len(_PLACES)
    below: tuple[float, ...] = (math.inf,) * len(_PLACES)
    white: tuple[float, ...] = (math.inf,) * len(_PLACES)
    lid: tuple[float, ...] = (math.inf,) * len(_PLACES)
    left: tuple[float, float] = (IRIS_REACH, IRIS_REACH)
    right: tuple[float, float] = (IRIS_REACH, IRIS_REACH)
    yaw: float = 0.0
    reach: float = _LID_REACH
    free: float = 1.0

    @cached_property
    def share(self) -> float:
        """Of the usual motion up and down: in narrow eyes an iris that went as far would vanish behind its lid."""
        turned = float(np.interp(abs(self.yaw), _TURNED, (1, _ASLANT)))
        return self.free * turned * float(np.clip(self.gap / _OPEN, *_SHARES))


def find_room(irises: Sequence[Iris], lids: Sequence[Lids], unit: float, yaw: float = 0.0) -> Room:
    """The room of both irises between their lids; `unit`: pixels per iris distance; `yaw`: the face's, in degrees."""
    gaps, aside, free, lid = [], [], [], []
    ways = unit * np.array([way - _bow(way) for way in _PLACES])
    for it, edges in zip(irises, lids, strict=True):
        along = float(edges.local(it.x, it.y)[0])
        sides = np.array([along, edges.length - along]) / it.radius
        aside.append(np.maximum(sides - _BESIDE, _LEAST_ASIDE) * it.radius)
        middle = np.array([it.x, it.y])[:, None] + ways * edges.along[:, None]
        foot = np.stack([np.cos(_FOOT), np.sin(_FOOT)], 1) @ [edges.along, edges.across] * it.radius
        clear = edges.height(*(middle[..., None] + foot.T[:, None])).min(1)
        rest = float(clear[_MIDDLE])
        gaps.append(edges.gap)
        far, deeper, higher = (share * it.radius for share in (_SEEN, _HIDDEN, _WHITE))
        depth = edges.depth(*middle)
        lid.append(depth - min(_ABOVE[0] * float(depth[_MIDDLE]), _ABOVE[1] * it.radius))
        free.append([depth - far, clear - min(rest, 0.0) + deeper, max(rest, 0.0) - clear + higher])
    left, right = ((float(first), float(second)) for first, second in np.transpose(aside) / unit)
    above, below, white = (tuple(each) for each in np.mean(free, 0) / unit)
    most = tuple(np.maximum(np.min(lid, 0) / unit, 0.0))
    return Room(float(np.mean(gaps)) / unit, above, below, white, most, left, right, yaw)


def eye_motion(pose: Pose, straighten: tuple[float, float] = (0.0, 0.0), room: Room = Room()) -> EyeMotion:
    """The motion of a look.

    Args:
        pose: the look; zero moves nothing but what `straighten` asks for.
        straighten: iris distances that the left and the right iris are moved to the right in every look.
        room: of the irises, whose middles stay between the lids.
    """
    x, y = pose.pupil_x / GAZE_RANGE, -pose.pupil_y / GAZE_RANGE
    # Beyond the grid's edge, where a strength above 1 leads, the polynomials would run away: they go on straight.
    cx, cy = (min(max(it, -1.0), 1.0) for it in (x, y))
    across = _IRIS_X * cx + _IRIS_XXX * cx**3 + IRIS_SWING * (x - cx)
    down = (_IRIS_Y + _IRIS_XXY * cx**2) * y + _IRIS_XX * cx**2 + _IRIS_YY * cy**2
    upper = _UPPER_Y * y + (_UPPER_XX + _UPPER_XXY * cy) * cx**2 + _UPPER_YY * cy**2
    lower = (_LOWER_Y + _LOWER_XXY * cx**2) * y + _LOWER_XX * cx**2 + _LOWER_YY * cy**2
    upper, lower = (room.share * _soft(way, room.reach) for way in (upper, lower))
    ways = np.array([_held(across + it, it, *own) for it, *own in zip(straighten, room.left, room.right, strict=True)])
    sides = (room.above, room.below, room.white, room.lid)
    above, below, white, lid = (float(np.interp(ways.mean(), _PLACES, each)) for each in sides)
    down *= room.share
    lower += _yielding(_soft(down, room.reach) - below - lower, room.below[_MIDDLE])
    most = above - upper if down < 0 else below + lower
    down = _soft(down, max(_LEAST_REACH, min(room.reach, most)))
    lower -= _yielding(lower - down - white, room.white[_MIDDLE])
    if upper > 0:
        upper = _soft(upper, max(_LEAST_REACH, max(down, 0.0) + lid))
    return EyeMotion(ways, down, upper, lower, np.array([_bow(way) for way in ways]))


def _held(way: float, straighten: float, left: float, right: float) -> float:
    """What one iris goes of its way across: each halts at its own corners, so that both are parallel in far looks."""
    free, back = (left, -straighten) if way < 0 else (right, straighten)
    return _soft(way, min(IRIS_REACH + back, free))


def _bow(across: float) -> float:
    return _soft(_LID_FOLLOWS * across, _BOW_REACH)


def _yielding(beyond: float, rest: float) -> float:
    """How far the lower lid yields to what goes `beyond` its room, or comes after: 0 at rest, that room away from it.

    It sets out and halts over about the way that an iris goes between two keys: a lid that set out at once would have a
    speed that jumps, which morphs do not follow.
    """
    ease = min(_YIELDS / 2, rest)
    if beyond < ease:
        beyond = (beyond + ease) ** 2 / (4 * ease) if beyond > -ease else 0.0
    return beyond / math.hypot(1, beyond / _YIELDS)


def _soft(way: float, reach: float) -> float:
    return way / (1 + abs(way / reach) ** 6) ** (1 / 6)
