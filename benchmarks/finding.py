"""What a checkout of the project finds in pictures, asked in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

import numpy as np

TAKEN = 0.5
"""Confidence from which on a face is taken, in all versions."""

_FIND = """
import json, sys, time
import numpy as np
import cv2
cv2.setNumThreads(1)
from gaze.face.detection import find_faces
from gaze.photo.portrait import Portrait
with np.load(sys.argv[1]) as pictures:
    for name in pictures.files:
        image = pictures[name]
        if name == "0":
            find_faces(Portrait(image[::-1].copy()))  # loads what is loaded once
        started = time.process_time()
        faces = find_faces(Portrait(image))
        seconds = time.process_time() - started
        irises = [[[it.x, it.y, it.radius] for it in (face.left, face.right)] for face in faces]
        print(json.dumps([seconds, irises, [face.confidence for face in faces]]))
"""


_LOAD = """
import time
started = time.process_time()
from gaze.face.detection import find_faces
from gaze.face.networks import ALL, network
for model in ALL:
    network(model)
print(time.process_time() - started)
"""


class Answer(NamedTuple):
    """What a checkout finds in one picture: CPU seconds on one thread, irises (faces, 2, 3), confidences."""

    seconds: float
    irises: list[list[list[float]]]
    confidences: list[float]

    @property
    def taken(self) -> bool:
        return any(it >= TAKEN for it in self.confidences)


def loading(folder: Path) -> float:
    """CPU seconds in which a process loads a checkout's room for faces and its networks."""
    return float(_run(folder, _LOAD).strip())


def ask(folder: Path, images: list[np.ndarray]) -> list[Answer]:
    """Have the checkout in a folder find the faces of pictures, in a process of its own."""
    with tempfile.TemporaryDirectory() as temporary:
        file = Path(temporary) / "pictures.npz"
        np.savez(file, *images)
        with np.load(file) as stored:
            np.savez(file, **{str(number): stored[f"arr_{number}"] for number in range(len(images))})
        told = _run(folder, _FIND, str(file))
    return [Answer(*json.loads(line)) for line in told.splitlines()]


def _run(folder: Path, program: str, *arguments: str) -> str:
    environment = os.environ | {"PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1"}
    asked = [sys.executable, "-c", program, *arguments]
    return subprocess.run(asked, env=environment, cwd=folder, check=True, capture_output=True, text=True).stdout
