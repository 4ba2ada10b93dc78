from collections.abc import Sequence
from itertools import pairwise

import pytest

from gaze.errors import GazeError
from gaze.grid import Cell, GazeGrid
from gaze.motion.keys import (
    AUTO,
    COARSEST,
    KEY_CHOICES,
    PATIENCE,
    around,
    auto_axis,
    cells_of,
    cells_to_check,
    check_keys,
    continued_axis,
    key_axis,
    refine,
    stages,
)


@pytest.mark.parametrize("size", [4, 6, 10, 20, 30, 60])
@pytest.mark.parametrize("keys", [4, 5, *KEY_CHOICES])
def test_corners_and_centre_are_among_the_keys(size: int, keys: int) -> None:
    axis = key_axis(size, keys)
    assert len(axis) == min(size, keys)
    assert list(axis) == sorted(set(axis))
    assert {0, size - 1} <= set(axis)
    assert GazeGrid(size).centre() in cells_of(axis)
    if keys % 2 == 0 or keys >= size:
        assert axis == tuple(size - 1 - index for index in reversed(axis)), "left and right are alike"
        assert {size // 2 - 1, size // 2} <= set(axis)


def test_keys_are_evenly_spaced() -> None:
    assert key_axis(30, 6) == (0, 7, 14, 15, 22, 29)
    assert key_axis(30, 30) == tuple(range(30))
    for keys in KEY_CHOICES:
        axis = key_axis(30, keys)
        gaps = [b - a for a, b in pairwise(axis) if (a, b) != (14, 15)]
        assert max(gaps) - min(gaps) <= 1


def test_denser_keys_keep_the_coarser_ones() -> None:
    axis = key_axis(30, COARSEST)
    assert refine(axis) == key_axis(30, 10)
    while len(axis) < 30:
        checks = cells_to_check(axis)
        assert not set(checks) & set(cells_of(axis))
        assert set(checks) | set(cells_of(axis)) <= set(cells_of(refine(axis)))
        axis = refine(axis)
    assert axis == tuple(range(30))


def gaps(axis: Sequence[int]) -> list[int]:
    return [b - a for a, b in pairwise(axis)]


@pytest.mark.parametrize(
    ("before", "now", "again"), [(6, 10, 36), (6, 15, 36), (8, 15, 64), (10, 15, 100), (15, 30, 225)]
)
def test_a_denser_axis_keeps_what_was_rendered(before: int, now: int, again: int) -> None:
    earlier = key_axis(30, before)
    axis = continued_axis(30, now, earlier)
    assert len(axis) == now
    assert max(gaps(axis)) == max(gaps(key_axis(30, now))), "no worse to morph between"
    assert len(set(cells_of(axis)) & set(cells_of(earlier))) == again


def test_what_was_rendered_is_no_reason_for_wider_gaps() -> None:
    assert continued_axis(30, 8, key_axis(30, 6)) == key_axis(30, 8)
    assert continued_axis(30, 10, key_axis(30, 8)) == key_axis(30, 10)


def test_fewer_keys_than_there_are_already_would_be_worse() -> None:
    assert continued_axis(30, 6, key_axis(30, 15)) == key_axis(30, 15)
    assert continued_axis(30, 6, ()) == key_axis(30, 6)


@pytest.mark.parametrize("size", [4, 10, 30, 60])
@pytest.mark.parametrize("keys", [4, *KEY_CHOICES, 60])
def test_the_way_to_an_axis_is_ever_denser_parts_of_it(size: int, keys: int) -> None:
    axis = key_axis(size, keys)
    parts = stages(size, axis)
    assert parts[-1] == axis
    for before, after in pairwise(parts):
        assert set(before) < set(after)
    for part in parts:
        assert {0, size - 1} <= set(part)
        assert GazeGrid(size).centre() in cells_of(part)
    assert [len(part) for part in stages(30, key_axis(30, 30))] == [6, 10, 18, 30]


def test_the_check_looks_at_extreme_gaze_and_near_the_centre() -> None:
    assert cells_to_check(key_axis(30, 6)) == [Cell(4, 4), Cell(4, 25), Cell(25, 4), Cell(25, 25), Cell(18, 18)]


@pytest.mark.parametrize(("seconds", "keys"), [(0.01, 30), (PATIENCE / 900, 30), (1, 10), (3, 10), (5, 6), (60, 6)])
def test_speed_decides_how_many_are_rendered(seconds: float, keys: int) -> None:
    assert len(auto_axis(30, seconds)) == keys


def test_an_index_lies_between_neighbouring_keys() -> None:
    axis = (0, 7, 14, 15, 22, 29)
    for index in range(30):
        before, after, share = around(axis, index)
        assert axis.index(after) == axis.index(before) + 1
        assert before + share * (after - before) == pytest.approx(index)


@pytest.mark.parametrize("keys", ["many", 3, 0, -6, 7.5])
def test_other_numbers_of_keys_are_refused(keys: object) -> None:
    with pytest.raises(GazeError, match=rf"keys is {keys}.*“auto”.*6, 8, 10, 15, 30"):
        check_keys(keys)  # type: ignore[arg-type]
    for fine in (AUTO, 4, *KEY_CHOICES, 99):
        check_keys(fine)
