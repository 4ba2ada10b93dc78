from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gaze.engines.liveportrait.crop import Crop, crop_around_face, crop_around_landmarks
from gaze.engines.liveportrait.landmarks import LandmarkNetwork
from gaze.errors import WeightsError
from gaze.face.face import Face
from gaze.photo.portrait import Portrait
from tests.engines.liveportrait.conftest import write_landmark_network
from tests.engines.liveportrait.golden import Golden


def test_points_are_mapped_back_to_the_picture(landmark_file: Path) -> None:
    window = Crop(100, 80, 60, 0.3, 224)
    points = LandmarkNetwork(landmark_file).points(np.zeros((200, 200, 3), np.uint8), window)
    assert points.shape == (203, 2)
    np.testing.assert_allclose(points, np.tile([100, 80], (203, 1)), atol=1e-9)


def face_like_points(face: Face, window: Crop) -> np.ndarray:
    """The reference's 203 points moved onto a face's pupils, as shares of a window's sides."""
    points = Golden("crop").part("pts203.0.landmarks").astype(np.float64)
    left, right = points[197], points[198]
    # A similarity that takes one pair of pupils to the other, as multiplication by a complex number.
    there = complex(*(right - left))
    here = complex(face.right.x - face.left.x, face.right.y - face.left.y)
    turned = (points - left) @ [1, 1j] * (here / there)
    placed = np.stack([turned.real + face.left.x, turned.imag + face.left.y], 1)
    inside = window.from_picture()
    return (placed @ inside[:2, :2].T + inside[:2, 2]) / window.side


def test_the_window_follows_the_landmarks(
    framed: tuple[Portrait, Face], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    portrait, face = framed
    first = crop_around_face(face, 1.5, -0.1, 224)
    network = LandmarkNetwork(write_landmark_network(tmp_path / "n.onnx", face_like_points(face, first)))
    coarse = network.points(portrait.image, first)
    looked: list[Crop] = []

    def points(_image: np.ndarray, window: Crop) -> np.ndarray:
        looked.append(window)
        return coarse + len(looked)

    monkeypatch.setattr(network, "points", points)
    crop = network.crop(portrait.image, face)
    # The second look is around what the first one found, and that is what counts.
    assert looked == [first, crop_around_landmarks(coarse + 1, 1.5, -0.1, 224)]
    assert crop == crop_around_landmarks(coarse + 2)
    assert crop != crop_around_face(face)


def test_landmarks_beside_the_face_are_not_believed(framed: tuple[Portrait, Face], tmp_path: Path) -> None:
    portrait, face = framed
    for points in (np.full((203, 2), 0.05), np.full((203, 2), np.nan)):
        network = LandmarkNetwork(write_landmark_network(tmp_path / "n.onnx", points))
        assert network.crop(portrait.image, face) == crop_around_face(face)


def test_a_file_that_is_no_network(tmp_path: Path) -> None:
    file = tmp_path / "landmark.onnx"
    file.write_bytes(b"<html>not found</html>")
    with pytest.raises(WeightsError, match=r"landmark\.onnx cannot be read as the landmark network"):
        LandmarkNetwork(file)
