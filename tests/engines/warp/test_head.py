"""The head's motion against what was measured on LivePortrait's frames."""

import re
from pathlib import Path

import numpy as np
import pytest

from gaze.engines.warp.head import head_fields, head_shift
from gaze.grid import Cell, GazeGrid, Pose, Strengths

TABLE = Path(__file__).parents[2] / "data" / "warp_response.txt"
CELLS = [0, 5, 10, 14, 19]
"""Rows and columns of the table, of a 20×20 grid; these are of the 30×30 grid."""
ROWS = [GazeGrid(30).subsample(20)[i] for i in CELLS]

PLACES = np.meshgrid(np.linspace(-2.2, 2.2, 177), np.linspace(-2.7, 3.0, 229))


def measured() -> tuple[np.ndarray, np.ndarray]:
    """Neutral positions (18, 2) and displacements (18, 5, 5, 2) of the table's points."""
    head, *sections = re.split(r"\n(?=[a-z_]+\n)", TABLE.read_text())
    positions = [line.split()[1:] for line in head.splitlines()[1:]]
    moved = [[re.findall(r"[+-]\d\.\d+", line) for line in section.splitlines()[1:6]] for section in sections[:18]]
    return np.array(positions, float), np.array(moved, float).reshape(18, 5, 5, 2)


def displacements(positions: np.ndarray, turn: float) -> np.ndarray:
    fields = head_fields(positions[:, 0], positions[:, 1])
    cells = [[GazeGrid(30).pose(Cell(row, col)) for col in ROWS] for row in ROWS]
    return np.array([[head_shift(fields, pose, turn) for pose in row] for row in cells]).transpose(3, 0, 1, 2)


def test_the_table_is_read_whole() -> None:
    positions, moved = measured()
    assert positions[0].tolist() == [0.08, -0.88]
    assert moved[0, 0, 0].tolist() == [-0.272, -0.152]
    assert moved[17, 4, 4].tolist() == [0.186, 0.202]


def test_points_move_as_liveportrait_moves_them() -> None:
    """The face of the table is turned to its right by about 4°: its nose lies 0.1 off the middle of its eyes."""
    positions, moved = measured()
    still = np.hypot(*moved.T).mean()
    assert still == pytest.approx(0.189, abs=0.001)
    distance = np.hypot(*(displacements(positions, turn=4 / 7.5) - moved).T)
    assert distance.mean() < 0.02
    assert np.sqrt((distance**2).mean()) < 0.0235
    assert distance.max() < 0.1


def test_a_zero_pose_moves_nothing() -> None:
    for turn in (-1, 0, 1):
        assert np.all(np.array(head_shift(head_fields(*PLACES), Pose(), turn)) == 0)


def test_left_and_right_are_alike() -> None:
    fields, flipped = head_fields(*PLACES), head_fields(-PLACES[0], PLACES[1])
    for row, col, turn in ((0, 0, 0.5), (9, 22, -1.0), (29, 3, 0.0)):
        du, dv = head_shift(fields, GazeGrid(30).pose(Cell(row, col)), turn)
        du_flipped, dv_flipped = head_shift(flipped, GazeGrid(30).pose(Cell(row, 29 - col)), -turn)
        assert np.allclose(du, -du_flipped, atol=1e-5)
        assert np.allclose(dv, dv_flipped, atol=1e-5)


def test_nothing_moves_beyond_hair_and_neck() -> None:
    u, v = PLACES
    outside = np.hypot(u / 2.0, (v - 0.15) / 2.65) >= 1
    for cell in (Cell(0, 0), Cell(29, 0), Cell(0, 29)):
        shift = np.array(head_shift(head_fields(u, v), GazeGrid(30, Strengths(2, 2, 2)).pose(cell), 1.0))
        assert np.all(shift[:, outside] == 0)


@pytest.mark.parametrize(("strength", "least"), [(1, 0.4), (2, 0.02)])
def test_the_field_never_folds(strength: float, least: float) -> None:
    u, v = PLACES
    fields, grid = head_fields(u, v), GazeGrid(30, Strengths(strength, strength, strength))
    step_u, step_v = u[0, 1] - u[0, 0], v[1, 0] - v[0, 0]
    for row in (0, 15, 29):
        for col in (0, 15, 29):
            for turn in (-1.0, 0.0, 1.0):
                du, dv = head_shift(fields, grid.pose(Cell(row, col)), turn)
                across = (1 + np.gradient(du, step_u, axis=1)) * (1 + np.gradient(dv, step_v, axis=0))
                assert (across - np.gradient(du, step_v, axis=0) * np.gradient(dv, step_u, axis=1)).min() > least


def test_brows_rise_when_looking_up_and_stay_when_looking_down() -> None:
    brow, forehead = head_fields(np.array([0.7]), np.array([-0.42])), head_fields(np.array([0.0]), np.array([-0.9]))
    raised = head_shift(brow, Pose(eyebrow=15))[1][0]
    assert raised == pytest.approx(-0.1, abs=0.01)
    assert abs(head_shift(forehead, Pose(eyebrow=15))[1][0]) < 0.3 * abs(raised)
