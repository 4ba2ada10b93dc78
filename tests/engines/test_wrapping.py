"""Engines that render by another forget none of what an engine can do."""

import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import pytest

from gaze.engines.base import Engine
from gaze.engines.fallback import FallbackEngine
from gaze.engines.wrapping import WrappingEngine
from gaze.face.face import Face, Iris
from gaze.grid import Pose
from gaze.matting.cutout import CutoutEngine
from gaze.photo.portrait import Portrait
from gaze.progress import Loading
from tests.faces import typical_face

METHODS = [name for name, _ in inspect.getmembers(Engine, inspect.isfunction) if not name.startswith("_")]
WRAPPERS: dict[str, Callable[[Engine], WrappingEngine]] = {
    "fallback": lambda engine: FallbackEngine(engine, engine),
    "cutout": lambda engine: CutoutEngine(engine, None),
}


class Asked(Engine):
    """Remembers which of its methods were called, and with what source."""

    name = "asked"
    metered = True

    def __init__(self) -> None:
        self.calls: dict[str, Any] = {}

    def load(self) -> Iterator[Loading]:
        self.calls["load"] = None
        return iter([Loading("Reading")])

    def prepare(self, portrait: Portrait, face: Face) -> str:
        self.calls["prepare"] = None
        return "own"

    def render(self, source: str, poses: Sequence[Pose]) -> np.ndarray:
        self.calls["render"] = source
        return np.stack([np.full((20, 30, 3), 10 + round(pose.pupil_x), np.uint8) for pose in poses])

    def stream(self, source: str, poses: Sequence[Pose]) -> Iterator[np.ndarray]:
        self.calls["stream"] = source
        yield self.render(source, poses)

    def positions(self, source: str, pose: Pose) -> np.ndarray:
        self.calls["positions"] = source
        return np.dstack(np.meshgrid(np.arange(30), np.arange(20))).astype(np.float32)

    def displacement(self, source: str, pose: Pose) -> np.ndarray:
        self.calls["displacement"] = source
        return np.full((20, 30, 2), pose.pupil_x, np.float32)

    def notes(self) -> tuple[str, ...]:
        self.calls["notes"] = None
        return ("A note.",)


@pytest.mark.parametrize("wrapper", WRAPPERS)
@pytest.mark.parametrize("method", METHODS)
def test_every_method_of_an_engine_reaches_the_one_that_renders(wrapper: str, method: str) -> None:
    asked = Asked()
    engine = WRAPPERS[wrapper](asked)
    portrait = Portrait(np.full((20, 30, 3), 90, np.uint8), alpha=np.full((20, 30), 255, np.uint8))
    source = engine.prepare(portrait, typical_face(Iris(10, 10, 1), Iris(20, 10, 1)))
    given: dict[str, tuple[Any, ...]] = {
        "load": (),
        "notes": (),
        "prepare": (portrait, typical_face(Iris(10, 10, 1), Iris(20, 10, 1))),
        "render": (source, [Pose(pupil_x=2)]),
        "stream": (source, [Pose(pupil_x=2)]),
        "positions": (source, Pose()),
        "displacement": (source, Pose(pupil_x=3)),
    }
    asked.calls.clear()
    answer = getattr(engine, method)(*given[method])
    answer = list(answer) if method in ("load", "stream") else answer
    reached = "stream" if method == "render" else method
    assert asked.calls[reached] in (None, "own")
    if method not in ("prepare", "render", "stream"):
        own = {"positions": ("own", Pose()), "displacement": ("own", Pose(pupil_x=3))}.get(method, ())
        expected = getattr(asked, method)(*own)
        np.testing.assert_array_equal(answer, list(expected) if method == "load" else expected)
    elif method != "prepare":
        assert np.asarray(answer)[..., :3].max() == 12


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_it_goes_by_the_name_and_the_quota_of_the_one_that_renders(wrapper: str) -> None:
    engine = WRAPPERS[wrapper](Asked())
    assert (engine.name, engine.metered) == ("asked", True)


def test_all_that_wrap_an_engine_are_tried_here() -> None:
    assert {type(make(Asked())) for make in WRAPPERS.values()} == set(WrappingEngine.__subclasses__())
