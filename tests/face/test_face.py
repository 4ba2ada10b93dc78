import numpy as np
import pytest

from benchmarks.faces import read_marks
from gaze.face.face import Face, typical_face

TRUTH = read_marks("faces.json")["astronaut"]


def irises(face: Face) -> np.ndarray:
    return np.array([[face.left.x, face.left.y], [face.right.x, face.right.y]])


def test_yaw_is_none_from_the_front_and_changes_sign_in_the_mirror() -> None:
    straight = typical_face(TRUTH.left, TRUTH.right)
    assert straight.yaw == pytest.approx(0, abs=1e-6)
    assert abs(TRUTH.yaw) < 5
    assert TRUTH.mirrored(512).yaw == pytest.approx(-TRUTH.yaw)


def test_moving_a_face_moves_all_of_it() -> None:
    face = TRUTH
    moved = face.moved(2, -10, 5)
    assert irises(moved) == pytest.approx(irises(face) * 2 + [-10, 5])
    assert moved.iris_distance == pytest.approx(2 * face.iris_distance)
    assert moved.tilt == pytest.approx(face.tilt)
    assert moved.box[2] == pytest.approx(2 * face.box[2])
