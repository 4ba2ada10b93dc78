"""A face in a picture within the photo: what lies beyond its straight edges stands still."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from gaze.engines.warp import border
from gaze.engines.warp.border import Border, find_border
from gaze.engines.warp.engine import WarpEngine
from gaze.face.face import Face
from gaze.grid import Cell, GazeGrid, Strengths
from gaze.photo.portrait import Portrait

LARGER = 3
TILE = Border(120, 12, 390, 330)
"""Columns and rows of the example that are a tile: hair and chin end next to it."""
BAR = 14


@pytest.fixture(scope="module")
def collage(framed: tuple[Portrait, Face]) -> tuple[Portrait, Face]:
    """The example as a tile between black bars: above, below and beside it lies more of the same kind, with letters."""
    portrait, face = framed
    image = np.ascontiguousarray(np.roll(portrait.image[::-1], 170, 1))
    for row in range(30, image.shape[0], 60):
        cv2.putText(image, "29.6Y 97.0% FEMALE", (10, row), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (255, 255, 255), 1)
    left, top, right, bottom = TILE
    image[top - BAR : bottom + BAR] = 0
    image[:, left - BAR : left] = image[:, right : right + BAR] = 0
    image[top:bottom, left:right] = portrait.image[top:bottom, left:right]
    return replace(portrait, image=cv2.GaussianBlur(image, (0, 0), 0.8), original=None), face


def test_edges_of_a_tile_are_found(collage: tuple[Portrait, Face]) -> None:
    """Not before the picture begins, and at most a few soft pixels later."""
    portrait, face = collage
    for found, true, inwards in zip(find_border(portrait.image, face), TILE, (1, 1, -1, -1), strict=True):
        assert 0 <= (found - true) * inwards <= 6


@pytest.mark.parametrize("strength", [1, 2])
def test_bars_and_what_lies_beyond_stand_still(collage: tuple[Portrait, Face], strength: float) -> None:
    portrait, face = collage
    left, top, right, bottom = TILE
    inside = np.s_[top:bottom, left:right]
    grid = GazeGrid(30, Strengths(strength, strength, strength))
    poses = [grid.pose(Cell(row, col)) for row in (0, 15, 29) for col in (0, 15, 29)]
    source = WarpEngine(straighten=False).prepare(portrait, face)
    for frame in WarpEngine().render(source, poses):
        changed = np.abs(frame.astype(int) - portrait.image).max(2)
        assert changed[inside].max() > 40
        changed[inside] = 0
        assert changed.max() == 0


def test_a_photo_ends_at_its_border(framed: tuple[Portrait, Face]) -> None:
    portrait, face = framed
    assert find_border(portrait.image, face) == (0, 0, portrait.width, portrait.height)


def test_lines_behind_a_head_are_no_border(framed: tuple[Portrait, Face]) -> None:
    """A wall's corner that the head hides for some way, and a shelf that leans."""
    portrait, face = framed
    height, width = portrait.image.shape[:2]
    y, x = np.mgrid[:height, :width]
    person = cv2.GaussianBlur(np.uint8(255) * (np.hypot((x - 256) / 130, (y - 170) / 150) < 1), (0, 0), 2)
    shoulders = np.uint8(255) * (np.hypot((x - 256) / 230, (y - 560) / 230) < 1)
    person = np.maximum(person, shoulders)[..., None] / 255
    wall = np.where((x < 150)[..., None], (200, 190, 180), (120, 115, 110))
    wall = np.where((np.abs(y - 40 - 0.03 * x) < 5)[..., None], (60, 40, 30), wall)
    image = np.rint(portrait.image * person + wall * (1 - person)).astype(np.uint8)
    assert find_border(image, face) == (0, 0, width, height)


def test_bars_above_and_below_alone(framed: tuple[Portrait, Face]) -> None:
    portrait, face = framed
    image = portrait.image.copy()
    image[:10] = image[400:] = (90, 95, 100)
    found = find_border(image, face)
    assert (found.left, found.right) == (0, portrait.width)
    assert 10 <= found.top <= 16
    assert 394 <= found.bottom <= 400


def enlarged(portrait: Portrait) -> np.ndarray:
    return cv2.resize(portrait.image, None, fx=LARGER, fy=LARGER, interpolation=cv2.INTER_CUBIC)


def test_a_larger_photo_without_edges_is_looked_at_in_a_copy(
    framed: tuple[Portrait, Face], monkeypatch: pytest.MonkeyPatch
) -> None:
    portrait, face = framed
    seen, edges = [], border._edges
    monkeypatch.setattr(border, "_edges", lambda image, *rest: seen.append(image.shape) or edges(image, *rest))
    large = enlarged(portrait)
    assert find_border(large, face.scaled(LARGER)) == (0, 0, *large.shape[1::-1])
    assert max(seen)[0] <= portrait.height


def test_the_border_of_a_larger_photo_is_no_coarser(collage: tuple[Portrait, Face]) -> None:
    """In a copy alone, blurred curves would be edges of a picture, too."""
    portrait, face = collage
    large = find_border(enlarged(portrait), face.scaled(LARGER))
    assert np.abs(np.array(large) - LARGER * np.array(find_border(portrait.image, face))).max() <= 1
