"""Where the picture ends that a face is in: at the photo's border, or at straight edges that lie nearer.

A tile of a collage, a photo on a screenshot's page, a film between black bars: what lies beyond stands still, and the
head keeps its distance as it does at the photo's own border (`gaze.engines.warp.leeway`).
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from gaze.face.face import Face

_BLUR, _AROUND = 0.015, 0.08
"""Iris distances: a blur that leaves edges of pictures, and one over which nothing is steeper than an edge."""
_CONTRAST = 5
"""Grey levels across two pixels below which there is no edge."""
_HEAD = 1.3
"""Iris distances to both sides of the middle of a face where an edge is looked for first."""
_SHARE = 0.6
"""Share of its length at which an edge has to be seen: lines of a background are hidden by the person, lean, or end."""
_SOFT = 0.03
"""Iris distances from the middle of an edge that may be as soft as a small picture that was enlarged."""


class Border(NamedTuple):
    """The picture's first column and row, and those after its last."""

    left: int
    top: int
    right: int
    bottom: int


def find_border(image: np.ndarray, face: Face) -> Border:
    """The border of the picture in a photo, (height, width, 3) uint8, that a face is in."""
    unit = face.iris_distance
    size = image.shape[1::-1]
    soft = cv2.GaussianBlur(image, (0, 0), _BLUR * unit)
    edges = [_edges(soft.transpose(1, 0, 2), unit), _edges(soft, unit)]  # upright ones, and level ones
    ways = []
    for axis in (0, 1):
        middle = face.centre[1 - axis]
        first, last = (int(np.clip(middle + side * _HEAD * unit, 0, size[1 - axis])) for side in (-1, 1))
        near, far = face.outline[:, axis].min(), face.outline[:, axis].max()
        shares = edges[axis][:, first:last].mean(1) if first < last else np.zeros(size[axis])
        seen = np.flatnonzero(shares >= _SHARE)
        ways.append(([*seen[seen < near]], [*seen[seen > far][::-1]]))
    # A picture's edges end at each other: one that is not seen between the others gives way to the next one outwards.
    while True:
        ends = [
            (before[-1] if before else 0, after[-1] if after else size[axis] - 1)
            for axis, (before, after) in enumerate(ways)
        ]
        for axis, both in enumerate(ways):
            first, last = ends[1 - axis]
            unseen = [side for side in both if side and edges[axis][side[-1], first : last + 1].mean() < _SHARE]
            if unseen:
                unseen[0].pop()
                break
        else:
            break
    margin = 1 + round(_SOFT * unit)
    (left, right), (top, bottom) = (
        (before[-1] + margin if before else 0, after[-1] - margin if after else size[axis])
        for axis, (before, after) in enumerate(ways)
    )
    return Border(int(left), int(top), int(right), int(bottom))


def _edges(soft: np.ndarray, unit: float) -> np.ndarray:
    """Where a level edge may pass: (h, w) bool, from an image, (h, w, 3) uint8."""
    steep = np.zeros(soft.shape[:2], np.uint8)
    by_channel = cv2.split(cv2.absdiff(soft[2:], soft[:-2]))
    steep[1:-1] = cv2.max(cv2.max(*by_channel[:2]), by_channel[2])
    reach = max(3, round(_AROUND * unit))
    most = cv2.dilate(steep, np.ones((2 * reach + 1, 1), np.uint8))
    return (steep >= _CONTRAST) & (steep >= 0.8 * most)
