"""Where the mesh of a motion lies: fine around the eyes, coarse elsewhere, around all that changes and no further."""

from __future__ import annotations

import math
from collections.abc import Mapping

import cv2
import numpy as np

from gaze.face.face import Face
from gaze.motion.motion import Mesh

COARSE, FINE = 1 / 7, 1 / 12
"""Distances between the mesh's points in iris distances, elsewhere and around the eyes. A finer mesh folds where an
iris slides below a lid, and gives no better morphs."""
_EYE_REACH = (0.62, 0.42)
"""Iris distances from an iris to the end of the fine part, across and down: the eye wherever the head carries it."""
_NOISE = 4.0
"""Differences up to so many times those of the stillest tenth of the picture are noise: frames may be coded already."""
_NO_MAP = np.empty((0, 0), np.float32)


def find_changed(keys: Mapping[int, np.ndarray], middle: int) -> np.ndarray:
    """(height, width) uint8: 1 where some key differs from the middle one by more than noise."""
    still = keys[middle]
    most = np.zeros(still.shape[:2], np.uint8)
    for number, frame in keys.items():
        if number != middle:
            most = np.maximum(most, cv2.absdiff(frame, still).max(2))
    noise = float(np.percentile(most, 10))
    if not noise:
        return (most > 0).astype(np.uint8)
    return (cv2.blur(most.astype(np.float32), (5, 5)) > _NOISE * noise).astype(np.uint8)


def plan_mesh(changed: np.ndarray, face: Face) -> Mesh:
    """The mesh for what changes.

    Args:
        changed: (height, width) uint8; all of the picture is taken if nothing does.
        face: in the middle key.
    """
    height, width = changed.shape
    x, y, across, down = cv2.boundingRect(changed)
    if not across:
        across, down = width, height
    unit = face.iris_distance
    margin = math.ceil(COARSE * unit)
    xs, ys = (face.left.x, face.right.x), (face.left.y, face.right.y)
    reach_x, reach_y = (reach * unit for reach in _EYE_REACH)
    return Mesh(
        _line(max(0, x - margin), min(width, x + across + margin), min(xs) - reach_x, max(xs) + reach_x, unit),
        _line(max(0, y - margin), min(height, y + down + margin), min(ys) - reach_y, max(ys) + reach_y, unit),
    )


def _line(start: int, end: int, fine_from: float, fine_to: float, unit: float) -> tuple[int, ...]:
    """Places from `start` to `end`, about `FINE` apart within the fine part and `COARSE` outside."""
    low, high = (min(max(round(value), start), end) for value in (fine_from, fine_to))
    places = {start, end}
    for first, last, step in ((start, low, COARSE), (low, high, FINE), (high, end, COARSE)):
        if last > first:
            count = max(1, round((last - first) / (step * unit)))
            places |= {round(first + (last - first) * i / count) for i in range(count + 1)}
    return tuple(sorted(places))


def find_moving(mesh: Mesh, changed: np.ndarray) -> np.ndarray:
    """(rows, columns) uint8: 255 at the corners of every mesh cell in which something changes, but 0 at the border."""
    sums = cv2.integral(changed)[np.ix_(mesh.rows, mesh.columns)]
    cells = np.where(sums[1:, 1:] - sums[:-1, 1:] - sums[1:, :-1] + sums[:-1, :-1] > 0, 255, 0).astype(np.uint8)
    points = np.zeros(mesh.shape, np.uint8)
    for down in (0, 1):
        for across in (0, 1):
            part = points[down : down + cells.shape[0], across : across + cells.shape[1]]
            np.maximum(part, cells, out=part)
    points[[0, -1]] = 0
    points[:, [0, -1]] = 0
    return points


def sample(field: np.ndarray, mesh: Mesh, scale: float = 1.0, origin: tuple[int, int] = (0, 0)) -> np.ndarray:
    """What a field of pixels says at the mesh's points.

    Args:
        field: (h, w) or (h, w, 2) float32, of a picture made `scale` times as large.
        origin: x and y of that picture's first pixel in the frame.
    """
    x = (np.array(mesh.columns, np.float32) - origin[0]) * np.float32(scale) - np.float32(0.5)
    y = (np.array(mesh.rows, np.float32) - origin[1]) * np.float32(scale) - np.float32(0.5)
    at = np.dstack(np.meshgrid(x, y)).astype(np.float32)
    return cv2.remap(field, at, _NO_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
