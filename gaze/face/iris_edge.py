"""Irises refined on the picture itself: circles of one size through the edges that are seen between the lids."""

from __future__ import annotations

import math
from typing import NamedTuple

import cv2
import numpy as np

from gaze.face.coordinates import aligned_crop, to_frame
from gaze.face.irises import FoundEye

_UNIT, _WINDOW = 110.0, (-0.8, -0.3, 0.8, 0.3)
"""The aligned crop: pixels per iris distance, an iris has a radius of about 10; left, top, right, bottom."""
_ANGLES = np.radians(np.concatenate([np.arange(-40, 56, 6), 180 - np.arange(-40, 56, 6)]))
"""Where edges are looked for: at both sides, farther down than up, since the upper lid hides more."""
_REACH = np.linspace(0.65, 1.4, 31)
"""How far from the centre, in the radius so far."""
_CLEAR = 10.0
"""Least step of brightness across an edge, in grey levels a pixel of the crop."""
_INSIDE = 0.1
"""How far from a lid an edge must lie, in radii: lids have edges of their own."""
_FEWEST = 8
"""Edge points an eye must have."""
_CENTRE_SPREAD, _RADIUS_SPREAD, _EDGE_SPREAD = 0.15, 0.05, 0.1
"""How far off the network's centre and radius and the edges found usually are, in radii."""
_PASSES = 3


class _Edges(NamedTuple):
    """Directions of the edge points from the centre, (n, 2), their distances from it, and their weights."""

    directions: np.ndarray
    distances: np.ndarray
    weights: np.ndarray


def refine_irises(image: np.ndarray, eyes: tuple[FoundEye, FoundEye]) -> tuple[FoundEye, FoundEye]:
    """Both eyes with centres and one radius that fit the picture; as they were where their edges are not clear.

    Along rays from each centre the steepest rise of brightness is the edge. Centres and the common radius are those of
    least squares over both eyes' edges, pulled to what the network found; points far off count less (Huber's weights).

    Args:
        image: (height, width, 3) uint8 RGB.
        eyes: of which both irises are at least a pixel apart.
    """
    left, right = ((eye.x, eye.y) for eye in eyes)
    crop, matrix = aligned_crop(image, left, right, _UNIT, _WINDOW)
    # On the red channel irises of every colour are dark.
    smooth = cv2.GaussianBlur(crop[..., 0].astype(np.float32), (0, 0), 0.011 * _UNIT)
    inside = [_between_lids(eye, left, right, smooth.shape) for eye in eyes]
    start = np.array([((side - _WINDOW[0]) * _UNIT, -_WINDOW[1] * _UNIT) for side in (-0.5, 0.5)])
    scale = math.dist(left, right) / _UNIT
    first = (eyes[0].radius + eyes[1].radius) / 2 / scale
    centres, radius = start.copy(), first
    for _ in range(_PASSES):
        edges = [_edges(smooth, room, centre, radius) for room, centre in zip(inside, centres, strict=True)]
        if any(len(it.distances) < _FEWEST for it in edges):
            return eyes
        centres, radius = _fitted(edges, centres, start, radius, first)
    if np.abs(centres - start).max() > 3 * _CENTRE_SPREAD * first:
        return eyes
    moved = centres @ matrix[:, :2].T + matrix[:, 2]
    refined = [
        eye._replace(x=float(x), y=float(y), radius=radius * scale) for eye, (x, y) in zip(eyes, moved, strict=True)
    ]
    return refined[0], refined[1]


def _between_lids(
    eye: FoundEye, left: tuple[float, float], right: tuple[float, float], shape: tuple[int, ...]
) -> np.ndarray:
    """How many pixels of the crop each one lies inside the eye's opening; 0 outside."""
    x, y = np.vstack([eye.upper, eye.lower[::-1]]).T
    u, v = to_frame(x, y, left, right)
    outline = np.stack([(u - _WINDOW[0]) * _UNIT, (v - _WINDOW[1]) * _UNIT], 1)
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.round(outline * 16).astype(np.int32)], 1, shift=4)
    return cv2.distanceTransform(mask, cv2.DIST_L2, 3)


def _edges(smooth: np.ndarray, inside: np.ndarray, centre: np.ndarray, radius: float) -> _Edges:
    rays = np.stack([np.cos(_ANGLES), np.sin(_ANGLES)], 1)
    places = (centre + radius * _REACH[:, None, None] * rays).astype(np.float32)
    profile, room = (
        cv2.remap(it, places, np.empty((0, 0), np.float32), cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        for it in (smooth, inside)
    )
    step = (_REACH[1] - _REACH[0]) * radius
    rise = np.gradient(profile, step, axis=0)
    rise[room < _INSIDE * radius] = 0
    # Nearer the expected radius a weaker edge may be the one: pupils and lashes have edges, too.
    likely = rise * np.exp(-0.5 * ((_REACH - 1) / 0.2) ** 2)[:, None]
    best = np.clip(likely.argmax(0), 1, len(_REACH) - 2)
    column = np.arange(len(_ANGLES))
    before, here, after = (rise[best + shift, column] for shift in (-1, 0, 1))
    bend = before - 2 * here + after
    off = np.clip(np.where(bend < 0, (before - after) / np.where(bend < 0, 2 * bend, 1), 0), -0.5, 0.5)
    clear = (here > _CLEAR) & (before > 0) & (after > 0)
    distances = radius * _REACH[best] + off * step
    return _Edges(rays[clear], distances[clear], np.sqrt(here[clear]))


def _fitted(
    edges: list[_Edges], centres: np.ndarray, start: np.ndarray, radius: float, first: float
) -> tuple[np.ndarray, float]:
    """One step: the shift of both centres, and the common radius, that fit the edges best."""
    values = np.concatenate([it.distances for it in edges])
    design = np.zeros((len(values), 5))
    at = 0
    for eye, it in enumerate(edges):
        design[at : at + len(it.distances), 2 * eye : 2 * eye + 2] = it.directions
        at += len(it.distances)
    design[:, 4] = 1
    weights = np.concatenate([it.weights / it.weights.mean() for it in edges])
    prior = np.append(start - centres, first)
    trust = 1 / (np.array([_CENTRE_SPREAD] * 4 + [_RADIUS_SPREAD]) * first)
    solution = np.append(np.zeros(4), radius)
    for _ in range(4):
        off = np.abs(values - design @ solution) / (_EDGE_SPREAD * first)
        # Neighbouring rays see the same pixels: two of them say little more than one.
        each = np.sqrt(weights * np.minimum(1, 1 / np.maximum(off, 1e-9)) / 2) / (_EDGE_SPREAD * first)
        rows = np.vstack([design * each[:, None], np.diag(trust)])
        solution = np.linalg.lstsq(rows, np.append(values * each, prior * trust), rcond=None)[0]
    return centres + solution[:4].reshape(2, 2), float(solution[4])
