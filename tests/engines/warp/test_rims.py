"""Glasses drawn over the example: their rims stay straight while the eyes behind them move."""

import cv2
import numpy as np
import pytest

from gaze.engines.warp.engine import WarpEngine
from gaze.engines.warp.lids import BAG, FOLD
from gaze.engines.warp.rims import lid_reach
from gaze.face.face import Face
from gaze.grid import Pose
from gaze.photo.portrait import Portrait

ABOVE, BELOW = 0.33, 0.3
"""Iris distances from the irises to the rims."""


def glasses(portrait: Portrait, face: Face) -> tuple[Portrait, list[int]]:
    """The example with dark rims around both eyes; the rows of the upper and of the lower ones, left and right."""
    image = portrait.image.copy()
    unit, rows = face.iris_distance, []
    for iris in (face.left, face.right):
        left, right = (round(iris.x + side * 0.42 * unit) for side in (-1, 1))
        top, bottom = round(iris.y - ABOVE * unit), round(iris.y + BELOW * unit)
        cv2.rectangle(image, (left, top), (right, bottom), (25, 20, 20), 3)
        rows += [top, bottom]
    return Portrait(image), rows


def test_skin_moves_up_to_a_rim_only(framed: tuple[Portrait, Face]) -> None:
    portrait, face = framed
    worn, _ = glasses(portrait, face)
    for lids in face.lids:
        free, held = (lid_reach(it.image, lids, face.iris_distance) for it in (portrait, worn))
        assert free[1] == BAG
        assert 0.15 < held[0] < FOLD
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
