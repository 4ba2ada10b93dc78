import errno
import io
import json
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import gaze
from gaze import pipeline
from gaze.engines.base import Engine
from gaze.errors import FaceError, GazeError
from gaze.grid import Cell, Pose
from gaze.options import PREVIEW, Options
from gaze.output import sprites
from gaze.output.metadata import Metadata
from gaze.output.pack import read_pack
from gaze.output.spool import FrameSpool
from gaze.output.validator import check
from gaze.output.video import decode_chain
from gaze.photo.portrait import Portrait
from gaze.pipeline import generate, run
from gaze.progress import Loading, Progress
from tests.fakes import FakeEngine, cell_of, decode_sheet

SMALL = Options(engine=FakeEngine(30), frame_size=128)


FILES = {"metadata.json", "poster.webp", "input.jpg", "gaze.pack"}


def colour_of(frame: np.ndarray) -> tuple[int, ...]:
    return tuple(frame[frame.shape[0] // 2, frame.shape[1] // 2])


def test_every_frame_of_a_full_portrait_is_in_its_place(photo: Path, tmp_path: Path) -> None:
    result = generate(photo, tmp_path / "out", SMALL)
    facts = json.loads((result.folder / "metadata.json").read_text())
    assert facts == result.metadata.fields()
    width, height = facts["imageWidth"], facts["imageHeight"]
    axes = {"": list(range(30)), "_20": [round(i * 29 / 19) for i in range(20)]}
    for suffix, axis in axes.items():
        half = len(axis) // 2
        for q in range(4):
            frames = decode_sheet((result.folder / f"q{q}{suffix}.webp").read_bytes(), width, height)
            shown = [cell_of(colour_of(frame)) for frame in frames]
            rows, cols = axis[q // 2 * half :][:half], axis[q % 2 * half :][:half]
            assert shown == [Cell(row, col) for row in rows for col in cols]
    poster = np.asarray(Image.open(result.folder / "poster.webp"))
    assert cell_of(colour_of(poster)) == Cell(15, 15)


def test_a_folder_holds_what_a_page_needs_and_nothing_of_the_photos_metadata(photo: Path, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010E] = "secret place"
    exif.get_ifd(0x8825)[2] = (1.0, 2.0, 3.0)
    data = io.BytesIO()
    Image.open(photo).save(data, "JPEG", exif=exif)
    assert b"secret place" in data.getvalue()
    folder = generate(data.getvalue(), tmp_path / "out", SMALL).folder
    sheets = {f"q{q}{suffix}.webp" for q in range(4) for suffix in ("", "_20")}
    pages = {"index.html", "embed.html", "standalone.html", "pages.css", "portrait.js", "gaze-tracker.js"}
    pages |= {"gaze.pack.js", "README.txt", "LICENSE"}
    assert {path.name for path in folder.iterdir()} == sheets | pages | FILES
    for path in folder.iterdir():
        assert b"secret place" not in path.read_bytes()
        assert b"Exif" not in path.read_bytes()
    assert not Image.open(folder / "input.jpg").getexif()


def test_progress_counts_frames_then_sheets_and_learns_the_time_left(photo: Path, tmp_path: Path) -> None:
    steps: list[Progress] = []
    generate(photo, tmp_path / "out", SMALL, steps.append)
    assert [step.stage for step in (steps[0], steps[-1])] == ["read", "done"]
    rendered = [step.done for step in steps if step.stage == "render"]
    assert rendered == sorted(rendered)
    assert {step.total for step in steps if step.stage == "render"} == {900}
    written = [step.done for step in steps if step.stage == "encode"]
    assert written == sorted(written)
    assert max(written) == 8
    assert [step.remaining for step in steps[:2]] == [None, None]
    assert steps[-1].remaining == 0
    assert all(step.remaining is None or step.remaining >= 0 for step in steps)


def test_the_sheets_fill_and_are_then_written(photo: Path, tmp_path: Path) -> None:
    class Slow(FakeEngine):
        def render(self, source: tuple[int, int], poses: Sequence[Pose]) -> np.ndarray:
            time.sleep(0.02)
            return super().render(source, poses)

    steps: list[Progress] = []
    generate(photo, tmp_path / "out", replace(SMALL, engine=Slow(30)), steps.append)
    told = [{sheet.name: sheet for sheet in step.sheets} for step in steps if step.sheets]
    assert {len(sheets) for sheets in told} == {8}
    for name in ("q0.webp", "q3_20.webp"):
        shares = [sheets[name].frames for sheets in told]
        assert shares == sorted(shares)
        assert (shares[0], shares[-1]) == (0, 1)
        assert any(0 < share < 1 for share in shares)
    assert not any(sheet.written for step in steps if step.stage != "encode" for sheet in step.sheets)
    assert all(sheet.written for sheet in told[-1].values())


def test_the_pack_is_ready_before_the_sheets_and_keeps_to_the_format(photo: Path, tmp_path: Path) -> None:
    stages: list[str] = []
    for step in run(photo, tmp_path / "out", SMALL):
        stages += [step.stage] if step.stage not in stages[-1:] else []
        if step.stage == "ready":
            assert step.result is not None
            early = step.result
            assert {path.name for path in early.folder.iterdir()} == {"gaze.pack", "poster.webp"}
            packed = (early.folder / "gaze.pack").read_bytes()
            assert not (tmp_path / "out").exists()
    assert stages == ["read", "render", "pack", "ready", "encode", "done"]
    assert (tmp_path / "out" / "gaze.pack").read_bytes() == packed
    assert early.metadata == Metadata.read(tmp_path / "out")
    assert check(tmp_path / "out") == []


def test_each_frame_of_the_pack_is_in_its_place(photo: Path, tmp_path: Path) -> None:
    pack = read_pack(generate(photo, tmp_path / "out", SMALL).folder / "gaze.pack")
    video, stills = pack.payloads
    for cell, still in stills.frames.items():
        assert cell_of(colour_of(np.asarray(Image.open(io.BytesIO(still.data))))) == cell
    for cell in (Cell(0, 0), Cell(29, 0), Cell(15, 15), Cell(3, 22)):
        chain = [video.frames[step].data for step in video.chain(cell)]
        [*_, frame] = decode_chain(chain, "vp9", pack.facts.width, pack.facts.height, alpha=False)
        assert cell_of(colour_of(frame)) == cell


@pytest.mark.parametrize(("video", "kinds"), [("none", ["stills"]), ("av1", ["video", "stills"])])
def test_the_video_can_be_chosen(photo: Path, tmp_path: Path, video: str, kinds: list[str]) -> None:
    options = Options(engine=FakeEngine(4), size=4, frame_size=128, video=video)
    folder = generate(photo, tmp_path / "out", options).folder
    payloads = read_pack(folder / "gaze.pack").payloads
    assert [payload.kind for payload in payloads] == kinds
    assert check(folder) == []
    if video == "av1":
        assert payloads[0].about["codec"].startswith("av01.")


@pytest.mark.parametrize(("size", "keys"), [(4, 4), (10, 6)])
def test_a_portrait_without_its_background(
    green_photo: Path, green_network: Path, tmp_path: Path, size: int, keys: int
) -> None:
    stages: list[str] = []
    options = Options(engine="warp", size=size, keys=keys, frame_size=256, remove_background=True, matting="finest")
    result = generate(
        green_photo, tmp_path / "out", options, lambda step: stages.append(f"{step.stage} {step.message}")
    )
    assert "load Loading the network for background removal" in stages
    assert result.metadata.has_alpha
    assert check(result.folder) == []
    pack = read_pack(result.folder / "gaze.pack")
    assert pack.facts.alpha
    width, height = pack.facts.width, pack.facts.height
    chain = [pack.payloads[0].frames[step].data for step in pack.payloads[0].chain(Cell(0, size - 1))]
    [*_, video] = decode_chain(chain, "vp9", width, height, alpha=True)
    frames = [
        np.asarray(Image.open(result.folder / "poster.webp")),
        np.asarray(Image.open(io.BytesIO(pack.payloads[1].frames[Cell(0, size - 1)].data))),
        [*decode_sheet((result.folder / "q1.webp").read_bytes(), width, height)][size // 2 - 1],
        video,
    ]
    x, y = result.metadata.center[0] * width, result.metadata.center[1] * height
    for frame in frames:
        assert frame.shape == (height, width, 4)
        assert frame[:5, :5, 3].max() < 8
        assert frame[round(y) - 3 :, round(x) - 3 :][:6, :6, 3].min() > 247
    assert Image.open(result.folder / "input.jpg").mode == "RGB"


def test_a_background_is_removed_with_nothing_installed(
    photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gaze.matting.finest.find_spec", lambda _: None)
    options = Options(engine="warp", size=4, frame_size=256, remove_background=True)
    result = generate(photo, tmp_path / "out", options)
    poster = np.asarray(Image.open(result.folder / "poster.webp"))
    assert poster[:5, :5, 3].max() < 8
    assert poster[120:136, 120:136, 3].min() > 247
    assert check(result.folder) == []


def test_backgrounds_are_kept_unless_asked_for(photo: Path, tmp_path: Path) -> None:
    result = generate(photo, tmp_path / "out", PREVIEW)
    assert not result.metadata.has_alpha
    assert Image.open(result.folder / "sheet.webp").mode == "RGB"


@pytest.mark.parametrize("stage", ["render", "pack", "encode"])
def test_a_full_disk_is_said_in_words_and_leaves_nothing(
    photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    place = {
        "render": (FrameSpool, "put"),
        "pack": (pipeline.PackBuilder, "write"),
        "encode": (sprites.Path, "write_bytes"),
    }
    steps = run(photo, tmp_path / "out", SMALL)
    while next(steps).stage != ("encode" if stage == "encode" else "render"):
        pass
    monkeypatch.setattr(*place[stage], full)
    with pytest.raises(GazeError, match="No space left"):
        for _ in steps:
            pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("after", [0, 1, 5, 40, 62])
def test_a_cancelled_run_leaves_nothing(photo: Path, tmp_path: Path, after: int) -> None:
    steps = run(photo, tmp_path / "out", SMALL)
    for _ in range(after + 1):
        next(steps)
    steps.close()
    assert list(tmp_path.iterdir()) == []


def test_an_error_from_the_progress_callback_cancels(photo: Path, tmp_path: Path) -> None:
    def stop(step: Progress) -> None:
        if step.done >= 100:
            raise TimeoutError("enough")

    with pytest.raises(TimeoutError, match="enough"):
        generate(photo, tmp_path / "out", SMALL, stop)
    assert list(tmp_path.iterdir()) == []


def test_an_engine_that_fails_leaves_nothing(photo: Path, tmp_path: Path) -> None:
    class Broken(FakeEngine):
        def render(self, source: tuple[int, int], poses: object) -> np.ndarray:
            raise RuntimeError("no memory")

    with pytest.raises(RuntimeError, match="no memory"):
        generate(photo, tmp_path / "out", Options(engine=Broken(30)))
    assert list(tmp_path.iterdir()) == []


def test_frames_are_rendered_in_batches_and_each_once(photo: Path, tmp_path: Path) -> None:
    engine = FakeEngine(30)
    generate(photo, tmp_path / "out", Options(engine=engine, frame_size=128))
    assert sum(engine.batches) == 900
    assert min(engine.batches) > 1


class Slow(FakeEngine):
    """Seems to take ten seconds for each frame."""

    now = 0.0

    def stream(self, source: tuple[int, int], poses: Sequence[Pose]) -> Iterator[np.ndarray]:
        for frame in self.render(source, poses):
            self.now += 10
            yield frame[None]

    def notes(self) -> tuple[str, ...]:
        return ("The fan is loud.",)


def test_a_long_wait_is_announced_with_the_keys_that_fit(
    photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Slow(10)
    monkeypatch.setattr(pipeline.time, "monotonic", lambda: engine.now)
    steps: list[Progress] = []
    result = generate(photo, tmp_path / "out", Options(engine=engine, size=10, keys=10, frame_size=128), steps.append)
    first = next(step for step in steps if step.stage == "render" and step.done)
    assert first.done == 1
    assert first.message == "Rendering frame 1 of 100: 10 s each here. With 6 keys per side it would take 6 min"
    assert first.remaining == 990
    assert "The fan is loud." in result.notes


def test_getting_an_engine_ready_is_told(photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def load_engine(name: str, *_: object) -> Generator[Loading, None, tuple[Engine, str]]:
        yield Loading("Downloading", 3.5, 8)
        yield Loading("Reading")
        return FakeEngine(2), f"{name} is what there is."

    monkeypatch.setattr(pipeline, "load_engine", load_engine)
    steps: list[Progress] = []
    result = generate(photo, tmp_path / "out", Options(size=2, frame_size=128), steps.append)
    told = [(step.message, step.done, step.total) for step in steps if step.stage == "load"]
    assert told == [("Downloading", 4, 8), ("Reading", 0, 1)]
    assert (result.engine, result.reason) == ("fake", "auto is what there is.")


def test_the_preview_is_one_small_sheet_of_the_instant_engine(photo: Path, tmp_path: Path) -> None:
    result = generate(photo, tmp_path / "out", PREVIEW)
    made = result.metadata
    assert (made.mode, made.engine) == ("single", "warp")
    assert max(made.image_width, made.image_height) == 256
    frames = list(decode_sheet((result.folder / "sheet.webp").read_bytes(), made.image_width, made.image_height))
    assert len(frames) == made.total_images == 100
    # Opposite corners look to opposite sides: the face lies elsewhere in them.
    assert np.abs(frames[0].astype(int) - frames[-1]).mean() > 3


def test_notes_tell_what_was_done_to_the_photo(portrait: Portrait, tmp_path: Path) -> None:
    pair = np.hstack([portrait.image, portrait.image[:, ::-1]])
    result = generate(pair, tmp_path / "out", PREVIEW)
    assert any("cut to head and shoulders" in note for note in result.notes)
    assert any("2 faces in the photo; the largest was taken" in note for note in result.notes)
    other = generate(pair, tmp_path / "other", replace(PREVIEW, face=1))
    assert any("number 1, counted from the largest as 0, was taken" in note for note in other.notes)
    assert (other.folder / "poster.webp").read_bytes() != (result.folder / "poster.webp").read_bytes()


BAD = [
    (Options(size=7), "grid size is 7"),
    (Options(keys=3), "keys is 3"),
    (Options(keys="few"), "keys is few"),
    (Options(quality=0), "quality is 0"),
    (Options(mode="x"), "“x”"),
    (Options(video="x"), "“x”"),
    (Options(engine="x"), "“x”"),
    (Options(framing="x"), "“x”"),
    (Options(frame_size=1200), "16383"),
]


@pytest.mark.parametrize(("options", "words"), BAD)
def test_options_out_of_range_are_refused_and_nothing_is_written(
    photo: Path, tmp_path: Path, options: Options, words: str
) -> None:
    with pytest.raises(GazeError, match=words):
        generate(photo, tmp_path / "out", options)
    assert list(tmp_path.iterdir()) == []


def test_a_photo_without_a_face_writes_nothing(faceless: np.ndarray, tmp_path: Path) -> None:
    with pytest.raises(FaceError):
        generate(faceless, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_the_public_names_can_be_imported() -> None:
    assert all(hasattr(gaze, name) for name in gaze.__all__)
    assert gaze.generate is generate
