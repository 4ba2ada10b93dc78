"""From a photo to a folder with a living portrait: the only place that knows the whole line."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, nullcontext
from dataclasses import replace
from pathlib import Path

from PIL import Image

from gaze.engines.base import Engine, Expression, load_engine
from gaze.errors import GazeError
from gaze.face.detection import main_face
from gaze.face.face import Face
from gaze.face.framing import frame_portrait
from gaze.grid import GazeGrid
from gaze.matting.cutout import CutoutEngine
from gaze.options import Options
from gaze.output.bundle import INPUT, write_pages
from gaze.output.coarse import CoarsePortrait
from gaze.output.metadata import Metadata
from gaze.output.pack import PACK, Facts
from gaze.output.packing import PackBuilder
from gaze.output.spool import FrameSpool
from gaze.output.sprites import POSTER, Sheet, check_sheets, describe, encode_webp, plan_sheets, write_sheets
from gaze.photo.portrait import Photo, Portrait, load_portrait
from gaze.progress import READY, Loading, Progress, Result, SheetProgress, Steps
from gaze.rendering import Rendering
from gaze.storage.checkpoint import Kept, fingerprint, keep, take_up
from gaze.storage.sessions import publishing

_STILLS_BETTER = 5
"""What the pack's stills are better than the sheets, in units of WebP quality: one byte in seventeen more."""


def generate(
    photo: Photo,
    out: str | Path,
    options: Options | None = None,
    progress: Callable[[Progress], None] | None = None,
    earlier: str | Path | None = None,
) -> Result:
    """Make a portrait that follows the pointer.

    Args:
        photo: what `gaze.photo.portrait.load_portrait` reads.
        out: the folder to make; it must not be there yet.
        options: all choices; None takes the normal ones.
        progress: called as the work goes on. An exception from it cancels the run, and nothing is left behind.
        earlier: folder of a portrait to continue: what was rendered for it is not rendered again.

    Raises:
        GazeError: the photo cannot be used, an option is out of range, `out` cannot be written, or `earlier` cannot be
            continued.
    """
    continued = (Path(earlier),) if earlier else ()
    with closing(run(photo, out, options or Options(), continued, must_continue=bool(earlier))) as running:
        steps = Steps(running)
        for step in steps:
            if progress:
                progress(step)
    return steps.result


def run(
    photo: Photo, out: str | Path, options: Options, earlier: Iterable[Path] = (), must_continue: bool = False
) -> Generator[Progress, None, Result]:
    """`generate` step by step; closing the generator cancels, and leaves nothing behind.

    While a slow engine renders, a step has a coarse portrait now and then. Frames are packed while later ones are
    rendered. Once the pack is there the portrait can be played ("ready"); the sheets, of which a large one takes
    seconds, follow from frames kept on disk.

    Args:
        photo, out, options: as for `generate`.
        earlier: folders of portraits; the first that can be continued is.
        must_continue: whether it is an error if none can.
    """
    grid = GazeGrid(options.size, options.strengths)
    options.check()
    groups = plan_sheets(grid, options.mode)
    sheets = sorted((sheet for group in groups for sheet in group), key=lambda sheet: sheet.side)
    yield Progress("read", 0, 1, "Looking for the face")
    if options.remote:
        if must_continue:
            raise GazeError("What was rendered here cannot be continued by another Gaze. Leave one of the two out.")
        return (yield from _run_there(options.remote, photo, out, options))
    portrait, face, notes = prepare_portrait(photo, options)
    check_sheets(groups, portrait.width, portrait.height)
    engine, reason = yield from _load_engine(options)
    if engine.name == "warp" and options.expression != Expression():
        notes += ("The instant engine leaves the expression as it is; only LivePortrait changes it.",)
    alpha = options.remove_background
    size = (portrait.width, portrait.height)
    metadata = describe(grid, options.mode, *size, face, engine.name, alpha, options.pack)
    result = Result(Path(out), metadata, engine.name, reason, notes)
    shape = (portrait.height, portrait.width, 4 if alpha else 3)
    print_ = fingerprint(portrait.image, face, grid, options.straighten, options.expression, alpha, engine.name)
    with publishing(Path(out)) as draft, FrameSpool(draft, grid.size, shape) as spool:
        taken = _take_up(earlier, print_, spool, must_continue)
        coarse = CoarsePortrait(result, draft, grid, _stills_quality(options)) if options.pack else None
        rendering = Rendering(engine, portrait, face, grid, spool, options.keys, taken, coarse)
        with closing(_render(rendering, grid, spool, draft, options, metadata)) as steps:
            for step in steps:
                yield replace(step, sheets=tuple(_filling(sheet, spool) for sheet in sheets))
        notes += rendering.notes
        result = replace(result, notes=notes)
        if options.pack:
            yield Progress("ready", grid.count, grid.count, READY.rstrip(". "), None, replace(result, folder=draft))
        if rendering.kept:
            keep(draft, print_, rendering.kept, spool)
        yield from _encode_sheets(spool, draft, sheets, options)
        if coarse:
            coarse.remove()
        (draft / INPUT).write_bytes(_jpeg(portrait))
        write_pages(draft, metadata)
        metadata.write(draft)
    yield Progress("done", grid.count, grid.count, "Finished", 0.0)
    return replace(result, notes=(*notes, *engine.notes()))


def _run_there(address: str, photo: Photo, out: str | Path, options: Options) -> Generator[Progress, None, Result]:
    """`run` by another Gaze. The result is stored here."""
    from gaze.remote import render_there

    whole = load_portrait(photo)
    portrait, _, _ = prepare_portrait(whole.image, options)
    with publishing(Path(out)) as draft:
        made = yield from render_there(address, whole.image, options, draft)
        (draft / INPUT).write_bytes(_jpeg(portrait))
        write_pages(draft, made.metadata)
    total = made.metadata.grid_size**2
    yield Progress("done", total, total, "Finished", 0.0)
    reason = f"Rendered by {address}. It says: {made.reason}"
    return Result(Path(out), made.metadata, made.metadata.engine or "", reason, (*whole.notes, *made.notes))


def prepare_portrait(photo: Photo, options: Options) -> tuple[Portrait, Face, tuple[str, ...]]:
    """Read the photo, find the face that is to be animated, frame it; with notes for the person."""
    whole = load_portrait(photo)
    face, count = main_face(whole, options.face)
    portrait, face = frame_portrait(whole, face, options.frame_size, options.framing)
    notes = portrait.notes
    if count > 1:
        taken = "the largest" if options.face == 0 else f"number {options.face}, counted from the largest as 0,"
        notes += (f"There are {count} faces in the photo; {taken} was taken.",)
    return portrait, face, notes


def _load_engine(options: Options) -> Generator[Progress, None, tuple[Engine, str]]:
    if isinstance(options.engine, str):
        loading = Steps(load_engine(options.engine, options.straighten, options.expression))
        yield from map(_load_state, loading)
        engine, reason = loading.result
    else:
        engine, reason = options.engine, "It was given."
    if options.remove_background:
        engine = CutoutEngine(engine)
        yield from map(_load_state, engine.load())
    return engine, reason


def _load_state(step: Loading) -> Progress:
    return Progress("load", round(step.done), round(step.total) or 1, step.message)


def _take_up(earlier: Iterable[Path], print_: str, spool: FrameSpool, must_continue: bool) -> Kept | None:
    for folder in earlier:
        try:
            return take_up(folder, print_, spool)
        except GazeError:
            if must_continue:
                raise
    return None


def _render(
    rendering: Rendering, grid: GazeGrid, spool: FrameSpool, draft: Path, options: Options, metadata: Metadata
) -> Generator[Progress, None, None]:
    """Every cell into the spool, the poster and the pack, which is encoded meanwhile."""
    facts = Facts(grid.size, metadata.image_width, metadata.image_height, metadata.has_alpha, metadata.center)
    codec = None if options.video == "none" else options.video
    builder = PackBuilder(facts, _stills_quality(options), codec) if options.pack else None

    with builder or nullcontext():
        yield from rendering.render_keys()
        for block in rendering.blocks:
            while builder and builder.is_full:
                builder.wait(0.5)
                yield rendering.state()
            yield from rendering.fill(block)
            if grid.centre() in block.cells:
                poster = Image.fromarray(spool.get(grid.centre()))
                (draft / POSTER).write_bytes(encode_webp(poster, max(options.quality, 80)))
            if builder:
                builder.add(block, {cell: spool.get(cell) for cell in block.cells})
        while builder and builder.backlog:
            builder.wait(0.5)
            yield rendering.state()
        if builder:
            builder.write(draft / PACK)


def _stills_quality(options: Options) -> int:
    return min(100, options.quality + _STILLS_BETTER)


def _filling(sheet: Sheet, spool: FrameSpool) -> SheetProgress:
    return SheetProgress(sheet.name, sum(cell in spool.cells for cell in sheet.cells) / len(sheet.cells))


def _encode_sheets(spool: FrameSpool, draft: Path, sheets: list[Sheet], options: Options) -> Iterator[Progress]:
    """Write all sheets; their pixels tell the time left."""
    started = time.monotonic()
    total = sum(sheet.side**2 for sheet in sheets)
    ready = READY if options.pack else ""

    def state(written: list[Sheet]) -> Progress:
        done = sum(sheet.side**2 for sheet in written)
        left = (time.monotonic() - started) * (total / done - 1) if done else None
        message = f"{ready}Writing sheet {min(len(written) + 1, len(sheets))} of {len(sheets)}"
        each = tuple(SheetProgress(sheet.name, 1.0, sheet in written) for sheet in sheets)
        return Progress("encode", len(written), len(sheets), message, left, sheets=each)

    yield state([])
    with closing(write_sheets(sheets, spool, draft, options.quality, options.effort)) as steps:
        yield from map(state, steps)


def _jpeg(portrait: Portrait) -> bytes:
    out = io.BytesIO()
    Image.fromarray(portrait.image).save(out, "JPEG", quality=92)
    return out.getvalue()
