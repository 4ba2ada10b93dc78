"""Glasses drawn over the example: their rims stay straight while the eyes behind them move."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from gaze.engines.warp.engine import WarpEngine
from gaze.engines.warp.lids import BAG, FOLD
from gaze.engines.warp.rims import glasses_worn, lid_freedom, lid_reach
from gaze.face.face import Face
from gaze.face.topology import NOSE_ROOT
from gaze.grid import Cell, GazeGrid, Pose
from gaze.photo.portrait import Portrait

ABOVE, BELOW = 0.33, 0.3
"""Iris distances from the irises to the rims."""


DARK, LIGHT = (25, 20, 20), (250, 240, 240)


def glasses(
    portrait: Portrait,
    face: Face,
    above: float = ABOVE,
    half: float = 0.42,
    colour: tuple[int, int, int] = DARK,
) -> tuple[Portrait, list[int]]:
    """The example with rims around both eyes; the rows of the upper and of the lower ones, left and right."""
    image = portrait.image.copy()
    unit, rows = face.iris_distance, []
    for iris in (face.left, face.right):
        left, right = (round(iris.x + side * half * unit) for side in (-1, 1))
        top, bottom = round(iris.y - above * unit), round(iris.y + BELOW * unit)
        cv2.rectangle(image, (left, top), (right, bottom), colour, 3)
        rows += [top, bottom]
    return Portrait(image), rows


def test_skin_moves_up_to_a_rim_only(framed: tuple[Portrait, Face]) -> None:
    portrait, face = framed
    worn, _ = glasses(portrait, face)
    for lids, brow in zip(face.lids, face.brows, strict=True):
        free, held = (lid_reach(it.image, lids, brow, face.iris_distance) for it in (portrait, worn))
        assert free[1] == BAG
        assert 0.14 < held[0] == free[0] < FOLD
        assert 0.15 < held[1] <= BAG


@pytest.mark.parametrize("up", [-15.0, 15.0])
def test_rims_do_not_move_with_the_lids(framed: tuple[Portrait, Face], up: float) -> None:
    portrait, face = framed
    worn, rows = glasses(portrait, face)
    source = WarpEngine(straighten=False).prepare(worn, face)
    frame = WarpEngine().render(source, [Pose(pupil_x=10, pupil_y=up)])[0].astype(int)
    reach = round(0.3 * face.iris_distance)
    for index, row in enumerate(rows):
        x = round((face.left, face.right)[index // 2].x)
        part = np.s_[row - 1 : row + 2, x - reach : x + reach]
        assert np.abs(frame[part] - source.image[part]).mean() < 6
    assert np.abs(frame - source.image).max() > 60, "the eyes did not move at all"


@pytest.mark.parametrize("row", [0, 29])
@pytest.mark.parametrize("colour", [DARK, LIGHT])
def test_glasses_that_cover_the_lids_stay_straight(
    framed: tuple[Portrait, Face], row: int, colour: tuple[int, int, int]
) -> None:
    """Their rims are not told from lashes and fold. Their bridge tells that they are there."""
    portrait, face = framed
    worn, rows = glasses(portrait, face, above=0.2, half=0.36, colour=colour)
    nose, unit = round(face.centre[0]), face.iris_distance
    reach = round(0.14 * unit)
    cv2.line(worn.image, (nose - reach, rows[0] + 4), (nose + reach, rows[2] + 4), colour, 3)
    assert (glasses_worn(portrait.image, face), glasses_worn(worn.image, face)) == (0, 1)
    field = WarpEngine().displacement(
        WarpEngine(straighten=False).prepare(worn, face), GazeGrid(30).pose(Cell(row, 15))
    )
    for index in (0, 2):
        x = round((face.left, face.right)[index // 2].x)
        rim = field[rows[index], x - round(0.28 * unit) : x + round(0.28 * unit), 1] / unit
        along = np.arange(len(rim))
        assert np.abs(rim - np.polyval(np.polyfit(along, rim, 1), along)).max() < 0.015


@pytest.mark.parametrize("look", [Cell(0, 15), Cell(29, 15), Cell(15, 0), Cell(15, 29)])
def test_rims_on_lids_do_not_go_with_them(framed: tuple[Portrait, Face], look: Cell) -> None:
    """Lids go with their irises. Rims on them do not, or they would be bent by 0.018 or more."""
    portrait, face = framed
    worn, rows = glasses(portrait, face, above=0.12, half=0.36)
    nose, unit = round(face.centre[0]), face.iris_distance
    reach = round(0.14 * unit)
    cv2.line(worn.image, (nose - reach, rows[0]), (nose + reach, rows[2]), DARK, 3)
    assert glasses_worn(worn.image, face) == 1
    field = WarpEngine().displacement(WarpEngine(straighten=False).prepare(worn, face), GazeGrid(30).pose(look))
    for iris, row in ((face.left, rows[0]), (face.right, rows[2])):
        rim = field[row, round(iris.x - 0.34 * unit) : round(iris.x + 0.34 * unit)] / unit
        terms = np.vander(np.arange(len(rim)), 2)
        assert np.abs(rim - terms @ np.linalg.lstsq(terms, rim)[0]).max() < 0.014


def test_a_lid_is_as_free_as_glasses_are_far_above_it(framed: tuple[Portrait, Face]) -> None:
    portrait, face = framed
    free = []
    for above in (0.12, 0.16, 0.33):
        worn, _ = glasses(portrait, face, above=above)
        free.append([lid_freedom(worn.image, it, face.iris_distance, 1.0) for it in face.lids])
    assert np.all(np.diff(free, axis=0) > 0.1)
    assert np.max(free[0]) < 0.6
    assert np.min(free[2]) == 1
    assert lid_freedom(portrait.image, face.lids[0], face.iris_distance, 1.0) == 1


@pytest.mark.parametrize("row", [0, 29])
def test_a_bar_across_both_lenses_stays_straight(framed: tuple[Portrait, Face], row: int) -> None:
    """From temple to temple, however the face behind it is bowed."""
    portrait, face = framed
    worn, rows = glasses(portrait, face, above=0.22, half=0.36)
    nose, reach = round(face.centre[0]), round(0.95 * face.iris_distance)
    cv2.line(worn.image, (nose - reach, rows[0]), (nose + reach, rows[2]), DARK, 3)
    assert glasses_worn(worn.image, face) == 1
    field = WarpEngine().displacement(
        WarpEngine(straighten=False).prepare(worn, face), GazeGrid(30).pose(Cell(row, 15))
    )
    along = np.arange(nose - reach, nose + reach)
    bar = field[np.linspace(rows[0], rows[2], len(along)).round().astype(int), along, 1] / face.iris_distance
    assert np.abs(bar).mean() > 0.15, "the head did not nod at all"
    assert np.abs(bar - np.polyval(np.polyfit(along, bar, 1), along)).max() < 0.015


@pytest.mark.parametrize(("thick", "aside"), [(0.12, 0.0), (0.03, -0.12)])
def test_thick_bridges_and_those_of_turned_heads_are_seen(
    framed: tuple[Portrait, Face], thick: float, aside: float
) -> None:
    """On a head that is turned a bridge lies to the near side of the nose, where both its ends are seen."""
    portrait, face = framed
    unit, image, turned = face.iris_distance, portrait.image.copy(), face.mesh.copy()
    x, y = face.mesh[NOSE_ROOT, :2]
    first, last = ((round(x + (aside + side * 0.1) * unit), round(y)) for side in (-1, 1))
    cv2.line(image, first, last, DARK, round(thick * unit))
    turned[:, 2] -= 3 * aside * (turned[:, 0] - x)
    face = replace(face, mesh=turned)
    assert (glasses_worn(portrait.image, face), glasses_worn(image, face)) == (0, 1)
