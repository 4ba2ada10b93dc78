"""How many keys a portrait gets, decision by decision."""

import pytest

from gaze.grid import Look
from gaze.motion.keys import AUTO, key_axis, key_looks
from gaze.pipeline.key_plan import KeyPlan, frames_planned, is_slow, takes_too_long, usual_keys


@pytest.mark.parametrize(
    ("asked", "seconds", "is_metered", "keys"),
    [
        (AUTO, 0.0, False, 7),
        (AUTO, 0.01, False, 7),
        (AUTO, 120 / 49, False, 7),
        (AUTO, 120.1 / 49, False, 5),
        (AUTO, 60.0, False, 5),
        (AUTO, 0.01, True, 5),
        (5, 0.01, False, 5),
        (7, 60.0, True, 7),
        (9, 60.0, True, 9),
        ("9", 0.01, False, 9),
    ],
)
def test_keys_to_begin_with(asked: str | int, seconds: float, is_metered: bool, keys: int) -> None:
    assert KeyPlan(asked, 30, seconds, is_metered).first == keys


@pytest.mark.parametrize(
    ("keys", "likeness", "wanted"), [(5, 0.96, True), (7, 0.969, True), (7, 0.97, False), (9, 0.5, False)]
)
def test_more_keys_help_where_morphs_are_unlike(keys: int, likeness: float, wanted: bool) -> None:
    assert KeyPlan(AUTO, 30, 1.0).is_too_coarse(keys, likeness) == wanted


@pytest.mark.parametrize(
    ("asked", "seconds", "goes_on"), [(AUTO, 1800.0, True), (AUTO, 1801.0, False), (7, 1.0, False), (5, 0.0, False)]
)
def test_only_auto_takes_more_keys_and_no_half_hour(asked: str | int, seconds: float, goes_on: bool) -> None:
    assert KeyPlan(asked, 30, 1.0).may_go_on(seconds) == goes_on


def test_what_is_rendered_already_costs_nothing() -> None:
    plan = KeyPlan(AUTO, 30, 2.0)
    assert plan.missing(9, []) == 81 * 2
    assert plan.missing(9, key_looks(key_axis(30, 5))) == (81 - 25) * 2, "five keys per side are among nine"
    assert plan.missing(5, [*key_looks(key_axis(30, 9)), Look(3, 4)]) == 0


def test_frames_that_check_morphs_are_counted() -> None:
    assert [frames_planned(30, keys) for keys in (5, 7, 9)] == [25 + 5, 49 + 5, 81 + 5]
    assert (usual_keys(AUTO), usual_keys(5)) == (7, 5)


def test_what_is_dear() -> None:
    assert is_slow(54, 0.4)
    assert not is_slow(54, 0.3)
    assert takes_too_long(120.1)
    assert not takes_too_long(120.0)
