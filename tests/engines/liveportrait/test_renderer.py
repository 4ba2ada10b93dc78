from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from gaze.engines.base import Expression
from gaze.engines.liveportrait import keypoints
from gaze.engines.liveportrait.appearance import AppearanceFeatureExtractor
from gaze.engines.liveportrait.crop import SIDE, Crop
from gaze.engines.liveportrait.decoder import SpadeDecoder
from gaze.engines.liveportrait.engine import telling_failures
from gaze.engines.liveportrait.mlps import EyeRetargeting, LipRetargeting, Stitching
from gaze.engines.liveportrait.motion import MotionExtractor
from gaze.engines.liveportrait.renderer import Renderer
from gaze.engines.liveportrait.warping import WarpingModule
from gaze.engines.liveportrait.weights import Networks
from gaze.errors import GazeError
from gaze.grid import Cell, GazeGrid, Pose
from tests.engines.liveportrait import rule
from tests.engines.liveportrait.conftest import image_tensor
from tests.engines.liveportrait.golden import DATA, Golden

WHOLE = Crop(SIDE / 2, SIDE / 2, SIDE, 0.0)
"""The window that is all of a picture of 512 × 512 pixels."""
CPU = torch.device("cpu")
CLOSE = 3e-4


@pytest.fixture(scope="module")
def networks(
    appearance: AppearanceFeatureExtractor,
    motion: MotionExtractor,
    warping: WarpingModule,
    decoder: SpadeDecoder,
    stitching: Stitching,
    eye: EyeRetargeting,
    lip: LipRetargeting,
) -> Networks:
    return Networks(appearance, motion, warping, decoder, stitching, eye, lip)


@pytest.fixture(scope="module")
def renderer(networks: Networks) -> Renderer:
    return Renderer(networks, CPU)


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    """A picture that becomes the reference's when halved."""
    return rule.picture("a").repeat(2, 0).repeat(2, 1)


def published_pose(row: int, col: int) -> Pose:
    cell = json.loads((DATA / "grid_plan.json").read_text())["params"][row * 30 + col]
    names = ("pupil_x", "pupil_y", "head_yaw", "head_pitch", "eyebrow")
    return Pose(**{name: cell[name] for name in names})


def test_the_networks_one_after_the_other(networks: Networks) -> None:
    golden = Golden("end_to_end")
    still = image_tensor(rule.picture(golden.meta["image"]))[None]
    motion = networks.motion(still)
    x_s = keypoints.source_keypoints(motion)
    assert golden.deviation("x_s", x_s) < CLOSE
    row, col = golden.meta["cells"][0]
    x_d = keypoints.driving_keypoints(motion, [published_pose(row, col)], Expression())
    features = networks.warping(networks.appearance(still), x_s, networks.stitching.correct(x_s, x_d))
    assert golden.deviation(f"cell_{row:02}_{col:02}.warp.out", features) < CLOSE
    assert golden.deviation(f"cell_{row:02}_{col:02}.image", networks.decoder(features)) < CLOSE


def test_a_batch_of_frames_is_the_references(
    renderer: Renderer, picture: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    golden = Golden("end_to_end")
    cells = golden.meta["cells"]
    source = renderer.prepare(picture, WHOLE)
    poses = [published_pose(*cell) for cell in cells]
    # The reference rendered them one by one.
    monkeypatch.setattr(renderer, "batch", len(cells))
    (frames,) = renderer.frames(source, poses, Expression())
    assert frames.shape == (len(cells), SIDE, SIDE, 3)
    checked = 0
    for (row, col), frame in zip(cells, frames, strict=True):
        name = f"cell_{row:02}_{col:02}.image_u8"
        window = tuple(slice(*bounds) for bounds in golden.meta["tensors"][name]["slice"])
        rows, cols = (np.arange(SIDE)[part] for part in window[:2])
        # The window's border is the portrait's.
        inside = np.ix_((rows >= 17) & (rows < SIDE - 18), (cols >= 17) & (cols < SIDE - 18))
        difference = np.abs(frame[window].astype(int) - golden.part(name))[inside]
        assert difference.max() <= 1
        assert difference.mean() < 0.01
        checked += difference.size
    assert checked > 50_000


def test_the_same_frame_twice(renderer: Renderer, picture: np.ndarray) -> None:
    source = renderer.prepare(picture, WHOLE)
    pose = [GazeGrid().pose(Cell(20, 25))]
    (first,), (again,) = renderer.frames(source, pose, Expression()), renderer.frames(source, pose, Expression())
    np.testing.assert_array_equal(first, again)


@pytest.fixture
def bounded(renderer: Renderer, monkeypatch: pytest.MonkeyPatch) -> Renderer:
    """A renderer whose decoder gives grey at once, and has memory for three frames."""

    def decode(x_d: torch.Tensor) -> torch.Tensor:
        if len(x_d) > 3:
            raise torch.OutOfMemoryError
        return torch.full((len(x_d), 3, SIDE, SIDE), 0.5)

    monkeypatch.setattr(renderer, "notes", [])
    monkeypatch.setattr(renderer, "batch", 12)
    monkeypatch.setattr(renderer._warping, "forward", lambda _source, x_d: x_d)
    monkeypatch.setattr(renderer, "_decoder", decode)
    return renderer


def test_memory_that_is_short_halves_the_batch(bounded: Renderer, picture: np.ndarray) -> None:
    source = bounded.prepare(picture, WHOLE)
    batches = list(bounded.frames(source, [Pose()] * 8, Expression()))
    # Of a batch of 12 there were only 8; those failed, as did 4.
    assert [len(batch) for batch in batches] == [2, 2, 2, 2]
    assert bounded.notes == [
        "The graphics memory was short: frames are rendered 4 at a time.",
        "The graphics memory was short: frames are rendered 2 at a time.",
    ]


def test_no_memory_for_a_single_frame(bounded: Renderer, picture: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    def decode(_: torch.Tensor) -> torch.Tensor:
        raise torch.OutOfMemoryError

    source = bounded.prepare(picture, WHOLE)
    monkeypatch.setattr(bounded, "_decoder", decode)
    with pytest.raises(GazeError, match="does not suffice for a single frame"), telling_failures():
        list(bounded.frames(source, [Pose()], Expression()))


def test_no_numbers_even_in_full_precision(
    bounded: Renderer, picture: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounded, "_trusted", False)
    monkeypatch.setattr(bounded, "_decoder", lambda x_d: torch.full((len(x_d), 3, SIDE, SIDE), float("nan")))
    with pytest.raises(GazeError, match="weights are damaged"):
        list(bounded.frames(bounded.prepare(picture, WHOLE), [Pose()], Expression()))


@pytest.mark.parametrize(
    "error",
    [
        torch.AcceleratorError("CUDA error: unspecified launch failure\nCUDA kernel errors might be"),
        RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR"),
        RuntimeError("No CUDA GPUs are available"),
    ],
    ids=str,
)
def test_a_gpu_that_vanishes(
    bounded: Renderer, picture: np.ndarray, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    source = bounded.prepare(picture, WHOLE)
    frames = bounded.frames(source, [Pose()] * 8, Expression())
    next(frames)

    def vanished(_: torch.Tensor) -> torch.Tensor:
        raise error

    monkeypatch.setattr(bounded, "_decoder", vanished)
    with pytest.raises(GazeError, match=r"GPU does not work any more \(.*\)\. Restart Gaze"), telling_failures():
        next(frames)


def test_other_errors_stay_what_they_are() -> None:
    with pytest.raises(RuntimeError, match="sizes of tensors"), telling_failures():
        raise RuntimeError("The sizes of tensors must match")


def test_a_gpu_that_fails_at_half_precision(networks: Networks, picture: np.ndarray) -> None:
    renderer = Renderer(networks, CPU, dtype=torch.bfloat16)
    source = renderer.prepare(picture, WHOLE)
    half = renderer._decoder
    renderer._decoder = lambda features: half(features) * float("nan")
    (frames,) = renderer.frames(source, [published_pose(14, 20)], Expression())
    assert renderer.dtype == torch.float32
    assert renderer.notes == ["This GPU fails at half precision: frames are rendered in full precision, slower."]
    assert frames.std() > 10


def test_half_precision_is_close(networks: Networks, renderer: Renderer, picture: np.ndarray) -> None:
    pose = [published_pose(29, 3)]
    full = np.concatenate(list(renderer.frames(renderer.prepare(picture, WHOLE), pose, Expression())))
    half_renderer = Renderer(networks, CPU, dtype=torch.bfloat16)
    half = np.concatenate(list(half_renderer.frames(half_renderer.prepare(picture, WHOLE), pose, Expression())))
    mean_square = np.mean((full.astype(float) - half) ** 2)
    assert 10 * np.log10(255**2 / mean_square) >= 38


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an NVIDIA GPU")
def test_on_a_gpu_frames_are_those_of_the_processor(
    networks: Networks, renderer: Renderer, picture: np.ndarray
) -> None:
    poses = [published_pose(0, 0), published_pose(14, 20), published_pose(29, 3)]
    reference = np.concatenate(list(renderer.frames(renderer.prepare(picture, WHOLE), poses, Expression())))
    gpu = Renderer(networks, torch.device("cuda"))
    source = gpu.prepare(picture, WHOLE)
    for batch in (1, 2, 3):
        gpu.batch = batch
        frames = np.concatenate(list(gpu.frames(source, poses, Expression())))
        mean_square = np.mean((frames.astype(float) - reference) ** 2)
        assert 10 * np.log10(255**2 / mean_square) >= 38
        np.testing.assert_array_equal(frames, np.concatenate(list(gpu.frames(source, poses, Expression()))))
