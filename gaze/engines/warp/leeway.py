"""How a head moves in a picture that ends next to it: nothing from beyond the border is known.

The picture's border stands still, and what lies between it and brows, eyes and mouth is stretched or squeezed for that:
skin and hair look much the same then, features would not. Where little lies between, the whole head moves less.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from gaze.engines.warp.border import Border
from gaze.engines.warp.head import YAW_RANGE
from gaze.engines.warp.region import tilt_axes
from gaze.face.face import Face
from gaze.face.topology import LOWER_LIP
from gaze.grid import Pose

_MARGIN, _LEAST, _MOST = 0.03, 0.06, 0.8
"""Iris distances around features that are carried along with them; and the narrowest and the widest strip, in the same
unit, over which the motion fades towards the border."""
_SQUEEZED, _STRETCHED = (0.6, 0.4), 0.8
"""Share of the way to the border that features may come nearer to it, across and down, and go away from it. Foreheads
move farther than brows."""
_SKIN, _DRAWN_OUT = 0.8, ((0.1, 0.125), (0.15, 0.2))
"""Iris distances above brows and below lips that are forehead and chin; and how far features may go away from the
border, with so much of either in sight: at least, and more for each of these. Drawn out, a forehead makes another head
sooner than a chin does. What lies beyond may be drawn out to twice."""
_FEATURES = 0.24, 0.21
"""Iris distances that features move across and down at the grid's edge."""
_EASE = 1.3
"""Power of the distance from features by which it fades: so much more is stretched at the border than on average."""


@dataclass(frozen=True)
class Leeway:
    """What the border of a picture leaves of a head's motion.

    Attributes:
        keep: (2, rows, cols) float32, 0 to 1: share of the motion across and down that points of a lattice make.
        most: (2, 2): how far features may move, in iris distances: left, right; up, down.
        turned: (2, 2): unit vectors along the face's axes, u and v, in the image.
    """

    keep: np.ndarray
    most: np.ndarray
    turned: np.ndarray

    def held(self, pose: Pose) -> Pose:
        """The pose that the head takes: softly less where its features would come too near to the border."""
        x, y = (
            each * part / YAW_RANGE for each, part in zip(_FEATURES, (-pose.head_yaw, pose.head_pitch), strict=True)
        )
        (cos, sin), _ = self.turned.tolist()
        turned = (x * cos - y * sin, x * sin + y * cos)
        reach = tuple(_FEATURES[0] * abs(a) + _FEATURES[1] * abs(b) for a, b in ((cos, sin), (sin, cos)))
        x, y = (_held(*it) for it in zip(turned, reach, self.most.tolist(), strict=True))
        yaw, pitch = (x * cos + y * sin) / _FEATURES[0] * YAW_RANGE, (y * cos - x * sin) / _FEATURES[1] * YAW_RANGE
        # Brows go farther than the rest when they are raised: that gives way first.
        share = min(max(pitch / pose.head_pitch, 0.0), 1.0) ** 2 if pose.head_pitch else 1.0
        return replace(pose, head_yaw=-yaw, head_pitch=pitch, eyebrow=pose.eyebrow * share)


def find_leeway(face: Face, x: np.ndarray, y: np.ndarray, border: Border) -> Leeway:
    """The leeway of a face in a picture that ends there; x and y: (rows, cols), the lattice's points."""
    unit = face.iris_distance
    features = np.vstack([*face.brows[0], *face.brows[1], *face.lids[0], *face.lids[1], face.mesh[list(LOWER_LIP), :2]])
    keep, most = [], []
    for axis, at in enumerate((x, y)):
        first, last = border[axis], border[axis + 2] - 1
        before = (float(features[:, axis].min()) - first) / unit
        after = (last - float(features[:, axis].max())) / unit
        before, after = max(before, _LEAST), max(after, _LEAST)
        away = [_STRETCHED * it for it in (before, after)]
        if axis == 1:
            skin = map(_drawn_out, (before, after), _DRAWN_OUT)
            away = [min(it) for it in zip(away, skin, strict=True)]
        most.append((min(_SQUEEZED[axis] * before, away[1]), min(_SQUEEZED[axis] * after, away[0])))
        keep.append(_ramp((at - first) / unit, before) * _ramp((last - at) / unit, after))
    return Leeway(np.stack(keep).astype(np.float32), np.array(most), tilt_axes(face.tilt))


def _drawn_out(seen: float, skin: tuple[float, float]) -> float:
    """How far features may go away from a border above or below, with so much of that skin in sight (`_DRAWN_OUT`)."""
    least, more = skin
    return least + more * min(seen, _SKIN) + max(seen - _SKIN, 0.0)


def _held(way: float, reach: float, most: tuple[float, float]) -> float:
    """How far features move of what they would, softly less than there is room for; in iris distances.

    Up to the grid's edge it is a parabola through both ends: what saturates on its way there has an edge that a morph
    between few keys cannot follow.

    Args:
        way: how far they would; below zero to the left or up.
        reach: the farthest they would on the grid at strength 1.
        most: the room to the left or above, and to the right or below.
    """
    before, after = (_softly(reach, it) for it in most)
    part = way / reach
    if abs(part) <= 1:
        return (after + before) / 2 * part + (after - before) / 2 * part**2
    return math.copysign(_softly(abs(way), most[way > 0]), way)


def _softly(way: float, most: float) -> float:
    """A distance, or where there is less room than that, little less than there is."""
    return float(way / (1 + (way / most) ** 4) ** 0.25)


def _ramp(away: np.ndarray, features: float) -> np.ndarray:
    """0 at the border, 1 from where features are, and smoothly so there; both in iris distances from the border."""
    strip = float(np.clip(features - _MARGIN, _LEAST, _MOST))
    return np.asarray(1 - (1 - np.clip(away / strip, 0, 1)) ** _EASE)
