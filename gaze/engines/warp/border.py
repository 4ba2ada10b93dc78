"""Where the picture ends that a face is in: at the photo's border, or at straight edges that lie nearer.

A tile of a collage, a photo on a screenshot's page, a film between black bars: what lies beyond stands still, and the
head keeps its distance as it does at the photo's own border (`gaze.engines.warp.leeway`).
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from gaze.engines.warp.smaller import smaller, times_smaller
from gaze.face.face import Face

_BLUR, _AROUND = 0.015, 0.08
"""Iris distances: a blur that leaves edges of pictures, and one over which nothing is steeper than an edge."""
_CONTRAST, _NEARLY = 5, 0.8
"""Grey levels across two pixels below which there is no edge; and share of the steepest place that is as good as it."""
_HEAD = 1.3
"""Iris distances to both sides of the middle of a face where an edge is looked for first."""
_SHARE, _ALONE = 0.6, 0.85
"""Share of its length at which an edge has to be seen: lines of a background are hidden by the person, lean, or end. A
picture mostly has more than one edge; one alone may be a door's."""
_SOFT = 0.03
"""Iris distances from the middle of an edge that may be as soft as a small picture that was enlarged."""

_NONE: list[tuple[list[int], list[int]]] = [([], []), ([], [])]


class Border(NamedTuple):
    """The picture's first column and row, and those after its last."""

    left: int
    top: int
    right: int
    bottom: int


def find_border(image: np.ndarray, face: Face) -> Border:
    """The border of the picture in a photo, (height, width, 3) uint8, that a face is in."""
    times = times_smaller(face.iris_distance)
    whole = Border(0, 0, *image.shape[1::-1])
    # Most photos have no edge even in a copy; what has one there may be a curve, or a strand of hair.
    if times > 1 and _ways(smaller(image, times), face.moved(1 / times)) == _NONE:
        return whole
    ways = _ways(image, face)
    margin = 1 + round(_SOFT * face.iris_distance)
    (left, right), (top, bottom) = (
        (before[-1] + margin if before else 0, after[-1] - margin if after else size)
        for (before, after), size in zip(ways, whole[2:], strict=True)
    )
    return Border(left, top, right, bottom)


def _ways(image: np.ndarray, face: Face) -> list[tuple[list[int], list[int]]]:
    """By axis, x and y, the places of edges before and after a face, the nearest last."""
    unit = face.iris_distance
    size = image.shape[1::-1]
    soft = cv2.GaussianBlur(image, (0, 0), _BLUR * unit)
    edges = [_edges(soft, axis, unit) for axis in (0, 1)]
    ways = []
    for axis in (0, 1):
        middle = face.centre[1 - axis]
        first, last = (int(np.clip(middle + side * _HEAD * unit, 0, size[1 - axis] - 1)) for side in (-1, 1))
        near, far = face.outline[:, axis].min(), face.outline[:, axis].max()
        seen = np.flatnonzero(_shares(edges[axis], axis, first, last) >= _SHARE)
        ways.append((seen[seen < near].tolist(), seen[seen > far][::-1].tolist()))
    # A picture's edges end at each other: one that is not seen between the others gives way to the next one outwards.
    while True:
        least = _SHARE if sum(bool(side) for both in ways for side in both) > 1 else _ALONE
        ends = [(before[-1:] or [0], after[-1:] or [size[axis] - 1]) for axis, (before, after) in enumerate(ways)]
        for axis, both in enumerate(ways):
            ([first], [last]) = ends[1 - axis]
            shares = _shares(edges[axis], axis, first, last)
            unseen = [side for side in both if side and shares[side[-1]] < least]
            if unseen:
                unseen[0].pop()
                break
        else:
            return ways


def _edges(soft: np.ndarray, axis: int, unit: float) -> np.ndarray:
    """Where edges across an axis may pass: (h, w) uint8, 0 or 255, from an image, (h, w, 3) uint8."""
    before, after = (np.s_[:-2], np.s_[2:]) if axis else (np.s_[:, :-2], np.s_[:, 2:])
    by_channel = cv2.split(cv2.absdiff(soft[after], soft[before]))
    steep = cv2.max(cv2.max(*by_channel[:2]), by_channel[2])
    steep = cv2.copyMakeBorder(steep, axis, axis, 1 - axis, 1 - axis, cv2.BORDER_CONSTANT)
    reach = 2 * max(3, round(_AROUND * unit)) + 1
    most = cv2.dilate(steep, np.ones((reach, 1) if axis else (1, reach), np.uint8))
    least = np.maximum(cv2.convertScaleAbs(most, alpha=_NEARLY), np.uint8(_CONTRAST))
    return np.asarray(cv2.compare(steep, least, cv2.CMP_GE))


def _shares(edges: np.ndarray, axis: int, first: int, last: int) -> np.ndarray:
    """At what share of its length, from the first to the last place, an edge is seen; for all places on an axis."""
    part = edges[:, first : last + 1] if axis else edges[first : last + 1]
    return np.asarray(cv2.reduce(part, axis, cv2.REDUCE_AVG, dtype=cv2.CV_32F).ravel() / 255)
