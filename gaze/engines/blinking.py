"""The layer that closes the eyes: what an engine renders with closed lids, cut out, with the motion that carries it."""

from __future__ import annotations

import math
from collections.abc import Generator, Sequence
from dataclasses import replace
from typing import Any

import cv2
import numpy as np

from gaze.engines.base import Engine
from gaze.engines.warp.lids import Lids
from gaze.face.face import Face
from gaze.grid import Expression, GazeGrid, Pose
from gaze.motion.eyes import Eyes
from gaze.motion.keys import key_axis, key_looks
from gaze.motion.lattice import sample
from gaze.motion.layer import BLINK
from gaze.motion.motion import LayerKeys, Mesh, Motion
from gaze.motion.rank import reduce_rank
from gaze.motion.tracking import track

VALUES = (0.35, 0.7, 1.0)
"""How far the eyes are closed in the layer's pictures."""
LOOKS = 3
"""Looks per side between which the layer's motion goes: closed lids go with the head alone, which is smooth."""

# Lengths in iris distances.
_AROUND = (0.5, 0.4, 0.36)
"""How far around an iris lids may change the picture: across, above, below."""
_CHANGED = 2.0
"""Levels from which on a pixel has changed, and more where the engine does not give equal frames for equal poses."""
_NOISE = 6.0
_FILL, _SOFT, _FIRM = 0.06, 0.02, 1.5
"""Gaps in what has changed that are closed; the softness of its edge; a factor that leaves none of it half drawn."""
_BELOW_EDGE = 0.05
"""Below the edge of a lid that is not closed yet, up to which it is drawn, with its lashes: beyond it is the eye."""
_LEVEL = 0.5
"""How far eyes are closed from which on all of the eye is drawn: in a blink irises are level, and in a look up there
would be white."""
_TRAVEL = 0.6
"""How far the mesh goes beyond the pictures, for a head of strength 1: its motion ends there."""
_STEP = 1 / 6
_LEAST = 12
"""Pixels that have to change at least, or there is no layer."""


def knows_motion(engine: Engine, source: Any) -> bool:
    """Whether an engine can say how closed lids move, so that they need not be tracked."""
    return engine.displacement(source, closing(Pose(), 1.0)) is not None


def frames_needed(known: bool) -> int:
    """How many frames `blink_layer` renders, by whether the motion of closed lids is known."""
    return len(VALUES) if known else len(VALUES) - 1 + LOOKS**2


def closing(pose: Pose, value: float) -> Pose:
    """A pose with the eyes closed so far, 0 to 1."""
    return replace(pose, expression=Expression(blink=value))


def blink_layer(
    engine: Engine, source: Any, face: Face, grid: GazeGrid, opened: np.ndarray, known: bool
) -> Generator[None, None, LayerKeys | None]:
    """Make the layer "blink"; yields when a batch is rendered. None where closing them changes nothing.

    Args:
        engine: one that blinks.
        source: what it made of the portrait.
        face: the portrait's.
        grid: the portrait's.
        opened: the key that looks straight.
        known: what `knows_motion` says.
    """
    looks = key_looks(key_axis(grid.size, LOOKS))
    middle = len(looks) // 2
    others = [number for number in range(len(looks)) if number != middle]
    poses = [closing(grid.pose(looks[middle]), value) for value in VALUES]
    if not known:
        poses += [closing(grid.pose(looks[number]), 1.0) for number in others]
    frames: list[np.ndarray] = []
    for batch in engine.stream(source, poses):
        frames += list(batch)
        yield
    keys = {middle: frames[len(VALUES) - 1], **dict(zip(others, frames[len(VALUES) :], strict=False))}
    frames = frames[: len(VALUES)]
    lids = [Lids(each) for each in face.lids]
    alphas = [
        _changed(opened, frame, face, lids, value, _CHANGED if known else _NOISE)
        for value, frame in zip(VALUES, frames, strict=True)
    ]
    seen = np.max(alphas, axis=0)
    if np.count_nonzero(seen) < _LEAST:
        return None
    region = _bounds(seen)
    x, y, width, height = region
    view = np.s_[y : y + height, x : x + width]
    pictures = {i: _cut(frame[view], alpha[view]) for i, (frame, alpha) in enumerate(zip(frames, alphas, strict=True))}
    mesh, share = _mesh(region, face.iris_distance * max(1.0, grid.strengths.head), face.iris_distance, opened.shape)
    if known:
        fields = np.zeros((len(looks), *mesh.shape, 2), np.float32)
        for number in others:
            field = engine.displacement(source, closing(grid.pose(looks[number]), 1.0))
            if field is not None:
                fields[number] = sample(field, mesh)
    else:
        fields, _ = track(keys, mesh, Eyes.of(face), LOOKS)
    fields *= share[..., None]
    coefficients, basis, unit = reduce_rank(fields, middle, face.iris_distance)
    moving = np.zeros(mesh.shape, np.uint8)
    moving[1:-1, 1:-1] = 255
    motion = Motion(key_axis(grid.size, LOOKS), mesh, basis, unit, coefficients.reshape(LOOKS, LOOKS, -1), moving)
    return LayerKeys(BLINK, VALUES, region, motion, (LOOKS // 2,), pictures)


def _changed(
    opened: np.ndarray, frame: np.ndarray, face: Face, lids: Sequence[Lids], value: float, noise: float
) -> np.ndarray:
    """(height, width) float32, 0 to 1: what of a frame belongs to its closing lids."""
    unit = face.iris_distance
    differs = (cv2.absdiff(opened[..., :3], frame[..., :3]).max(-1) > noise).astype(np.uint8)
    alpha = np.zeros(differs.shape, np.float32)
    for iris, lid in zip((face.left, face.right), lids, strict=True):
        part = _window(iris.x, iris.y, unit, differs.shape)
        share = _filled(differs[part], unit)
        if value < 1:
            y, x = np.mgrid[part].astype(np.float32)
            depth = lid.depth(x, y)
            edge = value * np.maximum(depth + lid.height(x, y), 0) + _BELOW_EDGE * unit
            share *= np.clip((edge - depth) / (_BELOW_EDGE * unit / 2), 0, 1)
            if value > _LEVEL and share.any():
                share = np.maximum(share, lid.coverage(x, y))
        alpha[part] = np.maximum(alpha[part], share)
    if frame.shape[2] == 4:
        alpha *= frame[..., 3].astype(np.float32) / 255
    alpha[alpha < 1 / 255] = 0
    return alpha


def _filled(differs: np.ndarray, unit: float) -> np.ndarray:
    """What has changed, (h, w) uint8 of 0 and 1, without specks and holes and with a soft edge: (h, w) float32."""
    size = 2 * round(_FILL * unit / 2) + 1
    found: np.ndarray = cv2.morphologyEx(differs, cv2.MORPH_OPEN, np.ones((2, 2), np.uint8))
    found = cv2.morphologyEx(found, cv2.MORPH_CLOSE, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size)))
    outlines, _ = cv2.findContours(found, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    whole = cv2.drawContours(np.zeros(found.shape, np.uint8), outlines, -1, 1, cv2.FILLED)
    wide = cv2.dilate(whole, np.ones((3, 3), np.uint8)).astype(np.float32)
    return np.clip(_FIRM * cv2.GaussianBlur(wide, (0, 0), max(1.0, _SOFT * unit)), 0, 1).astype(np.float32)


def _window(x: float, y: float, unit: float, shape: tuple[int, ...]) -> tuple[slice, slice]:
    across, above, below = (reach * unit for reach in _AROUND)
    return (
        slice(max(0, math.floor(y - above)), min(shape[0], math.ceil(y + below))),
        slice(max(0, math.floor(x - across)), min(shape[1], math.ceil(x + across))),
    )


def _bounds(alpha: np.ndarray) -> tuple[int, int, int, int]:
    """x, y, width and height of what is seen of an alpha, with an edge of one pixel where the frame has room."""
    x, y, width, height = cv2.boundingRect((alpha > 0).astype(np.uint8))
    left, top = max(0, x - 1), max(0, y - 1)
    right, bottom = min(alpha.shape[1], x + width + 1), min(alpha.shape[0], y + height + 1)
    return left, top, right - left, bottom - top


def _cut(colour: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    levels = np.rint(alpha * 255).astype(np.uint8)
    levels[[0, -1]] = 0
    levels[:, [0, -1]] = 0
    return np.dstack([colour[..., :3], levels])


def _mesh(
    region: tuple[int, int, int, int], travel: float, unit: float, shape: tuple[int, ...]
) -> tuple[Mesh, np.ndarray]:
    """The layer's mesh, and what share of the motion its points make: all in the region, none at the mesh's border."""
    x, y, width, height = region
    margin = _TRAVEL * travel
    lines, shares = [], []
    for start, length, side in ((x, width, shape[1]), (y, height, shape[0])):
        low, high = max(0, math.floor(start - margin)), min(side, math.ceil(start + length + margin))
        count = max(4, round((high - low) / (_STEP * unit)))
        line = sorted({round(low + (high - low) * i / count) for i in range(count + 1)})
        places = np.array(line, np.float32)
        far = np.maximum(np.maximum(start - places, places - start - length), 0)
        room = np.where(places < start, max(1.0, start - low), max(1.0, high - start - length))
        lines.append(tuple(line))
        shares.append(np.clip(1.25 * (1 - far / room), 0, 1).astype(np.float32))
    share = np.minimum(shares[1][:, None], shares[0][None])
    share[[0, -1]] = 0
    share[:, [0, -1]] = 0
    return Mesh(lines[0], lines[1]), share
