"""From a photo to a folder with a living portrait: the only place that knows the whole line."""

from __future__ import annotations

import io
import json
import os
import time
from collections.abc import Callable, Generator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

from gaze.bundle import INPUT, write_pages
from gaze.engines.base import Engine, choose_engine
from gaze.errors import GazeError
from gaze.faces import Face, main_face
from gaze.framing import frame_portrait
from gaze.grid import GazeGrid, Strengths
from gaze.portrait import Photo, Portrait, load_portrait
from gaze.sessions import publishing
from gaze.sprites import METADATA, MODES, POSTER, Sheet, SheetCanvas, check_sheets, encode_webp, metadata, plan_sheets

_BATCH = 15
_GROUPS_IN_MEMORY = 2


@dataclass(frozen=True)
class Options:
    """What a person can choose; the app, the command line and Python share these.

    Attributes:
        engine: one of `gaze.engines.base.ENGINES`, or an engine of your own.
        size: rows and columns of the grid, even.
        frame_size: longer side of a frame in pixels.
        quality: WebP quality, 1 to 100.
        framing: one of `gaze.framing.FRAMINGS`.
        strengths: how strongly head, eyes and brows follow.
        straighten: whether a source that looks past the camera looks straight in the grid's centre.
        mode: "quadrants", the exchange format, or "single" for one sheet.
        effort: libwebp's method, 0 fast to 6 slow.
    """

    engine: str | Engine = "auto"
    size: int = 30
    frame_size: int = 512
    quality: int = 70
    framing: str = "auto"
    strengths: Strengths = field(default_factory=Strengths)
    straighten: bool = True
    mode: str = "quadrants"
    effort: int = 4


PREVIEW = Options(engine="warp", size=10, frame_size=256, quality=75, mode="single", effort=0)
"""The small portrait that is there at once."""


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Attributes:
        stage: "read", "render", "encode" or "done".
        done, total: frames rendered, or sheets written, depending on the stage.
        message: the same in words.
        remaining: seconds that are left, learnt from this run; None while nothing is known.
    """

    stage: str
    done: int
    total: int
    message: str
    remaining: float | None = None


@dataclass(frozen=True)
class Result:
    """A finished portrait.

    Attributes:
        folder: where its files are.
        metadata: what its `metadata.json` says.
        engine: the name of the engine that rendered it, and why it was chosen.
        notes: sentences for the person: what was changed or chosen on the way.
    """

    folder: Path
    metadata: dict[str, Any]
    engine: str
    reason: str
    notes: tuple[str, ...]


def generate(
    photo: Photo,
    out: str | Path,
    options: Options | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Result:
    """Make a portrait that follows the pointer.

    Args:
        photo: what `gaze.portrait.load_portrait` reads.
        out: the folder to make; it must not be there yet.
        options: all choices; None takes the normal ones.
        progress: called as the work goes on. An exception from it cancels the run, and nothing is left behind.

    Raises:
        GazeError: the photo cannot be used, an option is out of range, or `out` cannot be written.
    """
    steps = run(photo, out, options or Options())
    try:
        while True:
            step = next(steps)
            if progress:
                progress(step)
    except StopIteration as end:
        result: Result = end.value
        return result
    finally:
        steps.close()


def run(photo: Photo, out: str | Path, options: Options) -> Generator[Progress, None, Result]:
    """`generate` step by step; closing the generator cancels, and leaves nothing behind.

    Rendering and encoding overlap: a sheet is handed to the encoding threads as soon as its last frame is there.
    At most two groups of sheets are held in memory at a time.
    """
    grid = GazeGrid(options.size, options.strengths)
    _check(options)
    groups = plan_sheets(grid, options.mode)
    yield Progress("read", 0, 1, "Looking for the face")
    portrait, face, notes = prepare_portrait(photo, options)
    check_sheets(groups, portrait.width, portrait.height)
    if isinstance(options.engine, str):
        engine, reason = choose_engine(options.engine, options.straighten)
    else:
        engine, reason = options.engine, "It was given."
    facts = {**metadata(grid, options.mode, portrait.width, portrait.height, face), "engine": engine.name}
    with publishing(Path(out)) as draft:
        yield from _render_sheets(engine, portrait, face, grid, groups, draft, options)
        (draft / INPUT).write_bytes(_jpeg(portrait))
        (draft / METADATA).write_text(json.dumps(facts, indent=2) + "\n")
        write_pages(draft, facts)
    yield Progress("done", grid.count, grid.count, "Finished", 0.0)
    return Result(Path(out), facts, engine.name, reason, notes)


def prepare_portrait(photo: Photo, options: Options) -> tuple[Portrait, Face, tuple[str, ...]]:
    """Read the photo, find its main face, frame it; with notes for the person."""
    whole = load_portrait(photo)
    face, count = main_face(whole)
    portrait, face = frame_portrait(whole, face, options.frame_size, options.framing)
    notes = portrait.notes
    if count > 1:
        notes += (f"There are {count} faces in the photo; the largest was taken.",)
    return portrait, face, notes


def _check(options: Options) -> None:
    if not 1 <= options.quality <= 100:
        raise GazeError(f"The quality is {options.quality}. Choose a value from 1 to 100; 70 is the normal one.")
    if options.mode not in MODES:
        raise GazeError(f"There is no mode called “{options.mode}”. Choose one of: {', '.join(MODES)}.")


def _render_sheets(
    engine: Engine,
    portrait: Portrait,
    face: Face,
    grid: GazeGrid,
    groups: list[list[Sheet]],
    folder: Path,
    options: Options,
) -> Generator[Progress, None, None]:
    """Render every cell, and encode and write every sheet and the poster."""
    encoding_since = 0.0
    cells_in_all = sum(sheet.side**2 for group in groups for sheet in group)
    cells_encoded = 0
    sheets = sum(len(group) for group in groups)
    pool = ThreadPoolExecutor(os.cpu_count())
    encoding: dict[Future[bytes], Sheet] = {}
    rendered = written = 0

    def encode(canvas: SheetCanvas) -> bytes:
        return encode_webp(canvas.picture, options.quality, options.effort)

    def write_finished() -> None:
        nonlocal written, cells_encoded
        for future in [future for future in encoding if future.done()]:
            sheet = encoding.pop(future)
            (folder / sheet.name).write_bytes(future.result())
            written += 1
            cells_encoded += sheet.side**2

    def remaining() -> float | None:
        # Encoding takes longer than rendering and runs beside it; sheets in work count as half done.
        if not cells_encoded:
            return None
        behind = cells_encoded + sum(sheet.side**2 for sheet in encoding.values()) / 2
        return (time.monotonic() - encoding_since) * (cells_in_all / behind - 1)

    def state() -> Progress:
        if rendered < grid.count:
            message = f"Rendering frame {rendered} of {grid.count}"
            return Progress("render", rendered, grid.count, message, remaining())
        message = f"Writing sheet {min(written + 1, sheets)} of {sheets}"
        return Progress("encode", written, sheets, message, remaining())

    def drain(down_to: int) -> Generator[Progress, None, None]:
        while len(encoding) > down_to:
            wait(encoding, timeout=0.5, return_when=FIRST_COMPLETED)
            write_finished()
            yield state()

    try:
        yield state()
        source = engine.prepare(portrait, face)
        for group in groups:
            yield from drain((_GROUPS_IN_MEMORY - 1) * len(group))
            # The mobile sheet's cells are among the group's first sheet's.
            cells = group[0].cells
            canvases = [SheetCanvas(sheet, portrait.height, portrait.width) for sheet in group]
            for first in range(0, len(cells), _BATCH):
                batch = cells[first : first + _BATCH]
                frames = engine.render(source, [grid.pose(cell) for cell in batch])
                for cell, frame in zip(batch, frames, strict=True):
                    for canvas in canvases:
                        canvas.put(cell, frame)
                    if cell == grid.centre():
                        (folder / POSTER).write_bytes(encode_webp(Image.fromarray(frame), max(options.quality, 80)))
                rendered += len(batch)
                write_finished()
                yield state()
            encoding_since = encoding_since or time.monotonic()
            for canvas in canvases:
                encoding[pool.submit(encode, canvas)] = canvas.sheet
            del canvases, canvas, frames, frame  # Else the last group would outlive its encoding.
        yield from drain(0)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _jpeg(portrait: Portrait) -> bytes:
    out = io.BytesIO()
    Image.fromarray(portrait.image).save(out, "JPEG", quality=92)
    return out.getvalue()
