"""Frames between rendered ones: up to four neighbours, each warped by optical flow to the wanted place, and blended.

All works on a window of the picture. Flow is kept on a lattice, since it is smooth; a window with a finer lattice sees
finer motion. Fields are (rows, cols, 3) float32: how far a lattice point goes across and down, in pixels, and from 0 to
1 how much that is to be doubted, because the point seems to be hidden where it goes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

_STEPS = 3
_LEAST_WEIGHT = 1e-3
"""What is left of a frame's weight where it shows nothing of what is wanted, so that something is drawn there."""
_NO_MAP = np.empty((0, 0), np.float32)


@dataclass(frozen=True)
class Window:
    """An upright rectangle of the picture that is morphed by itself.

    Attributes:
        x, y, width, height: in pixels of the frame.
        stride: pixels between the points of the lattice.
        detail: pixels across a lattice block in the picture that flow is computed on.
        finest: how often that picture is halved for the last step of the search.
        tolerance: pixels by which the ways there and back may miss each other before a point is more doubted than not.
        interpolation: OpenCV's, for the pixels.
    """

    x: int
    y: int
    width: int
    height: int
    stride: int
    detail: int
    finest: int
    tolerance: float
    interpolation: int

    def cut(self, frame: np.ndarray) -> np.ndarray:
        """This part of a frame; a view."""
        return frame[self.y : self.y + self.height, self.x : self.x + self.width]

    @property
    def lattice(self) -> tuple[int, int]:
        """Columns and rows; a point lies in the middle of its block of stride × stride pixels."""
        return -(-self.width // self.stride), -(-self.height // self.stride)


@dataclass(frozen=True)
class Corner:
    """A rendered frame at one corner of a rectangle of the grid, with the flow to the others.

    Attributes:
        frame: (height, width, channels) uint8, the whole picture.
        across, down: fields of the ways along the rectangle's sides.
        bend: field of what going along both is more than the two together.
    """

    frame: np.ndarray
    across: np.ndarray
    down: np.ndarray
    bend: np.ndarray


def find_flow(a: np.ndarray, b: np.ndarray, window: Window) -> tuple[np.ndarray, np.ndarray]:
    """The fields of a window from one frame to another and back.

    Dense inverse search (Kroeger et al., "Fast Optical Flow using Dense Inverse Search", 2016), averaged over blocks.

    Args:
        a, b: luma of the frames, (height, width) uint8.
    """
    views = [_for_search(window.cut(image), window) for image in (a, b)]
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    search.setFinestScale(window.finest)
    there, back = (
        cv2.resize(search.calc(*pair, None), window.lattice, interpolation=cv2.INTER_AREA)  # type: ignore[call-overload]
        * np.float32(window.stride / window.detail)
        for pair in (views, views[::-1])
    )
    return _checked(there, back, window), _checked(back, there, window)


def positions(field: np.ndarray, window: Window) -> np.ndarray:
    """Where a field leads from each pixel of its window: (height, width, 2) float32, x and y in pixels of the frame."""
    there = _enlarged(field[..., :2].copy(), window)
    return np.add(_pixels(window.width, window.height, window.x, window.y), there)


def corner(
    frame: np.ndarray, across: np.ndarray, down: np.ndarray, across_first: np.ndarray, down_first: np.ndarray
) -> Corner:
    """A corner from its fields along the sides, and those to the opposite corner, over each of the other two."""
    return Corner(frame, across, down, (across_first + down_first) / 2 - across - down)


def chain(first: np.ndarray, second: np.ndarray, window: Window) -> np.ndarray:
    """The field of going one way and then, from there, another."""
    then = _sample(second, _pixels(*window.lattice) + first[..., :2] / np.float32(window.stride))
    field = first + then
    np.minimum(field[..., 2], 1, out=field[..., 2])
    return field


def morph(corners: Sequence[tuple[Corner, float, float]], window: Window) -> np.ndarray:
    """The window between its corners: (height, width, channels) uint8.

    Each corner's pixels go their way in proportion, bilinearly, and weigh as in bilinear interpolation, less where
    they are doubted.

    Args:
        corners: those of one rectangle, each with how far it is from there to the wanted place, across and down, 0 to
            less than 1 as a share of the sides.
    """
    drawn: np.ndarray = _NO_MAP
    total: np.ndarray = _NO_MAP
    for index, (one, across, down) in enumerate(corners):
        view, trust = _warp(one, across, down, window)
        weight = trust * np.float32((1 - across) * (1 - down)) + np.float32(_LEAST_WEIGHT)
        drawn, total = (cv2.blendLinear(drawn, view, total, weight), total + weight) if index else (view, weight)
    return drawn


def _warp(one: Corner, across: float, down: float, window: Window) -> tuple[np.ndarray, np.ndarray]:
    """The window as one corner sees it, and from 0 to 1 how much each of its pixels is to be trusted.

    Solves p + d(p) = q for p by fixed-point steps p ← q - d(p) on the lattice.
    """
    forward = one.across * np.float32(across) + one.down * np.float32(down) + one.bend * np.float32(across * down)
    cols, rows = window.lattice
    unit = np.float32(1 / window.stride)
    field = forward
    for _ in range(_STEPS):
        field = _sample(forward, _pixels(cols, rows) - field[..., :2] * unit)
    shift, doubt = (_enlarged(part, window) for part in (field[..., :2].copy(), field[..., 2].copy()))
    at = _pixels(window.width, window.height, window.x, window.y) - shift
    view = cv2.remap(one.frame, at, _NO_MAP, window.interpolation, borderMode=cv2.BORDER_REPLICATE)
    return view, 1 - doubt


def _enlarged(field: np.ndarray, window: Window) -> np.ndarray:
    """What is known on the lattice, at every pixel of the window."""
    cols, rows = window.lattice
    return cv2.resize(field, (cols * window.stride, rows * window.stride))[: window.height, : window.width]


def _for_search(view: np.ndarray, window: Window) -> np.ndarray:
    """The window continued to whole blocks, in the size for the search."""
    cols, rows = window.lattice
    below, right = rows * window.stride - view.shape[0], cols * window.stride - view.shape[1]
    full = cv2.copyMakeBorder(view, 0, below, 0, right, cv2.BORDER_REPLICATE)
    how = cv2.INTER_AREA if window.detail < window.stride else cv2.INTER_CUBIC
    return cv2.resize(full, (cols * window.detail, rows * window.detail), interpolation=how)


def _checked(there: np.ndarray, back: np.ndarray, window: Window) -> np.ndarray:
    """The field of a flow, by whether the way back leads home; what is doubted moves like what lies around it."""
    home = there + _sample(back, _pixels(*window.lattice) + there / np.float32(window.stride))
    trust = 1 / (1 + (home**2).sum(-1, keepdims=True) / np.float32(window.tolerance**2))
    near = cv2.GaussianBlur(np.dstack([there * trust, trust]), (0, 0), 2) + np.float32(1e-6)
    around = near[..., :2] / near[..., 2:]
    return np.dstack([around + (there - around) * trust, 1 - trust])


def _sample(field: np.ndarray, at: np.ndarray) -> np.ndarray:
    return cv2.remap(field, at, _NO_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


@lru_cache(maxsize=16)
def _pixels(width: int, height: int, x: int = 0, y: int = 0) -> np.ndarray:
    """(height, width, 2) float32: every pixel's own x and y. The same array each time: do not write to it."""
    grid = np.empty((height, width, 2), np.float32)
    grid[..., 0], grid[..., 1] = np.arange(x, x + width), np.arange(y, y + height)[:, None]
    grid.setflags(write=False)
    return grid
