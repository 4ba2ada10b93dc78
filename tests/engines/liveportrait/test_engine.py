"""The engine on the example portrait with the rule's weights, from files to frames.

Such weights draw no face; what is checked is what does not depend on their values.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from gaze.engines.liveportrait import engine as module
from gaze.engines.liveportrait import weights
from gaze.engines.liveportrait.crop import SIDE
from gaze.engines.liveportrait.engine import LivePortraitEngine, find_crop
from gaze.errors import WeightsError
from gaze.face.face import Face
from gaze.face.framing import frame_portrait
from gaze.grid import Expression, Pose
from gaze.photo.portrait import Portrait


@pytest.fixture(scope="module")
def engine(checkpoints: Path) -> Iterator[LivePortraitEngine]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(weights.FOLDER_VARIABLE, str(checkpoints))
        yield LivePortraitEngine(expression=Expression(smile=0.5))
    module._shared_renderer.cache_clear()


def enlarged(features: torch.Tensor) -> torch.Tensor:
    """What takes the decoder's place: (n, 256, 64, 64) → (n, 3, SIDE, SIDE), in [0, 1]."""
    return torch.nn.functional.interpolate(features[:, :3].sigmoid(), (SIDE, SIDE))


def test_frames_of_the_example(
    engine: LivePortraitEngine, framed: tuple[Portrait, Face], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All networks but the decoder, which takes as long as all others and is held in test_renderer."""
    portrait, face = framed
    (step,) = engine.load()
    assert step.message == "Reading the LivePortrait weights"
    monkeypatch.setattr(engine.renderer(), "_decoder", enlarged)
    source = engine.prepare(portrait, face)
    frames = engine.render(source, [Pose(15, 15, -7.5, -7.5, 15)])
    assert frames.shape == (1, portrait.height, portrait.width, 3)
    assert frames.dtype == np.uint8
    crop = find_crop(portrait, face)
    ys, xs = np.mgrid[: portrait.height, : portrait.width]
    at = crop.from_picture()[:2] @ np.stack([xs.ravel(), ys.ravel(), np.ones(xs.size)])
    outside = ((at < -1) | (at > crop.side)).any(0).reshape(xs.shape)
    assert outside.any()
    np.testing.assert_array_equal(frames[0][outside], portrait.image[outside])
    assert (frames[0][~outside] != portrait.image[~outside]).any()
    assert engine.notes() == ()


def test_frames_larger_than_the_window(
    engine: LivePortraitEngine, framed: tuple[Portrait, Face], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the networks give, here grey, is enlarged to where the face is in the frame."""
    monkeypatch.setattr(engine.renderer()._warping, "forward", lambda _source, x_d: x_d)
    monkeypatch.setattr(engine.renderer(), "_decoder", lambda x_d: torch.full((len(x_d), 3, SIDE, SIDE), 0.5))
    large, face = frame_portrait(*framed, 1024, "whole")
    frame = engine.render(engine.prepare(large, face), [Pose()])[0]
    assert frame.shape == (large.height, large.width, 3)
    assert max(frame.shape) == 1024
    x, y = (round(float(value)) for value in face.centre)
    assert np.abs(frame[y - 5 : y + 5, x - 5 : x + 5] - 127.5).max() <= 1


def test_without_loading(monkeypatch: pytest.MonkeyPatch, framed: tuple[Portrait, Face], tmp_path: Path) -> None:
    from huggingface_hub import constants

    monkeypatch.delenv(weights.FOLDER_VARIABLE, raising=False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(WeightsError, match="call load"):
        LivePortraitEngine().prepare(*framed)


def test_a_source_that_looks_aside_is_straightened(
    engine: LivePortraitEngine, framed: tuple[Portrait, Face], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "straightening_units", lambda _face: -6.0)
    monkeypatch.setattr(engine.renderer(), "prepare", lambda *_: None)
    asked: list[Pose] = []
    monkeypatch.setattr(engine.renderer(), "frames", lambda _source, poses, *_: iter([asked.extend(poses)]))
    list(engine.stream(engine.prepare(*framed), [Pose(), Pose(pupil_x=10)]))
    assert [pose.pupil_x for pose in asked] == [-6, 4]
    held = LivePortraitEngine(straighten=False)
    assert held.prepare(*framed).straighten == 0
