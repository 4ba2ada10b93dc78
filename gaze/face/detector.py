"""Where faces are: boxes by BlazeFace (Bazarevsky et al., "BlazeFace", 2019) in pictures of any size.

The networks are shown the whole picture shrunk to their input. There they find faces with irises at least a fiftieth of
the longer side apart; smaller ones are looked for in overlapping tiles of the picture as it is.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from functools import cache
from typing import NamedTuple

import cv2
import numpy as np

from gaze.face.networks import BACK, FULL_RANGE, Model, network

# Sides of the cells of the anchors' grids in pixels of the input, and how many anchors each cell has.
_GRIDS = {BACK: ((16, 2), (32, 6)), FULL_RANGE: ((4, 1),)}
_LEAST_SCORE = 0.5
_SAME = 0.3
"""Overlap, intersection over union, from which on two boxes are of one face."""
_FILLING = 0.15
"""Height of a box, in the picture's longer sides, of a face that the picture is of. Only where there is none are faces
far away looked for at once: that takes as long as all else."""
_SMALL = 0.07
"""The same of faces beside which others may be too small to be seen in the whole picture."""
_ENOUGH = 1536
"""Pixels of the longer side up to which a picture is shown to networks that see 256 without being halved first."""
_MARGIN = 0.4
"""Share of the longer side that is put around a picture which a face fills to its borders."""
_TILES = (1000, 1600)
"""Least and largest side of a tile in pixels; between them it is half of the picture's longer side."""
_TILE_OVERLAP = 0.25


class Detection(NamedTuple):
    """A box in image pixels.

    Attributes:
        score: 0 to 1, what the network says.
        x, y: its middle.
        width, height: its sides.
        points: (6, 2) left eye, right eye, tip of the nose, mouth, left and right ear, as in the image.
    """

    score: float
    x: float
    y: float
    width: float
    height: float
    points: np.ndarray

    @property
    def roll(self) -> float:
        """Of the line through the eyes, radians clockwise."""
        across = self.points[1] - self.points[0]
        return math.atan2(across[1], across[0])


def detect(image: np.ndarray) -> Iterator[list[Detection]]:
    """Boxes of the faces in a picture, (height, width, 3) uint8 RGB, best first: look on where those held no face.

    First in the whole picture, by the second network where the first finds no large face; then in one with a margin,
    where faces may fill it; then in tiles of large ones, but at once where others are so small that these may not be
    all.
    """
    small, scale = image, 1
    longer, shorter = max(image.shape[:2]), min(image.shape[:2])
    while longer > _ENOUGH * scale and shorter >= 2 * scale:
        small, scale = _halved(small), 2 * scale

    def whole(margin: int, model: Model) -> list[Detection]:
        shown = cv2.copyMakeBorder(small, margin, margin, margin, margin, cv2.BORDER_CONSTANT) if margin else small
        return _distinct([_moved(it, scale, (-margin, -margin)) for it in _run(model, shown)])

    @cache
    def tiles() -> tuple[Detection, ...]:
        if longer <= _TILES[0] or shorter == 1:
            return ()
        side = min(_TILES[1], max(_TILES[0], longer // 2)) // 2
        return tuple(_moved(it, 2, (0, 0)) for it in _in_tiles(_halved(image), side))

    def with_others(found: list[Detection]) -> list[Detection]:
        return _distinct([*found, *tiles()]) if any(it.height < _SMALL * longer for it in found) else _distinct(found)

    near = whole(0, BACK)
    if any(it.height > _FILLING * longer for it in near):
        yield near
        yield whole(0, FULL_RANGE)
    else:
        yield with_others(near + whole(0, FULL_RANGE))
    yield with_others(whole(round(_MARGIN * max(small.shape[:2])), BACK))
    yield _distinct(tiles())


def _halved(image: np.ndarray) -> np.ndarray:
    """The means of blocks of four pixels, far faster than another factor; an odd last row or column is left out."""
    height, width = image.shape[0] // 2, image.shape[1] // 2
    return cv2.resize(image[: 2 * height, : 2 * width], (width, height), interpolation=cv2.INTER_AREA)


def _in_tiles(image: np.ndarray, side: int) -> Iterator[Detection]:
    height, width = image.shape[:2]
    for top in _starts(height, side):
        for left in _starts(width, side):
            for it in _run(BACK, image[top : top + side, left : left + side]):
                yield _moved(it, 1, (left, top))


def _moved(it: Detection, scale: int, shift: tuple[int, int]) -> Detection:
    """A box of a picture that was shrunk by `scale` and moved by `-shift`, in pixels of the picture as it was."""
    x, y = (np.array([it.x, it.y]) + shift + 0.5) * scale - 0.5
    points = (it.points + shift + 0.5) * scale - 0.5
    return Detection(it.score, float(x), float(y), it.width * scale, it.height * scale, points)


def _starts(length: int, side: int) -> list[int]:
    """Where tiles of a side begin so that they overlap and cover a length evenly."""
    if length <= side:
        return [0]
    count = math.ceil((length - side) / (side * (1 - _TILE_OVERLAP))) + 1
    return [round(index * (length - side) / (count - 1)) for index in range(count)]


def _run(model: Model, image: np.ndarray) -> list[Detection]:
    net = network(model)
    height, width = image.shape[:2]
    scale = net.side / max(height, width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    left, top = (net.side - size[0]) // 2, (net.side - size[1]) // 2
    square = np.full((net.side, net.side, 3), -1, np.float32)
    shrunk = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    square[top : top + size[1], left : left + size[0]] = shrunk / np.float32(127.5) - 1
    values, logits = net(square)
    scores = 1 / (1 + np.exp(-np.clip(logits, -80, 80)))
    likely = np.flatnonzero(scores > _LEAST_SCORE)
    boxes = values.reshape(-1, 8, 2)[likely].astype(np.float64)
    boxes[:, 0] += _anchors(model)[likely] * net.side
    boxes[:, 2:] += _anchors(model)[likely, None] * net.side
    # From the input's edge-based coordinates to pixel centres of the image.
    across, down = width / size[0], height / size[1]
    found = []
    for score, (middle, sides, *points) in zip(scores[likely], boxes, strict=True):
        x, y = (middle - (left, top)) * (across, down) - 0.5
        places = (np.array(points) - (left, top)) * (across, down) - 0.5
        found.append(Detection(float(score), x, y, sides[0] * across, sides[1] * down, places))
    return _blended(found)


@cache
def _anchors(model: Model) -> np.ndarray:
    """(n, 2): middles of the anchors, as parts of the input's side."""
    grids = []
    for stride, count in _GRIDS[model]:
        cells = model.side // stride
        y, x = np.mgrid[:cells, :cells]
        middles = np.stack([(x + 0.5) / cells, (y + 0.5) / cells], -1).reshape(-1, 2)
        grids.append(np.repeat(middles, count, 0))
    return np.concatenate(grids)


def _blended(found: list[Detection]) -> list[Detection]:
    """One box for each face: the mean of those that overlap, weighted by their scores ("BlazeFace", section 5)."""
    left = sorted(found, key=lambda it: -it.score)
    blended = []
    while left:
        best = left[0]
        group = [it for it in left if overlap(best, it) > _SAME]
        left = [it for it in left if overlap(best, it) <= _SAME]
        weights = np.array([it.score for it in group])
        x, y, width, height = np.average([it[1:5] for it in group], axis=0, weights=weights)
        points = np.average([it.points for it in group], axis=0, weights=weights)
        blended.append(Detection(best.score, float(x), float(y), float(width), float(height), points))
    return blended


def _distinct(found: Iterable[Detection]) -> list[Detection]:
    """Of boxes of one face the best."""
    kept: list[Detection] = []
    for it in sorted(found, key=lambda it: -it.score):
        if all(overlap(it, other) <= _SAME for other in kept):
            kept.append(it)
    return kept


def overlap(a: Detection, b: Detection) -> float:
    """What two boxes share, 0 to 1: intersection over union."""
    across = min(a.x + a.width / 2, b.x + b.width / 2) - max(a.x - a.width / 2, b.x - b.width / 2)
    down = min(a.y + a.height / 2, b.y + b.height / 2) - max(a.y - a.height / 2, b.y - b.height / 2)
    if across <= 0 or down <= 0:
        return 0.0
    return across * down / (a.width * a.height + b.width * b.height - across * down)
