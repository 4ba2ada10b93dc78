"""Where the person is in a photo, by the small network that lies in the package."""

from __future__ import annotations

import threading
from functools import cache
from importlib.resources import files

import cv2
import numpy as np

SIDE = 256
"""Pixels of a side of what the network sees and gives."""

_local = threading.local()


def find_person(image: np.ndarray) -> np.ndarray:
    """How surely each part of a photo belongs to a person: (SIDE, SIDE) float32, 0 to 1, stretched to a square.

    MediaPipe's Selfie Segmentation. It takes 256 × 256 RGB in [0, 1].

    Args:
        image: (height, width, 3) uint8 RGB.
    """
    small = cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    network = _network()
    network.setInput(cv2.dnn.blobFromImage(small, 1 / 255))
    return np.clip(network.forward()[0, 0], 0, 1)


def _network() -> cv2.dnn.Net:
    """One per thread: a network of `cv2.dnn` holds the picture it works on."""
    if not hasattr(_local, "network"):
        _local.network = cv2.dnn.readNetFromTFLite(_weights())
    network: cv2.dnn.Net = _local.network
    return network


@cache
def _weights() -> np.ndarray:
    data = files("gaze.face").joinpath("person_models/selfie_segmentation.tflite").read_bytes()
    return np.frombuffer(data, np.uint8)
