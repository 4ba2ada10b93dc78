"""Simulated failures under the LivePortrait engine. Each has to end in frames or in a refusal, and leave nothing
behind. The weights are made up, and the CPU stands in for the GPU.
"""

from __future__ import annotations

import logging
import random
import resource
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gaze.engines.liveportrait import weights
from gaze.engines.liveportrait.appearance import AppearanceFeatureExtractor
from gaze.engines.liveportrait.crop import SIDE, Crop
from gaze.engines.liveportrait.decoder import SpadeDecoder
from gaze.engines.liveportrait.engine import telling_failures
from gaze.engines.liveportrait.mlps import EyeRetargeting, LipRetargeting, Stitching
from gaze.engines.liveportrait.motion import MotionExtractor
from gaze.engines.liveportrait.renderer import Renderer, RenderSource
from gaze.engines.liveportrait.warping import WarpingModule
from gaze.errors import GazeError
from gaze.grid import Expression, Pose
from gaze.options import Options
from gaze.output.validator import check
from gaze.pipeline.making import generate
from tests.engines.liveportrait.conftest import by_rule
from tests.engines.liveportrait.test_weights import Hub, left_in, point_to
from tests.fakes import FakeEngine
from trials.corpus import EXAMPLE, flipped
from trials.trying import FaultError, Row, Size, Tried, attempt

_WHOLE = Crop(SIDE / 2, SIDE / 2, SIDE, 0.0)
_SMALL = "stitching_retargeting_module"
_FRAMES = 40
_LOST = (
    *(torch.AcceleratorError(f"CUDA error: {it}") for it in ("unspecified launch failure", "device-side assert")),
    *(RuntimeError(it) for it in ("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR", "CUDA error: out of range")),
    RuntimeError("CUBLAS_STATUS_NOT_INITIALIZED when calling cublasCreate(handle)"),
    RuntimeError("No CUDA GPUs are available"),
)


def rows(size: Size) -> Iterator[Row]:
    torch.set_num_threads(1)  # threads do not outlive a fork
    torch.set_grad_enabled(False)
    seeds = range(size.of(10, 200))
    networks = weights.Networks(
        by_rule(AppearanceFeatureExtractor, "appearance_feature_extractor"),
        by_rule(MotionExtractor, "motion_extractor"),
        by_rule(WarpingModule, "warping_module"),
        by_rule(SpadeDecoder, "spade_generator"),
        by_rule(Stitching, "retarget_shoulder"),
        by_rule(EyeRetargeting, "retarget_eye"),
        by_rule(LipRetargeting, "retarget_mouth"),
    )
    renderer = Renderer(networks, torch.device("cpu"))
    source = renderer.prepare(np.zeros((SIDE, SIDE, 3), np.uint8), _WHOLE)
    renderer._warping.forward = lambda _source, x_d: x_d

    def rendered(decode: Callable[[Any], Any], half: bool = False) -> Tried:
        return attempt(partial(_render, renderer, source, decode, half))

    yield Row("graphics memory for 1 to 32 frames of a batch of 32", [rendered(_room_for(n)) for n in range(1, 33)])
    yield Row("graphics memory for none", [rendered(_room_for(0))])
    yield Row("no numbers at half precision", [rendered(_grey, half=True)])
    yield Row("no numbers at full precision either", [rendered(_no_numbers)])
    lost = [rendered(_lost_after(batches, error)) for error in _LOST for batches in range(2)]
    yield Row("a GPU that vanishes before the first or the second batch", lost)
    yield Row("an engine that fails after 0 to 8 batches of a run", [attempt(partial(_run, n)) for n in range(9)])
    with tempfile.TemporaryDirectory() as place:
        yield from _weights(Path(place), networks, seeds)


def _weights(place: Path, networks: weights.Networks, seeds: Sequence[int]) -> Iterator[Row]:
    published = place / "hub"
    file = published / weights.CHECKPOINTS[_SMALL]
    file.parent.mkdir(parents=True)
    parts = {"shoulder": networks.stitching, "eye": networks.eye, "mouth": networks.lip}
    torch.save({f"retarget_{name}": network.state_dict() for name, network in parts.items()}, file)
    whole = file.read_bytes()

    def reading(data: bytes) -> Tried:
        return attempt(partial(_read, place / "spoilt.pth", data))

    yield Row("weights cut off at every 5 %", [reading(whole[: len(whole) * share // 20]) for share in range(20)])
    yield Row("weights with bits flipped", [reading(flipped(whole, 2 * seed)) for seed in seeds])
    yield Row("random bytes for weights", [reading(random.Random(seed).randbytes(5000)) for seed in seeds])

    def downloading(cut_after: int | None = None, room: int | None = None, lost: bool = False, name: str = "") -> Tried:
        return attempt(partial(_download, published, place, cut_after, room, lost, name or weights.CHECKPOINTS[_SMALL]))

    yield Row("the Hub as it should be", [downloading()])
    yield Row("the Hub cannot be reached", [downloading(lost=True)])
    yield Row("the Hub lacks the file", [downloading(name="liveportrait/other.pth")])
    yield Row("downloads that break off at every 10 %", [downloading(len(whole) * i // 10) for i in range(10)])
    yield Row("disks that are full at every 10 %", [downloading(room=len(whole) * i // 10) for i in range(10)])


def _render(renderer: Renderer, source: RenderSource, decode: Callable[[Any], Any], half: bool) -> str:
    renderer.batch, renderer._decoder = 32, decode
    if half:
        # As a GTX 16xx does: no numbers until the networks are built anew in full precision.
        renderer.dtype, renderer._decoder = torch.float16, _no_numbers

        def build(dtype: torch.dtype) -> None:
            renderer.dtype, renderer._decoder = dtype, decode

        renderer._build = build  # type: ignore[method-assign]
    notes: list[str] = []
    with telling_failures():
        frames = np.concatenate(list(renderer.frames(source, [Pose()] * _FRAMES, Expression(), notes.append)))
    if len(frames) != _FRAMES or not (frames[:, 100:-100, 100:-100] == frames[0, 256, 256]).all() or not frames.any():
        raise FaultError("Frames are missing, or wrong.")
    return "frames, with a note" if notes else "frames"


def _grey(x_d: Any) -> Any:
    return torch.full((len(x_d), 3, SIDE, SIDE), 0.5)


def _no_numbers(x_d: Any) -> Any:
    return _grey(x_d) * float("nan")


def _room_for(frames: int) -> Callable[[Any], Any]:
    def decode(x_d: Any) -> Any:
        if len(x_d) > frames:
            raise torch.OutOfMemoryError
        return _grey(x_d)

    return decode


def _lost_after(batches: int, error: Exception) -> Callable[[Any], Any]:
    left = iter(range(batches))

    def decode(x_d: Any) -> Any:
        if next(left, None) is None:
            raise error
        return _grey(x_d[:1]).expand(len(x_d), -1, -1, -1)

    return decode


def _run(batches: int) -> str:
    """A whole run whose engine fails on the way: nothing may be left but a finished portrait, while sheets are made."""

    class Failing(FakeEngine):
        def render(self, source: Any, poses: Sequence[Pose]) -> np.ndarray:
            if len(self.batches) == batches:
                raise GazeError("The GPU does not work any more (simulated). Restart Gaze.")
            return super().render(source, poses)

    with tempfile.TemporaryDirectory() as place:
        try:
            generate(EXAMPLE, Path(place) / "out", Options(engine=Failing(12), size=12, keys=5, frame_size=128))
        finally:
            if [it for it in Path(place).iterdir() if it.name != "out" or check(it)]:
                raise FaultError("Something was left behind.")
    return "portrait"


def _read(file: Path, data: bytes) -> str:
    file.write_bytes(data)
    loaded = weights._read(file)
    weights._fill(Stitching, weights._entry(loaded, "retarget_shoulder", file), file)
    return "networks"


def _download(published: Path, place: Path, cut_after: int | None, room: int | None, lost: bool, name: str) -> str:
    """From a stand-in of the Hub on this machine into an empty cache."""
    from huggingface_hub import constants

    logging.disable()  # its client tells of each new attempt
    Hub.files, Hub.cut_after, Hub.requests = published, cut_after, []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.TemporaryDirectory(dir=place) as cache, pytest.MonkeyPatch.context() as patch:
        patch.delenv(weights.FOLDER_VARIABLE, raising=False)
        patch.setattr(constants, "HF_HUB_CACHE", cache)
        point_to("http://127.0.0.1:9" if lost else f"http://127.0.0.1:{server.server_port}", patch)
        if room is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
        try:
            list(weights.download([name]))
        except GazeError:
            if left_in(Path(cache)):
                raise FaultError("Half a file was left in the cache.") from None
            raise
    return "networks"
