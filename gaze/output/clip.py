"""A short loop of a portrait that follows a pointer, for places where nothing interactive can be: WebM, WebP, GIF."""

from __future__ import annotations

import io
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import IO

import av
import cv2
import numpy as np
from av.video.frame import VideoFrame
from PIL import Image

from gaze.errors import GazeError
from gaze.grid import Look
from gaze.motion.layer import BLINK, LayerMorph, blink_strength
from gaze.motion.morph import Morph
from gaze.output.metadata import Metadata
from gaze.output.pack import Facts
from gaze.output.pack_reader import read_pack
from gaze.output.unpacking import decode_keys, decode_layer

SECONDS = 4
_BLINK = 2.3
"""Seconds after which the face blinks, where its pack has what that takes: on the way back from its first side."""
SHAPES = ("square", "framed")


@dataclass(frozen=True)
class Kind:
    """A format.

    Attributes:
        rate: frames a second.
        side: pixels of the longer side, at most.
        media: its media type.
    """

    rate: int
    side: int
    media: str


KINDS = {
    "webm": Kind(25, 768, "video/webm"),
    "webp": Kind(20, 480, "image/webp"),
    "gif": Kind(20, 320, "image/gif"),  # which has 256 colours, and no other way to be small
}


def path(kind: str) -> list[tuple[float, float]]:
    """Where the pointer is in each frame: across and down, -1 to 1. A lying eight, so that the end meets the start.

    The figure is Gerono's lemniscate, run through with a speed that slows down at its outer ends, as a hand does.
    """
    count = SECONDS * KINDS[kind].rate
    turns = (2 * math.pi * step / count for step in range(count))
    return [(0.95 * math.sin(turn), 0.6 * math.sin(2 * turn)) for turn in turns]


def write_clip(folder: Path, target: str | Path | IO[bytes], kind: str = "webm", shape: str = "square") -> None:
    """Make a clip of a portrait; it blinks once, if its pack has that layer.

    Args:
        folder: the portrait's, with its `gaze.pack`.
        target: a file or a stream.
        kind: one of `KINDS`.
        shape: "square" around the face, or "framed" as the portrait is.

    Raises:
        GazeError: there is no such kind or shape, or the folder holds no pack that can be played.
    """
    for given, known, name in ((kind, tuple(KINDS), "kind"), (shape, SHAPES, "shape")):
        if given not in known:
            raise GazeError(f"There is no {name} of clip called “{given}”. Choose one of: {', '.join(known)}.")
    metadata = Metadata.read(folder)
    if metadata.pack is None:
        raise GazeError(
            "This portrait has no pack, from which clips are made. Make one with: python -m gaze pack FOLDER"
        )
    pack = read_pack(folder / metadata.pack)
    if pack.motion is None:
        raise GazeError("This portrait was made by an older Gaze. Make it again, then the clip.")
    morph = Morph(pack.motion, decode_keys(pack))
    layer = decode_layer(pack, BLINK)
    lids = LayerMorph(layer) if layer else None
    middle = (pack.facts.size - 1) / 2
    box = _box(pack.facts, shape)

    def frame(number: int, across: float, down: float) -> np.ndarray:
        look = Look(middle * (1 + down), middle * (1 + across))
        seen = morph(look)
        if lids:
            seen = lids(seen, look, blink_strength(number / KINDS[kind].rate - _BLINK))
        return _cut(seen, box, KINDS[kind].side)

    frames = (frame(number, *place) for number, place in enumerate(path(kind)))
    data = {"webm": _webm, "webp": _webp, "gif": _gif}[kind](frames, KINDS[kind].rate)
    if isinstance(target, str | Path):
        Path(target).write_bytes(data)
    else:
        target.write(data)


def _box(facts: Facts, shape: str) -> tuple[int, int, int, int]:
    """x, y, width, height of what is shown."""
    width, height = facts.width, facts.height
    if shape == "framed":
        return 0, 0, width, height
    side = min(width, height)
    x, y = facts.face[0] * width, facts.face[1] * height
    left = min(max(x - side / 2, 0), width - side)
    top = min(max(y - 0.45 * side, 0), height - side)
    return round(left), round(top), side, side


def _cut(frame: np.ndarray, box: tuple[int, int, int, int], most: int) -> np.ndarray:
    """Part of a frame, no larger than a side, with even sides as videos want them."""
    x, y, width, height = box
    part = frame[y : y + height, x : x + width]
    scale = min(1.0, most / max(width, height))
    size = (max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2))
    return cv2.resize(part, size, interpolation=cv2.INTER_AREA)


def _webm(frames: Iterator[np.ndarray], rate: int) -> bytes:
    out = io.BytesIO()
    with av.open(out, "w", format="webm") as container:
        stream = None
        for number, frame in enumerate(_opaque(frames)):
            if stream is None:
                stream = container.add_stream("libvpx-vp9", rate=rate)
                stream.width, stream.height, stream.pix_fmt = frame.shape[1], frame.shape[0], "yuv420p"
                stream.options = {"crf": "28", "b": "0", "deadline": "realtime", "cpu-used": "6", "row-mt": "1"}
            picture = VideoFrame.from_ndarray(frame, format="rgb24")
            picture.pts, picture.time_base = number, Fraction(1, rate)
            container.mux(stream.encode(picture))
        if stream is not None:
            container.mux(stream.encode())
    return out.getvalue()


def _webp(frames: Iterator[np.ndarray], rate: int) -> bytes:
    return _animated(frames, rate, "WEBP", lambda picture: picture, quality=75, method=2)


def _gif(frames: Iterator[np.ndarray], rate: int) -> bytes:
    first, *rest = map(Image.fromarray, _opaque(frames))
    palette = first.quantize(256, Image.Quantize.MEDIANCUT)

    def reduced(picture: Image.Image) -> Image.Image:
        # One palette for all and no dithering: what does not move is equal from frame to frame, and costs nothing.
        return picture.quantize(palette=palette, dither=Image.Dither.NONE)

    return _animated(iter([first, *rest]), rate, "GIF", reduced, disposal=1)


def _animated(
    frames: Iterator[np.ndarray] | Iterator[Image.Image],
    rate: int,
    kind: str,
    prepare: Callable[[Image.Image], Image.Image],
    **options: int,
) -> bytes:
    pictures = [prepare(it if isinstance(it, Image.Image) else Image.fromarray(it)) for it in frames]
    out = io.BytesIO()
    pictures[0].save(
        out, kind, save_all=True, append_images=pictures[1:], duration=round(1000 / rate), loop=0, **options
    )
    return out.getvalue()


def _opaque(frames: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
    """Without transparency, which these formats do not have or not smoothly: on white."""
    for frame in frames:
        if frame.shape[2] == 4:
            alpha = frame[..., 3:].astype(np.float32) / 255
            frame = np.rint(frame[..., :3] * alpha + 255 * (1 - alpha)).astype(np.uint8)
        yield np.ascontiguousarray(frame)
