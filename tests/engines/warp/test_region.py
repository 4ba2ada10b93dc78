"""How far places lie outside of a person."""

import numpy as np
import pytest

from gaze.engines.warp.backdrop import Backdrop
from gaze.engines.warp.region import find_outside

STRIDE, SHAPE = 4, (8, 10)


def outside(alpha: np.ndarray) -> np.ndarray:
    whole = np.ascontiguousarray(np.repeat(np.repeat(alpha, STRIDE, 0), STRIDE, 1), np.uint8)
    return find_outside(Backdrop(whole, np.zeros((*whole.shape, 3), np.uint8)), STRIDE, SHAPE)


def test_it_is_counted_in_pixels_below_zero_within() -> None:
    alpha = np.zeros(SHAPE)
    alpha[:, 5:] = 255
    assert np.allclose(outside(alpha)[4], STRIDE * np.array([5, 4, 3, 2, 1, -1, -2, -3, -4, -5]), rtol=0.02)


@pytest.mark.parametrize(("alpha", "side"), [(255, -1), (0, 1)])
def test_where_nothing_else_is_all_is_farther_than_anything(alpha: int, side: int) -> None:
    far = side * outside(np.full(SHAPE, alpha))
    assert np.isfinite(far).all()
    assert far.min() >= STRIDE * max(SHAPE)
