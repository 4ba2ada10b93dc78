import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gaze.errors import GazeError
from gaze.grid import Cell
from gaze.options import Options
from gaze.output.converter import closeness, repack
from gaze.output.pack_reader import read_pack
from gaze.output.unpacking import decode_keys
from gaze.output.validator import check
from gaze.pipeline.making import generate
from tests.browser.portraits import write_portrait
from tests.fakes import cell_colour, cell_frame, cell_of


def fill(folder: Path, size: int = 12, **more: Any) -> Path:
    """A folder from before there were packs: sheets and ten fields, no more."""
    write_portrait(folder, size, **more)
    return folder


@pytest.mark.parametrize(
    ("size", "axis"), [(4, (0, 2, 3)), (12, (0, 2, 4, 6, 7, 9, 11)), (20, (0, 3, 6, 10, 13, 16, 19))]
)
def test_sheets_of_an_older_system_become_a_pack(tmp_path: Path, size: int, axis: tuple[int, ...]) -> None:
    steps: list[tuple[int, int]] = []
    path = repack(fill(tmp_path / "old", size), 100, report=lambda *step: steps.append(step))
    pack = read_pack(path)
    assert (pack.facts.size, pack.facts.width, pack.facts.height) == (size, 20, 25)
    assert pack.motion
    assert pack.motion.looks == axis
    for number, frame in decode_keys(pack).items():
        row, col = divmod(number, len(axis))
        assert np.abs(frame[12, 10].astype(int) - cell_colour(Cell(axis[row], axis[col]))).max() <= 6
    assert steps[-1] == (len(axis) ** 2, len(axis) ** 2)
    facts = json.loads((tmp_path / "old" / "metadata.json").read_text())
    assert (facts["pack"], facts["stills"], facts["poster"]) == ("gaze.pack", "stills.pack", "poster.webp")
    assert check(tmp_path / "old") == []
    assert {path.name for path in path.parent.iterdir()} == {
        *("gaze.pack", "stills.pack", "poster.webp", "metadata.json"),
        *(f"q{i}.webp" for i in range(4)),
    }


def test_grids_too_small_for_keys_are_refused(tmp_path: Path) -> None:
    with pytest.raises(GazeError, match="too few to morph between"):
        repack(fill(tmp_path / "old", 2))


def test_the_sheets_for_phones_are_taken_where_the_others_are_not_there(tmp_path: Path) -> None:
    folder = fill(tmp_path / "old", 30, mobile=20)
    for name in ("q0.webp", "q1.webp", "q2.webp", "q3.webp"):
        (folder / name).unlink()
    assert read_pack(repack(folder)).facts.size == 20


def test_how_close_morphs_come_to_the_sheets_is_told(photo: Path, tmp_path: Path) -> None:
    options = Options(engine="warp", size=10, frame_size=256, mode="single", quality=90)
    folder = generate(photo, tmp_path / "out", options).folder
    made = closeness(folder)
    assert made.cells == 100 - 16, "of seven keys per side four are whole cells of ten"
    assert 0.85 < made.least <= made.mean <= 1
    assert made.mean > 0.93
    layers = read_pack(folder / "gaze.pack").layers
    repack(folder)
    kept = read_pack(folder / "gaze.pack").layers
    assert [(layer.name, layer.region, layer.values) for layer in kept] == [
        (layer.name, layer.region, layer.values) for layer in layers
    ]
    assert [layer.name for layer in kept] == ["blink"]
    again = closeness(folder)
    assert again.cells == 100 - 49
    assert again.mean > 0.9
    assert check(folder) == []


def test_closeness_needs_a_pack_and_sheets(tmp_path: Path) -> None:
    with pytest.raises(GazeError, match="has no pack"):
        closeness(fill(tmp_path / "old", 4))


def test_the_sheets_have_the_last_word_about_the_grid(tmp_path: Path) -> None:
    """A published demo describes 30 × 30 cells beside sheets of 20 × 20."""
    path = repack(fill(tmp_path / "old", 20, gridSize=30, quadrantSize=15, totalImages=900))
    assert read_pack(path).facts.size == 20
    facts = json.loads((tmp_path / "old" / "metadata.json").read_text())
    assert (facts["gridSize"], facts["quadrantSize"], facts["totalImages"]) == (20, 10, 400)


def test_one_sheet_and_a_face(tmp_path: Path) -> None:
    folder = fill(tmp_path / "old", 4, mode="single", face={"x": 0.4, "y": 0.3})
    cells = [[cell_frame(Cell(row, col), 20, 25) for col in range(4)] for row in range(4)]
    Image.fromarray(np.vstack([np.hstack(row) for row in cells])).save(folder / "sheet.webp", lossless=True)
    pack = read_pack(repack(folder, 100, video="none"))
    assert pack.facts.face == (0.4, 0.3)
    axis = (0, 2, 3)
    for number, shown in decode_keys(pack).items():
        assert cell_of(tuple(shown[12, 10])) == Cell(axis[number // 3], axis[number % 3])


def test_transparent_sheets_stay_transparent(tmp_path: Path) -> None:
    def frame(cell: Cell, width: int, height: int) -> np.ndarray:
        covered = np.full((height, width, 1), 255, np.uint8)
        covered[:5] = 0
        return np.dstack([cell_frame(cell, width, height), covered])

    pack = read_pack(repack(fill(tmp_path / "old", 4, frame=frame, hasAlpha=True)))
    assert pack.facts.alpha
    assert pack.payloads[0].about["alpha"] == "stacked"
    still = decode_keys(read_pack(tmp_path / "old" / "stills.pack"))[4]
    assert still[0, 0, 3] == 0
    assert still[20, 10, 3] == 255


def test_an_older_pack_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    folder = fill(tmp_path / "old", 4)
    (folder / "gaze.pack").write_bytes(b"older")
    (folder / "q3.webp").write_bytes((folder / "q3.webp").read_bytes()[:-40])
    with pytest.raises(GazeError, match=r"q3\.webp (is damaged|cannot be read)"):
        repack(folder)
    assert (folder / "gaze.pack").read_bytes() == b"older"
    assert "pack" not in json.loads((folder / "metadata.json").read_text())


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda folder: (folder / "metadata.json").unlink(), "cannot be read"),
        (lambda folder: (folder / "q1.webp").unlink(), "q1.webp is not there"),
        (lambda folder: (folder / "q1.webp").write_bytes(b"x"), "q1.webp cannot be read as a picture"),
        (lambda folder: Image.new("RGB", (9, 9)).save(folder / "q1.webp"), "not of one size"),
        (lambda folder: fill(folder, 4, imageWidth=19), "80 × 100|40 × 50 pixels do not divide"),
    ],
)
def test_what_cannot_be_packed_is_said_in_words(tmp_path: Path, spoil: Any, words: str) -> None:
    folder = fill(tmp_path / "old", 4)
    spoil(folder)
    with pytest.raises(GazeError, match=words):
        repack(folder)
    assert not (folder / "gaze.pack").exists()
