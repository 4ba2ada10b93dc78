"""The frame of any look, morphed from keys: the same arithmetic as the player's shader (docs/format.md).

Each point p of the middle key goes to p + d(p). A frame shows at q the point p with p + d(p) = q, in the colours that the
keys around the look give that point, each at its own place there.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import cv2
import numpy as np

from gaze.grid import Cell, Look
from gaze.motion.keys import around
from gaze.motion.motion import Mesh, Motion

_STEPS = 8
_LEAST_TRUST = 1 / 255
"""What is left of a key's weight where it does not show the point, so that something is drawn there."""
_NO_MAP = np.empty((0, 0), np.float32)


class Morph:
    """Morphs the frames of all looks. Threads may share it.

    Args:
        motion: of the keys.
        keys: the frame of each key by its number, row · n + column: (height, width, 3 or 4) uint8, of one shape.
        interpolation: OpenCV's, for the pixels; a player has the linear one, which is a little softer.
    """

    def __init__(self, motion: Motion, keys: Mapping[int, np.ndarray], interpolation: int = cv2.INTER_CUBIC) -> None:
        self._motion, self._interpolation = motion, interpolation
        box = motion.mesh.box
        self._box = box
        n = len(motion.looks)
        self._static = keys[motion.middle * n + motion.middle]
        self._keys = {number: _premultiplied(frame[box]) for number, frame in keys.items()}
        self._still = _premultiplied(self._static[box])
        self._at = _lattice_positions(motion.mesh)
        self._moving = _dense(motion.moving.astype(np.float32), self._at)
        self._fields = lru_cache(4 * n)(self._find_fields)

    def __call__(self, look: Look | Cell) -> np.ndarray:
        """The frame of a look, of the keys' shape. At a key it is the key, but for what stands still.

        Args:
            look: 0 to the grid's size - 1, rows and columns.
        """
        looks, n = self._motion.looks, len(self._motion.looks)
        top, bottom, down = around(looks, look.row)
        left, right, across = around(looks, look.col)
        weights = {
            row * n + col: (down if row == bottom else 1 - down) * (across if col == right else 1 - across)
            for row in (top, bottom)
            for col in (left, right)
        }
        weights = {number: weight for number, weight in weights.items() if weight > 0}
        if len(weights) == 1:
            return self._composed(self._keys[next(iter(weights))].astype(np.float32))
        places = self._origins(look)
        colour: np.ndarray = _NO_MAP
        total: np.ndarray = _NO_MAP
        for index, (number, weight) in enumerate(weights.items()):
            at, trust = self._fields(number)
            shift = cv2.remap(at, places, _NO_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
            view = cv2.remap(
                self._keys[number], places + shift, _NO_MAP, self._interpolation, borderMode=cv2.BORDER_REPLICATE
            ).astype(np.float32)
            if trust is None:
                share: np.ndarray = np.full(places.shape[:2], weight, np.float32)
            else:
                seen = cv2.remap(trust, places, _NO_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
                share = np.maximum(seen, _LEAST_TRUST) * np.float32(weight)
            colour = view * share[..., None] if not index else colour + view * share[..., None]
            total = share if not index else total + share
        return self._composed(colour / total[..., None])

    def _origins(self, look: Look | Cell) -> np.ndarray:
        """For each pixel of the box the point of the middle key it shows: (h, w, 2) float32, pixel centres at 0."""
        weights = coefficients_at(self._motion, look)
        forward = _dense(self._motion.displacement(weights), self._at)
        pixels = _pixels(forward.shape[1], forward.shape[0])
        there = forward
        for _ in range(_STEPS):
            there = cv2.remap(forward, pixels - there, _NO_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return np.subtract(pixels, there)

    def _find_fields(self, number: int) -> tuple[np.ndarray, np.ndarray | None]:
        n = len(self._motion.looks)
        row, col = divmod(number, n)
        shift = _dense(self._motion.displacement(self._motion.coefficients[row, col]), self._at)
        if self._motion.trust is None:
            return shift, None
        return shift, _dense(self._motion.trust[row, col].astype(np.float32) / 255, self._at)

    def _composed(self, colour: np.ndarray) -> np.ndarray:
        """The whole frame, where the morph covers the still picture as far as `moving` says."""
        share = self._moving[..., None] / np.float32(255)
        mixed = self._still + share * (colour - self._still)
        frame = self._static.copy()
        frame[self._box] = np.where(share > 0, _unpremultiplied(mixed), frame[self._box])
        return frame


def coefficients_at(motion: Motion, look: Look | Cell) -> np.ndarray:
    """The coefficients of a look, (rank,): a cubic through the keys along columns, then rows."""
    across = hermite_weights(motion.looks, look.col)
    down = hermite_weights(motion.looks, look.row)
    return np.einsum("i,j,ijr->r", down, across, motion.coefficients)


def hermite_weights(looks: tuple[float, ...], look: float) -> np.ndarray:
    """How much each key of an axis counts at a look, (n,) float64: the cubic Hermite spline through evenly spaced knots.

    Tangents are half the difference of both neighbours, at the ends the difference to the one (Catmull-Rom).
    """
    n = len(looks)
    before, after, t = around(looks, look)
    values = np.zeros(n)
    squared, cubed = t * t, t * t * t
    values[before] += 2 * cubed - 3 * squared + 1
    values[after] += 3 * squared - 2 * cubed
    for index, share in ((before, cubed - 2 * squared + t), (after, cubed - squared)):
        low, high = max(index - 1, 0), min(index + 1, n - 1)
        values[high] += share / (high - low)
        values[low] -= share / (high - low)
    return values


def _lattice_positions(mesh: Mesh) -> np.ndarray:
    """For each pixel of the mesh's box where its middle lies between the points: (h, w, 2) float32, x and y."""
    axes = [
        np.interp(np.arange(line[0], line[-1]) + 0.5, line, np.arange(len(line))).astype(np.float32)
        for line in (mesh.columns, mesh.rows)
    ]
    return np.dstack(np.meshgrid(*axes)).astype(np.float32)


def _dense(values: np.ndarray, at: np.ndarray) -> np.ndarray:
    """What is known at the mesh's points, at every pixel of its box."""
    return cv2.remap(values, at, _NO_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _premultiplied(frame: np.ndarray) -> np.ndarray:
    """Colours times alpha, so that what is transparent lends no colour to its neighbours."""
    if frame.shape[2] == 3:
        return np.ascontiguousarray(frame)
    alpha = np.ascontiguousarray(frame[..., 3:])
    colour = cv2.multiply(np.ascontiguousarray(frame), np.repeat(alpha, 4, 2), scale=1 / 255)
    colour[..., 3:] = alpha
    return colour


def _unpremultiplied(frame: np.ndarray) -> np.ndarray:
    """Float colours times alpha back to (height, width, 3 or 4) uint8."""
    if frame.shape[2] == 4:
        alpha = frame[..., 3:]
        frame = np.concatenate([frame[..., :3] * (255 / np.maximum(alpha, 1e-3)), alpha], axis=2)
    return np.clip(frame + 0.5, 0, 255).astype(np.uint8)


@lru_cache(maxsize=8)
def _pixels(width: int, height: int) -> np.ndarray:
    """(height, width, 2) float32: every pixel's own x and y. The same array each time: do not write to it."""
    grid = np.empty((height, width, 2), np.float32)
    grid[..., 0], grid[..., 1] = np.arange(width), np.arange(height)[:, None]
    grid.setflags(write=False)
    return grid
