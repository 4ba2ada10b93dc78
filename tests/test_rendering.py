"""Which frames are rendered and which are morphed, by the engine's speed and by what this portrait allows."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from gaze import rendering
from gaze.check import check
from gaze.grid import Cell, Pose
from gaze.keys import cells_of, key_axis, refine
from gaze.pipeline import Options, generate, run
from gaze.progress import Progress
from tests.fakes import FakeEngine, cell_of, decode_sheet


class Timed(FakeEngine):
    """Seems to take so many seconds for each frame, and more for its first batch."""

    def __init__(self, seconds: float, first: float = 0.0, batch: int = 1) -> None:
        super().__init__(30)
        self.now, self._seconds, self._first, self._batch = 0.0, seconds, first, batch
        self.rendered: list[Cell] = []

    def stream(self, source: tuple[int, int], poses: Sequence[Pose]) -> Iterator[np.ndarray]:
        for start in range(0, len(poses), self._batch):
            batch = poses[start : start + self._batch]
            self.now += self._first + self._seconds * len(batch)
            self._first = 0.0
            self.rendered += [self._cells[pose] for pose in batch]
            yield self.render(source, batch)


class Unlike(Timed):
    """Frames that have nothing in common."""

    def render(self, source: tuple[int, int], poses: Sequence[Pose]) -> np.ndarray:
        cells = [self._cells[pose] for pose in poses]
        width, height = source
        return np.stack(
            [np.random.default_rng((c.row, c.col)).integers(0, 256, (height, width, 3), np.uint8) for c in cells]
        )


def portrait_of(
    engine: Timed, photo: Path, out: Path, monkeypatch: pytest.MonkeyPatch, **options: object
) -> tuple[Path, tuple[str, ...], list[Progress]]:
    monkeypatch.setattr(rendering.time, "monotonic", lambda: engine.now)
    steps: list[Progress] = []
    chosen = Options(engine=engine, frame_size=128, pack=False, effort=0, **options)  # type: ignore[arg-type]
    result = generate(photo, out, chosen, steps.append)
    return result.folder, result.notes, steps


@pytest.mark.parametrize(("seconds", "keys", "checked"), [(0.01, 30, 5), (3, 10, 5), (5, 6, 5), (60, 6, 5)])
def test_auto_goes_by_the_engines_speed(
    photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float, keys: int, checked: int
) -> None:
    engine = Timed(seconds)
    _, notes, _ = portrait_of(engine, photo, tmp_path / "out", monkeypatch)
    assert set(cells_of(key_axis(30, keys))) <= set(engine.rendered)
    assert len(engine.rendered) == len(set(engine.rendered)), "a frame was rendered twice"
    assert len(engine.rendered) <= min(900, keys**2 + 2 * checked)
    told = f"{keys**2} of the 900 frames were rendered, as one takes {seconds:g} s"
    # That a fast engine rendered all is what anyone would expect.
    assert any(note.startswith(told) for note in notes) == (keys < 30)


def test_a_slow_engine_is_told_with_its_first_frame(
    photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, _, steps = portrait_of(Timed(5), photo, tmp_path / "out", monkeypatch)
    first = next(step for step in steps if step.stage == "render" and step.done)
    assert first.message == "Rendering frame 1 of 41, 5 s each; the rest is morphed"
    assert (first.total, first.remaining) == (41, 200)


def test_a_slow_start_is_no_slow_engine(photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Timed(0.01, first=60, batch=64)
    portrait_of(engine, photo, tmp_path / "out", monkeypatch)
    assert len(engine.rendered) == 900


def test_a_visitors_quota_is_spared(photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Timed(0.01, batch=1000)
    engine.metered = True
    _, notes, _ = portrait_of(engine, photo, tmp_path / "out", monkeypatch)
    assert len(engine.batches) == 1, "each call borrows a GPU"
    assert set(cells_of(key_axis(30, 10))) <= set(engine.rendered)
    assert len(engine.rendered) == 105
    assert any("100 of the 900" in note and "quota" in note for note in notes)


@pytest.mark.parametrize("keys", [6, 8, 15])
def test_a_number_that_was_asked_for_is_kept(
    photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keys: int
) -> None:
    engine = Timed(0.01)
    folder, notes, steps = portrait_of(engine, photo, tmp_path / "out", monkeypatch, keys=keys)
    assert len(engine.rendered) == keys**2 + 5
    assert any(f"{keys**2} of the 900 frames were rendered, as was asked for" in note for note in notes)
    assert check(folder) == []
    stages = list(dict.fromkeys(step.stage for step in steps))
    assert [stage for stage in stages if stage in ("render", "morph", "pack")] == ["render", "morph", "pack"]
    assert all(step.done <= step.total for step in steps)


def test_each_key_is_in_its_place(photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, _, _ = portrait_of(Timed(0.01), photo, tmp_path / "out", monkeypatch, keys=6, mode="single", size=30)
    [sheet] = [path for path in folder.glob("*.webp") if path.stem == "sheet"]
    frames = list(decode_sheet(sheet.read_bytes(), 128, 128))
    for cell in cells_of(key_axis(30, 6)):
        assert cell_of(tuple(frames[cell.row * 30 + cell.col][64, 64])) == cell


def test_what_cannot_be_morphed_is_rendered(photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Unlike(0.01)
    _, notes, _ = portrait_of(engine, photo, tmp_path / "out", monkeypatch, keys=10)
    assert len(engine.rendered) == len(set(engine.rendered)) == 900
    assert any(note.startswith("All 900 frames were rendered, more than planned") for note in notes)


def test_denser_keys_that_take_too_long_are_left_to_the_person(
    photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Unlike(5)
    _, notes, _ = portrait_of(engine, photo, tmp_path / "out", monkeypatch)
    denser = refine(key_axis(30, 10))
    assert set(engine.rendered) >= set(cells_of(denser)), "10 and 18 keys take minutes"
    assert len(engine.rendered) < 900
    assert any("30 keys per side would take" in note for note in notes)


@pytest.mark.parametrize("stage", ["render", "morph"])
def test_cancelling_leaves_nothing(photo: Path, tmp_path: Path, stage: str) -> None:
    steps = run(photo, tmp_path / "out", Options(engine=FakeEngine(30), frame_size=128, keys=6))
    while next(steps).stage != stage:
        pass
    steps.close()
    assert list(tmp_path.iterdir()) == []


def test_an_engine_that_leaves_frames_out_is_caught(photo: Path, tmp_path: Path) -> None:
    class Lazy(FakeEngine):
        def stream(self, source: tuple[int, int], poses: Sequence[Pose]) -> Iterator[np.ndarray]:
            yield self.render(source, poses[:-1])

    with pytest.raises(RuntimeError, match="did not render 1 of"):
        generate(photo, tmp_path / "out", Options(engine=Lazy(30), frame_size=128))
