"""The app with an engine that is slow: `python -m tests.browser.slow_app FILE`. Its last frames wait for that file.

Its faces are the instant engine's with red and blue exchanged, so that one sees whose they are.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from gaze.engines import base
from gaze.engines.base import Engine
from gaze.engines.warp.engine import WarpEngine, WarpSource
from gaze.grid import Pose
from gaze.motion.keys import COARSE
from gaze.options import Options
from gaze.photo.portrait import Photo
from gaze.pipeline import key_plan, making, preparing
from gaze.progress import Loading, Progress, Result
from gaze.ui import handlers
from gaze.ui.app import launch

GATE = Path(sys.argv[1])


class SlowEngine(WarpEngine):
    name = "slow"
    rendered = 0

    def stream(self, source: WarpSource, poses: Sequence[Pose]) -> Iterator[np.ndarray]:
        for pose in poses:
            while self.rendered >= COARSE**2 and not GATE.exists():
                time.sleep(0.05)
            time.sleep(0.03)
            self.rendered += 1
            yield self.render(source, [pose])[..., ::-1]


def load_engine(name: str, *choices: Any) -> Generator[Loading, None, tuple[Engine, str]]:
    if name == "warp":  # the preview's
        return (yield from base.load_engine(name, *choices))
    return SlowEngine(), "There is no other."


def run(photo: Photo, out: Path, options: Options, earlier: Sequence[Path]) -> Generator[Progress, None, Result]:
    return making.run(photo, out, replace(options, frame_size=256, video="none"), earlier)


preparing.load_engine, handlers.run = load_engine, run  # type: ignore[assignment]
key_plan._SLOW = key_plan._PATIENCE = 0.5  # so that 30 frames are as much as a person waits for
launch()
