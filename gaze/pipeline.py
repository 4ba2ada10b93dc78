"""From a photo to a folder with a living portrait: the only place that knows the whole line."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from gaze.engines.base import Engine, load_engine
from gaze.errors import GazeError
from gaze.face.detection import main_face
from gaze.face.face import Face
from gaze.face.framing import frame_portrait
from gaze.grid import Cell, Expression, GazeGrid
from gaze.matting.background import compose, set_before
from gaze.matting.cutout import CutoutEngine
from gaze.matting.matte import Network, add_matte
from gaze.matting.transparency import as_picture, use_transparency
from gaze.motion.morph import Morph
from gaze.motion.motion import Keys
from gaze.options import Options
from gaze.output.bundle import INPUT, write_pages
from gaze.output.coarse import remove_coarse, write_coarse
from gaze.output.metadata import Metadata
from gaze.output.pack import PACK, STILLS_PACK, Facts
from gaze.output.packing import Coding, KeyEncoder
from gaze.output.sprites import POSTER, describe, encode_webp
from gaze.photo.portrait import Photo, Portrait, load_portrait, read_portrait
from gaze.progress import READY, Loading, Progress, Result, Steps
from gaze.rendering import KeyRendering, Rendered
from gaze.sheet_export import Frames, SheetPlan, export_sheets, morphed, packed_morph, plan_for
from gaze.storage.checkpoint import Kept, fingerprint, keep, take_up
from gaze.storage.publishing import publishing
from gaze.storage.recipe import Recipe

_SAME_FACE = 0.02
"""Shares of the frame by which a face that is found anew may lie apart from the one that was animated."""
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
        progress: called as the work goes on. An exception from it cancels the run: before the portrait is finished
            nothing is left behind; while its sheets are made, the portrait without them.
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
    """`generate` step by step; closing the generator cancels.

    While a slow engine renders, a step has a coarse portrait now and then. The portrait is finished, and its folder in
    place, when its pack is written ("ready"); sheets, if they were asked for, are made after that.

    Args:
        photo, out, options: as for `generate`.
        earlier: folders of portraits; the first that can be continued is.
        must_continue: whether it is an error if none can.
    """
    grid = GazeGrid(options.size, options.strengths)
    options.check()
    yield Progress("read", 0, 1, "Looking for the face")
    if options.remote:
        if must_continue:
            raise GazeError("What was rendered here cannot be continued by another Gaze. Leave one of the two out.")
        return (yield from _run_there(options.remote, photo, out, options))
    portrait, face, notes = prepare_portrait((yield from _reading(photo)), options)
    if options.wants_sheets:
        _plan(grid, portrait, options, alpha=False).check()
    photographed = portrait
    portrait, network = yield from _cut_out(portrait, face, options)
    engine, reason = yield from _load_engine(options)
    if portrait.alpha is not None:
        engine = CutoutEngine(engine, network)
    if engine.name == "warp" and options.expression != Expression():
        notes += ("The instant engine leaves the expression as it is; only LivePortrait changes it.",)
    chosen = engine.name
    seen = portrait.image if portrait.alpha is None else np.dstack([portrait.image, portrait.alpha])
    print_ = fingerprint(seen, face, grid, options.straighten, options.expression, chosen)
    channels = 3 if portrait.alpha is None else 4

    def result_of(keys: Keys, folder: Path) -> Result:
        return Result(folder, _describe(grid, portrait, face, engine, options, keys.alpha), engine.name, reason, notes)

    with publishing(Path(out)) as draft:

        def show(keys: Keys) -> Generator[None, None, Result]:
            facts = _facts(grid, portrait, face, keys.alpha)
            name = yield from write_coarse(draft, facts, keys, _stills_quality(options))
            result = result_of(keys, draft)
            alone = {"pack": name, "stills": None, "poster": None}
            return replace(result, metadata=result.metadata.model_copy(update=alone))

        taken = _take_up(earlier, print_, (portrait.height, portrait.width, channels), must_continue)
        seen_on_the_way = show if options.pack else None
        blink = options.blinking and options.pack
        rendering = KeyRendering(engine, portrait, face, grid, options.keys, taken, seen_on_the_way, blink=blink)
        made = yield from rendering.run()
        notes += made.notes
        result = replace(result_of(made.keys, Path(out)), notes=notes)
        if changed := engine.name != chosen:
            if taken:
                raise GazeError(f"What is continued was rendered by another engine. {' '.join(engine.notes())}")
            reason = "The engine that was chosen failed before its first frame; the notes say why."
            result = replace(result, reason=reason)
        plan = _plan(grid, portrait, options, made.keys.alpha)
        if options.pack:
            yield from _pack(made.keys, _facts(grid, portrait, face, made.keys.alpha), options, draft)
        poster = Image.fromarray(made.keys.middle)
        (draft / POSTER).write_bytes(encode_webp(poster, max(options.quality, 80)))
        if made.kept and not changed:
            keep(draft, print_, made.kept)
        (draft / INPUT).write_bytes(_jpeg(photographed))
        Recipe(options.strengths, options.straighten).write(draft)
        remove_coarse(draft)
        write_pages(draft, result.metadata)
        result.metadata.write(draft)
        if options.wants_sheets and not options.pack:
            frames = _sheet_frames(engine, portrait, face, made, plan)
            result = replace(result, metadata=(yield from export_sheets(draft, result.metadata, plan, frames)))
            write_pages(draft, result.metadata)
    if options.wants_sheets and options.pack:
        yield Progress("ready", 1, 1, READY.rstrip(". "), None, result)
        frames = _sheet_frames(engine, portrait, face, made, plan)
        del made, rendering  # their frames would lie beside the sheets
        result = replace(result, metadata=(yield from export_sheets(Path(out), result.metadata, plan, frames)))
    yield Progress("done", 1, 1, "Finished", 0.0, result)
    return replace(result, notes=(*notes, *engine.notes()))


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
        engine, _ = yield from _load_engine(Options(engine="warp", straighten=recipe.straighten))
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


def _sheet_frames(engine: Engine, portrait: Portrait, face: Face, made: Rendered, plan: SheetPlan) -> Frames:
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
        source = engine.prepare(small, face.moved(scale))
        for batch in engine.stream(source, [plan.grid.pose(cell) for cell in cells]):
            yield from batch

    return frames


def _plan(grid: GazeGrid, portrait: Portrait, options: Options, alpha: bool) -> SheetPlan:
    size = (portrait.width, portrait.height)
    return plan_for(grid, options.mode, size, options.sheet_size, options.quality, options.effort, alpha)


def _facts(grid: GazeGrid, portrait: Portrait, face: Face, alpha: bool) -> Facts:
    x, y = face.centre
    where = (round(x / portrait.width, 4), round(y / portrait.height, 4))
    return Facts(grid.size, portrait.width, portrait.height, alpha, where)


def _describe(
    grid: GazeGrid, portrait: Portrait, face: Face, engine: Engine, options: Options, alpha: bool
) -> Metadata:
    """The metadata of a portrait without sheets."""
    facts = _facts(grid, portrait, face, alpha)
    size = _plan(grid, portrait, options, alpha).size
    metadata = describe(grid, options.mode, size, facts.face, engine.name, alpha)
    if not options.pack:
        return metadata
    stills = None if options.video == "none" else STILLS_PACK
    return metadata.model_copy(update={"pack": PACK, "stills": stills})


def _pack(keys: Keys, facts: Facts, options: Options, draft: Path) -> Generator[Progress, None, None]:
    codec = None if options.video == "none" else options.video
    state = Progress("pack", 0, 1, "Packing the keys")
    yield state
    with KeyEncoder(facts, keys.frames, Coding(_stills_quality(options), codec), keys.layers) as encoder:
        while not encoder.wait(0.5):
            yield state
        encoder.write(draft, keys.motion)


def _run_there(address: str, photo: Photo, out: str | Path, options: Options) -> Generator[Progress, None, Result]:
    """`run` by another Gaze. The result is stored here."""
    from gaze.remote.client import render_there

    whole = yield from _reading(photo)
    portrait, _, _ = prepare_portrait(whole, options)
    with publishing(Path(out)) as draft:
        made = yield from render_there(address, as_picture(whole), options, draft)
        (draft / INPUT).write_bytes(_jpeg(portrait))
        Recipe(options.strengths, options.straighten).write(draft)
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
    if options.straighten and not face.is_gaze_known:
        notes += ("Where the eyes look could not be told, so they look as they do in the photo.",)
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


def _take_up(earlier: Iterable[Path], print_: str, shape: tuple[int, int, int], must_continue: bool) -> Kept | None:
    for folder in earlier:
        try:
            return take_up(folder, print_, shape)
        except GazeError:
            if must_continue:
                raise
    return None


def _stills_quality(options: Options) -> int:
    return min(100, options.quality + _STILLS_BETTER)


def _jpeg(portrait: Portrait) -> bytes:
    out = io.BytesIO()
    image = portrait.image
    if portrait.alpha is not None:
        image = compose(image, portrait.alpha, np.array([255, 255, 255]))
    Image.fromarray(image).save(out, "JPEG", quality=92)
    return out.getvalue()
