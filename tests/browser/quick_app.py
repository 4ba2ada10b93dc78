"""The app with small portraits: `python -m tests.browser.quick_app GATE`. Runs go on only while the file GATE is there.

What was made before, of the same photo with the same options, is copied: the engine works once for each. The example
on the stage is small, too: each page of each test decodes it.
A portrait of 768 pixels cannot be made, and one of 1,024 ends in a fault of ours.
"""

from __future__ import annotations

import hashlib
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Generator, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from gaze.errors import GazeError
from gaze.options import Options
from gaze.photo.portrait import Portrait
from gaze.pipeline.making import generate
from gaze.progress import Progress, Result
from gaze.storage.publishing import publishing
from gaze.ui import adding, handlers, hero
from gaze.ui.app import launch

GATE = Path(sys.argv[1])
STAGES = ("read", "load", "render", "pack")
made: dict[str, Result] = {}
making = threading.Lock()
kept = Path(tempfile.mkdtemp())


def small(options: Options) -> Options:
    return replace(options, engine="warp", keys=5, frame_size=256)


def copied(photo: Path | Portrait, out: Path, options: Options, progress: Any = None) -> Result:
    """A portrait of 256 pixels."""
    options = small(options)
    whole = photo.digest if isinstance(photo, Portrait) else photo.read_bytes()
    name = hashlib.sha256(whole + repr(options).encode()).hexdigest()
    with making:  # two may ask for the same at once
        if name not in made:
            made[name] = generate(photo, kept / name, options, progress)
    with publishing(out) as draft:
        shutil.copytree(made[name].folder, draft, dirs_exist_ok=True)
    return replace(made[name], folder=out)


def run(photo: Path, out: Path, options: Options, earlier: Sequence[Path]) -> Generator[Progress, None, Result]:
    for stage in STAGES:
        yield Progress(stage, 0, 1, "")
        for done in range(10**6) if stage == "pack" else ():
            if GATE.exists():
                break
            time.sleep(0.05)
            yield Progress(stage, min(done, 190), 200, "")
        if options.frame_size == 768:
            raise GazeError("There is no room for this portrait. Try again later.")
        if options.frame_size == 1024:
            raise ZeroDivisionError("secret")
    result = copied(photo, out, options)
    yield Progress("done", 1, 1, "", 0.0, result)
    return result


if __name__ == "__main__":
    handlers.run, handlers.generate = run, copied  # type: ignore[assignment]
    example = generate(hero.example_photos()[0], kept / "hero", small(Options(sheets=False))).folder
    hero.folder = lambda: example
    adding.add_sheets = partial(adding.add_sheets, sheet_size=64, effort=0)
    launch()
