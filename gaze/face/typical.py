"""The mesh of an average face that looks straight into the camera, in face coordinates.

`typical_mesh.npy` is the mean of what `gaze.face.mesh` gives for 30 faces seen from the front, made the same for left
and right: (468, 3) float32, x and y in face coordinates, z in iris distances, zero between the corners of the eyes.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np

_FILE = Path(__file__).with_name("typical_mesh.npy")


@cache
def typical_mesh() -> np.ndarray:
    """(468, 3) float64; the same array for all: do not write to it."""
    mesh = np.load(_FILE).astype(np.float64)
    mesh.setflags(write=False)
    return mesh


@cache
def mirrored_indices() -> np.ndarray:
    """(468,) int: the point that takes the place of each when the face is flipped left to right."""
    mesh = typical_mesh()
    return np.array([int(np.argmin(((mesh * (-1, 1, 1) - point) ** 2).sum(1))) for point in mesh])
