"""The networks that read a face: loaded from the package once, when the first face is looked for, run by OpenCV.

`models/README.md` says where they are from. OpenCV's networks keep state while they run, so each has a lock.
"""

from __future__ import annotations

import hashlib
import threading
from functools import cache
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from gaze.errors import WeightsError

MODELS = Path(__file__).with_name("models")


class Model(NamedTuple):
    """A file in `MODELS`: its SHA-256, the side of its square input in pixels, the layers that give its results."""

    file: str
    sha256: str
    side: int
    outputs: tuple[str, ...]


BACK = Model(
    "face_detection_back.tflite",
    "e376cf6b168d5ece8a3cedb94acc4eb168a136aede125ccc3d903ef38f5beda8",
    256,
    ("regressors", "classificators"),
)
FULL_RANGE = Model(
    "face_detection_full_range.tflite",
    "99bf9494d84f50acc6617d89873f71bf6635a841ea699c17cb3377f9507cfec3",
    192,
    ("reshaped_regressor_face_4", "reshaped_classifier_face_4"),
)
MESH = Model(
    "face_landmark.tflite",
    "2efcb4f4de43c7614b80a3cc3e8a37354b3b3b40f75cce20f6f38f0f25d65493",
    192,
    ("conv2d_20", "conv2d_30"),
)
IRIS = Model(
    "iris_landmark.tflite",
    "d1744d2a09c25f501d39eba4faff47e53ecca8852c5ce19bce8eeac39357521f",
    64,
    ("output_iris", "output_eyes_contours_and_brows", "p_re_lu_36"),
)
ALL = (BACK, FULL_RANGE, MESH, IRIS)


class Network:
    """A model ready to run, by any number of threads.

    Raises:
        WeightsError: the file is missing or is not the one that belongs there.
    """

    def __init__(self, model: Model, folder: Path = MODELS) -> None:
        self.side = model.side
        self._outputs = list(model.outputs)
        self._lock = threading.Lock()
        file = folder / model.file
        try:
            data = file.read_bytes()
        except OSError as error:
            raise _broken(model, "missing") from error
        if hashlib.sha256(data).hexdigest() != model.sha256:
            raise _broken(model, "damaged, or another file")
        # The new engine of OpenCV 5 gives only one of the results that a network has; asked to read from memory,
        # OpenCV 5.0.0 takes that engine whatever it is told.
        classic = getattr(cv2.dnn, "ENGINE_CLASSIC", None)
        self._net = cv2.dnn.readNetFromTFLite(str(file), *(() if classic is None else (classic,)))

    def __call__(self, picture: np.ndarray) -> tuple[np.ndarray, ...]:
        """Run it on a picture, (side, side, 3) float32 RGB in the range that the model was trained on.

        Returns:
            What its layers give, flat, in the order of `Model.outputs`.
        """
        blob = np.ascontiguousarray(picture.transpose(2, 0, 1)[None], np.float32)
        with self._lock:
            self._net.setInput(blob)
            return tuple(it.ravel().copy() for it in self._net.forward(self._outputs))


@cache
def network(model: Model) -> Network:
    """The network of this process, loaded once.

    Raises:
        WeightsError: as `Network`.
    """
    return Network(model)


def _broken(model: Model, what: str) -> WeightsError:
    return WeightsError(f"The face model {model.file} is {what}. It comes with Gaze: install Gaze again.")
