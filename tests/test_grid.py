import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaze.errors import GazeError
from gaze.grid import Cell, GazeGrid, Pose, Strengths

EVEN = [2, 4, 12, 20, 30, 40, 60]


def test_corners_ask_for_the_extremes_of_the_table() -> None:
    grid = GazeGrid(30)
    assert grid.pose(Cell(0, 0)) == Pose(pupil_x=-15, pupil_y=15, head_yaw=7.5, head_pitch=-7.5, eyebrow=15)
    assert grid.pose(Cell(29, 29)) == Pose(pupil_x=15, pupil_y=-15, head_yaw=-7.5, head_pitch=7.5, eyebrow=0)


def test_a_cell_between_follows_the_formula() -> None:
    value = -15 + 30 * 7 / 29
    pose = GazeGrid(30).pose(Cell(7, 29))
    assert (pose.pupil_y, pose.head_pitch, pose.eyebrow) == pytest.approx((-value, value / 2, -value))


def test_strengths_scale_their_own_parts_only() -> None:
    pose = GazeGrid(30, Strengths(head=0.5, eyes=2, brows=0)).pose(Cell(0, 0))
    assert pose == Pose(pupil_x=-30, pupil_y=30, head_yaw=3.75, head_pitch=-3.75, eyebrow=0)


@pytest.mark.parametrize("size", EVEN)
def test_every_cell_is_in_one_quadrant(size: int) -> None:
    grid = GazeGrid(size)
    cells = list(grid.cells())
    assert len(cells) == len(set(cells)) == grid.count
    assert grid.quadrant(1)[0] == Cell(0, size // 2)
    assert grid.quadrant(2)[0] == Cell(size // 2, 0)
    assert grid.quadrant(3)[-1] == Cell(size - 1, size - 1)


@pytest.mark.parametrize("size", EVEN)
def test_each_half_of_a_subsample_comes_from_its_own_half(size: int) -> None:
    axis = GazeGrid(size).subsample(20)
    assert axis[0] == 0
    assert axis[-1] == size - 1
    assert max(axis[:10]) < size // 2 <= min(axis[10:])


def test_the_published_subsample_of_thirty() -> None:
    assert GazeGrid(30).subsample(20) == [round(i * 29 / 19) for i in range(20)]


@pytest.mark.parametrize("size", [0, 1, 7, 62, -2])
def test_an_impossible_size_is_refused_with_the_number(size: int) -> None:
    with pytest.raises(GazeError, match=str(size)):
        GazeGrid(size)


def test_an_impossible_strength_is_refused_by_name() -> None:
    with pytest.raises(GazeError, match=r"eyes strength is 2\.5"):
        Strengths(eyes=2.5)


GRIDS = st.integers(1, 30).map(lambda half: GazeGrid(2 * half))


@given(GRIDS, st.integers(0), st.integers(0))
def test_a_cell_and_its_place_in_a_quadrant_name_each_other(grid: GazeGrid, row: int, col: int) -> None:
    cell, half = Cell(row % grid.size, col % grid.size), grid.half
    quadrant = cell.row // half * 2 + cell.col // half
    place = cell.row % half * half + cell.col % half
    assert grid.quadrant(quadrant)[place] == cell
    assert list(grid.cells()).index(cell) == quadrant * half**2 + place


@given(GRIDS, st.integers(1, 30))
def test_a_subsample_is_spread_evenly(grid: GazeGrid, half: int) -> None:
    size = 2 * half
    axis = grid.subsample(size)
    assert (axis[0], axis[-1], len(axis)) == (0, grid.size - 1, size)
    assert all(abs(index - i * (grid.size - 1) / (size - 1)) <= 0.5 for i, index in enumerate(axis))
    assert max(axis[:half]) < grid.half <= min(axis[half:])
    if size <= grid.size:
        assert axis == sorted(set(axis))


@given(GRIDS, st.integers(0))
def test_opposite_cells_ask_for_opposite_looks(grid: GazeGrid, index: int) -> None:
    i = index % grid.size
    assert grid.value(i) == pytest.approx(-grid.value(grid.size - 1 - i))
    assert -15 <= grid.value(i) <= 15
