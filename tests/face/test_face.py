import numpy as np
import pytest

from benchmarks.faces import read_marks
from gaze.face.face import Face, Iris
from gaze.face.pose import head_pose
from gaze.face.topology import NOSE_TIP, POINTS
from gaze.face.typical import mirrored_indices, typical_mesh
from tests.faces import typical_face

TRUTH = read_marks("faces.json")["astronaut"]


def irises(face: Face) -> np.ndarray:
    return np.array([[face.left.x, face.left.y], [face.right.x, face.right.y]])


def test_yaw_is_none_from_the_front_and_changes_sign_in_the_mirror() -> None:
    straight = typical_face(TRUTH.left, TRUTH.right)
    assert straight.yaw == pytest.approx(0, abs=1e-6)
    assert straight.pitch == pytest.approx(0, abs=1e-6)
    assert TRUTH.mirrored(512).yaw == pytest.approx(-TRUTH.yaw, abs=1)


def test_moving_a_face_moves_all_of_it() -> None:
    face = TRUTH
    moved = face.moved(2, -10, 5)
    assert irises(moved) == pytest.approx(irises(face) * 2 + [-10, 5])
    assert moved.iris_distance == pytest.approx(2 * face.iris_distance)
    assert moved.tilt == pytest.approx(face.tilt)
    assert moved.box[2] == pytest.approx(2 * face.box[2])


@pytest.mark.parametrize("yaw", [-30, 0, 20])
@pytest.mark.parametrize("pitch", [-15, 0, 10])
@pytest.mark.parametrize("roll", [-25, 0, 12])
def test_the_pose_is_the_rotation_of_the_mesh(yaw: float, pitch: float, roll: float) -> None:
    """Turned to the image's right, nodded downwards, leant clockwise; roll last, pitch first."""
    y, p, r = np.radians([yaw, pitch, roll])
    nod = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    turn = np.array([[np.cos(y), 0, -np.sin(y)], [0, 1, 0], [np.sin(y), 0, np.cos(y)]])
    lean = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    mesh = 80 * typical_mesh() @ (lean @ turn @ nod).T + (300, 200, 0)
    assert head_pose(mesh) == pytest.approx((yaw, pitch, roll), abs=1e-6)
    nose, eyes = mesh[NOSE_TIP], mesh[[33, 263]].mean(0)
    if yaw and not roll:
        assert np.sign(nose[0] - eyes[0]) == np.sign(yaw)


def test_contours_lie_where_they_are_named() -> None:
    face = typical_face(Iris(100, 100, 6), Iris(160, 100, 6))
    for iris, lids, brow in zip((face.left, face.right), face.lids, face.brows, strict=True):
        assert lids.upper[0][0] < iris.x < lids.upper[-1][0]
        assert lids.upper[4][1] < iris.y < lids.lower[4][1]
        assert (brow.upper[:, 1] < lids.upper[:5, 1].min()).all()
        assert (brow.upper[:, 1] < brow.lower[:, 1]).all()
        assert (np.diff(brow.upper[:, 0]) > 0).all()
    assert face.chin[1] > face.lips.lower[5][1] > face.lips.upper[5][1] > face.nose[1] > 100
    assert face.mouth[0][0] < face.mouth[1][0]
    assert all(0.2 < it < 0.45 for it in face.openness)
    x, y, width, height = face.box
    assert x < face.outline[:, 0].min() + 1
    assert y + height > face.chin[1] - 1
    assert width == height


def test_the_mesh_in_face_coordinates_is_free_of_tilt_and_size() -> None:
    face = typical_face(Iris(100, 100, 6), Iris(150, 130, 6))
    np.testing.assert_allclose(face.frame_mesh, typical_mesh(), atol=1e-9)
    assert face.gaze == pytest.approx(0, abs=0.01)
    np.testing.assert_array_equal(mirrored_indices()[mirrored_indices()], np.arange(POINTS))
