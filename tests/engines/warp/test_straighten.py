from dataclasses import replace

import numpy as np
import pytest

from gaze.engines.warp.gaze import IRIS_SWING
from gaze.engines.warp.straighten import straightening, straightening_units
from gaze.face.face import Face, Iris, Opening
from tests.faces import typical_face, with_openings


def looking(offset: float, right: float | None = None) -> Face:
    """A face of 100 pixels between the irises whose irises lie so many iris distances to the right in their eyes.

    The right one may lie elsewhere.
    """
    face = typical_face(Iris(200, 200, 10), Iris(300, 200, 10))
    openings = []
    for iris, way in ((face.left, offset), (face.right, offset if right is None else right)):
        middle = np.array([iris.x - 100 * way, iris.y])
        openings.append(Opening(*(tuple(middle + it) for it in ((-18, 0), (18, 0), (0, -8), (0, 6)))))
    return with_openings(face, openings)


@pytest.mark.parametrize("offset", [-0.06, 0.0, 0.03])
def test_the_gaze_offset_is_that_of_both_irises_in_their_eyes(offset: float) -> None:
    assert looking(offset).gaze == pytest.approx(offset, abs=1e-6)


@pytest.mark.parametrize(
    ("offset", "moved"),
    [(0.0, 0.0), (0.019, 0.0), (0.03, -0.015), (-0.04, 0.04), (0.08, -0.08), (-0.11, 0.11), (-0.3, 0.125)],
)
def test_only_what_is_sure_is_taken_away(offset: float, moved: float) -> None:
    assert straightening(looking(offset)) == pytest.approx([moved] * 2, abs=1e-6)


def test_in_units_it_is_the_look_that_undoes_the_offset() -> None:
    full = looking(IRIS_SWING)
    assert straightening_units(full) == pytest.approx(-15)


@pytest.mark.parametrize("change", ["turned far", "eyes at odds"])
def test_where_the_gaze_cannot_be_told_it_is_left(change: str) -> None:
    face = looking(0.06)
    assert face.is_gaze_known
    if change == "eyes at odds":
        face = replace(face, left=replace(face.left, x=face.left.x - 12))
    else:
        turn = np.radians(35)
        mesh = face.mesh - (250, 200, 0)
        face = replace(face, mesh=mesh @ [[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]])
        face = replace(face, mesh=face.mesh + (250, 200, 0))
    assert not face.is_gaze_known
    assert straightening(face) == (0, 0)


def test_what_one_eye_says_and_the_other_does_not_is_taken_away_in_part() -> None:
    face = looking(0.06)
    face = replace(face, left=replace(face.left, x=face.left.x - 6))
    assert face.is_gaze_known
    whole, _ = straightening(looking(face.gaze))
    assert straightening(face) == pytest.approx([face.gaze_certainty * whole] * 2)
    assert 0.2 < face.gaze_certainty < 0.6


@pytest.mark.parametrize("side", [-1, 1])
def test_of_two_eyes_that_look_aside_each_comes_back_from_where_it_is(side: int) -> None:
    assert straightening(looking(side * 0.06, side * 0.11)) == pytest.approx([-side * 0.06, -side * 0.11])
    assert straightening(looking(side * 0.11, side * 0.06)) == pytest.approx([-side * 0.11, -side * 0.06])


@pytest.mark.parametrize("side", [-1, 1])
def test_what_one_eye_says_much_beyond_the_other_is_left(side: int) -> None:
    """Of an iris in a corner of its eye little is seen: it is not found as well."""
    assert straightening(looking(side * 0.045, side * 0.12)) == pytest.approx([-side * 0.045, -side * 0.09])
    assert straightening(looking(side * 0.015, side * 0.13)) == (0, 0)
    assert straightening(looking(side * 0.06, -side * 0.06)) == (0, 0)
    assert straightening_units(looking(side * 0.06, side * 0.11)) == pytest.approx(-side * 0.06 / IRIS_SWING * 15)
