import cv2
import numpy as np
import pytest

from gaze.face.confidence import UNIT, WINDOW, EyeSigns, confidence, eye_signs, log_odds

RADII = (0.1, 0.1)


def drawn(lashes_from: float, lashes_to: float, iris: bool = True) -> np.ndarray:
    """The level patch with a dark disc for each iris, and lashes that reach so far outwards from each, in units."""
    patch = np.full((round((WINDOW[3] - WINDOW[1]) * UNIT), round((WINDOW[2] - WINDOW[0]) * UNIT), 3), 200, np.uint8)
    down = round(-WINDOW[1] * UNIT)
    for side in (-1, 1):
        if iris:
            cv2.circle(patch, (round((side * 0.5 - WINDOW[0]) * UNIT), down), round(0.1 * UNIT), (50, 40, 35), -1)
        ends = [(round((side * (0.5 + reach) - WINDOW[0]) * UNIT), down - 4) for reach in (lashes_from, lashes_to)]
        cv2.line(patch, ends[0], ends[1], (60, 50, 45), 5)
    return patch


def test_an_open_eye_goes_on_beside_its_iris_and_the_end_of_lashes_does_not() -> None:
    assert eye_signs(drawn(-0.22, 0.22), RADII).aside > 0.6
    assert eye_signs(drawn(-0.4, 0.0), RADII).aside < 0.2
    assert eye_signs(drawn(0.0, 0.4), RADII).aside < 0.2


def test_closed_lashes_are_flatter_than_an_iris_and_stay_dark_beside_it() -> None:
    shown = eye_signs(drawn(-0.22, 0.22), RADII)
    closed = eye_signs(drawn(-0.22, 0.22, iris=False), RADII)
    assert closed.height < 0.6 * shown.height
    tall = np.roll(drawn(-0.22, 0.22, iris=False), 4, 0)
    assert eye_signs(np.minimum(tall, np.roll(tall, 5, 0)), RADII).closed > shown.closed + 0.2


CLEAR = {"agreement": 0.9, "correlation": 0.7, "strangeness": 0.03, "eyes": EyeSigns(0.5, 0.5, 3.0), "sight": 1.0}


@pytest.mark.parametrize(
    "bad",
    [
        {"agreement": 0.0},
        {"correlation": 0.1},
        {"strangeness": 0.4},
        {"eyes": EyeSigns(0.0, 0.9, 1.5)},
        {"eyes": EyeSigns(0.4, 1.0, 1.5)},
        {"sight": 0.0},
    ],
)
def test_a_bad_sign_is_enough_for_distrust_where_others_are_fair(bad: dict) -> None:
    fair = CLEAR | {"agreement": 0.5, "correlation": 0.5, "eyes": EyeSigns(0.35, 0.6, 2.5), "sight": 0.5}
    assert confidence(log_odds(**CLEAR)) > 0.98
    assert confidence(log_odds(**fair)) > 0.5
    assert confidence(log_odds(**fair | bad)) < 0.5


def test_beyond_its_range_a_sign_says_no_more() -> None:
    assert log_odds(**CLEAR) == log_odds(**CLEAR | {"correlation": 0.99})
