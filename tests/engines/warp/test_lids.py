import numpy as np
import pytest

from gaze.engines.warp.lids import Lids
from gaze.face.face import Opening
from tests.faces import parabolas

OPENING = Opening((10.0, 40.0), (90.0, 40.0), (50.0, 26.0), (50.0, 58.0))
LIDS = Lids(parabolas(OPENING))
Y, X = np.mgrid[:110, :101].astype(np.float32)
UNIT = 160.0


def test_edges_run_through_corners_and_apexes() -> None:
    for x, y in (OPENING.left, OPENING.right, OPENING.upper):
        assert LIDS.depth(np.array(x), np.array(y)) == pytest.approx(0, abs=1e-4)
    for x, y in (OPENING.left, OPENING.right, OPENING.lower):
        assert LIDS.height(np.array(x), np.array(y)) == pytest.approx(0, abs=1e-4)
    assert LIDS.gap == pytest.approx(32, abs=0.1)


def test_they_move_with_the_picture() -> None:
    assert LIDS.shifted(3, -2).coverage(X + 3, Y - 2) == pytest.approx(LIDS.coverage(X, Y), abs=1e-5)


def test_the_edge_makes_all_of_a_lids_motion_and_the_other_lid_none() -> None:
    upper, lower = (field[:, 50] for field in LIDS.fields(X, Y, UNIT))
    assert (upper[26], upper[58]) == pytest.approx((1, 0), abs=0.01)
    assert (lower[58], lower[26]) == pytest.approx((1, 0), abs=0.01)


def test_corners_stand_still_and_the_fold_above_comes_along() -> None:
    upper, lower = LIDS.fields(X, Y, UNIT)
    assert upper[:, [10, 90]].max() < 0.01
    assert lower[:, [10, 90]].max() < 0.01
    assert 0.3 < upper[26 - 20, 50] < 0.9
    assert (np.diff(upper[:27, 50]) >= -1e-6).all()
    assert (np.diff(upper[26:, 50]) <= 1e-6).all()


@pytest.mark.parametrize("way", [-0.09, 0.09])
def test_a_lid_that_moves_folds_nothing(way: float) -> None:
    """Twice the largest motion of a look still leaves every place below the one that was above it."""
    for field in LIDS.fields(X, Y, UNIT):
        assert (1 + way * UNIT * np.diff(field, axis=0) > 0.1).all()
