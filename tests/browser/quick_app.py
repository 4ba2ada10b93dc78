"""The app with small portraits: `python -m tests.browser.quick_app GATE`. Runs go on only while the file GATE is there.

A portrait of 768 pixels cannot be made, and one of 1,024 ends in a fault of ours.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Generator, Sequence
from dataclasses import replace
from pathlib import Path

from gaze import pipeline
from gaze.errors import GazeError
from gaze.options import Options
from gaze.photo.portrait import Photo
from gaze.progress import Progress, Result, Steps
from gaze.ui import handlers
from gaze.ui.app import launch

GATE = Path(sys.argv[1])


def run(photo: Photo, out: Path, options: Options, earlier: Sequence[Path]) -> Generator[Progress, None, Result]:
    small = replace(options, engine="warp", keys=5, frame_size=256)
    steps = Steps(pipeline.run(photo, out, small, earlier))
    for step in steps:
        yield step
        while step.stage == "pack" and not GATE.exists():
            time.sleep(0.05)
            yield step
        if options.frame_size == 768:
            raise GazeError("There is no room for this portrait. Try again later.")
        if options.frame_size == 1024:
            raise ZeroDivisionError("secret")
    return steps.result


handlers.run = run  # type: ignore[assignment]
launch()
