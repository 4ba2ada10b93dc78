"""The layer that closes the eyes, made of an engine's frames."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from gaze.engines.blinking import LOOKS, VALUES, blink_layer, closing, frames_needed, knows_motion
from gaze.engines.warp.engine import WarpEngine
from gaze.face.face import Face
from gaze.grid import GazeGrid, Look, Pose, Strengths
from gaze.motion.eyes import Eyes
from gaze.motion.guard import likeness
from gaze.motion.layer import LayerMorph
from gaze.motion.motion import LayerKeys
from gaze.photo.portrait import Portrait
from gaze.progress import Steps
from tests.engines.warp.test_eyes import MIDDLE as EYES
from tests.engines.warp.test_eyes import drawn_face

GRID = GazeGrid(30)
MIDDLE = Look(14.5, 14.5)


class Silent(WarpEngine):
    """Does not tell how it moves, as LivePortrait."""

    def displacement(self, source: Any, pose: Pose) -> None:  # type: ignore[override]
        return None

    def stream(self, source: Any, poses: Sequence[Pose]) -> Iterator[np.ndarray]:
        self.count = len(poses)
        yield from super().stream(source, poses)


def made(engine: WarpEngine, framed: tuple[Portrait, Face]) -> tuple[Any, LayerKeys]:
    source = engine.prepare(*framed)
    opened = engine.render(source, [GRID.pose(MIDDLE)])[0]
    steps = Steps(blink_layer(engine, source, framed[1], GRID, opened, knows_motion(engine, source)))
    list(steps)
    assert steps.result is not None
    return source, steps.result


@pytest.fixture(scope="module", params=[WarpEngine, Silent], ids=["known", "tracked"])
def blinking(request: pytest.FixtureRequest, framed: tuple[Portrait, Face]) -> tuple[WarpEngine, Any, LayerKeys]:
    engine = request.param()
    return engine, *made(engine, framed)


@pytest.mark.parametrize("look", [MIDDLE, Look(0, 0), Look(29, 8), Look(20.3, 29), Look(7.2, 22.1)])
def test_over_the_open_face_it_is_the_closed_one(
    framed: tuple[Portrait, Face], blinking: tuple[WarpEngine, Any, LayerKeys], look: Look
) -> None:
    engine, source, layer = blinking
    pose = GRID.pose(look)
    opened, closed = engine.render(source, [pose, closing(pose, 1.0)])
    drawn = LayerMorph(layer)(opened, look, 1.0)
    eyes = Eyes.of(framed[1])
    assert likeness(opened, closed, eyes, look, 30) < 0.85
    assert likeness(drawn, closed, eyes, look, 30) > 0.95


@pytest.mark.parametrize("value", VALUES)
def test_at_its_values_it_is_what_the_engine_rendered(
    framed: tuple[Portrait, Face], blinking: tuple[WarpEngine, Any, LayerKeys], value: float
) -> None:
    engine, source, layer = blinking
    pose = GRID.pose(MIDDLE)
    opened, closed = engine.render(source, [pose, closing(pose, value)])
    drawn = LayerMorph(layer)(opened, MIDDLE, value)
    assert likeness(drawn, closed, Eyes.of(framed[1]), MIDDLE, 30) > 0.985


def test_eyes_that_look_up_are_level_before_they_are_shut() -> None:
    """Below the lid there is iris, as in a straight look, and no white that it has left."""
    framed = drawn_face(height=14, radius=14)
    layer = made(WarpEngine(), framed)[1]
    engine, still = WarpEngine(), GazeGrid(30, Strengths(head=0))
    source = engine.prepare(*framed)
    up = engine.render(source, [still.pose(Look(0, 14.5))])[0]
    feet = np.s_[EYES[1] + 10 : EYES[1] + 13, 197:204, 2]
    shares = [(LayerMorph(layer)(it, MIDDLE, VALUES[1])[feet] > 180).mean() for it in (framed[0].image, up)]
    assert shares[1] <= shares[0] + 0.1


def test_not_begun_it_is_nothing(blinking: tuple[WarpEngine, Any, LayerKeys]) -> None:
    engine, source, layer = blinking
    opened = engine.render(source, [GRID.pose(MIDDLE)])[0]
    assert np.array_equal(LayerMorph(layer)(opened, MIDDLE, 0.0), opened)


def test_its_pictures_are_small_and_transparent_at_their_edges(
    framed: tuple[Portrait, Face], blinking: tuple[WarpEngine, Any, LayerKeys]
) -> None:
    layer = blinking[2]
    assert len(layer.pictures) == len(VALUES)
    assert layer.region[2] < 2.1 * framed[1].iris_distance
    assert layer.region[3] < 0.9 * framed[1].iris_distance
    for picture in layer.pictures.values():
        assert picture.shape == (layer.region[3], layer.region[2], 4)
        assert not picture[[0, -1]][..., 3].any()
        assert not picture[:, [0, -1]][..., 3].any()


def test_it_renders_as_many_frames_as_it_says(framed: tuple[Portrait, Face]) -> None:
    engine = Silent()
    source, _ = made(engine, framed)
    assert frames_needed(knows_motion(engine, source)) == engine.count == 11
    assert frames_needed(knows_motion(WarpEngine(), source)) == 3


def test_an_engine_is_asked_once_for_each_look_that_it_moves_to(framed: tuple[Portrait, Face]) -> None:
    class Asked(WarpEngine):
        looks = 0

        def displacement(self, source: Any, pose: Pose) -> np.ndarray:
            self.looks += 1
            return super().displacement(source, pose)

    engine = Asked()
    made(engine, framed)
    assert engine.looks == 1 + LOOKS**2 - 1


def test_where_closing_changes_nothing_there_is_no_layer(framed: tuple[Portrait, Face]) -> None:
    class Staring(WarpEngine):
        def render(self, source: Any, poses: Sequence[Pose]) -> np.ndarray:
            return super().render(source, [replace(pose, expression=Pose().expression) for pose in poses])

    engine = Staring()
    source = engine.prepare(*framed)
    opened = engine.render(source, [GRID.pose(MIDDLE)])[0]
    steps = Steps(blink_layer(engine, source, framed[1], GRID, opened, True))
    list(steps)
    assert steps.result is None
