"""Keys into packs: as one video, each key predicted from the one before it, and as stills of at most 512 pixels."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from gaze.motion.keys import spiral, still_keys
from gaze.motion.morph import resized
from gaze.motion.motion import LayerKeys, Motion
from gaze.output.pack import PACK, STILLS_PACK, Facts, Layer, Pack, Payload, Picture, write_pack
from gaze.output.sprites import encode_webp
from gaze.output.video import COLOR_SPACE, codec_string, coded_size, encode_chain, quantizer

STILL_SIDE = 512
"""The longer side of a still, at most, in pixels."""


@dataclass(frozen=True)
class Coding:
    """How pictures are coded.

    Attributes:
        quality: WebP quality of the stills, 1 to 100; the video is made to suit.
        codec: one of `gaze.output.video.CODECS`, or None for stills alone.
        effort: of the stills, as for `gaze.output.sprites.encode_webp`.
    """

    quality: int
    codec: str | None
    effort: int = 4


class KeyEncoder:
    """Encodes the keys of a portrait on threads; encoders run outside Python's lock. A context manager.

    Args:
        facts: what the frames are.
        keys: by number, (height, width, 3 or 4) uint8, as rendered: a lossy pass before would double the size.
        coding: how.
        layers: what is drawn over the morph.

    Raises:
        GazeError: frames of this size are too large for the codec.
    """

    def __init__(
        self, facts: Facts, keys: Mapping[int, np.ndarray], coding: Coding, layers: Sequence[LayerKeys] = ()
    ) -> None:
        self._facts, self._n = facts, round(len(keys) ** 0.5)
        self._about = describe_video(facts, coding.codec) if coding.codec else {}
        self._pool = ThreadPoolExecutor(os.cpu_count())
        self._order = spiral(self._n)
        self._subset = still_keys(self._n) if coding.codec else tuple(range(self._n))
        self._size = still_size(facts, STILL_SIDE if coding.codec else max(facts.width, facts.height))
        self._video: Future[list[bytes]] | None = None
        if coding.codec:
            crf = quantizer(coding.codec, coding.quality)
            self._video = self._pool.submit(encode_chain, [keys[number] for number in self._order], coding.codec, crf)
        numbers = [row * self._n + col for row in self._subset for col in self._subset]
        places = {number: place for place, number in enumerate(numbers)}
        self._stills = {
            places[number]: self._pool.submit(encode_still, keys[number], self._size, coding)
            for number in self._order
            if number in places
        }
        self._layers = [(layer, self._pool.submit(encode_layer, layer, coding)) for layer in layers]

    def __enter__(self) -> KeyEncoder:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def wait(self, seconds: float) -> bool:
        """Wait until all is encoded, no longer than so many seconds; whether it is."""
        futures: list[Future[Any]] = [*self._stills.values(), *(future for _, future in self._layers)]
        futures += [self._video] if self._video else []
        return not wait(futures, timeout=seconds).not_done

    def write(self, folder: Path, motion: Motion, name: str = PACK) -> None:
        """Write the pack with the video and `stills.pack`, or one pack of stills; waits until all is encoded."""
        width, height = self._size
        about = {"width": width, "height": height, "keys": list(self._subset)}
        stills = Payload("stills", about, {n: Picture(still.result()) for n, still in self._stills.items()})
        layers = [
            Layer(layer.name, layer.values, layer.region, layer.motion, (payload.result(),))
            for layer, payload in self._layers
        ]
        main = stills
        if self._video:
            chunks = zip((None, *self._order), self._order, self._video.result(), strict=False)
            main = Payload("video", self._about, {number: Picture(data, parent) for parent, number, data in chunks})
            with (folder / STILLS_PACK).open("wb") as file:
                write_pack(Pack(self._facts, (stills,), motion, layers), file)
        with (folder / name).open("wb") as file:
            write_pack(Pack(self._facts, (main,), motion, layers), file)


def still_size(facts: Facts, longest: int) -> tuple[int, int]:
    """Width and height of a frame's still whose longer side has at most so many pixels."""
    scale = min(1.0, longest / max(facts.width, facts.height))
    return max(1, round(facts.width * scale)), max(1, round(facts.height * scale))


def encode_still(frame: np.ndarray, size: tuple[int, int], coding: Coding) -> bytes:
    """A frame as WebP of this width and height."""
    return encode_webp(Image.fromarray(resized(frame, size)), coding.quality, coding.effort)


def encode_layer(layer: LayerKeys, coding: Coding) -> Payload:
    """The pictures of a layer as stills: there are few, and stills keep their alpha without loss."""
    _, _, width, height = layer.region
    about = {"width": width, "height": height, "keys": list(layer.keys)}
    pictures = {
        number: Picture(encode_webp(Image.fromarray(picture), coding.quality, coding.effort))
        for number, picture in layer.pictures.items()
    }
    return Payload("stills", about, pictures)


def describe_video(facts: Facts, codec: str) -> dict[str, Any]:
    """What a header says of a video of such frames.

    Raises:
        GazeError: they are too large for the codec.
    """
    width, height = coded_size(facts.width, facts.height, facts.alpha)
    about = {"codec": codec_string(codec, width, height), "codedWidth": width, "codedHeight": height}
    return {**about, "colorSpace": COLOR_SPACE, **({"alpha": "stacked"} if facts.alpha else {})}
