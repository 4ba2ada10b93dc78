"""Damaged, hostile and unusual pictures, read like uploads. Each has to end in a right portrait or in a refusal,
within 2 seconds and 500 MB. "Right" looks like the undamaged picture; a "damaged portrait" shows what is left of the
file. The last rows search all files of whole runs for the photo's metadata about place and person.
"""

from __future__ import annotations

import struct
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from gaze.face.detection import main_face
from gaze.options import Options
from gaze.output.bundle import write_zip
from gaze.photo.portrait import KEPT_PIXELS, load_portrait
from gaze.pipeline.making import generate
from trials import bombs, corpus, oddities, planted
from trials.boxed import attempt as attempt_boxed
from trials.trying import FAULT, REFUSED, FaultError, Limits, Row, Size, Tried, attempt

LIMITS = Limits(seconds=2, megabytes=500)
_ALIKE = 6.0
"""Mean difference of levels up to which a picture is the same: lossy formats, palettes and profiles differ by less."""


def rows(size: Size) -> Iterator[Row]:
    main_face(load_portrait(corpus.EXAMPLE))  # what the first face costs is not the picture's doing
    seeds = range(size.of(20, 1000))
    plain = corpus.plain()
    face = np.asarray(corpus.face())
    for name, data in plain.items():
        yield Row(name, [_tried(data, face, name)])
    for name, data in plain.items():
        whole = load_portrait(data).image
        parts = [_tried(part, whole, name, damaged=True) for part in corpus.truncated(data)]
        yield Row(f"{name}, cut off at every 5 %", parts)
        flipped = ((seed, corpus.flipped(data, seed)) for seed in seeds)
        # Faces are looked for in every twentieth, since it takes ten times as long as the rest.
        tries = [_tried(it, whole, f"seed {seed}", damaged=True, find=seed % 20 == 0) for seed, it in flipped]
        yield Row(f"{name}, bits flipped", tries)
    yield Row("each under the name of each other", list(_misnamed()))
    odd = [(kind, _tried(data, np.asarray(truth), name)) for kind, name, data, truth in oddities.odd()]
    for kind in dict.fromkeys(kind for kind, _ in odd):
        yield Row(kind, [tried for other, tried in odd if other == kind])
    damaged = enumerate(oddities.damaged_exif(seeds))
    yield Row("EXIF, bits flipped", [_tried(data, None, f"seed {seed}", find=seed % 20 == 0) for seed, data in damaged])
    for kind, files in {
        "no picture: HTML, SVG, PDF, EPS, zip, other formats, random bytes": bombs.strangers(),
        "1 × 1, 1 × 20,000 and other sizes that make no portrait": bombs.sizes(),
        "headers that claim 30,000 × 30,000 pixels": bombs.claims(30000),
        "headers that claim 4,900 × 4,900 pixels": bombs.claims(4900),
        "files that unpack to much, go in circles, or are nothing but tiny parts": bombs.bombs(),
    }.items():
        # As a list, so that nothing but the files' bytes is left of their making.
        yield Row(kind, [_tried(data, None, name) for name, data in list(files)])
    kind = "as large as may be, in million pixels: JPEG 120, GIF and TIFF 50, PNG 45 (transparent 26), AVIF and WebP 20"
    yield Row(kind, [_never_refused(_tried(data, None, name, find=False)) for name, data in list(bombs.largest())])
    for kind, files in {
        "whole runs from photos with GPS, XMP, IPTC, comments": planted.marked(),
        "whole runs from pictures that are HTML, zip or PHP as well": planted.polyglots(),
    }.items():
        yield Row(kind, [attempt(partial(clean_run, name, data), what=name) for name, data in files])


def _tried(photo: bytes | Path, truth: np.ndarray | None, what: str, damaged: bool = False, find: bool = True) -> Tried:
    return attempt_boxed(partial(made, photo, truth, damaged, find), LIMITS, what)


def _never_refused(tried: Tried) -> Tried:
    return replace(tried, happened=FAULT) if tried.happened == REFUSED else tried


def made(photo: bytes | Path, truth: np.ndarray | None, damaged: bool = False, find: bool = True) -> str:
    """Read a photo and find its face; "portrait" if it looks as `truth`, where that is given.

    Args:
        truth: how the picture looks, (height, width, 3) uint8.
        damaged: whether it may look different.
        find: whether to look for the face.
    """
    portrait = load_portrait(photo)
    image = portrait.image
    if image.ndim != 3 or image.shape[2] != 3 or image.dtype != np.uint8 or image.size > 3 * KEPT_PIXELS:
        raise FaultError(f"An image of {image.dtype}, {image.shape}.")
    if find:
        main_face(portrait)
    if truth is None or (image.shape == truth.shape and np.abs(image.astype(int) - truth).mean() <= _ALIKE):
        return "portrait"
    if damaged:
        return "damaged portrait"
    difference = np.abs(image.astype(int) - truth).mean() if image.shape == truth.shape else image.shape
    raise FaultError(f"It looks different: {difference}.")


def _misnamed() -> Iterator[Tried]:
    with tempfile.TemporaryDirectory() as folder:
        for name, data in corpus.plain().items():
            for suffix in (*corpus.SUFFIXES.values(), ".svg", ".html", ""):
                path = Path(folder) / f"photo{suffix}"
                path.write_bytes(data)
                yield _tried(path, np.asarray(corpus.face()), f"{name} as {suffix}")


def clean_run(what: str, data: bytes) -> str:
    """A portrait with all its files and its zip; a fault if one of them holds what was planted."""
    with tempfile.TemporaryDirectory() as folder:
        photo = Path(folder) / f"{corpus.MARK.decode()}{corpus.suffix_of(what.split()[0])}"
        photo.write_bytes(data)
        if not holds_mark(data):
            raise FaultError("There is no mark in the file itself.")
        result = generate(photo, Path(folder) / "out", Options(engine="warp", size=4, frame_size=128))
        write_zip(result.folder, Path(folder) / "out.zip")
        outputs = {path.name: path.read_bytes() for path in result.folder.iterdir()}
        outputs["out.zip"] = (Path(folder) / "out.zip").read_bytes()
        with zipfile.ZipFile(Path(folder) / "out.zip") as archive:
            outputs |= {f"out.zip/{name}": name.encode() + archive.read(name) for name in archive.namelist()}
        for name, content in outputs.items():
            if holds_mark(content):
                raise FaultError(f"{name} holds what was planted.")
            if name.endswith((".jpg", ".webp")):
                with Image.open(result.folder / Path(name).name) as picture:
                    if extra := picture.info.keys() & {"exif", "xmp", "icc_profile", "comment", "photoshop"}:
                        raise FaultError(f"{name} has {extra}.")
    return "portrait"


def holds_mark(data: bytes) -> bool:
    degrees = [struct.pack(f"{order}6I", *(n for value in corpus.PLACE[0] for n in _ratio(value))) for order in "<>"]
    return any(mark in data for mark in (corpus.MARK, *degrees))


def _ratio(value: float) -> tuple[int, int]:
    return value.as_integer_ratio() if value == int(value) else (int(value * 100), 100)
