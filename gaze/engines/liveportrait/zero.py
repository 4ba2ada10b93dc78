"""The LivePortrait engine on a ZeroGPU Space: a GPU is lent for single calls, and its time is the visitor's.

What runs on the GPU is one generator in a process of its own. It does tensors only, writes the frames into a file that
both processes map into memory, and says how many there are: handing over the frames takes four times as long.
"""

from __future__ import annotations

import logging
import math
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import numpy as np

from gaze.engines.base import in_words, on_zero_gpu
from gaze.engines.liveportrait import ahead
from gaze.engines.liveportrait.ahead import FrameNetworks
from gaze.engines.liveportrait.crop import Crop, cut_window
from gaze.engines.liveportrait.engine import LivePortraitEngine, find_crop, shifted, telling_failures
from gaze.errors import GazeError
from gaze.face.face import Face
from gaze.grid import Expression, Pose
from gaze.photo.portrait import Portrait
from gaze.progress import Loading

_F = TypeVar("_F", bound=Callable[..., Any])

SIZE = "large"
"""Half a card, 48 GB. Left to itself, `spaces` may take the whole one, which counts twice."""
_SECONDS_AT_LEAST, _SECONDS_PER_FRAME = 6, 0.03
"""Asked of the visitor's quota; what is not used is not charged. Estimated from the arithmetic, not measured there."""
_SECONDS_TO_COMPILE = 600
"""Of nobody's quota, before the launch. Likewise not measured."""


@dataclass(frozen=True)
class Rendering:
    """What the GPU's process is asked for; small, because it is pickled.

    Attributes:
        image: the portrait, (height, width, 3) uint8.
        crop: the window around the face.
        window: what is seen through it, (side, side, 3) uint8.
        poses: one for each frame.
        expression: what is changed in all frames alike.
        openness: of both eyes.
        frames: the file to write them to, (len(poses), height, width, 3) uint8.
    """

    image: np.ndarray
    crop: Crop
    window: np.ndarray
    poses: tuple[Pose, ...]
    expression: Expression
    openness: tuple[float, float]
    frames: Path


class Note(NamedTuple):
    """A sentence for the person, from the GPU's process."""

    sentence: str


class Failure(NamedTuple):
    """What to tell the person in place of an exception: all but Gradio's own lose their message on the way."""

    sentence: str


class ZeroGpuSource(NamedTuple):
    """What is kept of a portrait while there is no GPU: as in `Rendering` and `LivePortraitSource`."""

    image: np.ndarray
    crop: Crop
    window: np.ndarray
    straighten: float
    openness: tuple[float, float]


class ZeroGpuEngine(LivePortraitEngine):
    """`LivePortraitEngine` whose GPU is there only while frames are rendered."""

    metered = True
    _is_launched = False
    """Whether a load of this process is over: the app's own, before it is there for visitors."""

    def load(self) -> Iterator[Loading]:
        try:
            yield from super().load()
        finally:
            ZeroGpuEngine._is_launched = True

    def _compile(self, networks: FrameNetworks) -> None:
        if self._is_launched:
            raise GazeError("it was not done before the launch, and a visitor's quota is not spent on it.")
        folder = ahead.package_folder(networks)
        if failure := _compile_on_gpu(folder):
            raise GazeError(failure.sentence)
        ahead.load(networks, folder)

    def prepare(self, portrait: Portrait, face: Face) -> ZeroGpuSource:  # type: ignore[override]
        crop = find_crop(portrait, face)
        return ZeroGpuSource(portrait.image, crop, cut_window(portrait, crop), self._straightening(face), face.openness)

    def stream(self, source: ZeroGpuSource, poses: Sequence[Pose]) -> Iterator[np.ndarray]:  # type: ignore[override]
        with tempfile.TemporaryDirectory(prefix="gaze-frames-") as folder:
            file = Path(folder) / "frames"
            frames = np.memmap(file, np.uint8, "w+", shape=(len(poses), *source.image.shape))
            looks = shifted(poses, source.straighten)
            rendering = Rendering(
                source.image, source.crop, source.window, looks, self._expression, source.openness, file
            )
            before = 0
            for said in _told(rendering):
                if isinstance(said, Failure):
                    raise GazeError(said.sentence)
                if isinstance(said, Note):
                    self._tell(said.sentence)
                    continue
                yield np.array(frames[before:said])
                before = said


def _told(rendering: Rendering) -> Iterator[int | Note | Failure]:
    """What `_on_gpu` says; a GPU that is not lent is a failure in the words of `spaces`.

    They are for the visitor (no quota left, no GPU free, time over), and come as Gradio's errors.
    """
    try:
        yield from _on_gpu(rendering)
    except Exception as error:
        gradio = sys.modules.get("gradio")
        if gradio is None or not isinstance(error, gradio.Error):
            raise
        yield Failure(str(error.message))


def seconds(rendering: Rendering) -> int:
    """The GPU time to ask for, in seconds."""
    return math.ceil(_SECONDS_AT_LEAST + _SECONDS_PER_FRAME * len(rendering.poses))


def _lent_gpu(duration: int | Callable[[Rendering], int]) -> Callable[[_F], _F]:
    if not on_zero_gpu():
        return lambda function: function
    import spaces

    decorate: Callable[[_F], _F] = spaces.GPU(duration=duration, size=SIZE)
    return decorate


@_lent_gpu(_SECONDS_TO_COMPILE)
def _compile_on_gpu(folder: Path) -> Failure | None:
    """Leave a package that works in the folder."""
    try:
        ahead.compile_networks(LivePortraitEngine().renderer().networks, folder)
    except Exception as error:
        logging.getLogger(__name__).warning("Compiling failed", exc_info=error)
        return Failure(f"{type(error).__name__}: {error}")
    return None


@_lent_gpu(seconds)
def _on_gpu(rendering: Rendering) -> Iterator[int | Note | Failure]:
    """Render; yields how many frames are in the file, and what is to be told."""
    notes: list[str] = []
    try:
        renderer = LivePortraitEngine().renderer()
        frames = np.memmap(rendering.frames, np.uint8, "r+", shape=(len(rendering.poses), *rendering.image.shape))
        done = 0
        with telling_failures():
            source = renderer.prepare(rendering.image, rendering.crop, rendering.window, rendering.openness)
            for batch in renderer.frames(source, rendering.poses, rendering.expression, notes.append):
                yield from _taken(notes)
                frames[done : done + len(batch)] = batch
                done += len(batch)
                yield done
    except GazeError as error:
        yield Failure(str(error))
    except Exception as error:
        yield Failure(in_words(error))


def _taken(notes: list[str]) -> Iterator[Note]:
    while notes:
        yield Note(notes.pop(0))
