"""Sprite sheets for other programs: made after a portrait is finished, by its engine or from its pack."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from gaze.engines.base import Engine
from gaze.errors import GazeError
from gaze.face.detection import main_face
from gaze.face.face import Face
from gaze.grid import Cell, GazeGrid, Look
from gaze.motion.morph import Morph, resized
from gaze.options import Options
from gaze.output.bundle import INPUT, write_readme
from gaze.output.metadata import Metadata
from gaze.output.pack import Facts, Pack
from gaze.output.pack_reader import read_pack
from gaze.output.spool import FrameSpool
from gaze.output.sprites import Sheet, check_sheets, list_sheets, plan_sheets, sheet_frame, write_sheets
from gaze.output.unpacking import decode_keys
from gaze.photo.portrait import Portrait, load_portrait
from gaze.pipeline.preparing import ready_engine
from gaze.pipeline.rendering import Rendered
from gaze.progress import READY, Progress, SheetProgress
from gaze.storage.checkpoint import checkpoint_frames
from gaze.storage.locks import workplace
from gaze.storage.publishing import SHEETS
from gaze.storage.recipe import Recipe

_SAME_FACE = 0.02
"""Shares of the frame by which a face that is found anew may lie apart from the one that was animated."""

Frames = Callable[[Sequence[Cell]], Iterator[np.ndarray]]
"""Makes the frames of cells, one after the other: (height, width, 3 or 4) uint8."""


@dataclass(frozen=True)
class SheetPlan:
    """Which sheets are made, and how.

    Attributes:
        grid: the looks.
        mode: "quadrants" or "single".
        size: width and height of a frame.
        quality, effort: of the WebP encoder.
        channels: 3 or 4.
    """

    grid: GazeGrid
    mode: str
    size: tuple[int, int]
    quality: int
    effort: int
    channels: int = 3

    def check(self) -> None:
        """Refuse sheets that WebP cannot hold.

        Raises:
            GazeError: a side would be too long.
        """
        check_sheets(plan_sheets(self.grid, self.mode), *self.size)

    @property
    def sheets(self) -> list[Sheet]:
        """All sheets, the small ones first."""
        groups = plan_sheets(self.grid, self.mode)
        return sorted((sheet for group in groups for sheet in group), key=lambda sheet: sheet.side)


def export_sheets(
    folder: Path, metadata: Metadata, plan: SheetPlan, frames: Frames
) -> Generator[Progress, None, Metadata]:
    """Write sheets into a portrait's folder, and list them in its metadata.json; all of them, or none.

    Closing the generator cancels, and leaves the folder as it was.
    """
    plan.check()
    sheets = plan.sheets
    needed = list(dict.fromkeys(cell for sheet in reversed(sheets) for cell in sheet.cells))
    width, height = plan.size
    with (
        workplace(folder, SHEETS) as temporary,
        FrameSpool(temporary, plan.grid.size, (height, width, plan.channels)) as spool,
    ):
        told = 0.0
        for done, (cell, frame) in enumerate(zip(needed, frames(needed), strict=True)):
            spool.put(cell, resized(frame, plan.size))
            if time.monotonic() > told + 0.1:
                told = time.monotonic()
                each = tuple(_filling(sheet, spool) for sheet in sheets)
                message = f"{READY}Making frame {done + 1} of {len(needed)} for the sprite sheets"
                yield Progress("sheets", done, len(needed), message, sheets=each)
        with closing(write_sheets(sheets, spool, temporary, plan.quality, plan.effort)) as steps:
            started = time.monotonic()
            for written in steps:
                yield _writing(sheets, written, started)
        for sheet in sheets:
            (temporary / sheet.name).replace(folder / sheet.name)
    listed = list_sheets(metadata, plan.grid, plan.mode, plan.size)
    listed.write(folder)
    write_readme(folder, listed)
    return listed


def morphed(morph: Morph) -> Frames:
    """Frames by morphing, on all cores."""

    def frames(cells: Sequence[Cell]) -> Iterator[np.ndarray]:
        ahead = 4 * (os.cpu_count() or 1)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for first in range(0, len(cells), ahead):
                yield from pool.map(morph, cells[first : first + ahead])

    return frames


def packed_morph(folder: Path, metadata: Metadata) -> tuple[Pack, Morph]:
    """The morph of a finished portrait: of the frames that were kept, where they were, else of its pack's.

    Raises:
        GazeError: there is no pack of version 2 that can be read.
    """
    pack = read_pack(folder / str(metadata.pack))
    facts = pack.facts
    keys = decode_keys(pack)
    assert pack.motion is not None
    axis = pack.motion.looks
    kept = checkpoint_frames(folder, (facts.height, facts.width, 4 if facts.alpha else 3))
    for number in keys:
        row, col = divmod(number, len(axis))
        keys[number] = kept.get(Look(axis[row], axis[col]), keys[number])
    return pack, Morph(pack.motion, keys)


def plan_for(
    grid: GazeGrid, mode: str, size: tuple[int, int], longest: int, quality: int, effort: int, alpha: bool
) -> SheetPlan:
    """The sheets of a portrait of this size."""
    return SheetPlan(grid, mode, sheet_frame(*size, longest), quality, effort, 4 if alpha else 3)


def _filling(sheet: Sheet, spool: FrameSpool) -> SheetProgress:
    return SheetProgress(sheet.name, sum(cell in spool.cells for cell in sheet.cells) / len(sheet.cells))


def _writing(sheets: Sequence[Sheet], written: Sequence[Sheet], started: float) -> Progress:
    """How far the encoder is; pixels tell the time left."""
    total, done = (sum(sheet.side**2 for sheet in some) for some in (sheets, written))
    left = (time.monotonic() - started) * (total / done - 1) if done else None
    message = f"{READY}Writing sheet {min(len(written) + 1, len(sheets))} of {len(sheets)}"
    each = tuple(SheetProgress(sheet.name, 1.0, sheet in written) for sheet in sheets)
    return Progress("encode", len(written), len(sheets), message, left, sheets=each)


def add_sheets(
    folder: Path, sheet_size: int = 512, mode: str = "quadrants", quality: int = 70, effort: int = 4
) -> Generator[Progress, None, Metadata]:
    """Make the sheets of a finished portrait; closing the generator cancels, and leaves the portrait as it was.

    The instant engine renders them anew from the portrait's photo, where that is at hand; else they are morphed from
    the keys, as they were kept or as they are in the pack.

    Args:
        folder: the portrait's.
        sheet_size, mode, quality, effort: as in `gaze.options.Options`.

    Raises:
        GazeError: the folder holds no portrait with a pack of version 2, or a choice is out of range.
    """
    Options(sheet_size=sheet_size, mode=mode, quality=quality, effort=effort).check()
    yield Progress("sheets", 0, 1, "Reading the portrait")
    metadata = Metadata.read(folder)
    if not metadata.pack:
        raise GazeError("This portrait has no pack to make sheets from. Make it again.")
    pack, morph = packed_morph(folder, metadata)
    facts = pack.facts
    recipe = Recipe.read(folder)
    grid = GazeGrid(facts.size, recipe.strengths)
    plan = plan_for(grid, mode, (facts.width, facts.height), sheet_size, quality, effort, facts.alpha)
    frames = morphed(morph)
    if metadata.engine == "warp" and not facts.alpha and (known := _known_face(folder, facts)):
        engine, _ = yield from ready_engine(Options(engine="warp", straighten=recipe.straighten))
        frames = _rendered(engine, *known, plan)
    return (yield from export_sheets(folder, metadata, plan, frames))


def _known_face(folder: Path, facts: Facts) -> tuple[Portrait, Face] | None:
    """The photo of a finished portrait and its face, if both are at hand and the face is the one that was animated."""
    try:
        portrait = load_portrait(folder / INPUT)
        face, _ = main_face(portrait)
    except GazeError:
        return None
    x, y = face.centre[0] / portrait.width, face.centre[1] / portrait.height
    same = abs(x - facts.face[0]) < _SAME_FACE and abs(y - facts.face[1]) < _SAME_FACE
    return (portrait, face) if same and (portrait.width, portrait.height) == (facts.width, facts.height) else None


def sheet_frames(engine: Engine, portrait: Portrait, face: Face, made: Rendered, plan: SheetPlan) -> Frames:
    """Rendered where that is cheaper than morphing."""
    morph = Morph(made.keys.motion, made.keys.frames)
    morph(Cell(0, 0))
    started = time.monotonic()
    morph(Cell(1, 0))
    if made.seconds <= time.monotonic() - started and not engine.metered:
        return _rendered(engine, portrait, face, plan)
    return morphed(morph)


def _rendered(engine: Engine, portrait: Portrait, face: Face, plan: SheetPlan) -> Frames:
    def frames(cells: Sequence[Cell]) -> Iterator[np.ndarray]:
        scale = plan.size[0] / portrait.width
        small = portrait
        if scale != 1:
            image, alpha = (
                None if part is None else cv2.resize(part, plan.size, interpolation=cv2.INTER_AREA)
                for part in (portrait.image, portrait.alpha)
            )
            assert image is not None
            small = replace(portrait, image=image, alpha=alpha)
        source = engine.prepare(small, face.scaled(scale))
        for batch in engine.stream(source, [plan.grid.pose(cell) for cell in cells]):
            yield from batch

    return frames


def sheet_plan(grid: GazeGrid, portrait: Portrait, options: Options, alpha: bool) -> SheetPlan:
    """The sheets that a run is asked for."""
    size = (portrait.width, portrait.height)
    return plan_for(grid, options.mode, size, options.sheet_size, options.quality, options.effort, alpha)
