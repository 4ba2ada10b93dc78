from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pytest
import torch

from gaze.engines.liveportrait import ahead, keypoints
from gaze.engines.liveportrait.ahead import FrameNetworks
from gaze.engines.liveportrait.appearance import AppearanceFeatureExtractor
from gaze.engines.liveportrait.crop import SIDE, Crop
from gaze.engines.liveportrait.decoder import SpadeDecoder
from gaze.engines.liveportrait.engine import telling_failures
from gaze.engines.liveportrait.fused_networks import FusedDecoder, FusedWarping
from gaze.engines.liveportrait.mlps import EyeRetargeting, LipRetargeting, Stitching
from gaze.engines.liveportrait.motion import MotionExtractor
from gaze.engines.liveportrait.renderer import Renderer, RenderSource
from gaze.engines.liveportrait.warping import WarpingModule
from gaze.engines.liveportrait.weights import Networks
from gaze.errors import GazeError
from gaze.grid import Expression, Pose
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


@dataclass(frozen=True)
class Rendered:
    """Two frames of the reference's at the grid's corners, (2, SIDE, SIDE, 3), rendered as one batch.

    With what led to them: the source, and what the decoder was given.
    """

    golden: Golden
    source: RenderSource
    features: torch.Tensor
    frames: np.ndarray


@pytest.fixture(scope="module")
def rendered(renderer: Renderer, picture: np.ndarray) -> Rendered:
    golden = Golden("end_to_end")
    source = renderer.prepare(picture, WHOLE)
    # With the third cell it would take longer and tell no more.
    poses = [published_pose(*cell) for cell in golden.meta["cells"][::2]]
    given: list[torch.Tensor] = []
    heard = renderer._decoder.register_forward_pre_hook(lambda _decoder, inputs: given.append(inputs[0].clone()))
    with pytest.MonkeyPatch.context() as patch:
        # The reference rendered them one by one.
        patch.setattr(renderer, "batch", len(poses))
        (frames,) = renderer.frames(source, poses, Expression())
    heard.remove()
    (features,) = given
    return Rendered(golden, source, features, frames)


def test_the_networks_up_to_the_decoder_one_after_the_other(networks: Networks, rendered: Rendered) -> None:
    golden = rendered.golden
    still = image_tensor(rule.picture(golden.meta["image"]))[None]
    assert golden.deviation("x_s", keypoints.source_keypoints(networks.motion(still))) < CLOSE
    assert golden.deviation("x_s", rendered.source.warp.keypoints) < CLOSE
    for (row, col), features in zip(golden.meta["cells"][::2], rendered.features.split(1), strict=True):
        assert golden.deviation(f"cell_{row:02}_{col:02}.warp.out", features) < CLOSE


def test_a_batch_of_frames_is_the_references(rendered: Rendered) -> None:
    golden, frames = rendered.golden, rendered.frames
    cells = golden.meta["cells"][::2]
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
    assert checked > 30_000


def render(renderer: Renderer, source: RenderSource) -> np.ndarray:
    """The second of the frames above, alone: (1, SIDE, SIDE, 3)."""
    return np.concatenate(list(renderer.frames(source, [published_pose(29, 3)], Expression())))


def test_the_same_pose_twice(renderer: Renderer, rendered: Rendered, monkeypatch: pytest.MonkeyPatch) -> None:
    """As far as to the decoder, which has no state."""
    features: list[torch.Tensor] = []

    def decode(x: torch.Tensor) -> torch.Tensor:
        features.append(x.clone())
        return torch.full((len(x), 3, SIDE, SIDE), 0.5)

    monkeypatch.setattr(renderer, "_decoder", decode)
    for _ in range(2):
        render(renderer, rendered.source)
    torch.testing.assert_close(*features, rtol=0, atol=0)


def test_eyes_that_close_are_the_retargeting_networks(
    renderer: Renderer, networks: Networks, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it adds comes before stitching, and only to the poses that blink."""
    monkeypatch.setattr(renderer._stitching, "correct", lambda _x_s, x_d: x_d)
    source = renderer.prepare(rule.picture("a")[:64, :64], Crop(32, 32, 64, 0.0), openness=(0.28, 0.32))
    poses = [Pose(pupil_x=5), Pose(pupil_x=5, expression=Expression(blink=0.6))]
    opened, closed = renderer._keypoints(source, poses, Expression())
    x_s = source.warp.keypoints
    with torch.inference_mode():
        expected = networks.eye.closing(x_s, (0.28, 0.32), torch.tensor([[0.6]]))[0]
    np.testing.assert_allclose(closed - opened, expected, atol=1e-6)
    assert expected.abs().max() > 0


class Memory:
    """A decoder that gives grey at once, and has memory for so many frames; `tried` are the batches it was given."""

    def __init__(self) -> None:
        self.room = 3
        self.tried: list[int] = []

    def __call__(self, x_d: torch.Tensor) -> torch.Tensor:
        self.tried.append(len(x_d))
        if len(x_d) > self.room:
            raise torch.OutOfMemoryError
        return torch.full((len(x_d), 3, SIDE, SIDE), 0.5)


@pytest.fixture
def memory() -> Memory:
    return Memory()


@pytest.fixture
def bounded(renderer: Renderer, memory: Memory, monkeypatch: pytest.MonkeyPatch) -> Renderer:
    """A renderer whose networks do nothing, in a memory of bounds."""
    monkeypatch.setattr(renderer, "batch", 12)
    monkeypatch.setattr(renderer._warping, "forward", lambda _source, x_d: x_d)
    monkeypatch.setattr(renderer, "_decoder", memory)
    return renderer


@pytest.fixture(scope="module")
def source(renderer: Renderer) -> RenderSource:
    """A small portrait, made ready."""
    return renderer.prepare(rule.picture("a")[:64, :64], Crop(32, 32, 64, 0.0))


def test_memory_that_is_short_halves_the_batch(bounded: Renderer, source: RenderSource) -> None:
    notes: list[str] = []
    batches = list(bounded.frames(source, [Pose()] * 8, Expression(), notes.append))
    # Of a batch of 12 there were only 8; those failed, as did 4.
    assert [len(batch) for batch in batches] == [2, 2, 2, 2]
    assert notes == [
        "The graphics memory was short: frames are rendered 4 at a time.",
        "The graphics memory was short: frames are rendered 2 at a time.",
    ]


def test_a_halved_batch_grows_back(bounded: Renderer, source: RenderSource, memory: Memory) -> None:
    frames = bounded.frames(source, [Pose()] * 100, Expression())
    sizes = []
    for batch in frames:
        sizes.append(len(batch))
        memory.room = 100  # Another program has given its memory back.
    assert sizes[:8] == [3] * 8
    assert sizes[8:16] == [6] * 8
    assert sizes[16] == 12
    # And the next portrait begins with all.
    assert len(next(bounded.frames(source, [Pose()] * 100, Expression()))) == 12


def test_a_batch_that_does_not_grow_is_tried_ever_more_rarely(
    bounded: Renderer, source: RenderSource, memory: Memory
) -> None:
    list(bounded.frames(source, [Pose()] * 120, Expression()))
    failures = [index for index, count in enumerate(memory.tried) if count > memory.room]
    # First down from 12 to 3; then after 8 batches, 16, and more.
    assert np.diff(failures).tolist() == [1, 9, 17]


def test_no_memory_for_a_single_frame(bounded: Renderer, source: RenderSource, memory: Memory) -> None:
    memory.room = 0
    with pytest.raises(GazeError, match="not enough graphics memory for a single frame"), telling_failures():
        list(bounded.frames(source, [Pose()], Expression()))


@pytest.fixture
def compiled(bounded: Renderer, memory: Memory, monkeypatch: pytest.MonkeyPatch) -> Memory:
    """What `bounded` renders by once it is compiled; nothing else has bounds."""
    made = Memory()
    made.room = memory.room = 100
    for name, value in (("networks", lambda *inputs: made(inputs[-1])), ("can_compile", True)):
        monkeypatch.setattr(bounded, name, value)
    for name in ("_is_compiled", "_uncompiled"):  # As they were, for whoever comes next.
        monkeypatch.setattr(bounded, name, getattr(bounded, name))
    return made


def test_compiled_networks_render_all_but_single_frames(
    bounded: Renderer, source: RenderSource, memory: Memory, compiled: Memory
) -> None:
    bounded.compile(lambda _networks: None)
    notes: list[str] = []
    batches = list(bounded.frames(source, [Pose()] * 25, Expression(), notes.append))
    assert [len(batch) for batch in batches] == [12, 12, 1]
    assert (compiled.tried, memory.tried, notes) == ([12, 12], [1], [])
    # Not even after a failure would it be tried again.
    assert not bounded.can_compile


def test_compiled_code_gets_what_it_takes_for_granted(
    renderer: Renderer, bounded: Renderer, source: RenderSource, monkeypatch: pytest.MonkeyPatch, compiled: Memory
) -> None:
    """It looks at no layout and no address: they must be those of the values that it was made with."""
    made_with = ahead._inputs(FrameNetworks(renderer._warping, renderer._warping), 12)
    seen: list[tuple[torch.Tensor, ...]] = []
    monkeypatch.setattr(bounded, "networks", lambda *inputs: seen.append(inputs) or compiled(inputs[-1]))
    bounded.compile(lambda _networks: None)
    list(bounded.frames(source, [Pose()] * 24, Expression()))
    for given in seen:
        for real, example in zip(given, made_with, strict=True):
            assert (real.shape, real.stride(), real.dtype) == (example.shape, example.stride(), example.dtype)
            assert real.is_contiguous()
            assert real.data_ptr() % 64 == 0


def test_where_compiling_fails_all_goes_on(
    bounded: Renderer, source: RenderSource, memory: Memory, compiled: Memory
) -> None:
    def fail(_networks: object) -> None:
        raise RuntimeError("C++ compile error\nand a long list of them")

    bounded.compile(fail)
    for _ in range(2):  # Whoever comes next is told as well.
        notes: list[str] = []
        list(bounded.frames(source, [Pose()] * 2, Expression(), notes.append))
        expected = "The compiled networks failed (C++ compile error), so the uncompiled ones run, which may be slower."
        assert notes == [expected]
    assert (compiled.tried, memory.tried) == ([], [2, 2])


def test_where_compiled_networks_fail_the_others_go_on(
    bounded: Renderer, source: RenderSource, memory: Memory, compiled: Memory, monkeypatch: pytest.MonkeyPatch
) -> None:
    bounded.compile(lambda _networks: None)
    notes: list[str] = []
    frames = bounded.frames(source, [Pose()] * 24, Expression(), notes.append)
    next(frames)

    def fail(*_: object) -> None:
        raise RuntimeError("run_func_(...) API call failed")

    monkeypatch.setattr(bounded, "networks", fail)
    assert [len(batch) for batch in frames] == [12]
    assert (compiled.tried, memory.tried) == ([12], [12])
    assert len(notes) == 1
    assert "API call failed" in notes[0]


def test_no_numbers_even_in_full_precision(
    bounded: Renderer, source: RenderSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The first portrait went well; each is looked at.
    list(bounded.frames(source, [Pose()], Expression()))
    monkeypatch.setattr(bounded, "_decoder", lambda x_d: torch.full((len(x_d), 3, SIDE, SIDE), float("nan")))
    with pytest.raises(GazeError, match="weights are damaged"):
        list(bounded.frames(source, [Pose()], Expression()))


def test_float32_is_not_tf32(bounded: Renderer, source: RenderSource, monkeypatch: pytest.MonkeyPatch) -> None:
    assert torch.backends.cudnn.allow_tf32, "as torch has it"
    seen: list[bool] = []

    def decode(x_d: torch.Tensor) -> torch.Tensor:
        seen.append(torch.backends.cudnn.allow_tf32)
        return torch.full((len(x_d), 3, SIDE, SIDE), 0.5)

    monkeypatch.setattr(bounded, "_decoder", decode)
    list(bounded.frames(source, [Pose()], Expression()))
    hook = bounded._motion.register_forward_hook(lambda *_: seen.append(torch.backends.cudnn.allow_tf32))
    bounded.prepare(rule.picture("a")[:64, :64], Crop(32, 32, 64, 0.0))
    hook.remove()
    assert seen == [False, False]
    assert torch.backends.cudnn.allow_tf32


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
    bounded: Renderer, source: RenderSource, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    frames = bounded.frames(source, [Pose()] * 8, Expression())
    next(frames)

    def vanished(_: torch.Tensor) -> torch.Tensor:
        raise error

    monkeypatch.setattr(bounded, "_decoder", vanished)
    with pytest.raises(GazeError, match=r"GPU stopped working \(.*\)\. Restart Gaze"), telling_failures():
        next(frames)


def test_other_errors_stay_what_they_are() -> None:
    with pytest.raises(RuntimeError, match="sizes of tensors"), telling_failures():
        raise RuntimeError("The sizes of tensors must match")


@pytest.fixture(scope="module")
def half_renderer(networks: Networks) -> Renderer:
    """In bfloat16, and with its channels innermost, as on a processor with AMX."""
    return Renderer(networks, CPU, dtype=torch.bfloat16)


@pytest.mark.skipif(
    not torch.ops.mkldnn._is_mkldnn_bf16_supported(),
    reason="this processor has no bfloat16, which torch would imitate for many minutes",
)
def test_half_precision_is_close(half_renderer: Renderer, picture: np.ndarray, rendered: Rendered) -> None:
    assert half_renderer._decoder.fc.weight.is_contiguous(memory_format=torch.channels_last)
    found = render(half_renderer, half_renderer.prepare(picture, WHOLE))
    mean_square = np.mean((rendered.frames[1:].astype(float) - found) ** 2)
    assert 10 * np.log10(255**2 / mean_square) >= 45


def test_where_half_precision_gives_no_numbers_the_next_is_taken(
    half_renderer: Renderer, renderer: Renderer, source: RenderSource, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FusedWarping, "forward", lambda _self, _source, x_d: x_d)
    monkeypatch.setattr(FusedDecoder, "forward", lambda _self, x_d: torch.full((len(x_d), 3, SIDE, SIDE), 0.75))
    half_renderer._decoder.forward = lambda x_d: torch.full((len(x_d), 3, SIDE, SIDE), float("nan"))
    notes: list[str] = []
    (frames,) = half_renderer.frames(source, [published_pose(14, 20)], Expression(), notes.append)
    assert half_renderer.dtype == torch.float32
    # What is built anew is what full precision begins with, whose frames are held against the reference.
    for anew, first in ((half_renderer._warping, renderer._warping), (half_renderer._decoder, renderer._decoder)):
        torch.testing.assert_close(anew.state_dict(), first.state_dict(), rtol=0, atol=0)
    expected = "On this processor the networks give NaN in bfloat16: frames are rendered in full precision (float32), "
    assert notes == [expected + "which may be slower."]
    assert np.abs(frames[:, 32, 32] - 0.75 * 255).max() <= 1
    # Whoever comes next is told as well.
    list(half_renderer.frames(source, [Pose()], Expression(), notes.append))
    assert notes == [expected + "which may be slower."] * 2


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
        assert 10 * np.log10(255**2 / mean_square) >= 50
        np.testing.assert_array_equal(frames, np.concatenate(list(gpu.frames(source, poses, Expression()))))
