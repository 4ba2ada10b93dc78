"""Eyes of which little is seen, made of the example's: the picture is bent around their irises."""

from dataclasses import replace

import numpy as np
import pytest

from gaze.engines.warp.engine import WarpEngine, WarpSource, _look, displacement
from gaze.engines.warp.gaze import Room
from gaze.engines.warp.lids import Lids
from gaze.engines.warp.soft import are_soft, soft_room, soft_share
from gaze.face.detection import main_face
from gaze.face.face import Face, Iris, Opening, typical_face
from gaze.grid import Cell, GazeGrid, Pose, Strengths
from gaze.photo.portrait import Portrait
from tests.faces import parabolas

ENGINE = WarpEngine(straighten=False)
IRIS = Iris(50.0, 50.0, 10.0)


def lids_of(up: float, down: float, left: float = 25.0) -> Lids:
    return Lids(parabolas(Opening((50 - left, 50.0), (75.0, 50.0), (50.0, 50 - up), (50.0, 50 + down))))


@pytest.fixture(scope="module")
def source(framed: tuple[Portrait, Face]) -> WarpSource:
    """The example as if it had been enlarged from a smaller photo."""
    portrait, face = framed
    return ENGINE.prepare(portrait, replace(face, enlarged=1.5 * face.enlarged))


def test_a_clear_eye_is_lifted_and_one_that_is_hardly_seen_is_not() -> None:
    face = typical_face(IRIS, Iris(150.0, 50.0, 10.0))
    for changed, lids, soft in (
        (face, lids_of(9, 10), False),
        (face, lids_of(4, 4), True),
        (replace(face, enlarged=4.0), lids_of(9, 10), True),
        (replace(face, enlarged=1.5, sharpness=0.15), lids_of(9, 10), True),
    ):
        assert are_soft([IRIS] * 2, [lids] * 2, changed) == soft
        assert are_soft([IRIS] * 2, [lids_of(9, 10), lids], changed) == soft, "the worse eye decides"


@pytest.mark.parametrize(("yaw", "soft"), [(10, False), (-10, False), (28, True), (-28, True)])
def test_the_irises_of_turned_faces_are_no_circles(yaw: float, soft: bool) -> None:
    angle, face = np.radians(yaw), typical_face(IRIS, Iris(150.0, 50.0, 10.0))
    turn = [[np.cos(angle), 0, -np.sin(angle)], [0, 1, 0], [np.sin(angle), 0, np.cos(angle)]]
    turned = replace(face, mesh=(face.mesh - (100, 50, 0)) @ turn + (100, 50, 0))
    assert abs(turned.yaw) == pytest.approx(abs(yaw), abs=3)
    assert are_soft([IRIS] * 2, [lids_of(9, 10)] * 2, turned) == soft


def test_a_photo_of_many_pixels_has_layers_and_one_of_few_has_none(
    framed: tuple[Portrait, Face], source: WarpSource
) -> None:
    clear = ENGINE.prepare(*framed)
    assert clear.soft is None
    assert len(clear.eyes) == 2
    assert source.soft is not None
    assert len(source.eyes) == len(source.followers) == 0


def test_the_neutral_frame_is_the_photo(source: WarpSource) -> None:
    assert np.abs(ENGINE.render(source, [Pose()])[0].astype(int) - source.image).max() <= 1


@pytest.mark.parametrize("x", [-15.0, 15.0])
def test_irises_are_seen_to_go_as_far_as_the_look_says(
    framed: tuple[Portrait, Face], source: WarpSource, x: float
) -> None:
    before, pose = framed[1], Pose(pupil_x=x)
    after = main_face(Portrait(ENGINE.render(source, [pose])[0]))[0]
    way = _look(source, pose).across
    assert 0.04 < way * np.sign(x) < 0.075
    for was, now in ((before.left, after.left), (before.right, after.right)):
        assert (now.x - was.x) / before.iris_distance == pytest.approx(way, abs=0.02)


def test_only_the_surroundings_of_the_eyes_follow(framed: tuple[Portrait, Face], source: WarpSource) -> None:
    face = framed[1]
    frame = ENGINE.render(source, [Pose(pupil_x=15)])[0]
    y, x = np.indices(frame.shape[:2])
    away = np.minimum(*(np.hypot(x - it.x, y - it.y) for it in (face.left, face.right))) > 0.45 * face.iris_distance
    assert np.array_equal(frame[away], source.image[away])


@pytest.mark.parametrize("strength", [1, 2])
def test_nothing_folds(source: WarpSource, strength: float) -> None:
    grid = GazeGrid(30, Strengths(strength, strength, strength))
    for cell in (Cell(i, j) for i in (0, 15, 29) for j in (0, 15, 29)):
        pose = grid.pose(cell)
        moved = displacement(source, pose, _look(source, pose)) / source.stride
        (dxy, dxx), (dyy, dyx) = (np.gradient(moved[..., axis]) for axis in (0, 1))
        assert ((1 + dxx) * (1 + dyy) - dxy * dyx).min() > 0.02


def test_an_iris_moves_as_a_whole_and_the_corners_not_at_all() -> None:
    lids = lids_of(9, 12)
    x, y = np.array([50.0, 44.0, 56.0, 25.0, 75.0, 50.0, 50.0]), np.array([50.0, 50.0, 50.0, 50.0, 50.0, 27.0, 75.0])
    assert soft_share([IRIS], [lids], x, y) == pytest.approx([1, 1, 1, 0, 0, 0, 0], abs=1e-6)


def test_an_iris_next_to_a_corner_goes_less_far_both_ways() -> None:
    wide, close = (
        soft_room(Room(), [IRIS] * 2, [lids_of(9, 10), it], 100.0) for it in (lids_of(9, 10), lids_of(9, 10, 13))
    )
    assert wide.left == wide.right == pytest.approx(0.52 * 0.16, abs=0.005)
    assert 0.015 < close.left < 0.3 * wide.left
    assert 0.03 < close.right < 0.6 * wide.right, "what is behind it cannot be drawn out for ever"
