import numpy as np
import pytest

from gaze.grid import Look
from gaze.motion.eyes import Eyes
from gaze.motion.guard import likeness


@pytest.mark.parametrize(("eyes", "alike"), [(Eyes((120, 100), (195, 100)), 0.0), (Eyes((195, 60), (195, 135)), 1.0)])
def test_an_eye_that_the_head_carries_out_of_the_picture_does_not_count(eyes: Eyes, alike: float) -> None:
    black, white = np.zeros((200, 200, 3), np.uint8), np.full((200, 200, 3), 255, np.uint8)
    assert likeness(black, white, eyes, Look(14.5, 27), 30, 2.0) == pytest.approx(alike, abs=0.01)
