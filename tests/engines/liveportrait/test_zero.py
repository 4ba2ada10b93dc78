"""The path of a ZeroGPU Space, as far as it goes without one: the decorator's part is played by a stand-in."""

from __future__ import annotations

import importlib
import pickle
import re
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest

from gaze.engines import base
from gaze.engines.liveportrait import weights, zero
from gaze.engines.liveportrait.crop import Crop
from gaze.errors import GazeError
from gaze.face.face import Face
from gaze.grid import Expression, Pose
from gaze.photo.portrait import Portrait


class FakeRenderer:
    """Two frames at a time, each filled with its number."""

    def prepare(self, image: np.ndarray, crop: Crop, window: np.ndarray, _openness: object) -> tuple[int, ...]:
        return image.shape

    def frames(
        self, source: tuple[int, ...], poses: tuple[Pose, ...], expression: Expression, tell: Callable[[str], None]
    ) -> Iterator[np.ndarray]:
        tell("The graphics memory was short.")
        for first in range(0, len(poses), 2):
            yield np.stack([np.full(source, n, np.uint8) for n in range(first, min(first + 2, len(poses)))])


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> zero.ZeroGpuEngine:
    monkeypatch.setattr(zero.LivePortraitEngine, "renderer", lambda _self: FakeRenderer())
    return zero.ZeroGpuEngine()


def test_frames_come_through_the_file_in_order(
    engine: zero.ZeroGpuEngine, framed: tuple[Portrait, Face], monkeypatch: pytest.MonkeyPatch
) -> None:
    portrait, face = framed
    asked: list[zero.Rendering] = []
    on_gpu = zero._on_gpu

    def through_pickle(rendering: zero.Rendering) -> Iterator[Any]:
        asked.append(pickle.loads(pickle.dumps(rendering)))
        # What it says goes through a pipe.
        yield from (pickle.loads(pickle.dumps(said)) for said in on_gpu(asked[-1]))

    monkeypatch.setattr(zero, "_on_gpu", through_pickle)
    source = engine.prepare(portrait, face)
    batches = list(engine.stream(source, [Pose()] * 5))
    assert [len(batch) for batch in batches] == [2, 2, 1]
    frames = np.concatenate(batches)
    assert frames.shape == (5, portrait.height, portrait.width, 3)
    assert [int(frame[0, 0, 0]) for frame in frames] == [0, 1, 2, 3, 4]
    assert not asked[0].frames.exists()
    assert engine.notes() == ("The graphics memory was short.",)


def test_closing_early_removes_the_file(
    engine: zero.ZeroGpuEngine, framed: tuple[Portrait, Face], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zero.tempfile, "tempdir", str(tmp_path))
    steps = engine.stream(engine.prepare(*framed), [Pose()] * 5)
    next(steps)
    assert list(tmp_path.iterdir())
    steps.close()  # type: ignore[attr-defined]
    assert list(tmp_path.iterdir()) == []


def test_what_fails_on_the_gpu_is_told(
    framed: tuple[Portrait, Face], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(weights.FOLDER_VARIABLE, str(tmp_path))
    engine = zero.ZeroGpuEngine()
    source = zero.ZeroGpuSource(framed[0].image, Crop(1, 1, 1, 0), framed[0].image, 0.0, (0.3, 0.3))
    with pytest.raises(GazeError, match="is not there"):
        list(engine.stream(source, [Pose()]))


def test_a_bug_on_the_gpu_is_told_by_its_name(engine: zero.ZeroGpuEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeRenderer, "prepare", lambda *_: 1 / 0)
    image = np.zeros((4, 4, 3), np.uint8)
    source = zero.ZeroGpuSource(image, Crop(1, 1, 1, 0), image, 0.0, (0.3, 0.3))
    with pytest.raises(GazeError, match="ZeroDivisionError"):
        list(engine.stream(source, [Pose()]))


def test_a_gpu_that_is_not_lent_is_told_in_the_words_of_spaces(monkeypatch: pytest.MonkeyPatch) -> None:
    quota = "You have exceeded your free ZeroGPU quota (12s requested vs. 3s left). Try again in 4:12:03."

    def refuse(_: zero.Rendering) -> Iterator[Any]:
        raise gr.Error(quota, title="ZeroGPU quota exceeded")
        yield

    monkeypatch.setattr(zero, "_on_gpu", refuse)
    image = np.zeros((4, 4, 3), np.uint8)
    source = zero.ZeroGpuSource(image, Crop(1, 1, 1, 0), image, 0.0, (0.3, 0.3))
    with pytest.raises(GazeError, match=re.escape(quota)):
        list(zero.ZeroGpuEngine().stream(source, [Pose()]))


def test_the_time_asked_for_grows_with_the_frames(framed: tuple[Portrait, Face]) -> None:
    image, crop = framed[0].image, Crop(1, 1, 1, 0)

    def asked(count: int) -> int:
        return zero.seconds(zero.Rendering(image, crop, image, (Pose(),) * count, Expression(), (0.3, 0.3), Path()))

    # 49 keys and their checks take a few seconds, of 120 that a visitor has a day; half as much is added for "large".
    assert asked(49) <= 8
    assert asked(100) < asked(900) < 40


def test_on_zerogpu_the_generator_is_decorated(monkeypatch: pytest.MonkeyPatch) -> None:
    decorated: list[dict[str, Any]] = []

    def gpu(**options: Any) -> Callable[[Any], Any]:
        decorated.append(options)
        return lambda function: function

    stand_in = types.ModuleType("spaces")
    stand_in.GPU = gpu  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "spaces", stand_in)
    monkeypatch.setenv("SPACES_ZERO_GPU", "true")
    assert base.choose_engine("auto")[0] == "liveportrait"
    try:
        module = importlib.reload(zero)
        assert decorated == [
            {"duration": 600, "size": "large"},  # To compile, before the launch.
            {"duration": module.seconds, "size": "large"},
        ]
    finally:
        monkeypatch.delenv("SPACES_ZERO_GPU")
        importlib.reload(zero)
