"""The living example that is on the stage before any photo is there: made once, and part of the package.

python -m gaze.ui.hero    makes it anew, after an engine or the format has changed
"""

from __future__ import annotations

import shutil
import tempfile
from importlib.resources import files
from pathlib import Path
from typing import Any

from gaze.options import Options
from gaze.output.metadata import METADATA, Metadata
from gaze.output.pack import PACK, STILLS_PACK
from gaze.output.sprites import POSTER
from gaze.pipeline.making import generate

ROOT = "gradio_api/gaze-hero"
NAMES = (PACK, STILLS_PACK, POSTER, METADATA)
"""Of a portrait's folder, what players ask for."""
_BEST = Options(engine="warp", keys=7, frame_size=768, quality=82, sheets=False)


def example_photos() -> list[Path]:
    """The example portraits that come with the project."""
    return sorted(Path(str(files("gaze.ui") / "examples")).glob("*.jpg"))


def folder() -> Path:
    """Where the living portrait of the first example is."""
    return example_photos()[0].with_suffix("")


def hero() -> dict[str, Any]:
    """What `<gaze-tracker>` plays; `base` is relative to the app."""
    return {**Metadata.read(folder()).fields(), "base": f"{ROOT}/"}


def make() -> None:
    """Make it anew from its photo, with all the care there is."""
    target = folder()
    with tempfile.TemporaryDirectory() as place:
        made = generate(example_photos()[0], Path(place) / "made", _BEST).folder
        target.mkdir(exist_ok=True)
        for name in NAMES:
            shutil.copyfile(made / name, target / name)


if __name__ == "__main__":
    make()
