import itertools

import pytest

from gaze.errors import GazeError
from gaze.grid import GazeGrid, Look, Pose
from gaze.motion.keys import (
    KEY_CHOICES,
    around,
    check_keys,
    key_axis,
    key_looks,
    looks_to_check,
    outwards,
    spiral,
    still_keys,
)


@pytest.mark.parametrize("size", [4, 10, 20, 30, 60])
@pytest.mark.parametrize("keys", KEY_CHOICES)
def test_the_middle_key_is_the_photo_and_the_corners_are_keys(size: int, keys: int) -> None:
    axis = key_axis(size, keys)
    gaps = [b - a for a, b in itertools.pairwise(axis)]
    assert len(axis) == keys
    assert (axis[0], axis[-1]) == (0, size - 1)
    assert max(gaps) - min(gaps) < 1e-9
    middle = key_looks(axis)[keys**2 // 2]
    assert GazeGrid(size).pose(middle) == Pose()


@pytest.mark.parametrize("keys", [4, 6, 8, 10, 15, 30, 2, 0, -7, "seven", 7.5])
def test_other_numbers_are_refused_with_those_that_can_be_had(keys: object) -> None:
    with pytest.raises(GazeError, match=r"Choose “auto”, 5, 7 or 9"):
        check_keys(keys)  # type: ignore[arg-type]


@pytest.mark.parametrize("keys", [3, *KEY_CHOICES])
def test_the_spiral_passes_every_key_once_from_the_middle_on(keys: int) -> None:
    way = spiral(keys)
    assert sorted(way) == list(range(keys**2))
    assert way[0] == keys**2 // 2
    places = [divmod(number, keys) for number in way]
    assert all(abs(a - c) + abs(b - d) == 1 for (a, b), (c, d) in itertools.pairwise(places))


@pytest.mark.parametrize(("keys", "stills"), [(5, (0, 1, 2, 3, 4)), (7, (0, 2, 3, 4, 6)), (9, (0, 2, 4, 6, 8))])
def test_stills_are_five_by_five_with_ends_and_middle(keys: int, stills: tuple[int, ...]) -> None:
    assert still_keys(keys) == stills


def test_looks_come_from_the_middle_outwards() -> None:
    looks = outwards(key_looks(key_axis(30, 5)), 30)
    far = [abs(look.row - 14.5) ** 2 + abs(look.col - 14.5) ** 2 for look in looks]
    assert looks[0] == Look(14.5, 14.5)
    assert far == sorted(far)


@pytest.mark.parametrize("keys", KEY_CHOICES)
def test_what_is_checked_lies_between_keys(keys: int) -> None:
    axis = key_axis(30, keys)
    looks = looks_to_check(axis)
    assert len(looks) == 5
    for look in looks:
        assert {round(around(axis, place)[2], 6) for place in (look.row, look.col)} == {0.5}


def test_checks_of_five_are_keys_of_nine() -> None:
    assert set(looks_to_check(key_axis(30, 5))) <= set(key_looks(key_axis(30, 9)))


@pytest.mark.parametrize(
    ("look", "expected"), [(0, (0, 1, 0)), (29, (3, 4, 1)), (14.5, (2, 3, 0)), (3.625, (0, 1, 0.5)), (-1, (0, 1, 0))]
)
def test_a_look_lies_between_two_keys(look: float, expected: tuple[int, int, float]) -> None:
    assert around(key_axis(30, 5), look) == expected
