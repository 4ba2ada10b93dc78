"""What turns a folder of sheets into something to open and to embed: its pages, and the zip."""

from __future__ import annotations

import json
import zipfile
from importlib.resources import files
from pathlib import Path
from typing import IO, Any

SCRIPT = "gaze-tracker.js"
INPUT = "input.jpg"
_TEMPLATES = ("index.html", "README.txt")
_STORED = (".webp", ".jpg", ".png")
_DATE = (1980, 1, 1, 0, 0, 0)
"""The same for every entry, so that equal portraits give equal bytes."""


def widget_source() -> str:
    """The text of `gaze-tracker.js`."""
    return files("gaze.widget").joinpath(SCRIPT).read_text(encoding="utf-8")


def write_pages(folder: Path, facts: dict[str, Any]) -> None:
    """Put the widget, a page that opens by double click, and a README beside a portrait's sheets.

    Args:
        folder: where the sheets are.
        facts: what `metadata.json` says; it stands in the page too, since file:// pages may not fetch it.
    """
    (folder / SCRIPT).write_text(widget_source(), encoding="utf-8")
    # "<" would let text in the metadata end the script element it stands in.
    manifest = json.dumps({**facts, "base": "./"}).replace("<", "\\u003c")
    for name in _TEMPLATES:
        text = files("gaze.widget").joinpath(name).read_text(encoding="utf-8")
        text = text.replace("{{manifest}}", manifest).replace("{{width}}", str(facts["imageWidth"]))
        (folder / name).write_text(text.replace("{{height}}", str(facts["imageHeight"])), encoding="utf-8")


def write_zip(folder: Path, target: str | Path | IO[bytes]) -> None:
    """Zip a portrait's folder, the photo it was made from left out; pictures are stored, text is deflated."""
    with zipfile.ZipFile(target, "w") as archive:
        for path in sorted(folder.iterdir()):
            if path.name == INPUT:
                continue
            entry = zipfile.ZipInfo(f"gaze-portrait/{path.name}", _DATE)
            entry.compress_type = zipfile.ZIP_STORED if path.suffix in _STORED else zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            with archive.open(entry, "w") as out, path.open("rb") as file:
                while block := file.read(2**20):
                    out.write(block)
