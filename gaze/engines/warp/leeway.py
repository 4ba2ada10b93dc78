"""How a head moves in a picture that ends next to it: nothing from beyond the border is known.

The picture's border stands still, and what lies between it and brows, eyes and mouth is stretched or squeezed for that:
skin and hair look much the same then, features would not. Where little lies between, the whole head moves less.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from gaze.engines.warp.head import YAW_RANGE
from gaze.face.face import Face
from gaze.face.topology import LOWER_LIP
from gaze.grid import Pose

_MARGIN, _LEAST, _MOST = 0.03, 0.06, 0.8
"""Iris distances around features that are carried along with them; and the narrowest and the widest strip, in the same
unit, over which the motion fades towards the border."""
_SQUEEZED, _STRETCHED = (0.6, 0.4), 0.8
"""Share of the way to the border that features may come nearer to it, across and down, and go away from it. Foreheads
move farther than brows."""
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
        way = np.array([-pose.head_yaw, pose.head_pitch]) / YAW_RANGE * _FEATURES @ self.turned
        reach = self._reach
        before, after = (_softly(reach, it) for it in self.most.T)
        part = way / reach
        # A parabola through both ends: what saturates early has an edge that a morph between few keys cannot follow.
        inner = (after + before) / 2 * part + (after - before) / 2 * part**2
        beyond = np.where(way > 0, 1, -1) * _softly(np.abs(way), np.where(way > 0, *self.most.T[::-1]))
        moved = np.where(np.abs(part) <= 1, inner, beyond)
        yaw, pitch = moved @ self.turned.T / _FEATURES * YAW_RANGE
        # Brows go farther than the rest when they are raised: that gives way first.
        share = float(np.clip(pitch / pose.head_pitch, 0, 1)) ** 2 if pose.head_pitch else 1.0
        return replace(pose, head_yaw=-float(yaw), head_pitch=float(pitch), eyebrow=pose.eyebrow * share)

    @property
    def _reach(self) -> np.ndarray:
        """How far features go across and down in the image at the grid's corners, if nothing holds them: (2,)."""
        reach: np.ndarray = np.array(_FEATURES) @ np.abs(self.turned)
        return reach


def find_leeway(face: Face, x: np.ndarray, y: np.ndarray, width: int, height: int) -> Leeway:
    """The leeway of a face in a picture of width × height pixels; x and y: (rows, cols), the lattice's points."""
    unit = face.iris_distance
    features = np.vstack([*face.brows[0], *face.brows[1], *face.lids[0], *face.lids[1], face.mesh[list(LOWER_LIP), :2]])
    keep, most = [], []
    for axis, at, size in ((0, x, width), (1, y, height)):
        before = float(features[:, axis].min()) / unit
        after = (size - 1 - float(features[:, axis].max())) / unit
        before, after = max(before, _LEAST), max(after, _LEAST)
        squeezed = _SQUEEZED[axis]
        most.append((min(squeezed * before, _STRETCHED * after), min(squeezed * after, _STRETCHED * before)))
        keep.append(_ramp(at / unit, before) * _ramp((size - 1 - at) / unit, after))
    turned = np.array([[np.cos(face.tilt), np.sin(face.tilt)], [-np.sin(face.tilt), np.cos(face.tilt)]])
    return Leeway(np.stack(keep).astype(np.float32), np.array(most), turned)


def _softly(way: np.ndarray, most: np.ndarray) -> np.ndarray:
    """Distances, or where these are larger than others, little less than those."""
    return np.asarray(way / (1 + (way / most) ** 4) ** 0.25)


def _ramp(away: np.ndarray, features: float) -> np.ndarray:
    """0 at the border, 1 from where features are, and smoothly so there; both in iris distances from the border."""
    strip = float(np.clip(features - _MARGIN, _LEAST, _MOST))
    return np.asarray(1 - (1 - np.clip(away / strip, 0, 1)) ** _EASE)
