"""Where the mesh of a motion lies: fine around the eyes, coarse elsewhere, around all that changes and no further."""

from __future__ import annotations

import math
from collections.abc import Mapping

import cv2
import numpy as np

from gaze.motion.eyes import Eyes
from gaze.motion.motion import Mesh
from gaze.photo.remapping import NO_MAP

COARSE, FINE = 1 / 7, 1 / 12
"""Distances between the mesh's points in iris distances, elsewhere and around the eyes. A finer mesh folds where an
iris slides below a lid, and gives no better morphs."""
_EYE_REACH = (0.62, 0.42)
"""Iris distances from an iris to the end of the fine part, across and down: the eye wherever the head carries it."""
_EQUAL = 0.98
"""Share of the pixels that at most differ in frames that were not coded before, if something stands still."""
_BLUR, _NOISE, _MOST_NOISE = 7, 2.0, 6.0
"""Coded frames: differences are averaged over so many pixels each way; up to so many times those of the stillest part,
and up to so many levels, they are noise."""


def find_changed(keys: Mapping[int, np.ndarray], middle: int) -> np.ndarray:
    """(height, width) uint8: 1 where some key differs from the middle one by more than noise.

    Frames of an engine are equal to the bit where nothing moves. Where no part of them is, they may have been coded.
    """
    still = keys[middle]
    most = np.zeros(still.shape, np.uint8)
    for number, frame in keys.items():
        if number != middle:
            cv2.max(most, cv2.absdiff(frame, still), dst=most)
    differs = cv2.max(cv2.max(most[..., 0], most[..., 1]), most[..., -1])
    if np.count_nonzero(differs) < _EQUAL * differs.size:
        return (differs > 0).astype(np.uint8)
    luma = _luma(still)
    blurred = np.zeros(luma.shape, np.float32)
    for number, frame in keys.items():
        if number != middle:
            cv2.max(blurred, cv2.blur(cv2.absdiff(_luma(frame), luma), (_BLUR, _BLUR)), dst=blurred)
    noise = float(np.percentile(blurred, 5))
    return (blurred > min(_NOISE * noise, _MOST_NOISE)).astype(np.uint8)


def _luma(frame: np.ndarray) -> np.ndarray:
    """Float32; of a cut-out that of its colours times alpha, over grey."""
    luma = cv2.cvtColor(np.ascontiguousarray(frame[..., :3]), cv2.COLOR_RGB2GRAY).astype(np.float32)
    return luma if frame.shape[2] == 3 else 128 + (luma - 128) * (frame[..., 3].astype(np.float32) / 255)


def plan_mesh(changed: np.ndarray, eyes: Eyes) -> Mesh:
    """The mesh for what changes.

    Args:
        changed: (height, width) uint8; all of the picture is taken if nothing does.
        eyes: of the middle key.
    """
    height, width = changed.shape
    x, y, across, down = cv2.boundingRect(changed)
    if not across:
        across, down = width, height
    unit = eyes.distance
    margin = math.ceil(COARSE * unit)
    xs, ys = zip(eyes.left, eyes.right, strict=True)
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
    return cv2.remap(field, at, NO_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
