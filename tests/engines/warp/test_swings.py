"""How far eyes move in frames of the example, as an iris model reads them, beside LivePortrait's."""

from functools import partial

import numpy as np

from benchmarks.gaze import CELLS, LIVEPORTRAIT, prepared, seen_eyes, swings
from benchmarks.instant import PHOTO


def test_eyes_swing_as_far_as_liveportraits() -> None:
    """Irises across and down, both lids: the first and the last row of looks stand for five."""
    read = swings(partial(seen_eyes, prepared(PHOTO)), CELLS[::4])
    ratios = read / np.array(LIVEPORTRAIT)
    assert (ratios > 0.85).all(), ratios
    assert (ratios < 1.15).all(), ratios
