from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest

from gaze.engines.warp.engine import WarpEngine, WarpSource, _look, displacement
from gaze.engines.warp.gaze import IRIS_SWING
from gaze.face.detection import main_face
from gaze.face.face import Face, Iris
from gaze.grid import Cell, GazeGrid, Pose, Strengths
from gaze.photo.portrait import Portrait
from gaze.photo.remapping import NO_MAP
from tests.faces import typical_face

CORNERS = [Cell(0, 0), Cell(0, 29), Cell(29, 0), Cell(29, 29)]
ENGINE = WarpEngine()


@pytest.fixture(scope="module")
def source(framed: tuple[Portrait, Face]) -> WarpSource:
    return ENGINE.prepare(*framed)


def poses(cells: list[Cell], strength: float = 1) -> list[Pose]:
    grid = GazeGrid(30, Strengths(strength, strength, strength))
    return [grid.pose(cell) for cell in cells]


def frame_of(source: WarpSource, pose: Pose) -> np.ndarray:
    frame: np.ndarray = ENGINE.render(source, [pose])[0]
    return frame


def difference(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.abs(a.astype(int) - b)


def test_frames_have_the_portraits_size_come_in_order_and_are_the_same_each_time(source: WarpSource) -> None:
    batch = poses([*CORNERS, Cell(3, 17)])
    frames = ENGINE.render(source, batch)
    assert frames.shape == (5, *source.image.shape)
    assert frames.dtype == np.uint8
    for frame, pose in zip(frames, batch, strict=True):
        assert np.array_equal(frame, frame_of(source, pose))


def test_the_neutral_pose_is_the_portrait_itself(framed: tuple[Portrait, Face]) -> None:
    source = WarpEngine(straighten=False).prepare(*framed)
    assert difference(frame_of(source, Pose()), source.image).max() <= 1


def test_a_portrait_that_looks_at_the_camera_is_left_as_it_is(source: WarpSource) -> None:
    """The example does, so straightening finds nothing to do; and the centre cell is all but neutral."""
    assert source.straighten == (0, 0)
    assert difference(frame_of(source, Pose()), source.image).max() <= 1
    assert structural_similarity(frame_of(source, poses([Cell(15, 15)])[0]), source.image) > 0.98


def structural_similarity(a: np.ndarray, b: np.ndarray) -> float:
    from skimage.metrics import structural_similarity as ssim

    return float(ssim(a, b, channel_axis=2))


def test_nothing_outside_the_region_ever_moves(source: WarpSource) -> None:
    x, y, width, height = source.region
    still = np.ones(source.image.shape[:2], bool)
    still[y : y + height, x : x + width] = False
    assert still.mean() > 0.1
    for frame in ENGINE.render(source, poses(CORNERS)):
        assert np.array_equal(frame[still], source.image[still])


def found_again(frame: np.ndarray) -> Face:
    return main_face(Portrait(frame))[0]


@pytest.mark.parametrize("x", [-15.0, -7.0, 7.0, 15.0])
def test_the_irises_travel_with_the_look(framed: tuple[Portrait, Face], source: WarpSource, x: float) -> None:
    before = framed[1]
    after = found_again(frame_of(source, Pose(pupil_x=x)))
    shifts = []
    for was, now in ((before.left, after.left), (before.right, after.right)):
        shifts.append((now.x - was.x) / before.iris_distance)
        # Found in a soft photo: test_eyes measures the drawn disc itself.
        assert now.radius == pytest.approx(was.radius, rel=0.2)
    assert np.mean(shifts) == pytest.approx(IRIS_SWING * x / 15, abs=0.02)
    assert shifts[0] == pytest.approx(shifts[1], abs=0.025), "the eyes are not parallel"


def test_the_head_turns_the_way_the_pointer_goes(framed: tuple[Portrait, Face], source: WarpSource) -> None:
    face = framed[1]
    before = np.array(face.centre)
    for cell, signs in zip(CORNERS, ([-1, -1], [1, -1], [-1, 1], [1, 1]), strict=True):
        after = np.array(found_again(frame_of(source, poses([cell])[0])).centre)
        assert np.all((after - before) * signs / face.iris_distance > 0.15)


def test_a_zero_strength_holds_its_part_still(framed: tuple[Portrait, Face], source: WarpSource) -> None:
    grid = GazeGrid(30, Strengths(head=0, eyes=1, brows=0))
    far = difference(frame_of(source, grid.pose(Cell(15, 29))), source.image).max(2) > 8
    rows = np.flatnonzero(far.any(1))
    assert np.all(np.abs(rows - framed[1].centre[1]) < 0.4 * framed[1].iris_distance), "more than the eyes moved"


def test_a_mirrored_portrait_gives_mirrored_frames(framed: tuple[Portrait, Face], source: WarpSource) -> None:
    portrait, face = framed
    flipped = Portrait(np.ascontiguousarray(portrait.image[:, ::-1]))
    mirror = ENGINE.prepare(flipped, face.mirrored(portrait.width))
    grid = GazeGrid(30)
    for row, col in ((0, 0), (5, 21), (29, 12)):
        frame = frame_of(source, grid.pose(Cell(row, col)))
        other = frame_of(mirror, grid.pose(Cell(row, 29 - col)))[:, ::-1]
        assert difference(frame, other).mean() < 0.5
        assert np.percentile(difference(frame, other), 99.9) < 16, "the matte, found by a network, may differ a little"


@pytest.mark.parametrize("strength", [1, 2])
def test_the_warp_does_not_fold_in_the_picture(source: WarpSource, strength: float) -> None:
    for pose in poses(CORNERS, strength):
        field = displacement(source, pose) / source.stride
        dx, dy = np.gradient(field, axis=1), np.gradient(field, axis=0)
        assert ((1 + dx[..., 0]) * (1 + dy[..., 1]) - dx[..., 1] * dy[..., 0]).min() > 0


@pytest.mark.parametrize("side", ["top", "left", "bottom"])
def test_a_head_at_the_border_shows_nothing_from_beyond_it(framed: tuple[Portrait, Face], side: str) -> None:
    """The same head with a border close to it, and what lies beyond it in a colour that would be seen at once."""
    portrait, face = framed
    x, y = (int(value) for value in face.centre)
    cut = int(0.8 * face.iris_distance)
    part, dx, dy = {
        "top": ((slice(y - cut, None), slice(None)), 0, cut - y),
        "left": ((slice(None), slice(x - cut, None)), cut - x, 0),
        "bottom": ((slice(None, y + cut), slice(None)), 0, 0),
    }[side]
    source = ENGINE.prepare(Portrait(np.ascontiguousarray(portrait.image[part])), face.moved(1, dx, dy))
    for pose in poses(CORNERS, 2):
        field = displacement(source, pose)
        left, top, _, _ = source.region
        across = left + (np.arange(field.shape[1]) + 0.5) * source.stride - 0.5
        down = top + (np.arange(field.shape[0]) + 0.5) * source.stride - 0.5
        # Every point of the picture stays inside it and next to the border hardly moves: it is reached from inside.
        for at, moved, size in ((across, field[..., 0], 1), (down, field[..., 1].T, 0)):
            room = source.image.shape[size] - 1 - at
            assert np.all(np.maximum(-moved - np.maximum(at, 0), moved - np.maximum(room, 0)) < 0.01)
            edge = np.minimum(at, room) < source.stride
            assert np.abs(moved[..., edge]).max(initial=0) < source.stride


def test_a_source_that_looks_aside_looks_straight_in_the_centre(framed: tuple[Portrait, Face]) -> None:
    portrait, face = framed
    turned_eyes = frame_of(ENGINE.prepare(portrait, face), Pose(pupil_x=15))
    shift = IRIS_SWING * face.iris_distance
    aside = replace(
        face,
        left=replace(face.left, x=face.left.x + shift),
        right=replace(face.right, x=face.right.x + shift),
    )
    held = WarpEngine(straighten=False).prepare(Portrait(turned_eyes), aside)
    straightened = ENGINE.prepare(Portrait(turned_eyes), aside)
    assert held.straighten == (0, 0)
    assert all(-0.095 < it < -0.3 * 0.08 for it in straightened.straighten)
    before, after = found_again(frame_of(held, Pose())), found_again(frame_of(straightened, Pose()))
    moved = (after.centre[0] - before.centre[0]) / face.iris_distance
    assert moved == pytest.approx(np.mean(straightened.straighten), abs=0.02)


def grey(image: np.ndarray) -> np.ndarray:
    return np.dstack([cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)] * 3)


def coarse_chroma(image: np.ndarray) -> np.ndarray:
    options = [cv2.IMWRITE_JPEG_QUALITY, 50, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420]
    data = cv2.imencode(".jpg", image[..., ::-1], options)[1]
    return cv2.cvtColor(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR)), cv2.COLOR_BGR2RGB)


def smaller(image: np.ndarray) -> np.ndarray:
    return cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)


@pytest.mark.parametrize("change", [np.copy, grey, coarse_chroma, smaller])
@pytest.mark.parametrize("x", [-15.0, -12.0, 12.0, 15.0])
def test_a_photo_that_looks_aside_is_found_out_and_straightened(
    framed: tuple[Portrait, Face], x: float, change: Callable[[np.ndarray], np.ndarray]
) -> None:
    """The example, made to look aside, taken as a photo of its own."""
    portrait, face = framed
    aside = change(frame_of(ENGINE.prepare(portrait, face), Pose(pupil_x=x)))
    found = found_again(aside)
    truth = IRIS_SWING * x / 15
    assert found.gaze == pytest.approx(truth, abs=0.03)
    straightened = found_again(frame_of(ENGINE.prepare(Portrait(aside), found), Pose()))
    scale = aside.shape[1] / portrait.width
    before, after = ((it.centre[0] / scale - face.centre[0]) / face.iris_distance for it in (found, straightened))
    assert before == pytest.approx(truth, abs=0.025)
    assert abs(after) < abs(truth) / 2


def test_two_sizes_of_one_portrait_move_alike(framed: tuple[Portrait, Face], source: WarpSource) -> None:
    portrait, face = framed
    half = cv2.resize(portrait.image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    small = ENGINE.prepare(Portrait(half), face.moved(0.5, -0.25, -0.25))
    for pose in poses(CORNERS):
        large = cv2.resize(frame_of(source, pose), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
        assert difference(large, frame_of(small, pose)).mean() < 2


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("share", [0.09, 0.16])
def test_a_face_of_few_pixels_moves_without_an_error(share: float) -> None:
    """Eyes of a person and of a cartoon, as in a photo of a group that is kept whole."""
    image = np.random.default_rng(0).integers(0, 256, (48, 64, 3), np.uint8)
    for unit in (1.0, 3.0, 8.0):
        face = typical_face(*(Iris(32.3 + side * unit / 2, 24.5, share * unit) for side in (-1, 1)))
        engine = WarpEngine()
        source = engine.prepare(Portrait(image), face)
        assert all(np.isfinite(eye.sclera).all() for eye in source.eyes)
        assert engine.render(source, [Pose(pupil_x=15.0)]).shape == (1, *image.shape)


def test_strong_looks_show_what_went_there(source: WarpSource) -> None:
    """The inverse of the displacement is found there, too: what a pixel shows goes to that pixel."""
    x0, y0, width, height = source.region
    for pose in poses([Cell(0, 0), Cell(0, 29), Cell(29, 0)], 2):
        shown = ENGINE.positions(source, pose)[y0 : y0 + height, x0 : x0 + width] - (x0, y0)
        at = ((shown + 0.5) / source.stride - 0.5).astype(np.float32)
        field = displacement(source, pose, _look(source, pose))
        gone = cv2.remap(field, at, NO_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        down, across = np.mgrid[:height, :width]
        off = np.hypot(*(shown + gone - np.dstack([across, down])).transpose(2, 0, 1))
        assert np.percentile(off, 99.9) < 1
        assert off.max() < 2


def test_irises_are_carried_as_far_as_the_head_is_where_they_are(source: WarpSource) -> None:
    for pose in poses(CORNERS):
        field = displacement(source, pose)
        carried = source.anchors.carried(source.leeway.held(pose), source.turn)
        for eye, moved in zip(source.eyes, carried, strict=True):
            place = (np.array([eye.iris.x, eye.iris.y]) - source.region[:2] + 0.5) / source.stride - 0.5
            at = place.astype(np.float32)[None, None]
            assert np.abs(cv2.remap(field, at, NO_MAP, cv2.INTER_LINEAR)[0, 0] - moved).max() < 0.05


def test_the_motion_that_is_handed_over_is_the_gaze_on_an_iris(source: WarpSource) -> None:
    """Whole there but for the lids, none of it beside the eyes; of each iris its own."""
    apart, pose = replace(source, room=replace(source.room, right=(0.02, 0.125))), Pose(pupil_x=15.0)
    field = ENGINE.displacement(apart, pose)
    gazes = _look(apart, pose).shifts(source.axes) - _look(apart, Pose()).shifts(source.axes)
    assert np.hypot(*gazes[0]) < 0.4 * np.hypot(*gazes[1])
    for eye, gaze in zip(source.eyes, gazes, strict=True):
        iris = eye.iris
        assert np.hypot(*(field[round(iris.y), round(iris.x)] - gaze)) < 0.35 * np.hypot(*gaze)
        beside = round(iris.x), round(iris.y - 8 * iris.radius)
        assert np.hypot(*field[beside[::-1]]) < 0.1 * np.hypot(*gaze)


@pytest.mark.parametrize("enlarged", [1.0, 3.0])
def test_the_motion_that_is_handed_over_begins_in_the_straight_look(
    framed: tuple[Portrait, Face], enlarged: float
) -> None:
    """Of irises that look aside in the photo, in layers or bent with it, the middle key has straightened both."""
    portrait, face = framed
    source = ENGINE.prepare(portrait, replace(face, enlarged=enlarged))
    assert (source.soft is None) == (enlarged == 1)
    assert not ENGINE.displacement(replace(source, straighten=(-0.05, -0.02)), Pose()).any()
