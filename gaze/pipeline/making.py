"""The whole line: from a photo to a folder with a living portrait, step by step."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from dataclasses import replace
from pathlib import Path

from PIL import Image

from gaze.errors import GazeError
from gaze.grid import Expression, GazeGrid
from gaze.matting.cutout import CutoutEngine
from gaze.matting.transparency import as_picture
from gaze.motion.motion import Keys
from gaze.options import ALL, Options
from gaze.output.bundle import INPUT, write_pages
from gaze.output.coarse import remove_coarse, write_coarse
from gaze.output.metadata import Metadata
from gaze.output.pack import Facts
from gaze.output.packing import Coding, KeyEncoder
from gaze.output.sprites import POSTER, encode_webp
from gaze.photo.portrait import Photo, Portrait
from gaze.pipeline.group import run_all
from gaze.pipeline.key_plan import frames_planned, usual_keys
from gaze.pipeline.preparing import as_jpeg, cut_out, prepare_portrait, reading, ready_engine
from gaze.pipeline.rendering import KeyRendering, Rendered
from gaze.pipeline.sheets import export_sheets, sheet_frames, sheet_plan
from gaze.pipeline.subject import Subject
from gaze.progress import READY, Progress, Result, Steps
from gaze.storage.checkpoint import Checkpoint, read_checkpoint, write_checkpoint
from gaze.storage.publishing import publishing
from gaze.storage.recipe import Recipe

_STILLS_BETTER = 5
"""How much better the pack's stills are than the sheets, in units of WebP quality: one byte in seventeen more."""


def generate(
    photo: Photo | Portrait,
    out: str | Path,
    options: Options | None = None,
    progress: Callable[[Progress], None] | None = None,
    earlier: str | Path | None = None,
) -> Result:
    """Make a portrait that follows the pointer.

    Args:
        photo: what `gaze.photo.portrait.load_portrait` reads, or what it gave.
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
    with Steps(run(photo, out, options or Options(), continued, must_continue=bool(earlier))) as steps:
        for step in steps:
            if progress:
                progress(step)
    return steps.result


def run(
    photo: Photo | Portrait,
    out: str | Path,
    options: Options,
    earlier: Iterable[Path] = (),
    must_continue: bool = False,
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
    if options.face == ALL:
        if must_continue:
            raise GazeError("An earlier portrait can be continued for one face only. Choose one of the faces.")
        return (yield from run_all((yield from reading(photo)), Path(out), options, run))
    if options.remote:
        if must_continue:
            raise GazeError("An earlier portrait cannot be continued by another Gaze. Leave one of the two out.")
        return (yield from _run_there(options.remote, photo, out, options))
    subject, reason, notes = yield from _choose(photo, grid, options)
    engine = subject.engine
    chosen = engine.name
    with publishing(Path(out)) as draft:
        taken = _earlier_checkpoint(earlier, subject, must_continue)
        made = yield from _render(subject, draft, taken, (reason, notes))
        notes += made.notes
        if engine.name == "warp" and options.expression != Expression():
            notes += ("The instant engine leaves the expression as it is; only LivePortrait changes it.",)
        if changed := engine.name != chosen:
            if taken:
                raise GazeError(f"The earlier portrait was rendered by another engine. {' '.join(engine.notes())}")
            reason = "The engine that was chosen failed before its first frame; the notes say why."
        plan = sheet_plan(subject.grid, subject.portrait, options, made.keys.alpha)
        if options.pack:
            yield from _pack(made.keys, subject.facts(made.keys.alpha), options, draft)
        if made.checkpoint and not changed:
            write_checkpoint(draft, subject.fingerprint, made.checkpoint)
        metadata = subject.metadata(made.keys.alpha)
        _write_rest(draft, subject, made.keys, metadata)
        if options.wants_sheets and not options.pack:
            frames = sheet_frames(engine, subject.portrait, subject.face, made, plan)
            metadata = yield from export_sheets(draft, metadata, plan, frames)
            write_pages(draft, metadata)
    result = Result(Path(out), metadata, engine.name, reason, notes)
    if options.wants_sheets and options.pack:
        yield Progress("ready", 1, 1, READY.rstrip(". "), None, result)
        frames = sheet_frames(engine, subject.portrait, subject.face, made, plan)
        del made  # what it holds would lie beside the sheets
        try:
            result = replace(result, metadata=(yield from export_sheets(Path(out), metadata, plan, frames)))
        except OSError as error:
            raise GazeError(
                f"The portrait is finished, but its sprite sheets could not be written: {error.strerror or error}. "
                "Free disk space, and ask for the sheets alone."
            ) from error
    result = replace(result, notes=(*notes, *engine.notes()))
    yield Progress("done", 1, 1, "Finished", 0.0, result)
    return result


def _choose(
    photo: Photo | Portrait, grid: GazeGrid, options: Options
) -> Generator[Progress, None, tuple[Subject, str, tuple[str, ...]]]:
    """Read the photo, cut its face out, choose the engine; with why it was chosen, and notes."""
    photographed, face, notes = prepare_portrait((yield from reading(photo)), options)
    if options.wants_sheets:
        sheet_plan(grid, photographed, options, alpha=False).check()
    portrait, network = yield from cut_out(photographed, face, options)
    engine, reason = yield from ready_engine(options)
    if portrait.alpha is not None:
        engine = CutoutEngine(engine, network)
    return Subject(grid, photographed, portrait, face, engine, options), reason, notes


def _render(
    subject: Subject, draft: Path, taken: Checkpoint | None, told: tuple[str, tuple[str, ...]]
) -> Generator[Progress, None, Rendered]:
    """The keys; on the way, a coarse portrait in the draft where the engine is slow."""
    engine, options = subject.engine, subject.options

    def show(keys: Keys) -> Generator[None, None, Result]:
        name = yield from write_coarse(draft, subject.facts(keys.alpha), keys, _stills_quality(options))
        alone = {"pack": name, "stills": None, "poster": None}
        return Result(draft, subject.metadata(keys.alpha).model_copy(update=alone), engine.name, *told)

    shown = show if options.pack else None
    blink = options.blinking and options.pack
    yield Progress("render", 0, frames_planned(options.size, usual_keys(options.keys)), "Preparing the photo")
    source = engine.prepare(subject.portrait, subject.face)
    rendering = KeyRendering(engine, source, subject.face, subject.grid, options.keys, taken, shown, blink=blink)
    return (yield from rendering.run())


def _write_rest(draft: Path, subject: Subject, keys: Keys, metadata: Metadata) -> None:
    """All that lies in a portrait's folder beside pack and sheets."""
    options = subject.options
    poster = Image.fromarray(keys.middle)
    (draft / POSTER).write_bytes(encode_webp(poster, max(options.quality, 80), options.effort))
    (draft / INPUT).write_bytes(as_jpeg(subject.photographed))
    Recipe(options.strengths, options.straighten).write(draft)
    remove_coarse(draft)
    metadata.write(draft)
    write_pages(draft, metadata)


def _pack(keys: Keys, facts: Facts, options: Options, draft: Path) -> Generator[Progress, None, None]:
    codec = None if options.video == "none" else options.video
    state = Progress("pack", 0, 1, "Packing the keys")
    yield state
    coding = Coding(_stills_quality(options), codec, options.effort)
    with KeyEncoder(facts, keys.frames, coding, keys.layers) as encoder:
        while not encoder.wait(0.5):
            yield state
        encoder.write(draft, keys.motion)


def _run_there(
    address: str, photo: Photo | Portrait, out: str | Path, options: Options
) -> Generator[Progress, None, Result]:
    """`run` by another Gaze. The result is stored here."""
    from gaze.remote.client import render_there

    whole = yield from reading(photo)
    portrait, _, _ = prepare_portrait(whole, options)
    with publishing(Path(out)) as draft:
        made = yield from render_there(address, as_picture(whole), options, draft)
        (draft / INPUT).write_bytes(as_jpeg(portrait))
        Recipe(options.strengths, options.straighten).write(draft)
        write_pages(draft, made.metadata)
    reason = f"Rendered by {address}. It says: {made.reason}"
    result = Result(Path(out), made.metadata, made.metadata.engine or "", reason, (*whole.notes, *made.notes))
    yield Progress("done", 1, 1, "Finished", 0.0, result)
    return result


def _earlier_checkpoint(earlier: Iterable[Path], subject: Subject, must_continue: bool) -> Checkpoint | None:
    portrait = subject.portrait
    shape = (portrait.height, portrait.width, 3 if portrait.alpha is None else 4)
    for folder in earlier:
        try:
            return read_checkpoint(folder, subject.fingerprint, shape)
        except GazeError:
            if must_continue:
                raise
    return None


def _stills_quality(options: Options) -> int:
    return min(100, options.quality + _STILLS_BETTER)
