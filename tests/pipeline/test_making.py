import errno
import io
import json
import time
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import gaze
from gaze.engines.base import Engine
from gaze.engines.fallback import FallbackEngine
from gaze.errors import FaceError, GazeError
from gaze.face.face import Face
from gaze.grid import Cell, Expression, Pose
from gaze.options import PREVIEW, Options
from gaze.output import sprites
from gaze.output.bundle import WIDGET_FILES
from gaze.output.metadata import Metadata
from gaze.output.pack_reader import read_pack
from gaze.output.spool import FrameSpool
from gaze.output.unpacking import decode_keys
from gaze.output.validator import check
from gaze.photo.portrait import Portrait
from gaze.pipeline import making, preparing
from gaze.pipeline.making import generate, run
from gaze.pipeline.preparing import prepare_portrait
from gaze.pipeline.sheets import add_sheets
from gaze.progress import Loading, Progress, Result
from tests.fakes import FakeEngine, cell_of, decode_sheet

SMALL = Options(engine=FakeEngine(30), frame_size=128)


PORTRAIT = {"metadata.json", "poster.webp", "input.jpg", "recipe.json", "gaze.pack", "stills.pack"}
PAGES = {"index.html", "embed.html", "standalone.html", "pages.css", *WIDGET_FILES}
PAGES |= {"gaze.pack.js", "README.txt", "LICENSE"}
SHEETS = {f"q{q}{suffix}.webp" for q in range(4) for suffix in ("", "_20")}


def colour_of(frame: np.ndarray) -> tuple[int, ...]:
    return tuple(map(int, frame[frame.shape[0] // 2, frame.shape[1] // 2]))


SECRET = b"secret place"


@dataclass(frozen=True)
class Made:
    """A whole portrait, of a photo whose metadata tell a secret, and what was told on the way."""

    result: Result
    steps: list[Progress]


@pytest.fixture(scope="module")
def made(photo: Path, tmp_path_factory: pytest.TempPathFactory) -> Made:
    exif = Image.Exif()
    exif[0x010E] = SECRET.decode()
    exif.get_ifd(0x8825)[2] = (1.0, 2.0, 3.0)
    data = io.BytesIO()
    Image.open(photo).save(data, "JPEG", exif=exif)
    assert SECRET in data.getvalue()
    steps: list[Progress] = []
    return Made(generate(data.getvalue(), tmp_path_factory.mktemp("made") / "out", SMALL, steps.append), steps)


def test_every_frame_of_a_full_portrait_is_in_its_place(made: Made) -> None:
    result = made.result
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
    assert np.abs(np.subtract(colour_of(poster), (120, 120, 128))).max() <= 3


def test_a_folder_holds_what_a_page_needs_and_nothing_of_the_photos_metadata(made: Made) -> None:
    folder = made.result.folder
    assert {path.name for path in folder.iterdir()} == SHEETS | PAGES | PORTRAIT
    for path in folder.iterdir():
        assert SECRET not in path.read_bytes()
        assert b"Exif" not in path.read_bytes()
    assert not Image.open(folder / "input.jpg").getexif()


def test_progress_counts_keys_then_frames_then_sheets(made: Made) -> None:
    steps = made.steps
    stages = list(dict.fromkeys(step.stage for step in steps))
    assert stages == ["read", "render", "pack", "ready", "sheets", "encode", "done"]
    for stage, total in (("render", 54), ("sheets", 900), ("encode", 8)):
        done = [step.done for step in steps if step.stage == stage]
        assert done == sorted(done)
        assert {step.total for step in steps if step.stage == stage} == {total}
    assert steps[-1].remaining == 0
    assert all(step.remaining is None or step.remaining >= 0 for step in steps)


def test_the_sheets_fill_and_are_then_written(made: Made) -> None:
    steps = made.steps
    told = [{sheet.name: sheet for sheet in step.sheets} for step in steps if step.sheets]
    assert {frozenset(sheets) for sheets in told} == {frozenset(SHEETS)}
    for name in ("q0.webp", "q3_20.webp"):
        shares = [sheets[name].frames for sheets in told]
        assert shares == sorted(shares)
        assert shares[-1] == 1
    assert not any(sheet.written for step in steps if step.stage != "encode" for sheet in step.sheets)
    assert all(sheet.written for sheet in told[-1].values())


def test_a_portrait_is_finished_when_its_pack_is_written(photo: Path, tmp_path: Path) -> None:
    steps = run(photo, tmp_path / "out", SMALL)
    early = next(step.result for step in steps if step.stage == "ready")
    assert early is not None
    assert {path.name for path in early.folder.iterdir()} == PORTRAIT | PAGES
    assert early.folder == tmp_path / "out"
    assert check(early.folder) == []
    metadata = Metadata.read(early.folder)
    assert metadata == early.metadata
    assert (metadata.sheets, metadata.mobile_sheets, metadata.mobile_grid_size) == ((), (), 30)
    packed = (early.folder / "gaze.pack").read_bytes()
    for _ in steps:
        pass
    assert (early.folder / "gaze.pack").read_bytes() == packed
    assert len(Metadata.read(early.folder).files) == 8 + 3
    assert check(early.folder) == []


@pytest.mark.parametrize("stage", ["ready", "sheets", "encode"])
def test_cancelling_the_sheets_leaves_the_portrait(photo: Path, tmp_path: Path, stage: str) -> None:
    steps = run(photo, tmp_path / "out", SMALL)
    while next(steps).stage != stage:
        pass
    steps.close()
    assert {path.name for path in (tmp_path / "out").iterdir()} == PORTRAIT | PAGES
    assert check(tmp_path / "out") == []


def test_no_sheets_unless_they_are_wanted(photo: Path, tmp_path: Path) -> None:
    result = generate(photo, tmp_path / "out", replace(SMALL, sheets=False))
    assert {path.name for path in result.folder.iterdir()} == PORTRAIT | PAGES
    assert result.metadata.fields()["sheets"] == []


def test_a_small_grid_has_no_sheets_for_phones(photo: Path, tmp_path: Path) -> None:
    result = generate(photo, tmp_path / "out", replace(SMALL, engine=FakeEngine(20), size=20))
    assert {path.name for path in result.folder.glob("q*")} == {f"q{q}.webp" for q in range(4)}
    made = result.metadata
    assert (made.mobile_grid_size, made.mobile_quadrant_size, made.mobile_sheets) == (20, 10, ())
    assert check(result.folder) == []


def test_sheets_alone_can_be_had(photo: Path, tmp_path: Path) -> None:
    options = Options(engine=FakeEngine(4), size=4, frame_size=128, pack=False)
    result = generate(photo, tmp_path / "out", options)
    names = {path.name for path in result.folder.iterdir()}
    assert not any("pack" in name for name in names)
    assert result.metadata.pack is None
    assert check(result.folder) == []


def test_sheets_have_their_own_size(photo: Path, tmp_path: Path) -> None:
    options = Options(engine=FakeEngine(4), size=4, frame_size=256, sheet_size=100)
    result = generate(photo, tmp_path / "out", options)
    assert (result.metadata.image_width, result.metadata.image_height) == (100, 100)
    facts = read_pack(result.folder / "gaze.pack").facts
    assert (facts.width, facts.height) == (256, 256)
    assert Image.open(result.folder / "q0.webp").size == (200, 200)
    assert Image.open(result.folder / "poster.webp").size == (256, 256)
    assert check(result.folder) == []


@pytest.mark.parametrize("engine", ["warp", "fake"])
def test_sheets_can_be_made_later(photo: Path, tmp_path: Path, engine: str) -> None:
    options = Options(engine=FakeEngine(4) if engine == "fake" else engine, size=4, frame_size=192)
    at_once = generate(photo, tmp_path / "at once", options)
    later = generate(photo, tmp_path / "later", replace(options, sheets=False))
    stages = [step.stage for step in add_sheets(later.folder)]
    assert {"sheets", "encode"} <= set(stages)
    assert check(later.folder) == []
    assert Metadata.read(later.folder).fields() == at_once.metadata.fields()
    for name in ("q0.webp", "q3.webp"):
        one, other = (np.asarray(Image.open(it.folder / name)).astype(int) for it in (at_once, later))
        assert np.abs(one - other).mean() < 4
    running = add_sheets(later.folder, sheet_size=64)
    next(running)
    next(running)
    running.close()
    assert check(later.folder) == []


def test_the_middle_of_the_pack_is_the_photo_and_each_key_is_in_its_place(photo: Path, tmp_path: Path) -> None:
    pack = read_pack(generate(photo, tmp_path / "out", replace(SMALL, sheets=False)).folder / "gaze.pack")
    assert pack.motion
    axis = pack.motion.looks
    for number, frame in decode_keys(pack).items():
        row, col = divmod(number, len(axis))
        true = (axis[row] * 8 + 4, axis[col] * 8 + 4, 128)
        assert np.abs(np.subtract(colour_of(frame), true)).max() <= 5


def test_an_engine_that_is_cheaper_than_morphing_renders_the_sheets(photo: Path, tmp_path: Path) -> None:
    engine = FakeEngine(16)
    generate(photo, tmp_path / "quick", replace(SMALL, engine=engine, size=16))
    assert sum(engine.batches) == 49 + 5 + 256
    slow = Slow(16)
    generate(photo, tmp_path / "slow", replace(SMALL, engine=slow, size=16, keys=5))
    assert len(slow.rendered) == 25 + 5


@pytest.mark.parametrize(("video", "kinds"), [("none", ["stills"]), ("av1", ["video", "stills"])])
def test_the_video_can_be_chosen(photo: Path, tmp_path: Path, video: str, kinds: list[str]) -> None:
    options = Options(engine=FakeEngine(4), size=4, frame_size=128, video=video)
    folder = generate(photo, tmp_path / "out", options).folder
    packs = [read_pack(path) for path in sorted(folder.glob("*.pack"))]
    payloads = [payload for pack in packs for payload in pack.payloads]
    assert [payload.kind for payload in payloads] == kinds
    assert check(folder) == []
    if video == "av1":
        assert payloads[0].about["codec"].startswith("av01.")


@pytest.mark.parametrize(("size", "keys"), [(4, 5), (10, 7)])
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
    frames = [
        np.asarray(Image.open(result.folder / "poster.webp")),
        decode_keys(pack)[keys - 1],
        [*decode_sheet((result.folder / "q1.webp").read_bytes(), width, height)][size // 2 - 1],
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


@pytest.fixture(scope="module")
def transparent_photo(photo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example, cut out by hand."""
    image = np.asarray(Image.open(photo).convert("RGB"))
    matte = np.zeros(image.shape[:2], np.uint8)
    matte[30:, 60:-60] = 255
    path = tmp_path_factory.mktemp("cut") / "cut.png"
    Image.fromarray(np.dstack([image, matte])).save(path)
    return path


def test_a_transparent_photo_stays_transparent(transparent_photo: Path, tmp_path: Path) -> None:
    result = generate(transparent_photo, tmp_path / "out", Options(engine="warp", size=4, frame_size=256))
    assert result.metadata.has_alpha
    poster = np.asarray(Image.open(result.folder / "poster.webp"))
    assert poster[:5, :5, 3].max() == 0
    assert poster[120:136, 120:136, 3].min() > 247
    assert np.asarray(Image.open(result.folder / "input.jpg"))[:5, :5].min() > 250
    assert not any("white" in note for note in result.notes)


def test_it_is_put_on_a_colour_where_that_is_asked_for(transparent_photo: Path, tmp_path: Path) -> None:
    options = Options(engine="warp", size=4, frame_size=256, background="#102030")
    result = generate(transparent_photo, tmp_path / "out", options)
    assert not result.metadata.has_alpha
    poster = Image.open(result.folder / "poster.webp")
    assert poster.mode == "RGB"
    assert np.abs(np.asarray(poster)[:5, :5].astype(int) - (16, 32, 48)).max() < 8
    with pytest.raises(GazeError, match="nothing to blur"):
        generate(transparent_photo, tmp_path / "no", Options(engine="warp", size=4, background="blur"))


def test_backgrounds_are_kept_unless_asked_for(photo: Path, tmp_path: Path) -> None:
    result = generate(photo, tmp_path / "out", PREVIEW)
    assert not result.metadata.has_alpha
    assert not read_pack(result.folder / "gaze.pack").facts.alpha


@pytest.mark.parametrize("stage", ["poster", "pack", "sheets"])
def test_a_full_disk_is_said_in_words_and_leaves_nothing(
    photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    place = {
        "sheets": (FrameSpool, "put"),
        "pack": (making.KeyEncoder, "write"),
        "poster": (sprites.Path, "write_bytes"),
    }
    steps = run(photo, tmp_path / "out", replace(SMALL, pack=stage != "sheets"))
    while next(steps).stage != "render":
        pass
    monkeypatch.setattr(*place[stage], full)
    with pytest.raises(GazeError, match="No space left"):
        for _ in steps:
            pass
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_is_full_once_the_portrait_is_finished_is_said_in_words(
    photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(FrameSpool, "put", full)
    with pytest.raises(GazeError, match="is finished, but its sprite sheets could not be written: No space left"):
        generate(photo, tmp_path / "out", replace(SMALL, sheets=True))
    assert (tmp_path / "out" / "gaze.pack").is_file()


@pytest.mark.parametrize("after", [0, 1, 2])
def test_a_cancelled_run_leaves_nothing(photo: Path, tmp_path: Path, after: int) -> None:
    steps = run(photo, tmp_path / "out", SMALL)
    for _ in range(after + 1):
        next(steps)
    steps.close()
    assert list(tmp_path.iterdir()) == []


def test_an_error_from_the_progress_callback_cancels(photo: Path, tmp_path: Path) -> None:
    def stop(step: Progress) -> None:
        if step.stage == "pack":
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


class Slow(FakeEngine):
    """Takes a tenth of a second for each frame."""

    def stream(self, source: tuple[int, int], poses: Sequence[Pose]) -> Iterator[np.ndarray]:
        for frame in self.render(source, poses):
            time.sleep(0.1)
            yield frame[None]


class Loud(FakeEngine):
    """Has something to say."""

    def notes(self) -> tuple[str, ...]:
        return ("The fan is loud.",)


def test_notes_of_the_engine_reach_the_person(photo: Path, tmp_path: Path) -> None:
    steps: list[Progress] = []
    options = Options(engine=Loud(4), size=4, keys=5, frame_size=128, sheets=False)
    result = generate(photo, tmp_path / "out", options, steps.append)
    assert "The fan is loud." in result.notes
    assert (steps[-1].stage, steps[-1].result) == ("done", result)


def test_getting_an_engine_ready_is_told(photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def load_engine(name: str, *_: object) -> Generator[Loading, None, tuple[Engine, str]]:
        yield Loading("Downloading", 3.5, 8)
        yield Loading("Reading")
        return FakeEngine(4), f"{name} is what there is."

    monkeypatch.setattr(preparing, "load_engine", load_engine)
    steps: list[Progress] = []
    result = generate(photo, tmp_path / "out", Options(size=4, frame_size=128), steps.append)
    told = [(step.message, step.done, step.total) for step in steps if step.stage == "load"]
    assert told == [("Downloading", 4, 8), ("Reading", 0, 1)]
    assert (result.engine, result.reason) == ("fake", "auto is what there is.")


def test_a_portrait_says_which_engine_rendered_it_in_the_end(
    photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Failing(FakeEngine):
        name = "liveportrait"

        def prepare(self, portrait: Portrait, face: Face) -> tuple[int, int]:
            raise RuntimeError("required rank 4 tensor")

    def load_engine(name: str, *_: object) -> Generator[Loading, None, tuple[Engine, str]]:
        yield Loading("Reading")
        instead = FakeEngine(4)
        instead.name = "warp"
        return FallbackEngine(Failing(4), instead), "It runs on this machine's GPU."

    monkeypatch.setattr(preparing, "load_engine", load_engine)
    asked = Options(size=4, frame_size=128, expression=Expression(smile=0.5), sheets=False)
    result = generate(photo, tmp_path / "out", asked)
    assert (result.engine, result.metadata.engine) == ("warp", "warp")
    assert json.loads((tmp_path / "out" / "metadata.json").read_text())["engine"] == "warp"
    assert result.reason == "The engine that was chosen failed before its first frame; the notes say why."
    assert any("the instant engine rendered" in note and "RuntimeError" in note for note in result.notes)
    assert "The instant engine leaves the expression as it is; only LivePortrait changes it." in result.notes


def test_the_preview_is_a_small_pack_of_the_instant_engine(photo: Path, tmp_path: Path) -> None:
    result = generate(photo, tmp_path / "out", PREVIEW)
    made = result.metadata
    assert (made.sheets, made.engine) == ((), "warp")
    facts = read_pack(result.folder / "gaze.pack").facts
    assert max(facts.width, facts.height) == 256
    keys = decode_keys(read_pack(result.folder / "gaze.pack"))
    assert len(keys) == 25
    # Opposite corners look to opposite sides: the face lies elsewhere in them.
    assert np.abs(keys[0].astype(int) - keys[24]).mean() > 3


@pytest.mark.parametrize("blinking", [True, False])
def test_a_face_blinks_unless_it_is_not_to(photo: Path, tmp_path: Path, blinking: bool) -> None:
    made = generate(photo, tmp_path / "out", replace(PREVIEW, blinking=blinking)).folder
    for name in ("gaze.pack", "stills.pack"):
        assert [layer.name for layer in read_pack(made / name).layers] == (["blink"] if blinking else [])
    assert check(made) == []


def test_notes_tell_what_was_done_to_the_photo(portrait: Portrait, tmp_path: Path) -> None:
    pair = np.hstack([portrait.image, portrait.image[:, ::-1]])
    result = generate(pair, tmp_path / "out", PREVIEW)
    assert any("cut to head and shoulders" in note for note in result.notes)
    assert any("2 faces in the photo; the largest was taken" in note for note in result.notes)
    other = generate(pair, tmp_path / "other", replace(PREVIEW, face=1))
    assert any("number 1 (0 is the largest) was taken" in note for note in other.notes)
    assert (other.folder / "poster.webp").read_bytes() != (result.folder / "poster.webp").read_bytes()


def test_a_gaze_that_cannot_be_told_is_a_note(portrait: Portrait, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Face, "is_gaze_known", property(lambda _: False))
    assert "could not be measured" in " ".join(prepare_portrait(portrait, PREVIEW)[2])
    assert "could not be measured" not in " ".join(prepare_portrait(portrait, replace(PREVIEW, straighten=False))[2])
    monkeypatch.undo()
    assert "could not be measured" not in " ".join(prepare_portrait(portrait, PREVIEW)[2])


BAD = [
    (Options(size=7), "grid size is 7"),
    (Options(keys=4), "per side is 4"),
    (Options(keys="few"), "per side is few"),
    (Options(quality=0), "quality is 0"),
    (Options(effort=7), "effort is 7"),
    (Options(mode="x"), "“x”"),
    (Options(video="x"), "“x”"),
    (Options(engine="x"), "“x”"),
    (Options(framing="x"), "“x”"),
    (Options(sheet_size=1200, frame_size=1200), "16383"),
    (Options(sheet_size=10), "sheet size is 10"),
    (Options(pack=False, sheets=False), "neither a pack nor sheets"),
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
