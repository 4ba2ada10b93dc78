import cv2
import numpy as np

from gaze.face.confidence import UNIT, WINDOW, eye_signs

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
