from dataclasses import replace

import pytest

from gaze.engines.warp.straighten import GAZE_SHIFT, gaze_offset, straightening, straightening_units
from gaze.face.face import Face, Iris, typical_face


def looking(offset: float) -> Face:
    """A face of 100 pixels between the irises whose irises lie so many iris distances to the right in their eyes."""
    face = typical_face(Iris(200, 200, 10), Iris(300, 200, 10))
    openings = tuple(
        replace(
            opening,
            left=(opening.left[0] - 100 * offset, opening.left[1]),
            right=(opening.right[0] - 100 * offset, opening.right[1]),
        )
        for opening in face.openings
    )
    return replace(face, openings=openings)  # type: ignore[arg-type]


@pytest.mark.parametrize("offset", [-0.06, 0.0, 0.03])
def test_the_gaze_offset_is_that_of_both_irises_in_their_eyes(offset: float) -> None:
    assert gaze_offset(looking(offset)) == pytest.approx(offset, abs=1e-6)


@pytest.mark.parametrize(
    ("offset", "moved"), [(0.0, 0.0), (0.019, 0.0), (0.03, -0.015), (-0.04, 0.04), (0.08, -0.08), (-0.3, 0.1)]
)
def test_only_what_is_sure_is_taken_away(offset: float, moved: float) -> None:
    assert straightening(looking(offset)) == pytest.approx(moved, abs=1e-6)


def test_in_units_it_is_the_look_that_undoes_the_offset() -> None:
    full = looking(GAZE_SHIFT[0])
    assert straightening_units(full) == pytest.approx(-15)
