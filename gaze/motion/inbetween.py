"""In-between frames: the cells of a grid that were not rendered, morphed from the keys around them.

Two windows are morphed and laid over each other: all that moves, and the eyes, with a field as fine as an iris needs.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

import cv2
import numpy as np

from gaze.face.face import Face
from gaze.grid import Cell, Strengths
from gaze.motion.old_keys import Axis, around, cells_of
from gaze.motion.flow import Corner, Window, chain, corner, find_flow, morph

Frames = Callable[[Cell], np.ndarray]
"""Hands out the frame of a key, (height, width, 3 or 4) uint8."""

# All in distances between the irises, so that it does not depend on the frames' size.
_STRIDE, _TOLERANCE = 1 / 9, 0.02
_EYE_STRIDE, _EYE_TOLERANCE = 1 / 37, 0.013
_EYE_REACH = (0.40, 0.28)
"""From an iris to the end of what belongs to its eye, lashes and creases included, across and down."""
_EYE_BOX = (0.32, 0.22)
"""Half of what is looked at to judge an eye: less, so that still skin does not make up for it."""
_HEAD_TRAVEL, _GAZE_TRAVEL = 0.26, (0.08, 0.03)
"""How far the head carries an eye at the grid's edge, and the gaze the iris: the measurements of the instant engine."""
_EDGE = 0.12
"""Width of the soft edge of the eyes' window."""
_DETAIL, _EYE_DETAIL = 4, 2
"""Pixels across a lattice block in the picture that flow is computed on."""
_QUADS, _FLOWS = 16, 256
"""How many are kept, so that memory does not grow with the number of keys."""


_Place = tuple[bool, bool]
"""Which key of four: whether it is a lower and a right one."""
_PLACES: tuple[_Place, ...] = ((False, False), (False, True), (True, False), (True, True))


class _Quad(NamedTuple):
    """What the cells between four keys share.

    Attributes:
        corners: for the window of all that moves and for the eyes', by the key.
        moving: (height, width) uint8, 255 where the keys differ.
    """

    corners: tuple[dict[_Place, Corner], dict[_Place, Corner]]
    moving: np.ndarray


class Inbetween:
    """Morphs the frames of a grid from its keys. Threads may share it.

    Args:
        axis: rows and columns of the keys.
        keys: hands out their frames, all of one shape; asked for each more than once.
        face: the face of the portrait that the engine was given.
        strengths: how strongly the grid's poses act.

    Attributes:
        eyes: the window around both eyes, wherever the grid moves them.
    """

    def __init__(self, axis: Axis, keys: Frames, face: Face, strengths: Strengths | None = None) -> None:
        self._axis, self._keys = axis, keys
        self._face, self._strengths = face, strengths or Strengths()
        height, width = keys(Cell(axis[0], axis[0])).shape[:2]
        self.eyes = _eyes_window(face, self._strengths, width, height)
        self._windows = (_moving_window(map(keys, cells_of(axis)), face), self.eyes)
        self._softness = _soft_edge(self.eyes, _EDGE * face.iris_distance)
        self._view = lru_cache(_QUADS)(self._find_view)
        self._flows = lru_cache(_FLOWS)(self._find_flows)
        self._quad = lru_cache(_QUADS)(self._find_quad)

    def frame(self, cell: Cell) -> np.ndarray:
        """The frame of a cell, of the keys' shape; a key's own is handed out as it is."""
        top, bottom, down = around(self._axis, cell.row)
        left, right, across = around(self._axis, cell.col)
        nearest = Cell(bottom if down > 0.5 else top, right if across > 0.5 else left)
        if nearest == cell:
            return self._keys(cell)
        quad = self._quad(top, bottom, left, right)
        ways = {place: (1 - across if place[1] else across, 1 - down if place[0] else down) for place in _PLACES}
        frame = self._keys(nearest).copy()
        whole, eyes = (
            morph([(corners[place], *way) for place, way in ways.items() if max(way) < 1], window)
            for corners, window in zip(quad.corners, self._windows, strict=True)
        )
        canvas = self._view(nearest).copy()
        self._windows[0].cut(canvas)[:] = whole
        part = self.eyes.cut(canvas)
        part[:] = cv2.blendLinear(eyes, part, self._softness, 1 - self._softness)
        return cv2.copyTo(_unpremultiplied(canvas), quad.moving, frame)

    def eye_boxes(self, cell: Cell) -> list[tuple[slice, slice]]:
        """Rows and columns of the frame around each eye, about where the head carries it in a cell."""
        unit, strengths, last = self._face.iris_distance, self._strengths, self._axis[-1]
        dx, dy = (_HEAD_TRAVEL * strengths.head * unit * (2 * index / last - 1) for index in (cell.col, cell.row))
        across, down = (part * unit for part in _EYE_BOX)
        return [
            (
                slice(max(0, round(iris.y + dy - down)), round(iris.y + dy + down)),
                slice(max(0, round(iris.x + dx - across)), round(iris.x + dx + across)),
            )
            for iris in (self._face.left, self._face.right)
        ]

    def _find_quad(self, top: int, bottom: int, left: int, right: int) -> _Quad:
        cells = {place: Cell(bottom if place[0] else top, right if place[1] else left) for place in _PLACES}
        corners = tuple({place: self._corner(cells, place, window) for place in _PLACES} for window in self._windows)
        frames = [self._keys(cell) for cell in cells.values()]
        longest = max(
            float(np.abs(field[..., :2]).max()) for one in corners[0].values() for field in (one.across, one.down)
        )
        return _Quad((corners[0], corners[1]), _moving(frames, longest))

    def _corner(self, cells: dict[_Place, Cell], place: _Place, window: Window) -> Corner:
        lower, further = place
        here, beside, below = cells[place], cells[lower, not further], cells[not lower, further]
        opposite = cells[not lower, not further]
        across, down = self._way(here, beside, window), self._way(here, below, window)
        return corner(
            self._view(here),
            across,
            down,
            chain(across, self._way(beside, opposite, window), window),
            chain(down, self._way(below, opposite, window), window),
        )

    def _way(self, a: Cell, b: Cell, window: Window) -> np.ndarray:
        # Both directions come from one search, whichever is asked for first.
        forward = (a.row, a.col) < (b.row, b.col)
        return self._flows(*((a, b) if forward else (b, a)), window)[0 if forward else 1]

    def _find_flows(self, a: Cell, b: Cell, window: Window) -> tuple[np.ndarray, np.ndarray]:
        return find_flow(_luma(self._view(a)), _luma(self._view(b)), window)

    def _find_view(self, cell: Cell) -> np.ndarray:
        return _premultiplied(self._keys(cell))


def _eyes_window(face: Face, strengths: Strengths, width: int, height: int) -> Window:
    unit = face.iris_distance
    across, down = (
        unit * (reach + _HEAD_TRAVEL * strengths.head + travel * strengths.eyes)
        for reach, travel in zip(_EYE_REACH, _GAZE_TRAVEL, strict=True)
    )
    xs, ys = (face.left.x, face.right.x), (face.left.y, face.right.y)
    x0, y0 = max(0, int(min(xs) - across)), max(0, int(min(ys) - down))
    x1, y1 = min(width, int(max(xs) + across) + 1), min(height, int(max(ys) + down) + 1)
    stride = max(1, round(_EYE_STRIDE * unit))
    return Window(x0, y0, x1 - x0, y1 - y0, stride, _EYE_DETAIL, 0, _EYE_TOLERANCE * unit, cv2.INTER_CUBIC)


def _moving_window(frames: Iterable[np.ndarray], face: Face) -> Window:
    """The rectangle outside which all frames agree; all of the picture if nothing moves."""
    unit = face.iris_distance
    moving = _differing(frames)
    x, y, width, height = cv2.boundingRect(moving)
    if not width:
        height, width = moving.shape
    stride = max(1, round(_STRIDE * unit))
    return Window(x, y, width, height, stride, _DETAIL, 1, _TOLERANCE * unit, cv2.INTER_LINEAR)


def _moving(frames: Sequence[np.ndarray], motion: float) -> np.ndarray:
    """255 where frames differ and where something may have passed in between, which is not farther than `motion`."""
    side = 2 * math.ceil(motion) + 1
    return cv2.morphologyEx(_differing(frames), cv2.MORPH_CLOSE, np.ones((side, side), np.uint8))


def _differing(frames: Iterable[np.ndarray]) -> np.ndarray:
    """(height, width) uint8: 255 where not all frames are the same."""
    rest = iter(frames)
    least = most = next(rest)
    for frame in rest:
        least, most = np.minimum(least, frame), np.maximum(most, frame)
    return np.where((least != most).any(-1), 255, 0).astype(np.uint8)


def _soft_edge(window: Window, width: float) -> np.ndarray:
    """(height, width) float32: 1 inside, falling to nearly 0 within so many pixels of the window's edge."""
    x, y = (np.minimum(np.arange(n) + 0.5, n - 0.5 - np.arange(n)) / width for n in (window.width, window.height))
    return np.clip(np.minimum.outer(y, x), 0, 1).astype(np.float32)


def _luma(frame: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(frame, cv2.COLOR_RGBA2GRAY if frame.shape[2] == 4 else cv2.COLOR_RGB2GRAY)


def _premultiplied(frame: np.ndarray) -> np.ndarray:
    """Colours times alpha, so that what is transparent lends no colour to its neighbours."""
    if frame.shape[2] == 3:
        return frame
    alpha = frame[..., 3:]
    colour = cv2.multiply(frame, np.repeat(alpha, 4, 2), scale=1 / 255)
    colour[..., 3:] = alpha
    return colour


def _unpremultiplied(frame: np.ndarray) -> np.ndarray:
    if frame.shape[2] == 3:
        return frame
    alpha = frame[..., 3:]
    colour = cv2.divide(frame, np.repeat(alpha, 4, 2), scale=255)
    colour[..., 3:] = alpha
    return colour
