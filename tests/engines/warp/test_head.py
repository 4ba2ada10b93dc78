"""The head's motion against what was measured on LivePortrait's frames."""

import re
from pathlib import Path

import numpy as np
import pytest

from gaze.engines.warp.head import STILL_CENTRE, STILL_RADII, head_fields, head_shift
from gaze.face.topology import CHIN, LEFT_CHEEK, LEFT_UPPER_LID, NOSE_TIP, RIGHT_CHEEK, RIGHT_UPPER_LID
from gaze.face.typical import typical_mesh
from gaze.grid import Cell, GazeGrid, Pose, Strengths

TABLE = Path(__file__).parents[2] / "data" / "warp_response.txt"
CELLS = [0, 5, 10, 14, 19]
"""Rows and columns of the table, of a 20×20 grid; these are of the 30×30 grid."""
ROWS = [GazeGrid(30).subsample(20)[i] for i in CELLS]

NAMES = [line.split()[0] for line in TABLE.read_text().splitlines()[1:19]]
PLACES = np.meshgrid(np.linspace(-2.2, 2.2, 177), np.linspace(-2.7, 3.0, 229))


def measured() -> tuple[np.ndarray, np.ndarray]:
    """Neutral positions (18, 2) and displacements (18, 5, 5, 2) of the table's points."""
    head, *sections = re.split(r"\n(?=[a-z_]+\n)", TABLE.read_text())
    positions = [line.split()[1:] for line in head.splitlines()[1:]]
    moved = [[re.findall(r"[+-]\d\.\d+", line) for line in section.splitlines()[1:6]] for section in sections[:18]]
    return np.array(positions, float), np.array(moved, float).reshape(18, 5, 5, 2)


def turned_mesh(degrees: float) -> np.ndarray:
    """An average face that is turned to the image's right."""
    return np.asarray(typical_mesh() @ turning(degrees) / np.cos(np.radians(degrees)))


def turning(degrees: float) -> np.ndarray:
    cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return np.array([[cos, 0, sin], [0, 1, 0], [-sin, 0, cos]])


def displacements(positions: np.ndarray, degrees: float) -> np.ndarray:
    fields, turn = head_fields(positions[:, 0], positions[:, 1], turned_mesh(degrees), yaw=degrees), degrees / 7.5
    cells = [[GazeGrid(30).pose(Cell(row, col)) for col in ROWS] for row in ROWS]
    return np.array([[head_shift(fields, pose, turn) for pose in row] for row in cells]).transpose(3, 0, 1, 2)


def test_the_table_is_read_whole() -> None:
    positions, moved = measured()
    assert positions[0].tolist() == [0.08, -0.88]
    assert moved[0, 0, 0].tolist() == [-0.272, -0.152]
    assert moved[17, 4, 4].tolist() == [0.186, 0.202]


def test_points_move_as_liveportrait_moves_them() -> None:
    """The face of the table is turned to its right by about 4°: its nose lies 0.1 off the middle of its eyes.

    The two cheeks are left out: their points lie on hair, and a face mesh reads more of their motion.
    """
    positions, moved = measured()
    still = np.hypot(*moved.T).mean()
    assert still == pytest.approx(0.189, abs=0.001)
    distance = np.hypot(*(displacements(positions, 4) - moved).T)
    inner = distance[..., [not name.startswith("cheek") for name in NAMES]]
    assert inner.mean() < 0.0195
    assert np.sqrt((inner**2).mean()) < 0.0228
    assert inner.mean(-1).max() < 0.03
    assert inner.max() < 0.09


def test_a_zero_pose_moves_nothing() -> None:
    for turn in (-1, 0, 1):
        assert np.all(np.array(head_shift(head_fields(*PLACES, typical_mesh()), Pose(), turn)) == 0)


def test_left_and_right_are_alike() -> None:
    fields, flipped = head_fields(*PLACES, typical_mesh()), head_fields(-PLACES[0], PLACES[1], typical_mesh())
    for row, col, turn in ((0, 0, 0.5), (9, 22, -1.0), (29, 3, 0.0)):
        du, dv = head_shift(fields, GazeGrid(30).pose(Cell(row, col)), turn)
        du_flipped, dv_flipped = head_shift(flipped, GazeGrid(30).pose(Cell(row, 29 - col)), -turn)
        assert np.allclose(du, -du_flipped, atol=2e-3)
        assert np.allclose(dv, dv_flipped, atol=2e-3)


def test_nothing_moves_beyond_hair_and_neck() -> None:
    u, v = PLACES
    outside = np.hypot(*((place - STILL_CENTRE[i]) / STILL_RADII[i] for i, place in enumerate((u, v)))) >= 1
    for cell in (Cell(0, 0), Cell(29, 0), Cell(0, 29)):
        shift = np.array(
            head_shift(head_fields(u, v, typical_mesh()), GazeGrid(30, Strengths(2, 2, 2)).pose(cell), 1.0)
        )
        assert np.all(shift[:, outside] == 0)


@pytest.mark.parametrize(("strength", "least"), [(1, 0.4), (2, 0.02)])
@pytest.mark.parametrize("degrees", [-30, -12, 0, 20])
@pytest.mark.parametrize("worn", [0.0, 0.5, 1.0])
def test_the_field_never_folds(strength: float, least: float, degrees: float, worn: float) -> None:
    """With glasses, too, and where the picture leaves a doubt about them."""
    u, v = PLACES
    fields = head_fields(u, v, turned_mesh(degrees), worn, degrees)
    grid, turn = GazeGrid(30, Strengths(strength, strength, strength)), degrees / 7.5
    step_u, step_v = u[0, 1] - u[0, 0], v[1, 0] - v[0, 0]
    for row in (0, 15, 29):
        for col in (0, 15, 29):
            du, dv = head_shift(fields, grid.pose(Cell(row, col)), turn)
            across = (1 + np.gradient(du, step_u, axis=1)) * (1 + np.gradient(dv, step_v, axis=0))
            assert (across - np.gradient(du, step_v, axis=0) * np.gradient(dv, step_u, axis=1)).min() > least


def test_brows_rise_when_looking_up_and_stay_when_looking_down() -> None:
    brow, forehead = (head_fields(np.array([u]), np.array([v]), typical_mesh()) for u, v in ((0.7, -0.42), (0.0, -0.9)))
    raised = head_shift(brow, Pose(eyebrow=15))[1][0]
    # LivePortrait raises them by 0.08, but draws the lashes below them anew.
    assert raised == pytest.approx(-0.05, abs=0.01)
    assert abs(head_shift(forehead, Pose(eyebrow=15))[1][0]) < 0.3 * abs(raised)


def shift_across(mesh: np.ndarray, indices: tuple[int, ...], yaw: float, turn: float = 0.0) -> np.ndarray:
    """How far vertices go to the right, for a turn of the head in units of the grid's edge."""
    at = mesh[list(indices), :2]
    return head_shift(head_fields(at[:, 0], at[:, 1], mesh), Pose(head_yaw=-7.5 * yaw), turn)[0]


@pytest.mark.parametrize("side", [-1, 1])
def test_the_outline_moves_by_its_depth(side: int) -> None:
    cheeks = shift_across(typical_mesh(), (LEFT_CHEEK, RIGHT_CHEEK), side)
    assert side * cheeks.mean() == pytest.approx(0.14, abs=0.02)
    ear = head_shift(head_fields(np.array([1.25]), np.array([0.2]), typical_mesh()), Pose(head_yaw=-7.5 * side))[0]
    assert 0.08 < side * ear < 0.17


def test_the_far_cheek_narrows_and_the_near_one_opens() -> None:
    """The more so where the head is turned already: the depth is the mesh's own."""
    gaps = []
    for degrees in (0.0, 20.0):
        turn = degrees / 7.5
        near, nose, far = shift_across(turned_mesh(degrees), (LEFT_CHEEK, NOSE_TIP, RIGHT_CHEEK), 1, turn)
        assert nose > near + 0.01
        assert nose > far + 0.08
        gaps.append(near - far)
    assert gaps[1] > gaps[0] + 0.03


@pytest.mark.parametrize("degrees", [-25.0, 25.0])
def test_a_turned_head_nods_about_its_own_axis(degrees: float) -> None:
    """Both eyes go as far down, though one lies deeper, or the far one would slant; and the chin, going back, aside."""
    mesh = turned_mesh(degrees)
    corners, chin = mesh[[LEFT_UPPER_LID[0], RIGHT_UPPER_LID[-1]], :2], mesh[CHIN, :2]
    u, v = np.array([*corners, chin]).T
    fields = head_fields(u, v, mesh, yaw=degrees)
    across, down = head_shift(fields, Pose(head_pitch=7.5), degrees / 7.5)
    assert down[0] == pytest.approx(down[1], abs=0.01)
    back = np.sin(np.radians(7.5)) * chin[1]
    assert across[2] - across[:2].mean() == pytest.approx(-np.sin(np.radians(degrees)) * back, abs=0.02)


@pytest.mark.parametrize("degrees", [-25.0, 0.0, 25.0])
def test_brows_that_rise_leave_the_lids_of_a_turned_face_alone(degrees: float) -> None:
    """Aslant as brows are there, where the head is lowered: parts of them lie close to the far eye."""
    cos, sin = np.cos(np.radians(12)), np.sin(np.radians(12))
    lowered = typical_mesh() @ np.array([[1, 0, 0], [0, cos, sin], [0, -sin, cos]])
    mesh = lowered @ turning(degrees)
    for lids in (LEFT_UPPER_LID, RIGHT_UPPER_LID):
        u, v = mesh[list(lids[2:-2]), :2].T
        assert abs(head_shift(head_fields(u, v, mesh, yaw=degrees), Pose(eyebrow=15))[1]).max() < 0.005
