import cv2
import numpy as np
import pytest

from gaze.errors import FaceError
from gaze.faces import Face, find_faces, main_face
from gaze.portrait import Portrait

# Iris centres of the example, marked by hand in an enlarged crop: left x, y, right x, y.
TRUTH = np.array([[202.7, 101.2], [246.4, 103.6]])


def irises(face: Face) -> np.ndarray:
    return np.array([[face.left.x, face.left.y], [face.right.x, face.right.y]])


def turned(image: np.ndarray, degrees: float) -> tuple[np.ndarray, np.ndarray]:
    """The image turned about the face's middle, and the matrix that did it."""
    x, y = TRUTH.mean(0)
    matrix = cv2.getRotationMatrix2D((float(x), float(y)), degrees, 1)
    size = (image.shape[1], image.shape[0])
    return cv2.warpAffine(image, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE), matrix


def assert_found(portrait: Portrait, truth: np.ndarray, tolerance: float = 0.05) -> Face:
    face, count = main_face(portrait)
    assert count == 1
    unit = np.hypot(*(truth[1] - truth[0]))
    assert np.hypot(*(irises(face) - truth).T).max() < tolerance * unit
    return face


def test_both_irises_of_the_example(portrait: Portrait) -> None:
    face = assert_found(portrait, TRUTH)
    assert 0.07 < face.left.radius / face.iris_distance < 0.13
    assert face.confidence > 0.5


@pytest.mark.parametrize("degrees", [-30, -20, -10, 10, 20, 30])
def test_a_tilted_head(portrait: Portrait, degrees: float) -> None:
    image, matrix = turned(portrait.image, degrees)
    truth = np.hstack([TRUTH, np.ones((2, 1))]) @ matrix.T
    face = assert_found(Portrait(image), truth)
    assert np.degrees(face.roll) == pytest.approx(np.degrees(np.arctan2(*(truth[1] - truth[0])[::-1])), abs=3)


@pytest.mark.parametrize("scale", [0.6, 2.0, 3.5])
def test_other_sizes(portrait: Portrait, scale: float) -> None:
    image = cv2.resize(portrait.image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    assert_found(Portrait(image), (TRUTH + 0.5) * scale - 0.5)


def test_black_and_white(portrait: Portrait) -> None:
    grey = cv2.cvtColor(portrait.image, cv2.COLOR_RGB2GRAY)
    assert_found(Portrait(np.dstack([grey] * 3)), TRUTH)


def test_dim_and_bright_light(portrait: Portrait) -> None:
    for gain, lift in ((0.35, 0), (0.6, 100)):
        assert_found(Portrait((portrait.image * gain + lift).astype(np.uint8)), TRUTH)


def test_a_mirrored_photo_gives_the_mirrored_face(portrait: Portrait) -> None:
    mirrored = np.ascontiguousarray(portrait.image[:, ::-1])
    truth = np.array([portrait.width - 1, 0]) + TRUTH[::-1] * [-1, 1]
    assert_found(Portrait(mirrored), truth)


def test_of_several_faces_the_largest_is_the_main_one(portrait: Portrait) -> None:
    small = cv2.resize(portrait.image, None, fx=0.9, fy=0.9, interpolation=cv2.INTER_AREA)
    pair = np.full((portrait.height, portrait.width + small.shape[1], 3), 128, np.uint8)
    pair[: small.shape[0], : small.shape[1]] = small
    pair[:, small.shape[1] :] = portrait.image
    faces = find_faces(Portrait(pair))
    assert len(faces) == 2
    assert main_face(Portrait(pair)) == (faces[0], 2)
    assert faces[0].centre == pytest.approx(TRUTH.mean(0) + [small.shape[1], 0], abs=2)


def test_no_face_is_an_error_with_advice(faceless: np.ndarray) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (300, 300, 3), np.uint8)
    for image in (faceless, noise, np.full((200, 200, 3), 127, np.uint8)):
        with pytest.raises(FaceError, match=r"No face was found\. Use a photo"):
            main_face(Portrait(image))


def test_a_face_too_small_is_an_error_with_the_number(portrait: Portrait) -> None:
    small = cv2.resize(portrait.image, None, fx=0.27, fy=0.27, interpolation=cv2.INTER_AREA)
    with pytest.raises(FaceError, match=r"too small: 1\d pixels"):
        main_face(Portrait(small))


def test_moving_a_face_moves_all_of_it(portrait: Portrait) -> None:
    face = main_face(portrait)[0]
    moved = face.moved(2, -10, 5)
    assert irises(moved) == pytest.approx(irises(face) * 2 + [-10, 5])
    assert moved.iris_distance == pytest.approx(2 * face.iris_distance)
    assert moved.roll == pytest.approx(face.roll)
    assert moved.box[2] == pytest.approx(2 * face.box[2])
