"""Eyes of which little is seen, made of the example's: the picture is bent around their irises."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from gaze.engines.warp import engine
from gaze.engines.warp.engine import WarpEngine, WarpSource, _look, displacement
from gaze.engines.warp.eyes import Eye, find_eye
from gaze.engines.warp.gaze import Room
from gaze.engines.warp.lid_fit import fit_lids
from gaze.engines.warp.lids import Lids
from gaze.engines.warp.soft import are_hidden, are_unlike, soft_room, soft_share
from gaze.face.detection import main_face
from gaze.face.face import Face, Iris, Opening
from gaze.grid import Cell, GazeGrid, Pose, Strengths
from gaze.photo.portrait import Portrait
from tests.faces import parabolas, typical_face

ENGINE = WarpEngine(straighten=False)
IRIS = Iris(50.0, 50.0, 10.0)
ABOVE = 20.0


def lids_of(up: float, down: float, left: float = 25.0) -> Lids:
    return Lids(parabolas(Opening((50 - left, 50.0), (75.0, 50.0), (50.0, 50 - up), (50.0, 50 + down))))


def areas(source: WarpSource, pose: Pose) -> np.ndarray:
    """What becomes of a unit of area at each point of the lattice: the Jacobian's determinant."""
    moved = displacement(source, pose, _look(source, pose)) / source.stride
    (dxy, dxx), (dyy, dyx) = (np.gradient(moved[..., axis]) for axis in (0, 1))
    return np.asarray((1 + dxx) * (1 + dyy) - dxy * dyx)


@pytest.fixture(scope="module")
def source(framed: tuple[Portrait, Face]) -> WarpSource:
    """The example as if it had been enlarged from a smaller photo."""
    portrait, face = framed
    return ENGINE.prepare(portrait, replace(face, enlarged=1.5 * face.enlarged))


Layers = tuple[np.ndarray, list[Eye], list[Lids], Face]


def layers_of(image: np.ndarray, face: Face) -> Layers:
    fitted = fit_lids(image, face)
    lids = [Lids(it.lids) for it in fitted]
    eyes = [find_eye(image, face.iris_distance, it.iris, edges) for it, edges in zip(fitted, lids, strict=True)]
    return image, eyes, lids, face


@pytest.fixture(scope="module")
def layers(framed: tuple[Portrait, Face]) -> Layers:
    portrait, face = framed
    return layers_of(portrait.image, face)


def test_a_clear_eye_is_lifted_and_one_that_is_hardly_seen_is_not(layers: Layers) -> None:
    image, eyes, lids, face = layers
    irises = [it.iris for it in eyes]
    assert not are_unlike(image, eyes)
    assert not are_hidden(irises, lids, face)
    assert are_hidden(irises, lids, replace(face, enlarged=2.3)), "enlarged"
    assert are_hidden(irises, lids, replace(face, sharpness=0.1)), "blurred"
    radius = irises[0].radius
    for share, hidden in ((0.5, True), (0.6, False)):
        narrow = lids_of(share * radius, share * radius)
        assert are_hidden(irises, [lids[0], narrow], face) == hidden, "the worse eye decides"


def test_an_eye_with_lines_drawn_over_it_is_not_lifted(layers: Layers) -> None:
    image, (left, right), _, face = layers
    drawn = image.copy()
    for iris in (left.iris, right.iris):
        place, reach = np.array([iris.x, iris.y]), 1.2 * iris.radius
        for along in ((0.5, 0.8), (0.5, -0.8)):
            start, end = (np.round(place + side * reach * np.array(along)).astype(int).tolist() for side in (-1, 1))
            cv2.line(drawn, start, end, (160, 230, 60), 2)
    assert are_unlike(drawn, layers_of(drawn, face)[1])


def test_an_iris_that_hardly_stands_out_is_not_lifted(layers: Layers) -> None:
    image, _, _, face = layers
    dim = np.round(128 + 0.07 * (image.astype(np.float32) - 128)).astype(np.uint8)
    assert are_unlike(dim, layers_of(dim, face)[1])


@pytest.mark.parametrize(("yaw", "hidden"), [(10, False), (-10, False), (33, True), (-33, True)])
def test_the_irises_of_turned_faces_are_no_circles(layers: Layers, yaw: float, hidden: bool) -> None:
    _, eyes, lids, _ = layers
    angle, face = np.radians(yaw), typical_face(IRIS, Iris(150.0, 50.0, 10.0))
    turn = [[np.cos(angle), 0, -np.sin(angle)], [0, 1, 0], [np.sin(angle), 0, np.cos(angle)]]
    turned = replace(face, mesh=(face.mesh - (100, 50, 0)) @ turn + (100, 50, 0))
    assert abs(turned.yaw) == pytest.approx(abs(yaw), abs=3)
    assert are_hidden([it.iris for it in eyes], lids, turned) == hidden


def test_no_layers_are_made_of_eyes_that_are_seen_to_be_bent_without_them(
    framed: tuple[Portrait, Face], monkeypatch: pytest.MonkeyPatch
) -> None:
    portrait, face = framed
    made = []
    monkeypatch.setattr(engine, "find_eye", lambda *args: made.append(args))
    assert ENGINE.prepare(portrait, replace(face, enlarged=3.0)).soft is not None
    assert not made


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
    ways = _look(source, pose).across
    for was, now, way in ((before.left, after.left, ways[0]), (before.right, after.right, ways[1])):
        assert 0.04 < way * np.sign(x) < 0.075
        assert (now.x - was.x) / before.iris_distance == pytest.approx(way, abs=0.02)


def test_each_of_two_bent_eyes_goes_its_own_way(framed: tuple[Portrait, Face], source: WarpSource) -> None:
    face, apart = framed[1], replace(source, straighten=(0.04, -0.02))
    field = displacement(apart, Pose(), _look(apart, Pose()))
    for iris, way in ((face.left, 0.04), (face.right, -0.02)):
        x, y = (np.array([iris.x, iris.y]) - source.region[:2]) / source.stride
        assert field[round(y), round(x), 0] / face.iris_distance == pytest.approx(way, rel=0.05)


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
        assert areas(source, grid.pose(cell)).min() > 0.02


def test_an_iris_moves_as_a_whole_and_the_corners_hardly_come_along() -> None:
    lids = lids_of(9, 12)
    whole = soft_share([IRIS], [lids], [ABOVE], np.array([50.0, 44.0, 56.0]), np.array([50.0, 50.0, 50.0]))
    assert whole == pytest.approx(np.ones((2, 3)), abs=1e-6)
    across, down = soft_share([IRIS], [lids], [ABOVE], np.array([25.0, 75.0]), np.array([50.0, 50.0]))
    assert ((across > 0.02) & (across < 0.1)).all()
    assert ((down > 0.15) & (down < 0.25)).all(), "lids are not steep next to them"
    beyond = soft_share([IRIS], [lids], [ABOVE], np.array([19.5, 80.5, 50.0, 50.0]), np.array([50.0, 50.0, 20.0, 75.0]))
    assert beyond == pytest.approx(np.zeros((2, 4)), abs=1e-6)


def test_skin_above_a_corner_comes_along() -> None:
    """As far aside as the lid does up and down; right beside the eye it does not yet."""
    x, y = np.full(2, 25.0), np.array([40.0, 35.0])
    across, down = soft_share([IRIS], [lids_of(9, 12)], [ABOVE], x, y)
    assert across[0] < 0.6 * down[0]
    assert across[1] == pytest.approx(down[1], abs=1e-6)


def test_above_the_eye_the_motion_fades_over_the_whole_way_that_it_has() -> None:
    lids, x, y = lids_of(9, 12), np.full(4, 50.0), np.array([39.0, 31.0, 23.0, 20.9])
    near, far = (soft_share([IRIS], [lids], [reach], x, y)[1] for reach in (12.0, ABOVE))
    assert near[2] == 0
    assert far[2] > 0.02
    assert far[1] == pytest.approx(0.5, abs=1e-6), "half way"
    assert (np.diff(far) < 0).all()


def test_skin_above_a_bent_eye_is_not_squeezed(framed: tuple[Portrait, Face], source: WarpSource) -> None:
    """It has the way up to the brow: over a shorter one, folds and lines above lids came together in looks up."""
    face, grid = framed[1], GazeGrid(30)
    x0, y0, *_ = source.region
    rows, cols = source.fields.fade.shape
    x, y = np.meshgrid(x0 + source.stride * (np.arange(cols) + 0.5), y0 + source.stride * (np.arange(rows) + 0.5))
    above = np.zeros((rows, cols), bool)
    for lids in face.lids:
        edges = Lids(lids)
        along, _ = edges.local(x, y)
        depth = edges.depth(x, y) / face.iris_distance
        above |= (along > 0) & (along < edges.length) & (depth < 0) & (depth > -0.3)
    for cell in (Cell(0, 0), Cell(0, 15), Cell(0, 29)):
        assert areas(source, grid.pose(cell))[above].min() > 0.4


def test_above_and_below_level_lines_move_alike() -> None:
    """Where the lids are steep next to a corner, what goes aside would run into what stands still."""
    lids = lids_of(9, 12)
    for y in (36.0, 40.0, 60.0, 64.0):
        for at in soft_share([IRIS], [lids], [ABOVE], np.array([45.0, 50.0, 55.0]), np.array([y] * 3)):
            assert at == pytest.approx([at[1]] * 3, abs=1e-6)
            assert 0 < at[1] < 1


def test_up_the_iris_leaves_the_lower_lid() -> None:
    lids = lids_of(9, 10)
    iris, lid = soft_share([IRIS], [lids], [ABOVE], np.array([50.0, 50.0]), np.array([50.0, 60.0]))[1]
    assert iris == 1
    assert lid < 0.65


def test_an_iris_next_to_a_corner_goes_less_far_there_but_well_away_from_it() -> None:
    wide, close = (
        soft_room(Room(), [IRIS] * 2, [lids_of(9, 10), it], 100.0) for it in (lids_of(9, 10), lids_of(9, 10, 13))
    )
    assert wide.left == wide.right == pytest.approx([0.6 * 0.18] * 2, abs=0.005)
    assert close.left[0] == wide.left[0]
    assert 0.04 < close.left[1] < 0.5 * wide.left[1]
    corner = Lids(parabolas(Opening((37.0, 50.0), (100.0, 50.0), (68.0, 41.0), (68.0, 60.0))))
    aside = soft_room(Room(), [IRIS] * 2, [corner] * 2, 100.0)
    assert aside.right == pytest.approx([0.6 * 0.43] * 2, abs=0.005), "what is behind it is drawn out"
