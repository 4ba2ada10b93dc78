"""Which frames are rendered and which are morphed, by the engine's speed and by what this portrait allows."""

import io
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from gaze import rendering
from gaze.face.face import Face
from gaze.grid import Cell, Pose
from gaze.motion.keys import AUTO, cells_of, key_axis, refine
from gaze.options import Options
from gaze.output.pack import read_pack
from gaze.output.validator import check
from gaze.photo.portrait import Portrait
from gaze.pipeline import generate, run
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
    engine: Timed,
    photo: Path,
    out: Path,
    monkeypatch: pytest.MonkeyPatch,
    pack: bool = False,
    earlier: Path | None = None,
    **options: object,
) -> tuple[Path, tuple[str, ...], list[Progress]]:
    monkeypatch.setattr(rendering.time, "monotonic", lambda: engine.now)
    steps: list[Progress] = []
    chosen = Options(engine=engine, frame_size=128, pack=pack, effort=0, **options)  # type: ignore[arg-type]
    result = generate(photo, out, chosen, steps.append, earlier)
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


def test_a_glint_in_one_eye_is_not_made_up_for_by_skin(
    photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Glinting(Timed):
        """The photo itself, but for a reflection on one eye wherever it is not a key of six."""

        def prepare(self, portrait: Portrait, face: Face) -> tuple[np.ndarray, Face]:  # type: ignore[override]
            return portrait.image, face

        def render(self, source: tuple[np.ndarray, Face], poses: Sequence[Pose]) -> np.ndarray:  # type: ignore[override]
            image, face = source
            frames = np.stack([image] * len(poses))
            at, radius = (round(face.left.x), round(face.left.y)), round(0.12 * face.iris_distance)
            for frame, pose in zip(frames, poses, strict=True):
                if self._cells[pose].row not in key_axis(30, 6):
                    cv2.circle(frame, at, radius, (245, 245, 245), -1)
            return frames

    engine = Glinting(0.01)
    _, notes, _ = portrait_of(engine, photo, tmp_path / "out", monkeypatch, keys=6)
    assert len(engine.rendered) > 41
    assert any("this portrait is hard to morph" in note for note in notes)


def test_denser_keys_that_take_too_long_are_left_to_the_person(
    photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Unlike(5)
    _, notes, _ = portrait_of(engine, photo, tmp_path / "out", monkeypatch)
    denser = refine(key_axis(30, 10))
    assert set(engine.rendered) >= set(cells_of(denser)), "10 and 18 keys take minutes"
    assert len(engine.rendered) < 900
    assert any("30 keys per side would take" in note for note in notes)


def coarse_ones(
    engine: Timed, photo: Path, out: Path, monkeypatch: pytest.MonkeyPatch, keys: str | int = AUTO
) -> Iterator[Progress]:
    """The steps with a coarse portrait, until all keys, or 400 frames, are there."""
    monkeypatch.setattr(rendering.time, "monotonic", lambda: engine.now)
    with closing(run(photo, out, Options(engine=engine, frame_size=128, keys=keys))) as steps:
        for step in steps:
            if step.stage in ("morph", "pack") or step.done > 400:
                return
            if step.result:
                yield step


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("auto", [(36, "coarse-6.pack", 10, 25)]),
        (8, [(36, "coarse-6.pack", 10, 165), (64, "coarse-8.pack", 10, 25)]),
        (30, [(36, "coarse-6.pack", 10, 4320), (100, "coarse-10.pack", 10, 4000), (324, "coarse-18.pack", 18, 2880)]),
    ],
)
def test_a_slow_engines_coarse_portrait_is_there_with_its_keys_and_refines(
    photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keys: str | int, expected: object
) -> None:
    found = []
    for step in coarse_ones(Timed(5), photo, tmp_path / "out", monkeypatch, keys):
        assert step.result
        made = step.result.metadata
        found.append((step.done, made.pack, made.grid_size, step.remaining))
        pack = read_pack(step.result.folder / str(made.pack))
        assert (pack.facts.size, made.files) == (made.grid_size, (made.pack,))
        assert (pack.facts.width, pack.facts.height) == (made.image_width, made.image_height)
        [stills] = pack.payloads
        last = made.grid_size - 1
        assert len(stills.frames) == made.total_images == made.grid_size**2
        for row, col in ((0, 0), (0, last), (last, 0), (last, last)):
            frame = np.asarray(Image.open(io.BytesIO(stills.frames[Cell(row, col)].data)))
            assert cell_of(tuple(frame[64, 64])) == Cell(row // last * 29, col // last * 29)
    assert found == expected


@pytest.mark.parametrize(("seconds", "keys"), [(0.01, "auto"), (0.01, 30), (0.01, 6), (0.1, 10)])
def test_a_fast_engine_is_not_held_up_by_coarse_portraits(
    photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float, keys: str | int
) -> None:
    assert list(coarse_ones(Timed(seconds), photo, tmp_path / "out", monkeypatch, keys)) == []


def test_a_lent_gpu_is_given_back_before_its_coarse_portrait_is_made(
    photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Timed(0.01, batch=1000)
    engine.metered = True
    [step] = coarse_ones(engine, photo, tmp_path / "out", monkeypatch)
    assert step.result
    assert (step.done, step.result.metadata.pack) == (105, "coarse-10.pack")
    assert len(engine.batches) == 1


@pytest.fixture(scope="module")
def six(photo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A portrait of which a slow engine rendered six keys per side."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        out = tmp_path_factory.mktemp("six") / "out"
        folder, _, steps = portrait_of(Timed(5), photo, out, monkeypatch, pack=True, video="none", keys=6)
    assert [step.stage for step in steps if step.result] == ["render", "ready"]
    return folder


def test_of_coarse_portraits_nothing_is_left(six: Path) -> None:
    assert not list(six.glob("coarse*"))
    assert check(six) == []


# Of the 105 frames for 10 keys and of the 230 for 15, all that were rendered, checks included.
@pytest.mark.parametrize(("keys", "count"), [(10, 105 - 41), (15, 230 - 41), (30, 900 - 41), ("auto", 0), (4, 0)])
def test_a_denser_run_continues_from_the_cells_already_rendered(
    photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, six: Path, keys: str | int, count: int
) -> None:
    engine = Timed(5)
    monkeypatch.setattr(rendering.time, "monotonic", lambda: engine.now)
    options = Options(engine=engine, frame_size=128, keys=keys, pack=False)
    with closing(run(photo, tmp_path / "out", options, [tmp_path, six])) as steps:
        for step in steps:
            assert 0 <= step.done <= step.total
            assert step.result is None, "the earlier portrait is better than a coarse one"
            if step.stage in ("morph", "encode"):
                break
    assert len(engine.rendered) == len(set(engine.rendered)) == count


def test_frames_taken_over_are_in_their_places_and_handed_on(
    photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, six: Path
) -> None:
    engine = Timed(5)
    folder, notes, _ = portrait_of(engine, photo, tmp_path / "out", monkeypatch, earlier=six, mode="single")
    assert engine.rendered == []
    assert "41 rendered frames were taken over from an earlier portrait." in notes
    assert any(note.startswith("36 of the 900 frames were rendered, as one takes 5 s here") for note in notes)
    frames = list(decode_sheet((folder / "sheet.webp").read_bytes(), 128, 128))
    for cell in cells_of(key_axis(30, 6)):
        assert cell_of(tuple(frames[cell.row * 30 + cell.col][64, 64])) == cell
    before, after = (zipfile.ZipFile(it / "keys.zip") for it in (six, folder))
    assert before.read("keys.json") == after.read("keys.json")
    assert before.namelist() == after.namelist()


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
