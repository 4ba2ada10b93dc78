from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from gaze.engines.base import Engine
from gaze.engines.warp.engine import WarpEngine, WarpSource
from gaze.face.face import Face
from gaze.grid import Cell, GazeGrid, Pose
from gaze.matting import cutout
from gaze.matting.cutout import CutoutEngine, apart
from gaze.photo.portrait import Portrait
from tests.fakes import FakeEngine, cell_colour
from tests.green import find_green, greenness

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


class Asked:
    """A network that tells green from all else, and which pictures it was asked about."""

    def __init__(self) -> None:
        self.pictures: list[np.ndarray] = []

    def __call__(self, image: np.ndarray) -> np.ndarray:
        self.pictures.append(image)
        return find_green(image)


@pytest.fixture
def asked() -> Asked:
    return Asked()


def cut_out(engine: Engine, example: Example, network: Asked | None) -> tuple[CutoutEngine, np.ndarray]:
    portrait, face, matte = example
    made = CutoutEngine(engine, network)
    alpha = find_green(portrait.image) if network else matte
    return made, made.render(made.prepare(replace(portrait, alpha=alpha), face), POSES)


@pytest.mark.parametrize(("engine", "networks", "most"), [(WarpEngine, 0, 0.03), (Unknowing, 4, 0.05)])
def test_the_matte_goes_along_as_well_as_if_it_were_found_anew(
    engine: Callable[[], Engine], networks: int, most: float, before_green: Example, asked: Asked
) -> None:
    portrait, face, matte = before_green
    made, frames = cut_out(engine(), before_green, asked)
    assert frames.shape == (len(POSES), portrait.height, portrait.width, 4)
    assert frames.dtype == np.uint8
    assert (len(asked.pictures), made.notes(), made.name) == (networks, (), "warp")
    reach = 0.15 * face.iris_distance
    rendered = WarpEngine().render(WarpEngine().prepare(portrait, face), POSES)
    found = [find_green(frame) for frame in rendered]
    assert all(apart(frame[..., 3], anew, reach) < most for frame, anew in zip(frames, found, strict=True))
    # A matte that stayed where it is would not do.
    assert min(apart(matte, anew, reach) for anew in found[1:5]) > most


@pytest.mark.parametrize("engine", [WarpEngine, Unknowing])
def test_no_halo_is_left_and_the_face_is_the_engines(
    engine: Callable[[], Engine], before_green: Example, asked: Asked
) -> None:
    portrait, face, _ = before_green
    _, frames = cut_out(engine(), before_green, asked)
    layered = replace(portrait, alpha=find_green(portrait.image))
    rendered = WarpEngine().render(WarpEngine().prepare(layered, face), POSES)
    x, y, reach = round(face.centre[0]), round(face.centre[1]), round(0.8 * face.iris_distance)
    for frame, whole in zip(frames, rendered, strict=True):
        seen = frame[..., 3] > 0
        assert greenness(whole)[seen].max() > 150
        assert np.quantile(greenness(frame)[seen], 0.999) < 60
        inner = np.s_[y - reach : y + reach, x - reach : x + reach]
        assert np.array_equal(frame[inner][..., :3], whole[inner])
        assert (frame[inner][..., 3] == 255).all()
        assert (frame[:20, :20, 3] == 0).all()


def test_where_carrying_falls_short_the_network_is_asked_for_every_frame(before_green: Example, asked: Asked) -> None:
    made, frames = cut_out(Changing(), before_green, asked)
    assert len(asked.pictures) == 4 + len(POSES)
    [note] = made.notes()
    assert "from each frame separately" in note
    half = frames.shape[2] // 2
    assert (frames[:, :, : half - 4, 3] == 0).all()
    assert (frames[:, :, half + 4 :, 3] == 255).any()


def test_where_that_would_take_too_long_it_is_told(
    before_green: Example, asked: Asked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cutout, "_PATIENCE", 0.0)
    made, _ = cut_out(Changing(), before_green, asked)
    assert len(asked.pictures) == 4
    [note] = made.notes()
    assert "check its edges" in note
    assert "would have taken 0 min" in note


def test_the_check_is_made_once(before_green: Example, asked: Asked) -> None:
    made, _ = cut_out(Unknowing(), before_green, asked)
    source = made.prepare(replace(before_green[0], alpha=before_green[2]), before_green[1])
    count = len(asked.pictures)
    made.render(source, POSES)
    assert len(asked.pictures) == count


def test_frames_come_in_the_order_of_the_poses(before_green: Example, asked: Asked) -> None:
    class Plain(FakeEngine):
        def notes(self) -> tuple[str, ...]:
            return ("The fan is loud.",)

    grid = GazeGrid(4)
    engine = Plain(4)
    engine.metered = True
    made = CutoutEngine(engine, asked)
    source = made.prepare(replace(before_green[0], alpha=before_green[2]), before_green[1])
    frames = np.concatenate(list(made.stream(source, [grid.pose(cell) for cell in grid.cells()])))
    for cell, frame in zip(grid.cells(), frames, strict=True):
        assert tuple(frame[frame.shape[0] // 2, frame.shape[1] // 2, :3]) == cell_colour(cell)
    # What is rendered first for the check is not rendered twice.
    assert sum(engine.batches) == 16
    assert made.metered
    assert "The fan is loud." in made.notes()


def test_a_photo_that_is_cut_out_already_keeps_its_colours_and_asks_nothing(
    framed: tuple[Portrait, Face], before_green: Example
) -> None:
    portrait, face = framed
    made, frames = cut_out(Unknowing(), (portrait, face, before_green[2]), None)
    assert made.notes() == ()
    middle = frames[0]
    soft = (middle[..., 3] > 30) & (middle[..., 3] < 225)
    rendered = WarpEngine().render(WarpEngine().prepare(portrait, face), POSES[:1])[0]
    assert np.abs(middle[soft][:, :3].astype(float) - rendered[soft]).mean() < 4
