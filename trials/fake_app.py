"""The app with an engine whose frames have the colour of the photo's corner: `python -m trials.fake_app SECONDS`.

SECONDS are what each batch of frames takes.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Generator, Sequence
from typing import Any

import numpy as np

from gaze.engines import base
from gaze.engines.base import Engine
from gaze.face.face import Face
from gaze.grid import Pose
from gaze.photo.portrait import Portrait
from gaze.pipeline import preparing
from gaze.progress import Loading
from gaze.ui.app import launch

_PAUSE = float(sys.argv[1])


class ColourEngine(Engine):
    name = "warp"

    def prepare(self, portrait: Portrait, face: Face) -> np.ndarray:
        return np.broadcast_to(portrait.image[4, 4], portrait.image.shape)

    def render(self, source: np.ndarray, poses: Sequence[Pose]) -> np.ndarray:
        time.sleep(_PAUSE)
        return np.repeat(source[None], len(poses), 0)


def load_engine(name: str, *choices: Any) -> Generator[Loading, None, tuple[Engine, str]]:
    if name == "warp":
        return (yield from base.load_engine(name, *choices))
    return ColourEngine(), "There is no other."


preparing.load_engine = load_engine  # type: ignore[assignment]
launch()
