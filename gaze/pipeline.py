"""From a photo to a folder with a living portrait: the only place that knows the whole line."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from gaze.engines.base import Engine, Expression, load_engine
from gaze.errors import GazeError
from gaze.face.detection import main_face
from gaze.face.face import Face
from gaze.face.framing import frame_portrait
from gaze.grid import GazeGrid
from gaze.matting.background import compose, set_before
from gaze.matting.cutout import CutoutEngine
from gaze.matting.matte import Network, add_matte
from gaze.matting.transparency import as_picture, use_transparency
from gaze.options import Options
from gaze.output.bundle import INPUT, write_pages
from gaze.output.coarse import CoarsePortrait
from gaze.output.metadata import Metadata
from gaze.output.pack import PACK, Facts
from gaze.output.packing import PackBuilder
from gaze.output.spool import FrameSpool
from gaze.output.sprites import POSTER, Sheet, check_sheets, describe, encode_webp, plan_sheets, write_sheets
from gaze.photo.portrait import Photo, Portrait, load_portrait, read_portrait
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
    portrait, face, notes = prepare_portrait((yield from _reading(photo)), options)
    check_sheets(groups, portrait.width, portrait.height)
    photographed = portrait
    portrait, network = yield from _cut_out(portrait, face, options)
    engine, reason = yield from _load_engine(options)
    if portrait.alpha is not None:
        engine = CutoutEngine(engine, network)
    if engine.name == "warp" and options.expression != Expression():
        notes += ("The instant engine leaves the expression as it is; only LivePortrait changes it.",)
    alpha = portrait.alpha is not None
    size = (portrait.width, portrait.height)
    metadata = describe(grid, options.mode, *size, face, engine.name, alpha, options.pack)
    result = Result(Path(out), metadata, engine.name, reason, notes)
    shape = (portrait.height, portrait.width, 4 if alpha else 3)
    seen = portrait.image if portrait.alpha is None else np.dstack([portrait.image, portrait.alpha])
    print_ = fingerprint(seen, face, grid, options.straighten, options.expression, engine.name)
    with publishing(Path(out)) as draft, FrameSpool(draft, grid.size, shape) as spool:
        taken = _take_up(earlier, print_, spool, must_continue)
        coarse = CoarsePortrait(result, draft, grid, _stills_quality(options)) if options.pack else None
        rendering = Rendering(engine, portrait, face, grid, spool, options.keys, taken, coarse)
        with closing(_render(rendering, grid, spool, draft, options, metadata)) as steps:
            for step in steps:
                yield replace(step, sheets=tuple(_filling(sheet, spool) for sheet in sheets))
        notes += rendering.notes
        if changed := engine.name != result.engine:
            if taken:
                raise GazeError(f"What is continued was rendered by another engine. {' '.join(engine.notes())}")
            reason = "The engine that was chosen failed before its first frame; the notes say why."
            metadata = metadata.model_copy(update={"engine": engine.name})
            result = replace(result, metadata=metadata, engine=engine.name, reason=reason)
        result = replace(result, notes=notes)
        if options.pack:
            yield Progress("ready", grid.count, grid.count, READY.rstrip(". "), None, replace(result, folder=draft))
        if rendering.kept and not changed:
            keep(draft, print_, rendering.kept, spool)
        yield from _encode_sheets(spool, draft, sheets, options)
        if coarse:
            coarse.remove()
        (draft / INPUT).write_bytes(_jpeg(photographed))
        write_pages(draft, metadata)
        metadata.write(draft)
    yield Progress("done", grid.count, grid.count, "Finished", 0.0)
    return replace(result, notes=(*notes, *engine.notes()))


def _run_there(address: str, photo: Photo, out: str | Path, options: Options) -> Generator[Progress, None, Result]:
    """`run` by another Gaze. The result is stored here."""
    from gaze.remote import render_there

    whole = yield from _reading(photo)
    portrait, _, _ = prepare_portrait(whole, options)
    with publishing(Path(out)) as draft:
        made = yield from render_there(address, as_picture(whole), options, draft)
        (draft / INPUT).write_bytes(_jpeg(portrait))
        write_pages(draft, made.metadata)
    total = made.metadata.grid_size**2
    yield Progress("done", total, total, "Finished", 0.0)
    reason = f"Rendered by {address}. It says: {made.reason}"
    return Result(Path(out), made.metadata, made.metadata.engine or "", reason, (*whole.notes, *made.notes))


def _reading(photo: Photo) -> Generator[Progress, None, Portrait]:
    """Read the photo, in steps that Cancel can come between."""
    with closing(read_portrait(photo)) as running:
        for _ in (steps := Steps(running)):
            yield Progress("read", 0, 1, "Reading the photo")
    return steps.result


def prepare_portrait(photo: Photo | Portrait, options: Options) -> tuple[Portrait, Face, tuple[str, ...]]:
    """Read the photo, find the face that is to be animated, frame it; with notes for the person."""
    whole = photo if isinstance(photo, Portrait) else load_portrait(photo)
    face, count = main_face(whole, options.face, options.anyway)
    portrait, face = frame_portrait(whole, face, options.frame_size, options.framing)
    portrait = use_transparency(portrait)
    notes = portrait.notes
    if count > 1:
        taken = "the largest" if options.face == 0 else f"number {options.face}, counted from the largest as 0,"
        notes += (f"There are {count} faces in the photo; {taken} was taken.",)
    return portrait, face, notes


def _cut_out(
    portrait: Portrait, face: Face, options: Options
) -> Generator[Progress, None, tuple[Portrait, Network | None]]:
    """The portrait with a matte, or before another background, if that was asked for; and what found the matte."""
    if not options.remove_background and options.background is None:
        return portrait, None
    loading = Steps(add_matte(portrait, face, options.matting))
    yield from map(_load_state, loading)
    portrait, network = loading.result
    if options.background is not None:
        portrait = set_before(portrait, options.background, is_free=network is None)
    return portrait, network


def _load_engine(options: Options) -> Generator[Progress, None, tuple[Engine, str]]:
    if isinstance(options.engine, str):
        loading = Steps(load_engine(options.engine, options.straighten, options.expression))
        yield from map(_load_state, loading)
        engine, reason = loading.result
    else:
        engine, reason = options.engine, "The program that called Gaze chose this engine."
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
    image = portrait.image
    if portrait.alpha is not None:
        image = compose(image, portrait.alpha, np.array([255, 255, 255]))
    Image.fromarray(image).save(out, "JPEG", quality=92)
    return out.getvalue()
