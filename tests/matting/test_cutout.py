from collections.abc import Callable, Generator, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from gaze.engines.base import Engine
from gaze.engines.warp.engine import WarpEngine, WarpSource
from gaze.errors import FaceError
from gaze.face.face import Face
from gaze.grid import Cell, GazeGrid, Pose
from gaze.matting import cutout
from gaze.matting.cutout import CutoutEngine, apart
from gaze.matting.matte import FINEST, Network
from gaze.photo.portrait import Portrait
from gaze.progress import Loading
from tests.fakes import FakeEngine, cell_colour
from tests.green import greenness

GRID = GazeGrid(10)
CORNERS = [Cell(row, col) for row in (0, 9) for col in (0, 9)]
CELLS = [Cell(4, 5), *CORNERS, Cell(2, 7)]
POSES = [GRID.pose(cell) for cell in CELLS]

Example = tuple[Portrait, Face, np.ndarray]


class Unknowing(WarpEngine):
    """Moves the picture, and does not say how."""

    def positions(self, source: WarpSource, pose: Pose) -> None:  # type: ignore[override]
        return None


class Changing(Unknowing):
    """Half of the person is gone in every frame."""

    def render(self, source: WarpSource, poses: Sequence[Pose]) -> np.ndarray:
        frames = super().render(source, poses)
        frames[:, :, : frames.shape[2] // 2] = (0, 255, 0)
        return frames


@pytest.fixture
def asked(green_network: Path, monkeypatch: pytest.MonkeyPatch) -> list[np.ndarray]:
    """The pictures that the network is asked about."""
    pictures: list[np.ndarray] = []
    load = cutout.load_network

    def watched(matting: str) -> Generator[Loading, None, Network]:
        network = yield from load(matting)

        def find(image: np.ndarray) -> np.ndarray:
            pictures.append(image)
            return network(image)

        return find

    monkeypatch.setattr(cutout, "load_network", watched)
    return pictures


def cut_out(engine: Engine, example: Example) -> tuple[CutoutEngine, np.ndarray]:
    made = CutoutEngine(engine, FINEST)
    list(made.load())
    return made, made.render(made.prepare(*example[:2]), POSES)


@pytest.mark.parametrize(("engine", "networks", "most"), [(WarpEngine, 1, 0.03), (Unknowing, 5, 0.05)])
def test_the_matte_goes_along_as_well_as_if_it_were_found_anew(
    engine: Callable[[], Engine], networks: int, most: float, before_green: Example, asked: list[np.ndarray]
) -> None:
    portrait, face, matte = before_green
    made, frames = cut_out(engine(), before_green)
    assert frames.shape == (len(POSES), portrait.height, portrait.width, 4)
    assert frames.dtype == np.uint8
    assert (len(asked), made.notes(), made.name) == (networks, (), "warp")
    network, reach = made._network, 0.15 * face.iris_distance
    rendered = WarpEngine().render(WarpEngine().prepare(portrait, face), POSES)
    found = [network(frame) for frame in rendered]
    assert all(apart(frame[..., 3], anew, reach) < most for frame, anew in zip(frames, found, strict=True))
    # A matte that stayed where it is would not do.
    assert min(apart(matte, anew, reach) for anew in found[1:5]) > most


@pytest.mark.parametrize("engine", [WarpEngine, Unknowing])
def test_no_halo_is_left_and_the_face_is_the_engines(
    engine: Callable[[], Engine], before_green: Example, asked: list[np.ndarray]
) -> None:
    portrait, face, _ = before_green
    _, frames = cut_out(engine(), before_green)
    rendered = WarpEngine().render(WarpEngine().prepare(portrait, face), POSES)
    x, y, reach = round(face.centre[0]), round(face.centre[1]), round(face.iris_distance)
    for frame, whole in zip(frames, rendered, strict=True):
        seen = frame[..., 3] > 0
        assert greenness(whole)[seen].max() > 150
        assert np.quantile(greenness(frame)[seen], 0.999) < 60
        inner = np.s_[y - reach : y + reach, x - reach : x + reach]
        assert np.array_equal(frame[inner][..., :3], whole[inner])
        assert (frame[inner][..., 3] == 255).all()
        assert (frame[:20, :20, 3] == 0).all()


def test_where_carrying_falls_short_the_network_is_asked_for_every_frame(
    before_green: Example, asked: list[np.ndarray]
) -> None:
    made, frames = cut_out(Changing(), before_green)
    assert len(asked) == 1 + 4 + len(POSES)
    [note] = made.notes()
    assert "from each by itself" in note
    half = frames.shape[2] // 2
    assert (frames[:, :, : half - 4, 3] == 0).all()
    assert (frames[:, :, half + 4 :, 3] == 255).any()


def test_where_that_would_take_too_long_it_is_told(
    before_green: Example, asked: list[np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cutout, "_PATIENCE", 0.0)
    made, _ = cut_out(Changing(), before_green)
    assert len(asked) == 1 + 4
    [note] = made.notes()
    assert "look at its edges" in note
    assert "would have taken 0 min" in note


def test_the_check_is_made_once(before_green: Example, asked: list[np.ndarray]) -> None:
    made, _ = cut_out(Unknowing(), before_green)
    source = made.prepare(*before_green[:2])
    count = len(asked)
    made.render(source, POSES)
    assert len(asked) == count


def test_frames_come_in_the_order_of_the_poses(before_green: Example, asked: list[np.ndarray]) -> None:
    class Plain(FakeEngine):
        def notes(self) -> tuple[str, ...]:
            return ("The fan is loud.",)

    grid = GazeGrid(4)
    engine = Plain(4)
    engine.metered = True
    made = CutoutEngine(engine, FINEST)
    list(made.load())
    source = made.prepare(*before_green[:2])
    frames = np.concatenate(list(made.stream(source, [grid.pose(cell) for cell in grid.cells()])))
    for cell, frame in zip(grid.cells(), frames, strict=True):
        assert tuple(frame[frame.shape[0] // 2, frame.shape[1] // 2, :3]) == cell_colour(cell)
    # What is rendered first for the check is not rendered twice.
    assert sum(engine.batches) == 16
    assert made.metered
    assert "The fan is loud." in made.notes()


def test_a_person_whom_the_network_does_not_see(before_green: Example, asked: list[np.ndarray]) -> None:
    portrait, face, _ = before_green
    made = CutoutEngine(WarpEngine(), FINEST)
    list(made.load())
    empty = np.full_like(portrait.image, (0, 255, 0))
    cv2.circle(empty, (20, 20), 10, (200, 100, 90), -1)
    with pytest.raises(FaceError, match="cannot be told from the background"):
        made.prepare(Portrait(empty), face)
