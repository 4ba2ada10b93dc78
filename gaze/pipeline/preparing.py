"""What is done before anything is rendered: photo read, face found and framed, matte found, engine ready."""

from __future__ import annotations

import io
from collections.abc import Generator

import numpy as np
from PIL import Image

from gaze.engines.base import Engine, load_engine
from gaze.face.detection import main_face
from gaze.face.face import Face
from gaze.face.framing import frame_portrait
from gaze.matting.background import compose, set_before
from gaze.matting.matte import Network, add_matte
from gaze.matting.transparency import use_transparency
from gaze.options import Options
from gaze.photo.portrait import Photo, Portrait, load_portrait, read_portrait
from gaze.progress import Loading, Progress, Steps


def reading(photo: Photo | Portrait) -> Generator[Progress, None, Portrait]:
    """Read the photo, in steps between which it can be cancelled; one that was read already is as it is."""
    if isinstance(photo, Portrait):
        return photo
    with Steps(read_portrait(photo)) as steps:
        for _ in steps:
            yield Progress("read", 0, 1, "Reading the photo")
    return steps.result


def which_was_taken(face: int, count: int) -> str:
    """The note on a photo with several faces."""
    taken = "the largest" if face == 0 else f"number {face} (0 is the largest)"
    return f"There are {count} faces in the photo; {taken} was taken."


def prepare_portrait(photo: Photo | Portrait, options: Options) -> tuple[Portrait, Face, tuple[str, ...]]:
    """Read the photo, find the face that is to be animated, frame it; with notes for the person."""
    whole = photo if isinstance(photo, Portrait) else load_portrait(photo)
    face, count = main_face(whole, int(options.face), options.anyway)
    portrait, face = frame_portrait(whole, face, options.frame_size, options.framing)
    portrait = use_transparency(portrait)
    notes = portrait.notes
    if count > 1:
        notes += (which_was_taken(int(options.face), count),)
    if options.straighten and not face.is_gaze_known:
        notes += ("Where the eyes look could not be measured, so their gaze was not corrected.",)
    return portrait, face, notes


def cut_out(
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


def ready_engine(options: Options) -> Generator[Progress, None, tuple[Engine, str]]:
    """The engine of a run, loaded, and why it was chosen."""
    if isinstance(options.engine, str):
        loading = Steps(load_engine(options.engine, options.straighten, options.expression))
        yield from map(_load_state, loading)
        engine, reason = loading.result
    else:
        engine, reason = options.engine, "The program that called Gaze chose this engine."
    return engine, reason


def _load_state(step: Loading) -> Progress:
    return Progress("load", round(step.done), round(step.total) or 1, step.message)


def as_jpeg(portrait: Portrait) -> bytes:
    """The photo that a portrait was made from, as its folder keeps it: what is transparent is white."""
    out = io.BytesIO()
    image = portrait.image
    if portrait.alpha is not None:
        image = compose(image, portrait.alpha, np.array([255, 255, 255]))
    Image.fromarray(image).save(out, "JPEG", quality=92)
    return out.getvalue()
