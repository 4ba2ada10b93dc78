import re
import subprocess
import sys
from collections.abc import Callable, Generator, Iterator
from typing import Any

import numpy as np
import pytest

from gaze.engines import base
from gaze.engines.base import ENGINES, Engine, choose_engine, load_engine
from gaze.engines.warp.engine import WarpEngine
from gaze.errors import GazeError, WeightsError
from gaze.face.face import Face
from gaze.grid import Expression, Pose
from gaze.photo.portrait import Portrait
from gaze.progress import Loading


def result_of(steps: Generator[Loading, None, tuple[Engine, str]]) -> tuple[Engine, str]:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: tuple[Engine, str] = end.value
            return result


@pytest.mark.parametrize("name", ENGINES)
def test_every_listed_engine_can_be_chosen_and_says_why(name: str) -> None:
    if name == "cluster":
        pytest.importorskip("ray", reason="ray is missing: pip install --editable '.[cluster]'")
    chosen, reason = choose_engine(name)
    assert chosen == name if name != "auto" else chosen in ENGINES
    assert reason.endswith((".", ")"))


def test_an_unknown_engine_is_refused_with_the_known_ones() -> None:
    with pytest.raises(GazeError, match=r"“magic”.*auto, warp, liveportrait"):
        choose_engine("magic")


@pytest.mark.parametrize(
    ("gpu", "torch", "chosen", "reason"),
    [
        (False, False, "warp", "needs a GPU to be quick"),
        (False, True, "warp", "needs a GPU to be quick"),
        (True, False, "warp", r"\.\[liveportrait\]"),
        (True, True, "liveportrait", "runs on this machine's GPU"),
    ],
)
def test_what_auto_takes(gpu: bool, torch: bool, chosen: str, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "has_gpu", lambda: gpu)
    monkeypatch.setattr(base, "find_spec", lambda _: object() if torch else None)
    found, why = choose_engine("auto")
    assert found == chosen
    assert re.search(reason, why)


def test_liveportrait_without_torch_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "find_spec", lambda _: None)
    with pytest.raises(GazeError, match="pip install"):
        choose_engine("liveportrait")


class Failing(Engine):
    """An engine in whose way an error stands, at one of the steps to its second frame."""

    name = "liveportrait"

    def __init__(self, step: str, error: Exception) -> None:
        self._step, self._error = step, error

    def load(self) -> Generator[Loading, None, None]:
        yield Loading("Downloading")
        self._fail("load")

    def prepare(self, *_: Any) -> None:
        self._fail("prepare")

    def render(self, source: None, poses: Any) -> np.ndarray:
        self._fail("first")
        return np.zeros((len(poses), 4, 4, 3), np.uint8)

    def stream(self, source: None, poses: Any) -> Iterator[np.ndarray]:
        yield self.render(source, poses[:1])
        self._fail("second")
        yield self.render(source, poses[1:])

    def _fail(self, step: str) -> None:
        if step == self._step:
            raise self._error


ERRORS = pytest.mark.parametrize(
    ("error", "words"),
    [(WeightsError("There are none."), "There are none."), (RuntimeError("required rank 4 tensor"), "RuntimeError")],
)


@pytest.fixture
def fails(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Exception], None]:
    monkeypatch.setattr(base, "has_gpu", lambda: True)
    return lambda step, error: monkeypatch.setattr(base, "_liveportrait", lambda *_, **__: Failing(step, error))


@ERRORS
def test_auto_falls_back_where_the_engine_cannot_be_built(
    error: Exception, words: str, fails: Callable[[str, Exception], None]
) -> None:
    pytest.importorskip("torch")
    fails("load", error)
    engine, reason = result_of(load_engine("auto"))
    assert engine.name == "warp"
    assert "the notes say why" in reason
    # The page shows notes, and no reason.
    [note] = engine.notes()
    assert note.startswith("The LivePortrait engine failed here, so the instant engine rendered: ")
    assert words in note
    with pytest.raises(GazeError, match=words):
        result_of(load_engine("liveportrait"))


@ERRORS
@pytest.mark.parametrize("step", ["prepare", "first"])
def test_auto_falls_back_where_the_first_frame_fails(
    step: str, error: Exception, words: str, fails: Callable[[str, Exception], None], framed: tuple[Portrait, Face]
) -> None:
    pytest.importorskip("torch")
    fails(step, error)
    engine, _ = result_of(load_engine("auto"))
    assert engine.name == "liveportrait"
    portrait, face = framed
    source = engine.prepare(portrait, face)
    frames = np.concatenate([*engine.stream(source, [Pose(), Pose(15)]), *engine.stream(source, [Pose(-15)])])
    expected = WarpEngine()
    looks = [Pose(), Pose(15), Pose(-15)]
    np.testing.assert_array_equal(frames, expected.render(expected.prepare(portrait, face), looks))
    assert engine.name == "warp"
    [note] = engine.notes()
    assert note.startswith("The LivePortrait engine failed here, so the instant engine rendered: ")
    assert words in note
    engine, _ = result_of(load_engine("liveportrait"))
    assert engine.name == "liveportrait"
    with pytest.raises(GazeError, match=words):
        list(engine.stream(engine.prepare(portrait, face), [Pose()]))


def test_frames_of_two_engines_are_not_mixed(
    fails: Callable[[str, Exception], None], framed: tuple[Portrait, Face]
) -> None:
    pytest.importorskip("torch")
    fails("second", GazeError("The GPU does not work any more."))
    engine, _ = result_of(load_engine("auto"))
    frames = engine.stream(engine.prepare(*framed), [Pose(), Pose(15)])
    next(frames)
    with pytest.raises(GazeError, match="any more"):
        next(frames)


def test_auto_wants_a_torch_that_sees_the_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(base, "has_gpu", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    engine, _ = result_of(load_engine("auto", expression=Expression()))
    assert engine.name == "warp"
    [note] = engine.notes()
    assert "does not see the GPU" in note


def test_the_instant_engine_starts_without_torch() -> None:
    """The app likewise: test_project::test_an_image_has_all_that_the_app_reads."""
    code = (
        "import sys, gaze, gaze.engines.warp.engine; assert not {'torch', 'rembg', 'spaces', 'ray'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
