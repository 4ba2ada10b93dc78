"""What turns a portrait's folder into something to open and to embed: its pages, and the zip."""

from __future__ import annotations

import base64
import html
import json
import math
import re
import stat
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from typing import IO, Any

from PIL import Image

from gaze.errors import GazeError
from gaze.output.metadata import METADATA, FaceFiles, Metadata
from gaze.output.sprites import POSTER

SCRIPT, MORE = "gaze-tracker.js", "gaze-tracker-more.js"
WIDGET_FILES = (SCRIPT, MORE, "gaze-tracker.mjs", "gaze-tracker.d.ts")
"""What of the widget lies in a portrait's folder."""
GROUP = "gaze-group.js"
"""What lies there, too, if it has several faces: their buttons."""
INPUT = "input.jpg"
CHECKPOINT = "keys.zip"
RECIPE = "recipe.json"
SHARE = "share.json"
PRIVATE = (INPUT, CHECKPOINT, RECIPE, SHARE)
"""What its owner alone may have: the photo, rendered frames to continue from, what it was made with, and what the owner
says on its page."""
_STYLE = "pages.css"
_TEMPLATES = ("index.html", "embed.html", _STYLE, "LICENSE")
README = "README.txt"
_LINE = re.compile(r"(\S+\.\S+)(?: \S+)*? {2}", re.ASCII)
"""How a line begins there that says what a file, or the first of several, is for."""
STANDALONE = "standalone.html"
_PORTRAIT = """<gaze-tracker {source} alt="A portrait that looks at the pointer"{buttons}>
  <img slot="poster" src="{poster}" alt="A portrait" width="{width}" height="{height}">
</gaze-tracker>"""
_OTHERS = """<p>There are {count} faces here, which all follow the same pointer: index.html shows how. For each of the
  others write {names} in place of <code>gaze.pack</code>, and the poster of the same number.</p>
"""
_ONE_FILE = """
<h2>As one file</h2>
<p><code>standalone.html</code> has everything in it: send it, or put it on a server by itself. It needs a browser that
  decodes video frame by frame (Chrome and Edge 94, Safari 16.4, Firefox 130, or newer). Others show a portrait that
  does not move.</p>
"""
_STORED = (".webp", ".jpg", ".png", ".pack")
_NAME = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*")
_DATE = (1980, 1, 1, 0, 0, 0)
"""The same for every entry, so that equal portraits give equal bytes."""


def widget_source() -> str:
    """The whole widget, for a script element: there it has no file beside it from which to load the rest."""
    return _widget_text(SCRIPT) + _widget_text(MORE)


def _script(name: str) -> str:
    return f'<script src="{name}"></script>'


def _widget_text(name: str) -> str:
    return files("gaze.widget").joinpath(name).read_text(encoding="utf-8")


def write_pages(folder: Path, metadata: Metadata) -> None:
    """Put the widget and pages that open by double click beside a portrait's files.

    Args:
        folder: where they are; its pack, if it has one, is embedded for pages that may not fetch it.
        metadata: what the pages play.
    """
    for name in (*WIDGET_FILES, GROUP) if metadata.faces else WIDGET_FILES:
        (folder / name).write_text(_widget_text(name), encoding="utf-8")
    values = _values(folder, metadata)
    for name in _TEMPLATES:
        (folder / name).write_text(_filled(name, values), encoding="utf-8")
    if metadata.pack and metadata.poster:
        page, style = _filled("index.html", values), _filled(_STYLE, values)
        parts = [
            (f'<link rel="stylesheet" href="{_STYLE}">', f"<style>\n{style}</style>"),
            (_script(SCRIPT), f"<script>\n{widget_source()}</script>"),
            (_script(GROUP), f"<script>\n{_widget_text(GROUP)}</script>"),
        ]
        for shown in metadata.faces or (metadata,):
            assert shown.pack
            assert shown.poster
            (folder / f"{shown.pack}.js").write_text(pack_script(folder / shown.pack), encoding="utf-8")
            pack, poster = _embedded(folder / shown.pack), _data_url("image/webp", (folder / shown.poster).read_bytes())
            parts += [(f'src="{shown.poster}"', f'src="{poster}"'), (f'src="{shown.pack}"', f'src="{pack}"')]
        for link, text in parts:
            page = page.replace(link, text)
        (folder / STANDALONE).write_text(page, encoding="utf-8")
    _write_readme(folder, values)


def write_readme(folder: Path, metadata: Metadata) -> None:
    """Put beside a portrait's files what each of them is for; of those alone that are there."""
    _write_readme(folder, _values(folder, metadata))


def _write_readme(folder: Path, values: Mapping[str, str]) -> None:
    names = {path.name for path in folder.iterdir()}
    (folder / README).write_text(_listing(_filled(README, values), names), encoding="utf-8")


def _listing(text: str, names: set[str]) -> str:
    """A `README` without its lines for files of other names."""
    lines = text.splitlines(keepends=True)
    return "".join(line for line in lines if not (listed := _LINE.match(line)) or listed[1] in names)


def pack_script(path: Path) -> str:
    """A pack as a script, for pages opened from files: they may not fetch, but may have scripts."""
    return f'(window.gazePacks ||= {{}})[document.currentScript.src] = "{_embedded(path)}";\n'


def _values(folder: Path, metadata: Metadata) -> dict[str, str]:
    """A portrait's data, by the names that the pages of gaze/widget have for them."""
    here, there = (source_attributes(place, metadata) for place in ("", "gaze-portrait/"))
    width, height = _size_of(folder, POSTER, metadata)
    faces = metadata.faces
    portraits = [
        _PORTRAIT.format(
            source=source_attributes("", face) if faces else here,
            buttons=" hide-controls" if faces else "",
            poster=face.poster or POSTER,
            **dict(zip(("width", "height"), _size_of(folder, face.poster or POSTER, face), strict=True)),
        )
        for face in faces or (metadata,)
    ]
    shown = "\n".join(portraits)
    columns = columns_for(len(portraits))
    others = [face.pack for face in faces if face.pack != metadata.pack]
    names = ", ".join(f"<code>{name}</code>" for name in others)
    return {
        "width": str(width),
        "height": str(height),
        "here": here,
        "there": there,
        "portraits": f"<gaze-group>\n{shown}\n</gaze-group>" if faces else shown,
        "group": _script(GROUP) if faces else "",
        "kind": "faces" if faces else "portrait",
        "columns": str(columns),
        "rows": str(math.ceil(len(portraits) / columns)),
        "main": "the largest face" if faces else "the portrait",
        "packs": " ... ".join(dict.fromkeys((min(others), max(others)))) if others else "gaze-2.pack",
        "one_file": _ONE_FILE if metadata.pack and metadata.poster else "",
        "others": _OTHERS.format(count=len(faces), names=names) if faces else "",
    }


def columns_for(count: int) -> int:
    """In how many columns so many portraits stand."""
    return math.ceil(math.sqrt(count))


def _size_of(folder: Path, poster: str, shown: Metadata | FaceFiles) -> tuple[int, int]:
    """Pixels of a portrait: the poster's, which are the pack's and may differ from the sheets'."""
    with suppress(OSError), Image.open(folder / poster) as picture:
        return picture.size
    return shown.image_width, shown.image_height


def _filled(name: str, values: Mapping[str, str]) -> str:
    """A page of gaze/widget with a portrait's data in it."""
    text = _widget_text(name)
    for key, value in values.items():
        text = text.replace(f"{{{{{key}}}}}", value)
    return text


def source_attributes(folder: str, metadata: Metadata | FaceFiles) -> str:
    """The attributes by which `<gaze-tracker>` finds a portrait in a folder: its pack, or else its sheets.

    Args:
        folder: its address, relative to the page; ends in "/", or is empty.
    """
    if isinstance(metadata, FaceFiles) or metadata.pack:
        return f'src="{html.escape(folder + str(metadata.pack))}"'
    sheets = folder + (metadata.sheets or ("sheet.webp",))[0] if metadata.mode == "single" else folder or "./"
    return f'src="{html.escape(sheets)}" mode="{metadata.mode}" grid="{metadata.grid_size}" blend="motion"'


def _embedded(path: Path) -> str:
    return _data_url("application/octet-stream", path.read_bytes())


def _data_url(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def write_zip(folder: Path, target: str | Path | IO[bytes], sheets: bool = False) -> None:
    """Zip a portrait's folder; pictures are stored, text is deflated.

    What is `PRIVATE` is left out, and what no portrait has: links, folders, names that unpack elsewhere on some system.
    Written from front to back, so that `target` may be a stream; equal folders give equal bytes.

    Args:
        folder: the portrait's.
        target: a file's name, or where to write.
        sheets: whether its sprite sheets go in, too: web pages do not need them. A portrait that has no pack is nothing
            without them.
    """
    metadata = None
    with suppress(GazeError):
        metadata = Metadata.read(folder)
    left_out = set[str]()
    if metadata and metadata.pack and not sheets:
        left_out = {*(metadata.sheets or ()), *metadata.mobile_sheets}
    with zipfile.ZipFile(target, "w") as archive:
        paths = sorted(folder.iterdir())
        folder.stat()  # one that was deleted meanwhile may have been listed as empty: that has to be an error
        names = {path.name for path in paths} - left_out
        for path in paths:
            # A file that is gone by now has to be an error: a zip without it would be taken for whole.
            if path.name in PRIVATE or not _NAME.fullmatch(path.name) or not stat.S_ISREG(path.lstat().st_mode):
                continue
            if path.name not in names:
                continue
            entry = zipfile.ZipInfo(f"gaze-portrait/{path.name}", _DATE)
            entry.compress_type = zipfile.ZIP_STORED if path.suffix in _STORED else zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            if metadata and left_out and path.name == METADATA:
                archive.writestr(entry, json.dumps(_without_sheets(metadata).fields(), indent=2) + "\n")
                continue
            if path.name == README:
                archive.writestr(entry, _listing(path.read_text(encoding="utf-8"), names))
                continue
            with archive.open(entry, "w") as out, path.open("rb") as file:
                while block := file.read(2**20):
                    out.write(block)


def _without_sheets(metadata: Metadata) -> Metadata:
    nothing: dict[str, Any] = {"sheets": (), "mobile_sheets": ()}
    if metadata.mobile_grid_size:
        nothing |= {"mobile_grid_size": metadata.grid_size, "mobile_quadrant_size": metadata.grid_size // 2}
    return metadata.model_copy(update=nothing)
