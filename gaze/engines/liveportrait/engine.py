"""The LivePortrait engine as the pipeline sees it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
import torch

from gaze.engines.base import Engine
from gaze.engines.liveportrait import ahead, weights
from gaze.engines.liveportrait.ahead import FrameNetworks
from gaze.engines.liveportrait.crop import Crop, crop_around_face, cut_window
from gaze.engines.liveportrait.device import best_device
from gaze.engines.liveportrait.landmarks import LandmarkNetwork
from gaze.engines.liveportrait.renderer import Renderer, RenderSource
from gaze.engines.warp.straighten import straightening_units
from gaze.errors import GazeError, WeightsError
from gaze.face.face import Face
from gaze.grid import Expression, Pose
from gaze.photo.portrait import Portrait
from gaze.progress import Loading

_GPU = re.compile(r"\b(CUDA|cuDNN|CUDNN_|CUBLAS_|NVML|NVIDIA|HIP|MIOpen|MPS)", re.IGNORECASE)
"""How errors of a GPU's libraries name themselves."""


@dataclass(frozen=True)
class LivePortraitSource:
    """A portrait made ready.

    Attributes:
        render: the networks' part.
        straighten: what is added to every `Pose.pupil_x`, so that the grid's centre looks straight.
    """

    render: RenderSource
    straighten: float


class LivePortraitEngine(Engine):
    """See the package's text.

    Args:
        straighten: whether a source that looks past the camera looks straight in the grid's centre.
        expression: what is changed in all frames alike.

    Attributes:
        device: where it renders.
    """

    name = "liveportrait"
    blinks = True

    def __init__(self, straighten: bool = True, expression: Expression | None = None) -> None:
        self.device = best_device()
        self._straighten = straighten
        self._expression = expression or Expression()
        self._notes: dict[str, None] = {}

    def load(self) -> Iterator[Loading]:
        """Download the weights if they are not here, and read them.

        Raises:
            WeightsError: they cannot be had.
        """
        if weights.local_files() is None:
            yield from weights.download(weights.CHECKPOINTS.values())
            with suppress(WeightsError):  # Without it the window around the face is estimated.
                yield from weights.download([weights.LANDMARKS])
        yield Loading("Reading the LivePortrait weights")
        renderer = self.renderer()
        if renderer.can_compile and ahead.is_wanted(self.device):
            yield Loading("Compiling the networks for this GPU, which takes minutes the first time")
            renderer.compile(self._compile)

    def _compile(self, networks: FrameNetworks) -> None:
        ahead.compile_networks(networks, ahead.package_folder(networks))

    def prepare(self, portrait: Portrait, face: Face) -> LivePortraitSource:
        crop = find_crop(portrait, face)
        with telling_failures():
            rendered = self.renderer().prepare(portrait.image, crop, cut_window(portrait, crop), face.openness)
        return LivePortraitSource(rendered, self._straightening(face))

    def render(self, source: LivePortraitSource, poses: Sequence[Pose]) -> np.ndarray:
        return np.concatenate(list(self.stream(source, poses)))

    def stream(self, source: LivePortraitSource, poses: Sequence[Pose]) -> Iterator[np.ndarray]:
        with telling_failures():
            looks = shifted(poses, source.straighten)
            yield from self.renderer().frames(source.render, looks, self._expression, self._tell)

    def notes(self) -> tuple[str, ...]:
        return tuple(self._notes)

    def _tell(self, note: str) -> None:
        self._notes[note] = None

    def _straightening(self, face: Face) -> float:
        return straightening_units(face) if self._straighten else 0.0

    def renderer(self) -> Renderer:
        """The networks, loaded once for all runs of this process.

        Raises:
            WeightsError: their weights are not here, or damaged.
        """
        files = weights.local_files()
        if files is None:
            raise WeightsError("The LivePortrait weights are not on this machine; call load() first.")
        with telling_failures():
            return _shared_renderer(tuple(files.items()), self.device)


@contextmanager
def telling_failures() -> Iterator[None]:
    """Turns a failure of the device into a `GazeError`: it is no bug, and the person can do something about it.

    Raises:
        GazeError: the device has too little memory, or does not work any more.
    """
    try:
        yield
    except torch.OutOfMemoryError as error:
        raise GazeError(
            "There is not enough graphics memory for a single frame. Close other programs that use the GPU, or choose "
            "the instant engine."
        ) from error
    except RuntimeError as error:  # AcceleratorError is one, but older calls raise this alone.
        words = str(error).strip().split("\n", 1)[0]
        if not isinstance(error, torch.AcceleratorError) and not _GPU.search(words):
            raise
        raise GazeError(
            f"The GPU stopped working ({words[:200]}). Restart Gaze, or choose the instant engine until then."
        ) from error


def shifted(poses: Sequence[Pose], units: float) -> tuple[Pose, ...]:
    """The poses, their gaze moved to the right by so many units."""
    return tuple(replace(pose, pupil_x=pose.pupil_x + units) for pose in poses)


def find_crop(portrait: Portrait, face: Face) -> Crop:
    """The window around the face: by landmarks where their network is at hand, else estimated from the mesh."""
    file = weights.local_landmarks()
    return _landmark_network(file).crop(portrait.image, face) if file else crop_around_face(face)


@cache
def _shared_renderer(files: tuple[tuple[str, Path], ...], device: torch.device) -> Renderer:
    return Renderer(weights.load_networks(dict(files)), device)


@cache
def _landmark_network(file: Path) -> LandmarkNetwork:
    return LandmarkNetwork(file)
