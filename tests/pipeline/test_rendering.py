"""How many keys are rendered, by the engine's speed and by what this portrait needs."""

from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from gaze.errors import GazeError
from gaze.face.face import Face
from gaze.grid import GazeGrid, Look, Pose
from gaze.motion.keys import AUTO, key_axis, key_looks, looks_to_check
from gaze.motion.motion import Keys
from gaze.options import Options
from gaze.output.bundle import CHECKPOINT
from gaze.output.metadata import Metadata
from gaze.output.pack_reader import read_pack
from gaze.output.validator import check
from gaze.photo.portrait import Portrait
from gaze.pipeline import making
from gaze.pipeline.making import generate, run
from gaze.pipeline.rendering import KeyRendering, Rendered
from gaze.progress import Progress, Result, Steps
from gaze.storage.checkpoint import Checkpoint
from tests.fakes import FakeEngine


class Timed(FakeEngine):
    """Seems to take so many seconds for each frame."""

    def __init__(self, seconds: float, batch: int = 1) -> None:
        super().__init__(30)
        self.eyes: list[tuple[int, int]] = []
        self.now, self._seconds, self._batch = 0.0, seconds, batch

    def stream(self, source: tuple[int, int], poses: Sequence[Pose]) -> Iterator[np.ndarray]:
        for start in range(0, len(poses), self._batch):
            batch = poses[start : start + self._batch]
            self.now += self._seconds * len(batch)
            yield self.render(source, batch)


class Unlike(Timed):
    """Frames that have nothing in common."""

    def render(self, source: tuple[int, int], poses: Sequence[Pose]) -> np.ndarray:
        frames = super().render(source, poses)
        for frame, pose in zip(frames, poses, strict=True):
            seed = hash((pose.pupil_x, pose.pupil_y)) % 2**32
            frame[:] = np.random.default_rng(seed).integers(0, 256, frame.shape, np.uint8)
        return frames


@pytest.fixture(scope="module")
def small(framed: tuple[Portrait, Face]) -> tuple[Portrait, Face]:
    portrait, face = framed
    return replace(portrait, image=np.ascontiguousarray(portrait.image[::4, ::4])), face.moved(0.25)


def rounded(looks: Sequence[Look]) -> set[Look]:
    """As the engine tells looks."""
    return {Look(round(look.row, 6), round(look.col, 6)) for look in looks}


def rendered(
    engine: Timed, small: tuple[Portrait, Face], keys: str | int = AUTO, earlier: Checkpoint | None = None
) -> tuple[Rendered, list[Progress]]:
    steps = Steps(
        KeyRendering(
            engine, engine.prepare(*small), small[1], GazeGrid(30), keys, earlier, clock=lambda: engine.now
        ).run()
    )
    told = list(steps)
    return steps.result, told


@pytest.mark.parametrize(("seconds", "keys"), [(0.01, 7), (3, 5)])
def test_auto_goes_by_the_engines_speed(small: tuple[Portrait, Face], seconds: float, keys: int) -> None:
    engine = Timed(seconds)
    made, _ = rendered(engine, small)
    assert made.keys.axis == key_axis(30, keys)
    assert len(engine.rendered) == len(set(engine.rendered)), "a frame was rendered twice"
    assert rounded(key_looks(made.keys.axis)) <= set(engine.rendered)
    assert made.seconds == pytest.approx(seconds)


def test_a_number_that_was_asked_for_is_kept(small: tuple[Portrait, Face]) -> None:
    keys = 9
    made, _ = rendered(Timed(60), small, keys)
    assert len(made.keys.frames) == keys**2
    for number, look in enumerate(key_looks(key_axis(30, keys))):
        assert tuple(made.keys.frames[number][0, 0]) == (round(look.row * 8 + 4), round(look.col * 8 + 4), 128)


def test_a_visitors_quota_is_spared(small: tuple[Portrait, Face]) -> None:
    engine = Timed(0.01, batch=1000)
    engine.metered = True
    made, _ = rendered(engine, small)
    assert len(made.keys.axis) == 5
    assert len(engine.rendered) == 25 + 5
    assert len(engine.batches) == 1, "each call borrows a GPU"


def test_what_cannot_be_morphed_gets_nine_keys(small: tuple[Portrait, Face]) -> None:
    made, told = rendered(Unlike(0.01), small)
    assert made.keys.axis == key_axis(30, 9)
    assert made.notes == ("9 keys per side were rendered, since this portrait is hard to morph.",)
    assert all(step.done <= step.total for step in told)


def test_more_keys_that_take_too_long_are_left_to_the_person(small: tuple[Portrait, Face]) -> None:
    made, _ = rendered(Unlike(60), small)
    assert made.keys.axis == key_axis(30, 5)
    assert any("9 keys per side would take 51 min more" in note for note in made.notes)
    asked, _ = rendered(Unlike(0.01), small, 7)
    assert asked.keys.axis == key_axis(30, 7)
    assert any("ask for them if you like" in note for note in asked.notes)


def test_a_glint_in_one_eye_is_not_made_up_for_by_skin(small: tuple[Portrait, Face]) -> None:
    keys = rounded(key_looks(key_axis(30, 7)))

    class Glinting(Timed):
        """The photo itself, but for a reflection on one eye wherever it is no key of seven."""

        def prepare(self, portrait: Portrait, face: Face) -> tuple[np.ndarray, Face]:  # type: ignore[override]
            return portrait.image, face

        def render(self, source: tuple[np.ndarray, Face], poses: Sequence[Pose]) -> np.ndarray:  # type: ignore[override]
            image, face = source
            frames = np.stack([image] * len(poses))
            x, y = round(face.left.x), round(face.left.y)
            for frame, pose in zip(frames, poses, strict=True):
                if self.look_of(pose) not in keys:
                    frame[y - 2 : y + 3, x - 2 : x + 3] = 245
            return frames

    made, _ = rendered(Glinting(0.01), small)
    assert made.keys.axis == key_axis(30, 9)


def test_progress_counts_up_and_tells_the_time_left(small: tuple[Portrait, Face]) -> None:
    _, told = rendered(Timed(5), small, 7)
    done = [step.done for step in told]
    assert done == sorted(done)
    assert told[1].message.endswith(", 5 s each")
    assert told[1].remaining == pytest.approx(5 * (told[1].total - told[1].done))
    assert all(step.done <= step.total for step in told)


def test_what_was_dear_is_kept_and_taken_over(small: tuple[Portrait, Face]) -> None:
    first, _ = rendered(Timed(5), small, 5)
    assert first.checkpoint
    again = Timed(5)
    same, _ = rendered(again, small, 5, first.checkpoint)
    assert again.rendered == []
    assert "30 rendered frames of an earlier portrait were reused." in same.notes
    assert all(np.array_equal(same.keys.frames[n], frame) for n, frame in first.keys.frames.items())
    denser = Timed(5)
    rendered(denser, small, 9, first.checkpoint)
    wanted = {*key_looks(key_axis(30, 9)), *looks_to_check(key_axis(30, 9))}
    assert len(denser.rendered) == len(wanted - set(first.checkpoint.frames)) == 81 + 5 - 30


def test_what_was_cheap_is_not_kept(small: tuple[Portrait, Face]) -> None:
    assert rendered(Timed(0.01), small)[0].checkpoint is None


def shown(engine: Timed, small: tuple[Portrait, Face], keys: str | int, earlier: Checkpoint | None = None) -> list[int]:
    """Keys per side of the coarse portraits."""
    found = []

    def show(made: Keys) -> Generator[None, None, Result]:
        found.append(len(made.axis))
        yield
        return Result(Path(), Metadata(grid_size=30, image_width=1, image_height=1), "", "", ())

    run_ = KeyRendering(engine, engine.prepare(*small), small[1], GazeGrid(30), keys, earlier, show, lambda: engine.now)
    results = [step for step in run_.run() if step.result]
    assert len(results) == len(found)
    return found


def test_a_slow_engine_shows_three_keys_per_side_first(small: tuple[Portrait, Face]) -> None:
    assert shown(Timed(5), small, AUTO) == [3]
    assert shown(Timed(5), small, 9) == [3]
    assert shown(Unlike(5), small, AUTO) == [3, 5]
    assert shown(Timed(0.01), small, 9) == []


def test_whoever_continues_sees_the_earlier_portrait(small: tuple[Portrait, Face]) -> None:
    first, _ = rendered(Timed(5), small, 5)
    assert shown(Timed(5), small, 9, first.checkpoint) == []


def test_an_engine_that_leaves_frames_out_is_caught(small: tuple[Portrait, Face]) -> None:
    class Lazy(Timed):
        def stream(self, source: tuple[int, int], poses: Sequence[Pose]) -> Iterator[np.ndarray]:
            yield self.render(source, poses[:-1])

    with pytest.raises(RuntimeError, match="did not render 1 of"):
        rendered(Lazy(0.01), small)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> Timed:
    """An engine whose portraits take minutes, in a line that goes by its clock."""
    engine = Timed(5)
    monkeypatch.setattr(making, "KeyRendering", partial(KeyRendering, clock=lambda: engine.now))
    return engine


def small_options(engine: Timed, keys: str | int = AUTO) -> Options:
    return Options(engine=engine, frame_size=128, keys=keys, sheets=False)


def test_a_coarse_portrait_can_be_played_while_the_rest_is_rendered(slow: Timed, photo: Path, tmp_path: Path) -> None:
    with closing(run(photo, tmp_path / "out", small_options(slow))) as steps:
        step = next(step for step in steps if step.result)
        assert step.result
        made = step.result.metadata
        assert made.files == ("coarse-3.pack",)
        pack = read_pack(step.result.folder / "coarse-3.pack")
        assert pack.motion
        assert (pack.facts.size, pack.motion.looks) == (30, (0.0, 14.5, 29.0))
        assert check(step.result.folder / "coarse-3.pack") == []
    assert list(tmp_path.iterdir()) == []


def test_a_slow_portrait_is_continued(slow: Timed, photo: Path, tmp_path: Path) -> None:
    first = generate(photo, tmp_path / "first", small_options(slow))
    assert (first.folder / CHECKPOINT).is_file()
    assert not list(first.folder.glob("coarse*"))
    assert check(first.folder) == []
    before = len(slow.rendered)
    again = generate(photo, tmp_path / "again", small_options(slow, 9), earlier=first.folder)
    assert len(slow.rendered) - before == 81 + 5 - 30
    assert any("30 rendered frames of an earlier portrait were reused" in note for note in again.notes)
    assert check(again.folder) == []


def test_what_cannot_be_continued_is_said(slow: Timed, photo: Path, tmp_path: Path) -> None:
    with pytest.raises(GazeError, match="cannot be continued"):
        generate(photo, tmp_path / "out", small_options(slow), earlier=tmp_path)
    assert list(tmp_path.iterdir()) == []


class Blinking(Timed):
    """Closes what looks like eyes: a square around each, in every look."""

    blinks = True

    def render(self, source: tuple[int, int], poses: Sequence[Pose]) -> np.ndarray:
        frames = super().render(source, poses)
        for frame, pose in zip(frames, poses, strict=True):
            for x, y in self.eyes:
                frame[y - 2 : y + 3, x - 3 : x + 4] = 40 + round(pose.expression.blink * 100)
        return frames


@pytest.mark.parametrize(("seconds", "blinks"), [(0.01, True), (20, False)])
def test_the_eyes_are_closed_as_well_where_that_is_not_dear(
    small: tuple[Portrait, Face], seconds: float, blinks: bool
) -> None:
    engine = Blinking(seconds)
    engine.eyes = [(round(iris.x), round(iris.y)) for iris in (small[1].left, small[1].right)]
    steps = Steps(
        KeyRendering(engine, engine.prepare(*small), small[1], GazeGrid(30), blink=True, clock=lambda: engine.now).run()
    )
    list(steps)
    assert [layer.name for layer in steps.result.keys.layers] == (["blink"] if blinks else [])
    assert any("does not blink" in note for note in steps.result.notes) != blinks
