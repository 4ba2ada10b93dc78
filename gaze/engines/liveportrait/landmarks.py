"""203 landmarks of a face by the network that comes with the weights, for the window the weights were trained on."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from gaze.engines.liveportrait.crop import Crop, crop_around_face, crop_around_landmarks
from gaze.errors import WeightsError
from gaze.face.face import Face

_INPUT = (1.5, -0.1, 224)
"""Scale, shift and side of the window that the network looks at."""
_POINTS_OUTPUT = 2
_PUPILS = (197, 198)
_LARGEST_OFFSET = 0.35
"""Iris distances between the pupils found and ours, beyond which the network looked at something else."""


class LandmarkNetwork:
    """`landmark.onnx` of the weights repository.

    Args:
        file: the network's file.

    Raises:
        WeightsError: the file is no such network.
    """

    def __init__(self, file: Path) -> None:
        import onnxruntime

        try:
            self._session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
            (self._input,) = (given.name for given in self._session.get_inputs())
        except Exception as error:
            raise WeightsError(
                f"{file} cannot be read as the landmark network: it is damaged, or another file. Delete it; it is "
                "downloaded again, and without it the crop around the face is estimated."
            ) from error

    def points(self, image: np.ndarray, window: Crop) -> np.ndarray:
        """(203, 2) landmarks in pixels of the image, (height, width, 3) uint8; `window` is 224 pixels across."""
        cut = window.cut(image).astype(np.float32) / 255
        results = self._session.run(None, {self._input: cut.transpose(2, 0, 1)[None]})
        points = np.asarray(results[_POINTS_OUTPUT], np.float64).reshape(-1, 2) * window.side
        back = window.to_picture()
        return points @ back[:2, :2].T + back[:2, 2]

    def crop(self, image: np.ndarray, face: Face) -> Crop:
        """The window that the landmarks ask for; that of the mesh where they lie beside the face.

        The network looks twice: around the mesh, then around what it found, as close as it was trained to see faces.
        """
        window = crop_around_face(face, *_INPUT)
        for _ in range(2):
            points = self.points(image, window)
            off = math.dist(points[list(_PUPILS)].mean(0), face.centre) if np.isfinite(points).all() else math.inf
            if off >= _LARGEST_OFFSET * face.iris_distance:
                return crop_around_face(face)
            window = crop_around_landmarks(points, *_INPUT)
        return crop_around_landmarks(points)
