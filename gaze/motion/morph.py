"""The frame of any look, morphed from keys: the same arithmetic as the player's shader (docs/format.md).

Each point p of the middle key goes to p + d(p). A frame shows at q the point p with p + d(p) = q, in the colours that
the keys around the look give that point, each at its own place there.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache, partial

import cv2
import numpy as np

from gaze.grid import Cell, Look
from gaze.motion.keys import around, shares_around
from gaze.motion.motion import Mesh, Motion
from gaze.photo.remapping import NO_MAP, pixels

_STEP = 2
"""Displacements are followed at every second pixel: they are smooth, and it takes a quarter of the time."""
_ROUNDS = 6
_LEAST_TRUST = 1 / 255
"""What is left of a key's weight where it does not show the point, so that something is drawn there."""


class Morph:
    """Morphs the frames of all looks. Threads may share it.

    Args:
        motion: of the keys.
        keys: the frame of each key by its number, row · n + column: (height, width, 3 or 4) uint8, of one shape.
        interpolation: OpenCV's, for the pixels; a player has the linear one, which is a little softer.
    """

    def __init__(self, motion: Motion, keys: Mapping[int, np.ndarray], interpolation: int = cv2.INTER_CUBIC) -> None:
        self._motion, self._interpolation = motion, interpolation
        self._n = len(motion.looks)
        self._box = motion.mesh.box
        self._static = keys[motion.middle * self._n + motion.middle]
        self._keys = {number: premultiplied(frame[self._box]) for number, frame in keys.items()}
        self._at = _lattice_positions(motion.mesh, _STEP)
        height, width = self._static[self._box].shape[:2]
        self._size = (width, height)
        share = _sample(motion.moving.astype(np.float32) / 255, _lattice_positions(motion.mesh, 1))
        self._moving = np.repeat(share[..., None], self._static.shape[2], 2)
        self._still = self._keys[motion.middle * self._n + motion.middle] * (1 - self._moving)
        # Not by a method: the cache would hold the morph that holds it, and both would stay with all the frames.
        self._fields = lru_cache(4 * self._n)(partial(_fields_of, motion, self._at))

    def __call__(self, look: Look | Cell) -> np.ndarray:
        """The frame of a look, of the keys' shape. At a key it is the key, but for what stands still.

        Args:
            look: 0 to the grid's size - 1, rows and columns.
        """
        shares = shares_around(self._motion.looks, look)
        weights = {row * self._n + col: share for (row, col), share in shares.items() if share > 1e-6}
        if len(weights) == 1:
            return self._composed(self._keys[next(iter(weights))].astype(np.float32))
        places = self._origins(look)
        own = pixels(places.shape[1], places.shape[0])
        drawn, total = None, None
        for number, weight in weights.items():
            shift, trust = self._fields(number)
            at = self._enlarged(places - own + _sample(shift, places)) + pixels(*self._size)
            view = cv2.remap(self._keys[number], at, NO_MAP, self._interpolation, borderMode=cv2.BORDER_REPLICATE)
            if trust is None:
                drawn = _added(drawn, view, weight)
            else:
                seen = np.maximum(_sample(trust, places), _LEAST_TRUST) * np.float32(weight)
                share = cv2.resize(seen, self._size)[..., None]
                part = view * share
                drawn, total = (part, share) if drawn is None else (drawn + part, total + share)
        assert drawn is not None
        return self._composed(drawn if total is None else drawn / total)

    def _enlarged(self, shift: np.ndarray) -> np.ndarray:
        """Displacements that are known at every `_STEP`-th pixel, for all."""
        height, width = shift.shape[:2]
        full = cv2.resize(shift, (width * _STEP, height * _STEP))
        return full[: self._size[1], : self._size[0]] * np.float32(_STEP)

    def _origins(self, look: Look | Cell) -> np.ndarray:
        """The point of the middle key that each pixel shows: (h, w, 2) float32, in steps of `_STEP` pixels.

        Solves p + d(p) = q for p by fixed-point steps p ← q - d(p).
        """
        forward = _shift(self._motion, coefficients_at(self._motion, look), self._at)
        own = pixels(forward.shape[1], forward.shape[0])
        places = own - forward
        for _ in range(_ROUNDS):
            places = own - _sample(forward, places)
        return places

    def _composed(self, colour: np.ndarray) -> np.ndarray:
        """The whole frame, where the morph covers the still picture as far as `moving` says."""
        frame = self._static.copy()
        mixed = unpremultiplied(colour * self._moving + self._still)
        view = frame[self._box]
        view[:] = np.where(self._moving > 0, mixed, view)
        return frame


def _fields_of(motion: Motion, at: np.ndarray, number: int) -> tuple[np.ndarray, np.ndarray | None]:
    """How far each place of a key has come, in steps of `_STEP` pixels, and how far that is to be trusted."""
    row, col = divmod(number, len(motion.looks))
    shift = _shift(motion, motion.coefficients[row, col], at)
    if motion.trust is None:
        return shift, None
    return shift, _sample(motion.trust[row, col].astype(np.float32) / 255, at)


def _shift(motion: Motion, weights: np.ndarray, at: np.ndarray) -> np.ndarray:
    return _sample(motion.displacement(weights), at) * np.float32(1 / _STEP)


def coefficients_at(motion: Motion, look: Look | Cell) -> np.ndarray:
    """The coefficients of a look, (rank,): a cubic through the keys along columns, then rows."""
    across = hermite_weights(motion.looks, look.col)
    down = hermite_weights(motion.looks, look.row)
    return np.einsum("i,j,ijr->r", down, across, motion.coefficients)


def hermite_weights(looks: tuple[float, ...], look: float) -> np.ndarray:
    """How much each key of an axis counts at a look, (n,) float64: a cubic Hermite spline through the keys.

    Tangents are the slopes between both neighbours, at the ends to the one there is (Catmull and Rom, "A class of local
    interpolating splines", 1974).
    """
    n = len(looks)
    before, after, t = around(looks, look)
    gap = looks[after] - looks[before]
    values = np.zeros(n)
    squared, cubed = t * t, t * t * t
    values[before] += 2 * cubed - 3 * squared + 1
    values[after] += 3 * squared - 2 * cubed
    for index, share in ((before, cubed - 2 * squared + t), (after, cubed - squared)):
        low, high = max(index - 1, 0), min(index + 1, n - 1)
        slope = share * gap / (looks[high] - looks[low])
        values[high] += slope
        values[low] -= slope
    return values


def _lattice_positions(mesh: Mesh, step: int) -> np.ndarray:
    """Where every `step`-th pixel of the mesh's box lies between its points: (h, w, 2) float32, x and y.

    The places are the middles of blocks of step × step pixels, the convention of cv2.resize.
    """
    axes = []
    for line in (mesh.columns, mesh.rows):
        count = -(-(line[-1] - line[0]) // step)
        places = line[0] + (np.arange(count) + 0.5) * step
        axes.append(np.interp(places, line, np.arange(len(line))).astype(np.float32))
    return np.dstack(np.meshgrid(*axes)).astype(np.float32)


def _sample(values: np.ndarray, at: np.ndarray) -> np.ndarray:
    """What is known at the mesh's points, at these places between them."""
    return cv2.remap(values, at, NO_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _added(drawn: np.ndarray | None, view: np.ndarray, weight: float) -> np.ndarray:
    if drawn is None:
        return view * np.float32(weight)
    return cv2.addWeighted(drawn, 1, view.astype(np.float32), weight, 0, dst=drawn)


def premultiplied(frame: np.ndarray) -> np.ndarray:
    """(height, width, 3 or 4) uint8: colours times alpha, so that what is transparent lends none to its neighbours."""
    frame = np.ascontiguousarray(frame)
    if frame.shape[2] == 3:
        return frame
    alpha = np.ascontiguousarray(frame[..., 3:])
    colour = cv2.multiply(frame, np.repeat(alpha, 4, 2), scale=1 / 255)
    colour[..., 3:] = alpha
    return colour


def unpremultiplied(frame: np.ndarray) -> np.ndarray:
    """Float colours times alpha, 0 to 255, back to (height, width, 3 or 4) uint8."""
    if frame.shape[2] == 4:
        alpha = frame[..., 3:]
        frame = np.concatenate([frame[..., :3] * (255 / np.maximum(alpha, 1e-3)), alpha], axis=2)
    return cv2.convertScaleAbs(np.maximum(frame, 0))


def resized(frame: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """A frame (height, width, 3 or 4) uint8 in another width and height; what is hidden lends no colour."""
    if frame.shape[1::-1] == size:
        return frame
    smaller = size[0] < frame.shape[1]
    how = cv2.INTER_AREA if smaller else cv2.INTER_CUBIC
    if frame.shape[2] == 3:
        return cv2.resize(frame, size, interpolation=how)
    return unpremultiplied(cv2.resize(premultiplied(frame).astype(np.float32), size, interpolation=how))
