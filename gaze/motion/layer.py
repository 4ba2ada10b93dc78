"""What is drawn over the morph, such as closing lids: pictures with alpha that a motion of their own carries along."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import cv2
import numpy as np

from gaze.grid import Cell, Look
from gaze.motion.keys import shares_around
from gaze.motion.morph import coefficients_at, premultiplied, unpremultiplied
from gaze.motion.motion import LayerKeys, Mesh
from gaze.photo.remapping import NO_MAP

BLINK = "blink"
"""The name of the layer that closes the eyes."""
_DOWN, _SHUT, _UP = 0.13, 0.04, 0.2
"""Seconds in which the eyes close, stay closed, and open: as the player takes."""
_ROUNDS = 6


class LayerMorph:
    """Draws a layer over the frames of its portrait, as the player does. Threads may share it."""

    def __init__(self, layer: LayerKeys) -> None:
        self._layer = layer
        self._pictures = {number: premultiplied(picture) for number, picture in layer.pictures.items()}
        mesh = layer.motion.mesh
        x, y = (np.arange(line[0], line[-1], dtype=np.float32) + 0.5 for line in (mesh.columns, mesh.rows))
        self._pixels = np.dstack(np.meshgrid(x, y)).astype(np.float32)
        self._moving = self._between(layer.motion.moving.astype(np.float32) / 255, self._pixels)[..., None]

    def __call__(self, frame: np.ndarray, look: Look | Cell, strength: float) -> np.ndarray:
        """A frame with the layer over it.

        Args:
            frame: (height, width, 3 or 4) uint8, the morph of the same look.
            look: 0 to the grid's size - 1, rows and columns.
            strength: how far the layer has gone, 0 to 1.
        """
        shares = value_shares(self._layer.values, strength)
        if not shares:
            return frame
        over = self._drawn(look, shares)
        out = frame.copy()
        view = out[self._layer.motion.mesh.box]
        below = premultiplied(view).astype(np.float32)
        alpha = over[..., 3:] / 255
        drawn = below * (1 - alpha) + over[..., : below.shape[2]]
        view[:] = np.where(alpha > 0, unpremultiplied(drawn), view)
        return out

    def _drawn(self, look: Look | Cell, shares: Mapping[int, float]) -> np.ndarray:
        """The layer in the mesh's box: (h, w, 4) float32, colours times alpha."""
        layer, motion = self._layer, self._layer.motion
        forward = motion.displacement(coefficients_at(motion, look))
        places = self._pixels
        for _ in range(_ROUNDS):
            places = self._pixels - self._between(forward, places)
        drawn = np.zeros((*places.shape[:2], 4), np.float32)
        m = len(layer.keys)
        for (row, col), weight in self._keys_around(look).items():
            shift = motion.displacement(motion.coefficients[layer.keys[row], layer.keys[col]])
            at = places + self._between(shift, places) - np.array(layer.region[:2], np.float32) - np.float32(0.5)
            for value, share in shares.items():
                picture = self._pictures[value * m * m + row * m + col]
                seen = cv2.remap(picture, at, NO_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
                drawn += seen * np.float32(weight * share)
        return drawn * self._moving

    def _keys_around(self, look: Look | Cell) -> dict[tuple[int, int], float]:
        """Shares of the pictures of a value, by their row and column among `keys`."""
        axis = tuple(self._layer.motion.looks[key] for key in self._layer.keys)
        if len(axis) == 1:
            return {(0, 0): 1.0}
        return {place: share for place, share in shares_around(axis, look).items() if share > 0}

    def _between(self, values: np.ndarray, at: np.ndarray) -> np.ndarray:
        """What is known at the mesh's points, at places in the frame."""
        mesh = self._layer.motion.mesh
        places = [
            np.interp(at[..., axis], line, np.arange(len(line))) for axis, line in enumerate((mesh.columns, mesh.rows))
        ]
        index = np.dstack(places).astype(np.float32)
        return cv2.remap(values, index, NO_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def resized_layer(layer: LayerKeys, before: tuple[int, int], after: tuple[int, int]) -> LayerKeys:
    """The same layer for frames of another width and height; both are those of the whole frame, in pixels."""
    if before == after:
        return layer
    scales = [new / old for new, old in zip(after, before, strict=True)]
    x, y, width, height = layer.region
    left, right = math.floor(x * scales[0]), math.ceil((x + width) * scales[0])
    top, bottom = math.floor(y * scales[1]), math.ceil((y + height) * scales[1])
    at = [
        ((np.arange(start, end) + 0.5) / scale - 0.5 - first).astype(np.float32)
        for start, end, scale, first in ((left, right, scales[0], x), (top, bottom, scales[1], y))
    ]
    columns, rows = np.meshgrid(*at)

    def drawn(picture: np.ndarray) -> np.ndarray:
        blurred: np.ndarray = premultiplied(picture).astype(np.float32)
        if max(scales) < 1:  # so that nothing aliases
            blurred = cv2.GaussianBlur(blurred, (0, 0), 0.4 / scales[0], None, 0.4 / scales[1])
        border = cv2.BORDER_CONSTANT
        made = unpremultiplied(cv2.remap(blurred, columns, rows, cv2.INTER_LINEAR, borderMode=border))
        made[[0, -1], :, 3] = 0
        made[:, [0, -1], 3] = 0
        return made

    motion = layer.motion
    lines, kept = zip(
        *(
            np.unique(np.round(np.array(line) * scale).astype(int), return_index=True)
            for line, scale in zip((motion.mesh.columns, motion.mesh.rows), scales, strict=True)
        ),
        strict=True,
    )
    mesh = Mesh(tuple(map(int, lines[0])), tuple(map(int, lines[1])))
    part = np.ix_(kept[1], kept[0])
    fields = motion.fields[:, part[0], part[1]]
    moving = motion.moving[part].copy()
    smaller = replace(motion, mesh=mesh, fields=fields, unit=motion.unit * float(np.mean(scales)), moving=moving)
    pictures = {number: drawn(picture) for number, picture in layer.pictures.items()}
    return replace(layer, region=(left, top, right - left, bottom - top), motion=smaller, pictures=pictures)


def blink_strength(seconds: float) -> float:
    """How far the eyes are closed so long after a blink began, 0 to 1; 0 before and after."""
    if seconds <= 0 or seconds >= _DOWN + _SHUT + _UP:
        return 0.0
    part = seconds / _DOWN if seconds < _DOWN else 1 - max(0.0, seconds - _DOWN - _SHUT) / _UP
    return part * part * (3 - 2 * part)


def value_shares(values: tuple[float, ...], strength: float) -> dict[int, float]:
    """How much the pictures of each value count at a strength, by the value's index; none at 0."""
    if strength <= 0:
        return {}
    if strength <= values[0]:
        return {0: strength / values[0]}
    after = next((i for i, value in enumerate(values) if value >= strength), len(values) - 1)
    part = min(1.0, (strength - values[after - 1]) / (values[after] - values[after - 1]))
    return {after - 1: 1 - part, after: part} if part < 1 else {after: 1.0}
