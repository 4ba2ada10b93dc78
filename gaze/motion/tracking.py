"""The motion of a portrait, found in its keys: one mesh, followed from the middle key into all others.

All lengths are shares of the distance between the irises, so that nothing depends on the frames' size.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import cv2
import numpy as np

from gaze.motion.eyes import Eyes
from gaze.motion.keys import spiral
from gaze.motion.lattice import find_changed, find_moving, plan_mesh, sample
from gaze.motion.motion import Mesh, Motion
from gaze.motion.rank import KNOWN, TRACKED, reduce_rank
from gaze.photo.remapping import NO_MAP, pixels

_SEARCH_UNIT = 36.0
"""Pixels between the irises in the pictures that flow is searched in: finer ones give no better morphs."""
_SMOOTH = 0.07
"""Blur of a tracked field, in iris distances: half a step of the coarse mesh."""
_TOLERANCE = 0.04
"""What the ways there and back may miss each other by before a point is more doubted than trusted."""
_DOUBTED = 0.4
"""Trust from which on a point counts as seen: what slides below a lid misses a little everywhere."""
_LEAST_SIDE = 16
"""Pixels of a picture below which no flow can be searched in it."""
_LEVELS = 4
"""Steps of trust that are stored: more would cost bytes and change nothing that can be seen."""

Displacement = Callable[[int], "np.ndarray | None"]
"""For the number of a key, how far each point of the middle key moves in it: (height, width, 2) float32, x and y."""


def find_motion(
    keys: Mapping[int, np.ndarray], looks: Sequence[float], eyes: Eyes, known: Displacement | None = None
) -> Motion:
    """The motion between keys.

    Args:
        keys: n × n frames by number, row · n + column: (height, width, 3 or 4) uint8, of one shape.
        looks: of the keys along an axis, n of them.
        eyes: of the middle key.
        known: what the engine knows of it; where it gives None, the keys are tracked.
    """
    n = len(looks)
    middle = n // 2 * n + n // 2
    changed = find_changed(keys, middle)
    mesh = plan_mesh(changed, eyes)
    moving = find_moving(mesh, changed)
    trust, left = None, KNOWN
    found = known(0) if known else None
    if known is not None and found is not None:
        fields = np.zeros((n * n, *mesh.shape, 2), np.float32)
        for number in keys:
            field = found if number == 0 else known(number)
            if number != middle and field is not None:
                fields[number] = sample(field, mesh)
    else:
        fields, trust = track(keys, mesh, eyes, n)
        left = TRACKED
    fields[:, moving < 255] = 0
    coefficients, basis, unit = reduce_rank(fields, middle, eyes.distance, left)
    grid = (n, n)
    stored = None if trust is None else _quantised(trust, moving).reshape(*grid, *mesh.shape)
    return Motion(tuple(looks), mesh, basis, unit, coefficients.reshape(*grid, -1), moving, stored)


def track(keys: Mapping[int, np.ndarray], mesh: Mesh, eyes: Eyes, n: int) -> tuple[np.ndarray, np.ndarray | None]:
    """Displacements (n², rows, columns, 2) float32 and trust (n², rows, columns) in 0 to 1, or None where all is seen.

    Dense inverse search (Kroeger et al., "Fast Optical Flow using Dense Inverse Search", 2016) from the middle key to
    each other, begun with what was found for the neighbour towards the middle.
    """
    scale = min(1.0, _SEARCH_UNIT / eyes.distance)
    origin = (mesh.columns[0], mesh.rows[0])
    pictures = {number: _for_search(frame[mesh.box], scale) for number, frame in keys.items()}
    middle = n // 2 * n + n // 2
    still = pictures[middle]
    if min(still.shape) < _LEAST_SIDE:  # too little to search in
        return np.zeros((n * n, *mesh.shape, 2), np.float32), None
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_ULTRAFAST)
    search.setFinestScale(0)
    there = {middle: np.zeros((*still.shape, 2), np.float32)}
    fields = np.zeros((n * n, *mesh.shape, 2), np.float32)
    trust = np.ones((n * n, *mesh.shape), np.float32)
    for number in spiral(n)[1:]:
        found = search.calc(still, pictures[number], there[_towards_middle(number, n)].copy())
        there[number] = found
        back = search.calc(pictures[number], still, -found)
        doubt = _missed(found, back) / (_TOLERANCE * eyes.distance * scale) ** 2
        trust[number] = sample(1 / (1 + cv2.GaussianBlur(doubt, (0, 0), 1)), mesh, scale, origin)
        smooth = cv2.GaussianBlur(found, (0, 0), _SMOOTH * eyes.distance * scale)
        fields[number] = sample(smooth, mesh, scale, origin) / np.float32(scale)
    return fields, trust if trust.min() < _DOUBTED else None


def _missed(there: np.ndarray, back: np.ndarray) -> np.ndarray:
    """The square of the distance by which the ways there and back miss each other, per pixel."""
    at = there + pixels(there.shape[1], there.shape[0])
    home = there + cv2.remap(back, at, NO_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.square(home).sum(-1)


def _towards_middle(number: int, n: int) -> int:
    """The neighbour of a key towards the middle key: along the longer way, or along both if they are equal."""
    row, col = divmod(number, n)
    down, across = n // 2 - row, n // 2 - col
    step_down = int(np.sign(down)) if abs(down) >= abs(across) else 0
    step_across = int(np.sign(across)) if abs(across) >= abs(down) else 0
    return (row + step_down) * n + col + step_across


def _for_search(frame: np.ndarray, scale: float) -> np.ndarray:
    """Luma, over grey where the frame is transparent: a cut-out's edge is to be followed, too."""
    luma = cv2.cvtColor(np.ascontiguousarray(frame[..., :3]), cv2.COLOR_RGB2GRAY)
    if frame.shape[2] == 4:
        alpha = frame[..., 3].astype(np.float32) / 255
        luma = np.round(128 + (luma - np.float32(128)) * alpha).astype(np.uint8)
    if scale == 1:
        return luma
    size = (max(1, round(luma.shape[1] * scale)), max(1, round(luma.shape[0] * scale)))
    return cv2.resize(luma, size, interpolation=cv2.INTER_AREA)


def _quantised(trust: np.ndarray, moving: np.ndarray) -> np.ndarray:
    """In few steps, and 255 where nothing moves."""
    steps = np.round(np.minimum(trust / _DOUBTED, 1) * (_LEVELS - 1))
    stored = (steps * (255 / (_LEVELS - 1))).astype(np.uint8)
    stored[:, moving < 255] = 255
    return stored
