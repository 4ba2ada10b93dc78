import cv2
import numpy as np
import pytest

from gaze.confidence import UNIT, WINDOW, confidence, dark_aside

RADII = (0.1, 0.1)


def drawn(lashes_from: float, lashes_to: float) -> np.ndarray:
    """The level patch with a dark disc for each iris, and lashes that reach so far outwards from each, in units."""
    patch = np.full((round((WINDOW[3] - WINDOW[1]) * UNIT), round((WINDOW[2] - WINDOW[0]) * UNIT), 3), 200, np.uint8)
    down = round(-WINDOW[1] * UNIT)
    for side in (-1, 1):
        cv2.circle(patch, (round((side * 0.5 - WINDOW[0]) * UNIT), down), round(0.1 * UNIT), (50, 40, 35), -1)
        ends = [(round((side * (0.5 + reach) - WINDOW[0]) * UNIT), down - 4) for reach in (lashes_from, lashes_to)]
        cv2.line(patch, ends[0], ends[1], (60, 50, 45), 5)
    return patch


def test_an_open_eye_goes_on_beside_its_iris_and_the_end_of_lashes_does_not() -> None:
    assert dark_aside(drawn(-0.22, 0.22), RADII) > 0.6
    assert dark_aside(drawn(-0.4, 0.0), RADII) < 0.2
    assert dark_aside(drawn(0.0, 0.4), RADII) < 0.2


@pytest.mark.parametrize("weak", range(4))
def test_one_bad_sign_is_enough_for_distrust(weak: int) -> None:
    signs = [0.7, 0.9, 0.7, 0.5]
    assert confidence(*signs) == 1
    signs[weak] = (0.15, 0.1, 0.26, 0.21)[weak]
    assert confidence(*signs) < 0.35


def test_no_evidence_at_all_is_no_confidence() -> None:
    assert confidence(-0.3, 0.9, 0.7, 0.5) == 0
