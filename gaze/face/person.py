"""Where the person is in a photo, by the small network that lies in the package."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import cv2
import numpy as np

from gaze.face.networks import Model, Network

SIDE = 256
"""Pixels of a side of what the network sees and gives."""

_PERSON = Model(
    "selfie_segmentation.tflite",
    "9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c",
    SIDE,
    ("activation_10",),
)


def find_person(image: np.ndarray) -> np.ndarray:
    """How surely each part of a photo belongs to a person: (SIDE, SIDE) float32, 0 to 1, stretched to a square.

    MediaPipe's Selfie Segmentation. It takes 256 × 256 RGB in [0, 1].

    Args:
        image: (height, width, 3) uint8 RGB.
    """
    small = cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    [found] = _network()(small / np.float32(255))
    return np.clip(found.reshape(SIDE, SIDE), 0, 1)


@cache
def _network() -> Network:
    return Network(_PERSON, Path(__file__).with_name("person_models"))
