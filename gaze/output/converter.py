"""A pack from sheets that are there already, without rendering again; and how close its morphs come to them."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from PIL import Image

from gaze.errors import GazeError
from gaze.face.detection import main_face
from gaze.grid import Cell
from gaze.motion.eyes import Eyes
from gaze.motion.guard import likeness
from gaze.motion.keys import AUTO, KEY_CHOICES, MOST, USUAL, check_keys
from gaze.motion.layer import resized_layer
from gaze.motion.morph import Morph, resized
from gaze.motion.motion import LayerKeys, Motion
from gaze.motion.tracking import find_motion
from gaze.output.metadata import Metadata
from gaze.output.pack import PACK, STILLS_PACK, Facts
from gaze.output.pack_reader import read_pack
from gaze.output.packing import Coding, KeyEncoder
from gaze.output.sheet_reader import SheetReader
from gaze.output.sprites import POSTER, encode_webp
from gaze.output.unpacking import decode_keys, decode_layer
from gaze.photo.portrait import Portrait

Report = Callable[[int, int], None]
_LEAST = 4
"""Rows of the smallest grid that keys can be chosen in."""
_AIM = 0.9
"""Likeness of morphs to the sheets' frames below which nine keys are taken: sheets are coded, so none reaches 1."""


@dataclass(frozen=True)
class Closeness:
    """How alike morphs and the frames of sheets are at the eyes, as structural similarity.

    Attributes:
        mean, least: over all cells that are no keys, or all if all are.
        worst: the cell of the least.
        cells: how many.
    """

    mean: float
    least: float
    worst: Cell
    cells: int


def repack(
    folder: Path,
    quality: int = 75,
    video: str = "vp9",
    report: Report | None = None,
    keys: str | int = AUTO,
) -> Path:
    """Put a pack beside the sheets of a portrait, and name it in its metadata.json.

    Keys are chosen among the frames of the sheets, as evenly as whole cells allow. Sheets are lossy already, so the
    pack is somewhat worse and larger than one made while rendering. Layers of a pack that is there already are kept.

    Args:
        folder: with metadata.json and four quadrants or one sheet, of this version or an older one.
        quality: WebP quality of the stills; the video is made to suit.
        video: "vp9", "av1" or "none".
        report: called with the frames that are read, and how many there are.
        keys: 5, 7 or 9 per side; "auto": 7, or 9 where morphs of 7 come out unlike the sheets' frames.

    Returns:
        The file of the pack.

    Raises:
        GazeError: the folder has no sheets that can be read, or they do not fit their metadata.
    """
    check_keys(keys)
    metadata = Metadata.read(folder)
    sheets = SheetReader(folder, metadata)
    size = sheets.grid.size
    if size < _LEAST:
        raise GazeError(f"Sheets of {size} × {size} frames have too few to morph between. Take a grid of 4 or more.")
    axis = whole_axis(size, USUAL if keys == AUTO else int(keys))
    frames, motion, eyes = _track(sheets, axis, metadata, report)
    if keys == AUTO and len(axis) == USUAL and size >= MOST:
        near = [(a + b) // 2 for a, b in pairwise(axis)]
        checks = [Cell(row, col) for row in (near[0], near[-1]) for col in (near[0], near[-1])]
        morph = Morph(motion, frames)
        found = [likeness(morph(cell), frame, eyes, cell, size) for cell, frame in sheets.frames(checks)]
        if np.mean(found) < _AIM:
            axis = whole_axis(size, MOST)
            frames, motion, eyes = _track(sheets, axis, metadata, report)
    facts = Facts(size, sheets.width, sheets.height, sheets.alpha, metadata.center)
    codec = None if video == "none" else video
    update = {
        "grid_size": size,
        "quadrant_size": size // 2,
        "total_images": size**2,
        "has_alpha": sheets.alpha,
        "pack": PACK,
        "stills": STILLS_PACK if codec else None,
        "poster": metadata.poster or POSTER,
    }
    try:
        with tempfile.TemporaryDirectory(dir=folder, prefix=".pack-") as temporary:
            draft = Path(temporary)
            with KeyEncoder(facts, frames, Coding(quality, codec), _layers(folder, metadata, facts)) as encoder:
                encoder.write(draft, motion)
            if not metadata.poster:
                (draft / POSTER).write_bytes(encode_webp(Image.fromarray(frames[len(frames) // 2]), 80))
            for path in draft.iterdir():
                path.replace(folder / path.name)
        metadata.model_copy(update=update).write(folder)
    except OSError as error:
        raise GazeError(f"The pack could not be written to {folder}: {error.strerror}.") from error
    return folder / PACK


def closeness(folder: Path, report: Report | None = None) -> Closeness:
    """How close the morphs of a portrait's pack come to the frames of its sheets.

    Args:
        folder: with a pack of version 2 and sheets.
        report: called with the cells that are compared, and how many there are.

    Raises:
        GazeError: one of the two is missing or cannot be read.
    """
    metadata = Metadata.read(folder)
    if not metadata.pack:
        raise GazeError("The portrait has no pack, so nothing is morphed. Make one with: python -m gaze pack FOLDER")
    pack = read_pack(folder / metadata.pack)
    keys = decode_keys(pack)
    assert pack.motion is not None
    sheets = SheetReader(folder, metadata)
    if sheets.grid.size != pack.facts.size:
        raise GazeError("The pack and the sheets have different grids. Make the pack again.")
    morph = Morph(pack.motion, keys)
    size, frame_size = sheets.grid.size, (sheets.width, sheets.height)
    looks = set(pack.motion.looks)
    every = list(sheets.grid.cells())
    cells = [cell for cell in every if not (cell.row in looks and cell.col in looks)] or every
    eyes = find_eyes(resized(keys[len(keys) // 2], frame_size), metadata)
    scores: dict[Cell, float] = {}
    for cell, frame in sheets.frames(cells):
        scores[cell] = likeness(resized(morph(cell), frame_size), frame, eyes, cell, size)
        if report:
            report(len(scores), len(cells))
    worst = min(scores, key=lambda cell: scores[cell])
    return Closeness(float(np.mean(list(scores.values()))), scores[worst], worst, len(scores))


def whole_axis(size: int, keys: int) -> tuple[int, ...]:
    """Rows of a grid that can be keys, as evenly as whole numbers go; fewer than asked for where the grid is small."""
    count = max(number for number in (3, *KEY_CHOICES) if number <= min(keys, size))
    return tuple(round(i * (size - 1) / (count - 1)) for i in range(count))


def find_eyes(middle: np.ndarray, metadata: Metadata) -> Eyes:
    """The eyes in a frame that looks straight; about where they usually are, where no face is found."""
    try:
        face, _ = main_face(Portrait(np.ascontiguousarray(middle[..., :3])))
        return Eyes.of(face)
    except GazeError:
        return Eyes.about(middle.shape[1], middle.shape[0], metadata.center)


def _layers(folder: Path, metadata: Metadata, facts: Facts) -> list[LayerKeys]:
    """The layers of the pack that is replaced, for frames of the new one; none where they cannot be read."""
    if not metadata.pack:
        return []
    try:
        pack = read_pack(folder / metadata.pack)
        if pack.facts.size != facts.size:
            return []
        layers = [decode_layer(pack, layer.name) for layer in pack.layers]
    except GazeError:
        return []
    before, after = (pack.facts.width, pack.facts.height), (facts.width, facts.height)
    return [resized_layer(layer, before, after) for layer in layers if layer]


def _track(
    sheets: SheetReader, axis: tuple[int, ...], metadata: Metadata, report: Report | None
) -> tuple[dict[int, np.ndarray], Motion, Eyes]:
    n = len(axis)
    numbers = {Cell(row, col): i * n + j for i, row in enumerate(axis) for j, col in enumerate(axis)}
    frames: dict[int, np.ndarray] = {}
    for cell, frame in sheets.frames(list(numbers)):
        frames[numbers[cell]] = frame
        if report:
            report(len(frames), len(numbers))
    eyes = find_eyes(frames[n * n // 2], metadata)
    return frames, find_motion(frames, tuple(map(float, axis)), eyes), eyes
