"""Closing lids: of the photo's skin, over the eye and nowhere else."""

from dataclasses import replace

import numpy as np
import pytest

from gaze.engines.warp.blink import ClosingLid, closed_eyes, find_closing_lid
from gaze.engines.warp.engine import WarpEngine, WarpSource
from gaze.engines.warp.lids import Lids
from gaze.face.face import Face, Iris
from gaze.grid import Cell, Expression, GazeGrid, Pose
from gaze.photo.portrait import Portrait
from tests.engines.warp.test_eyes import MIDDLE, drawn_face

ENGINE = WarpEngine(straighten=False)
NEUTRAL, CLOSED = Expression(), Expression(blink=1)


@pytest.fixture(scope="module")
def source(framed: tuple[Portrait, Face]) -> WarpSource:
    return ENGINE.prepare(*framed)


def frame_of(source: WarpSource, expression: Expression = NEUTRAL, cell: Cell | None = None) -> np.ndarray:
    pose = GazeGrid(30).pose(cell) if cell else Pose()
    frame: np.ndarray = ENGINE.render(source, [replace(pose, expression=expression)])[0]
    return frame.astype(int)


def inside(face: Face, shape: tuple[int, ...], eye: int) -> np.ndarray:
    """(height, width) bool: well between the lids of the open eye."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    return Lids(face.lids[eye]).coverage(x, y) > 0.9


def disc(iris: Iris, shape: tuple[int, ...], size: float = 0.6) -> np.ndarray:
    y, x = np.mgrid[: shape[0], : shape[1]]
    found: np.ndarray = np.hypot(x - iris.x, y - iris.y) < size * iris.radius
    return found


@pytest.mark.parametrize("eye", [0, 1])
def test_closed_there_is_skin_where_iris_and_white_were(
    framed: tuple[Portrait, Face], source: WarpSource, eye: int
) -> None:
    face, iris = framed[1], (framed[1].left, framed[1].right)[eye]
    before, after = frame_of(source), frame_of(source, CLOSED)
    pupil = disc(iris, before.shape)
    skin = before[int(iris.y + 0.3 * face.iris_distance), int(iris.x)].mean()
    assert before[pupil].mean() < 0.6 * skin
    assert after[pupil].mean() > 0.75 * skin
    opening = inside(face, before.shape, eye)
    assert after[opening].std() < 0.7 * before[opening].std()


@pytest.mark.parametrize("eye", [0, 1])
def test_lashes_lie_along_the_edge(framed: tuple[Portrait, Face], source: WarpSource, eye: int) -> None:
    """Where the lids meet there is a line that is darker than the lid above it and the skin below."""
    iris = (framed[1].left, framed[1].right)[eye]
    column = frame_of(source, CLOSED)[:, round(iris.x)].mean(-1)
    y, y1 = round(iris.y), round(iris.y + 0.2 * framed[1].iris_distance)
    line = y + int(column[y:y1].argmin())
    assert line > y
    assert column[line] < 0.8 * min(column[y], column[y1])


def test_half_closed_the_lower_half_of_the_eye_is_as_it_was(framed: tuple[Portrait, Face], source: WarpSource) -> None:
    face = framed[1]
    before, after = frame_of(source), frame_of(source, Expression(blink=0.3))
    y, x = np.mgrid[: before.shape[0], : before.shape[1]].astype(np.float32)
    for eye in (0, 1):
        lids, iris = Lids(face.lids[eye]), (face.left, face.right)[eye]
        eyeball = inside(face, before.shape, eye) & (np.abs(x - iris.x) < iris.radius)
        low, high = eyeball & (lids.height(x, y) < 0.35 * lids.gap), eyeball & (lids.depth(x, y) < 0.2 * lids.gap)
        assert np.abs(after - before)[low].mean() < 3
        assert np.abs(after - before)[high].mean() > 10


def test_half_closed_eyes_that_look_up_show_no_white_below_irises() -> None:
    """They are on their way back, as the lids are: an iris that stayed up would vanish behind its lid."""
    source = ENGINE.prepare(*drawn_face(height=10))
    half = Expression(blink=0.6)
    frames = ENGINE.render(source, [Pose(expression=half), Pose(pupil_y=15, expression=half)])
    below = np.s_[MIDDLE[1] + 3 : MIDDLE[1] + 9, 195:206, 2]
    straight, up = ((it[below] > 180).mean() for it in frames)
    assert up <= straight + 0.1


@pytest.mark.parametrize(("wink", "other"), [(Expression(wink_left=1), 1), (Expression(wink_right=1), 0)])
def test_a_wink_leaves_the_other_eye_to_the_bit(
    framed: tuple[Portrait, Face], source: WarpSource, wink: Expression, other: int
) -> None:
    before, after = frame_of(source), frame_of(source, wink)
    x = framed[1].centre[0]
    half = np.s_[:, round(x) :] if other else np.s_[:, : round(x)]
    assert np.array_equal(after[half], before[half])
    assert not np.array_equal(after, before)


def test_nothing_changes_but_around_the_eyes(framed: tuple[Portrait, Face], source: WarpSource) -> None:
    face = framed[1]
    changed = (frame_of(source, CLOSED) != frame_of(source)).any(-1)
    for iris in (face.left, face.right):
        y, x = int(iris.y), int(iris.x)
        reach = int(0.45 * face.iris_distance)
        changed[y - reach : y + reach, x - reach : x + reach] = False
    assert not changed.any()


def test_the_lid_goes_with_the_head_in_every_look(framed: tuple[Portrait, Face], source: WarpSource) -> None:
    for cell in (Cell(0, 0), Cell(29, 29), Cell(15, 0)):
        field = ENGINE.displacement(source, replace(GazeGrid(30).pose(cell), expression=CLOSED))
        frame = frame_of(source, CLOSED, cell)
        still = frame_of(source, CLOSED)
        for iris in (framed[1].left, framed[1].right):
            x, y = round(iris.x), round(iris.y)
            dx, dy = np.round(field[y, x]).astype(int)
            patch, moved = still[y - 5 : y + 9, x - 8 : x + 9], frame[y + dy - 5 : y + dy + 9, x + dx - 8 : x + dx + 9]
            assert np.abs(patch - moved).mean() < 8


def test_mirrored_it_is_the_same_picture_mirrored(framed: tuple[Portrait, Face], source: WarpSource) -> None:
    portrait, face = framed
    other = ENGINE.prepare(Portrait(np.ascontiguousarray(portrait.image[:, ::-1])), face.mirrored(portrait.width))
    difference = np.abs(frame_of(other, CLOSED)[:, ::-1] - frame_of(source, CLOSED))
    assert difference.max() <= 12, "the matte and the grain of the sclera are not mirrored"
    assert difference.mean() < 0.05


def test_a_lid_never_folds_and_is_nothing_when_open(framed: tuple[Portrait, Face]) -> None:
    portrait, face = framed
    lid: ClosingLid = find_closing_lid(portrait.image, face.lids[0], face.brows[0], face.iris_distance)
    assert lid.drawn(0)[..., 3].max() == 0
    seen = [lid.drawn(part)[..., 3].sum() for part in (0.2, 0.5, 0.8, 1)]
    assert seen == sorted(seen)


def test_what_closes_which_eye() -> None:
    assert closed_eyes(Expression()) == (0, 0)
    assert closed_eyes(Expression(blink=-0.2)) == (0, 0)
    assert closed_eyes(Expression(blink=0.4, wink_right=1)) == (0.4, 1)
