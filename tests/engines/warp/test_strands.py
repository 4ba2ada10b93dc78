"""What hangs together with a person is hair where it ends, and background where it goes on."""

import cv2
import numpy as np
import pytest

from gaze.engines.warp.strands import find_hidden

SIZE, UNIT, RADIUS = 300, 60.0, 60


GREY, BLUE = (150, 150, 150), (150, 70, 20)


def hidden_beside(middle: tuple[int, int], end: tuple[int, int], less: tuple[int, int, int] = GREY) -> np.ndarray:
    """How much is hidden, right beside a round head, of a line from its middle that pales on a light wall.

    It has so much less of the wall's colour.
    """
    y, x = np.mgrid[:SIZE, :SIZE]
    away = (np.hypot(x - middle[0], y - middle[1]) - RADIUS) / UNIT
    head, line = away < 0, np.zeros((SIZE, SIZE), np.uint8)
    cv2.line(line, middle, end, 1, 2)
    wall = np.array([225.0, 220.0, 215.0]) - np.exp(-1.7 * away)[..., None] * line[..., None] * less
    image = np.where(head[..., None], (90, 60, 40), wall).astype(np.uint8)
    hidden, _ = find_hidden(image, np.where(head, np.uint8(255), np.uint8(0)), UNIT)
    return hidden[(line > 0) & (away > 0.2) & (away < 0.3)]


def test_a_strand_of_hair_moves_with_the_head() -> None:
    assert hidden_beside((150, 150), (234, 150)).min() > 200


@pytest.mark.parametrize("end", [(265, 150), (265, 90), (150, 30)])
def test_a_twig_that_goes_on_stands_still(end: tuple[int, int]) -> None:
    assert hidden_beside((150, 150), end).max() == 0


def test_a_pole_that_goes_on_to_the_border_stands_still() -> None:
    """The picture ends above the head where strands of hair may still be."""
    assert hidden_beside((150, 84), (150, 0)).max() == 0
    assert hidden_beside((150, 84), (150, 8)).min() > 200


def test_a_letter_whose_colour_is_not_the_hairs_stands_still() -> None:
    """It is as thin and ends where a strand does, but no brown hair is a blue line on a light wall."""
    assert hidden_beside((150, 150), (234, 150), BLUE).max() == 0
