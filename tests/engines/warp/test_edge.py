"""Discs of known softness: it is found again to a part of a pixel, and drawn again."""

import cv2
import numpy as np
import pytest

from gaze.engines.warp.edge import Edge, find_edge
from gaze.engines.warp.engine import WarpEngine
from gaze.engines.warp.gaze import eye_motion
from gaze.face.face import Iris
from gaze.grid import Pose
from gaze.photo.portrait import Portrait
from tests.engines.warp.test_eyes import DISTANCE, MIDDLE, RADIUS, WHITE, drawn_face

IRIS = Iris(30.3, 29.6, 9.0)


def disc(blur: float, radii: tuple[float, float] = (9.0, 9.0)) -> np.ndarray:
    """(60, 60) an ellipse around IRIS, blurred by a Gaussian of so many pixels."""
    y, x = (np.mgrid[:480, :480] + 0.5) / 8 - 0.5
    fine = (np.hypot((x - IRIS.x) / radii[0], (y - IRIS.y) / radii[1]) < 1).astype(np.float32)
    soft = cv2.GaussianBlur(fine, (0, 0), 8 * blur) if blur else fine
    return cv2.resize(soft, (60, 60), interpolation=cv2.INTER_AREA)


@pytest.mark.parametrize("blur", [0.4, 0.8, 1.6])
def test_how_soft_an_edge_is_and_where_it_lies_is_known_to_a_part_of_a_pixel(blur: float) -> None:
    found = find_edge(disc(blur), np.ones((60, 60), bool), IRIS)
    assert found is not None
    assert found.radius * IRIS.radius == pytest.approx(9.0, abs=0.15)
    assert found.blur * IRIS.radius == pytest.approx(1.12 * np.hypot(blur, 0.29), abs=0.12)


def test_an_iris_that_is_no_circle_is_not_softer_for_it() -> None:
    circle, ellipse = (find_edge(disc(0.5, radii), np.ones((60, 60), bool), IRIS) for radii in ((9.0, 9.0), (8.5, 9.5)))
    assert circle is not None
    assert ellipse is not None
    assert ellipse.blur == pytest.approx(circle.blur, rel=0.15)


def test_lids_may_hide_most_of_it_but_not_all() -> None:
    y, _ = np.mgrid[:60, :60]
    for height, known in ((5, True), (1, False)):
        assert (find_edge(disc(0.8), np.abs(y - IRIS.y) < height, IRIS) is not None) == known
    assert find_edge(np.full((60, 60), 0.5), np.ones((60, 60), bool), IRIS) is None


def test_an_edge_is_a_blurred_step() -> None:
    within = Edge(1.0, 0.1).within(np.array([0.0, 0.9, 1.0, 1.1, 5.0]))
    assert within == pytest.approx([1, 0.846, 0.5, 0.154, 0], abs=0.01)


@pytest.mark.parametrize("blur", [0.0, 1.5])
def test_an_iris_that_moved_is_as_crisp_as_the_photo(blur: float) -> None:
    """Its slope at the side, beside that at rest, on a row through its middle."""
    portrait, face = drawn_face()
    image = cv2.GaussianBlur(portrait.image, (0, 0), blur) if blur else portrait.image
    engine, look = WarpEngine(straighten=False), Pose(pupil_x=12.4)
    moved = engine.render(engine.prepare(Portrait(image), face), [look])[0]

    def slope(frame: np.ndarray, middle: float) -> float:
        row = frame[MIDDLE[1], round(middle - 2 * RADIUS) : round(middle) + 1, 0].astype(float)
        return float(np.diff(row).min()) / WHITE[0]

    for x in (MIDDLE[0] - DISTANCE / 2, MIDDLE[0] + DISTANCE / 2):
        there = x + eye_motion(look).across[0] * DISTANCE
        assert slope(moved, there) == pytest.approx(slope(image, x), rel=0.15)
