import cv2
import numpy as np
import pytest

from gaze.engines.warp import WarpEngine, WarpSource, displacement
from gaze.faces import Face, main_face
from gaze.grid import Cell, GazeGrid, Pose, Strengths
from gaze.portrait import Portrait

CORNERS = [Cell(0, 0), Cell(0, 29), Cell(29, 0), Cell(29, 29)]


@pytest.fixture(scope="module")
def source(framed: tuple[Portrait, Face]) -> WarpSource:
    return WarpEngine().prepare(*framed)


def poses(cells: list[Cell], strength: float = 1) -> list[Pose]:
    grid = GazeGrid(30, Strengths(strength, strength, strength))
    return [grid.pose(cell) for cell in cells]


def test_frames_have_the_portraits_size_and_come_in_order(source: WarpSource) -> None:
    engine = WarpEngine()
    batch = poses([*CORNERS, Cell(3, 17)])
    frames = engine.render(source, batch)
    assert frames.shape == (5, *source.image.shape)
    assert frames.dtype == np.uint8
    for frame, pose in zip(frames, batch, strict=True):
        assert np.array_equal(frame, engine.render(source, [pose])[0])


def test_the_neutral_pose_is_the_portrait_itself(source: WarpSource) -> None:
    neutral = WarpEngine().render(source, [Pose()])[0]
    assert np.abs(neutral.astype(int) - source.image).max() <= 1


def test_nothing_outside_the_region_ever_moves(source: WarpSource) -> None:
    x, y, width, height = source.region
    still = np.ones(source.image.shape[:2], bool)
    still[y : y + height, x : x + width] = False
    assert still.mean() > 0.1
    for frame in WarpEngine().render(source, poses(CORNERS)):
        assert np.array_equal(frame[still], source.image[still])


def shift_at(source: WarpSource, face: Face, pose: Pose, u: float, v: float) -> np.ndarray:
    """How far the face point (u, v) moves, in face coordinates."""
    x, y, _, _ = source.region
    px, py = np.array(face.centre) + np.array([u, v]) @ source.axes
    field = displacement(source, pose)
    at = np.array([[[(px - x + 0.5) / source.stride - 0.5, (py - y + 0.5) / source.stride - 0.5]]], np.float32)
    moved = cv2.remap(field, at, np.empty((0, 0), np.float32), cv2.INTER_LINEAR)[0, 0]
    return np.linalg.solve(source.axes.T, moved)


@pytest.mark.parametrize(
    ("point", "expected"),
    [
        ((0, -0.02), (0.234, 0.246)),
        ((0, 0.76), (0.253, 0.257)),
        ((0, 1.69), (0.163, 0.123)),
        ((1.07, 0.15), (0.089, 0.14)),
    ],
)
def test_the_face_moves_as_measured(
    framed: tuple[Portrait, Face], source: WarpSource, point: tuple[float, float], expected: tuple[float, float]
) -> None:
    face = framed[1]
    right = shift_at(source, face, Pose(head_yaw=-7.5), *point)
    down = shift_at(source, face, Pose(head_pitch=7.5), *point)
    assert right == pytest.approx([expected[0], 0], abs=0.02)
    assert down == pytest.approx([0, expected[1]], abs=0.02)


@pytest.mark.parametrize("strength", [1, 2])
def test_the_warp_never_folds(source: WarpSource, strength: float) -> None:
    for pose in poses(CORNERS, strength):
        field = displacement(source, pose) / source.stride
        dx, dy = np.gradient(field, axis=1), np.gradient(field, axis=0)
        jacobian = (1 + dx[..., 0]) * (1 + dy[..., 1]) - dx[..., 1] * dy[..., 0]
        assert jacobian.min() > (0.4 if strength == 1 else 0.05)


def found_again(frame: np.ndarray) -> Face:
    return main_face(Portrait(frame))[0]


def test_the_irises_travel_with_the_look(framed: tuple[Portrait, Face], source: WarpSource) -> None:
    face = framed[1]
    for pose, sign in ((Pose(pupil_x=15), 1), (Pose(pupil_x=-15), -1)):
        after = found_again(WarpEngine().render(source, [pose])[0])
        for was, now in ((face.left, after.left), (face.right, after.right)):
            assert sign * (now.x - was.x) / face.iris_distance == pytest.approx(0.08, abs=0.03)
            assert now.radius == pytest.approx(was.radius, rel=0.15)


def test_the_head_turns_the_way_the_pointer_goes(framed: tuple[Portrait, Face], source: WarpSource) -> None:
    face = framed[1]
    before = np.array(face.centre)
    for cell, signs in zip(CORNERS, ([-1, -1], [1, -1], [-1, 1], [1, 1]), strict=True):
        after = np.array(found_again(WarpEngine().render(source, poses([cell]))[0]).centre)
        assert np.all((after - before) * signs / face.iris_distance > 0.12)


def test_a_mirrored_portrait_gives_mirrored_frames(framed: tuple[Portrait, Face]) -> None:
    portrait, face = framed
    other = face.mirrored(portrait.width)
    engine = WarpEngine()
    source = engine.prepare(portrait, face)
    mirror = engine.prepare(Portrait(np.ascontiguousarray(portrait.image[:, ::-1])), other)
    grid = GazeGrid(30)
    for row, col in ((0, 0), (5, 21), (29, 12)):
        frame = engine.render(source, [grid.pose(Cell(row, col))])[0]
        flipped = engine.render(mirror, [grid.pose(Cell(row, 29 - col))])[0][:, ::-1]
        difference = np.abs(frame.astype(int) - flipped)
        assert difference.mean() < 0.5
        assert np.percentile(difference, 99.9) < 24


@pytest.mark.parametrize("side", ["top", "left", "bottom"])
def test_a_head_at_the_border_shows_nothing_from_beyond_it(framed: tuple[Portrait, Face], side: str) -> None:
    portrait, face = framed
    x, y = (int(value) for value in face.centre)
    cut = int(0.8 * face.iris_distance)
    image, dx, dy = {
        "top": (portrait.image[y - cut :], 0, cut - y),
        "left": (portrait.image[:, x - cut :], cut - x, 0),
        "bottom": (portrait.image[: y + cut], 0, 0),
    }[side]
    source = WarpEngine().prepare(Portrait(np.ascontiguousarray(image)), face.moved(1, dx, dy))
    # What comes from beyond the border would be a smear of it: rows (or columns) that repeat.
    for pose in poses(CORNERS, 2):
        field = displacement(source, pose)
        room = source.room
        assert np.all(np.abs(field[..., 0]) <= room[0] + 1e-3)
        assert np.all(np.abs(field[..., 1]) <= room[1] + 1e-3)
