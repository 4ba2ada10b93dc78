"""What is measured: a widget with a portrait of the example, and one whose pictures tell the look by their grey."""

from __future__ import annotations

import json
import shutil
import struct
import subprocess
import sys
import tarfile
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

from benchmarks.instant import PHOTO

ROOT = Path(__file__).resolve().parents[2]
SIZE = 30
"""Rows and columns of the grid."""
PORTRAIT, RAMP = "portrait", "ramp"

# Runs in the tree of either version. The one before has no option to leave the sheets out, so it ends with the pack.
_MAKE = """
import json, shutil, sys
from pathlib import Path
import numpy as np
from gaze import Options, generate
from gaze.engines.base import Engine

SIZE, photo, out, what = int(sys.argv[1]), sys.argv[2], Path(sys.argv[3]), sys.argv[4]

class Ramp(Engine):
    name = "ramp"
    def prepare(self, portrait, face):
        return portrait
    def render(self, portrait, poses):
        sys.path.insert(0, sys.argv[5])
        from ramp import picture
        looks = [((15 - it.pupil_y) / 30 * (SIZE - 1), (15 + it.pupil_x) / 30 * (SIZE - 1)) for it in poses]
        return np.stack([picture(*look, portrait.height) for look in looks])

class Ready(Exception):
    pass

def told(step):
    if step.stage == "ready":
        shutil.copytree(step.result.folder, out)
        (out / "metadata.json").write_text(json.dumps(dict(step.result.metadata)))
        raise Ready

ramp = {"engine": Ramp(), "frame_size": 256, "keys": SIZE}
options = {"engine": "warp", "frame_size": 512} if what == "portrait" else ramp
try:
    generate(photo, out.with_name("unfinished"), Options(**options), told)
except Ready:
    pass
"""


@dataclass(frozen=True)
class Subject:
    """One version of the widget.

    Attributes:
        name: "before" or "now".
        folder: holds gaze-tracker.js and what it loads, the portrait and the ramp.
        snippet: how its documentation puts a portrait on a page, with room for `source` and `style`.
    """

    name: str
    folder: Path
    snippet: str

    def header(self, source: str) -> dict[str, Any]:
        """The header of a pack."""
        data = (self.folder / source / "gaze.pack").read_bytes()
        [length] = struct.unpack_from("<I", data, 8)
        header: dict[str, Any] = json.loads(data[12 : 12 + length])
        return header

    def stored(self, source: str) -> list[float]:
        """Looks along an axis whose pictures a pack holds as they are."""
        header = self.header(source)
        looks: list[float] = header.get("looks") or [float(it) for it in range(header["gridSize"])]
        return looks


def make_all(place: Path, before: str | None) -> list[Subject]:
    """The widgets to measure; portraits that lie in `place` already are used again."""
    place.mkdir(parents=True, exist_ok=True)
    return [*([make_before(place, before)] if before else []), make_now(place)]


def make_now(place: Path) -> Subject:
    """The widget of this tree, with portraits as it makes them today."""
    from benchmarks.widget.ramp import write_ramp
    from gaze import Options, generate
    from gaze.output.bundle import WIDGET_FILES

    folder = place / "now"
    if not folder.exists():
        generate(PHOTO, folder / PORTRAIT, Options(engine="warp", frame_size=512, sheets=False))
        write_ramp(folder / RAMP)
    for name in WIDGET_FILES:
        shutil.copy(ROOT / "gaze" / "widget" / name, folder)
    subject = Subject("now", folder, "")
    header = subject.header(PORTRAIT)
    snippet = (
        '<gaze-tracker src="{source}/gaze.pack" alt="Portrait" style="display: block; {style}">'
        f'<img slot="poster" src="{PORTRAIT}/poster.webp" alt="Portrait" width="{header["imageWidth"]}" '
        f'height="{header["imageHeight"]}" style="display: block; width: 100%; height: auto"></gaze-tracker>'
    )
    return replace(subject, snippet=snippet)


def make_before(place: Path, revision: str) -> Subject:
    """The widget of a revision that plays a stored frame for each cell, with portraits as it made them."""
    tree, folder = place / "tree", place / "before"
    snippet = '<gaze-tracker src="{source}/" alt="Portrait" style="{style}"></gaze-tracker>'
    subject = Subject("before", folder, snippet)
    if folder.exists():
        return subject
    packed = subprocess.run(["git", "archive", revision], cwd=ROOT, capture_output=True, check=True).stdout
    with tarfile.open(fileobj=BytesIO(packed)) as archive:
        archive.extractall(tree, filter="data")
    folder.mkdir()
    shutil.copy(tree / "gaze" / "widget" / "gaze-tracker.js", folder)
    for what in (PORTRAIT, RAMP):
        arguments = [str(SIZE), str(PHOTO), str(folder / what), what, str(Path(__file__).parent)]
        subprocess.run([sys.executable, "-c", _MAKE, *arguments], cwd=tree, check=True)
    shutil.rmtree(tree)
    return subject
