import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gaze.errors import GazeError
from gaze.grid import Cell
from gaze.output.converter import repack
from gaze.output.pack import read_pack
from gaze.output.validator import check
from tests.browser.portraits import write_portrait
from tests.fakes import cell_frame, cell_of


def fill(folder: Path, size: int = 12, **more: Any) -> Path:
    """A folder as the older system leaves it: sheets and the ten fields, no more."""
    write_portrait(folder, size, **more)
    return folder


@pytest.mark.parametrize("size", [2, 12, 20])
def test_sheets_of_an_older_system_become_a_pack(tmp_path: Path, size: int) -> None:
    steps: list[tuple[int, int]] = []
    path = repack(fill(tmp_path / "old", size), 100, report=lambda *step: steps.append(step))
    pack = read_pack(path)
    assert (pack.facts.size, pack.facts.width, pack.facts.height) == (size, 20, 25)
    for cell, still in pack.payloads[-1].frames.items():
        assert cell_of(tuple(np.asarray(Image.open(io.BytesIO(still.data)))[12, 10])) == cell
    assert steps[-1] == (size**2, size**2)
    assert json.loads((tmp_path / "old" / "metadata.json").read_text())["pack"] == "gaze.pack"
    assert check(tmp_path / "old") == []
    assert {path.name for path in path.parent.iterdir()} == {
        *("gaze.pack", "metadata.json"),
        *(f"q{i}.webp" for i in range(4)),
    }


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
    for cell, still in pack.payloads[0].frames.items():
        assert cell_of(tuple(np.asarray(Image.open(io.BytesIO(still.data)))[12, 10])) == cell


def test_transparent_sheets_stay_transparent(tmp_path: Path) -> None:
    def frame(cell: Cell, width: int, height: int) -> np.ndarray:
        covered = np.full((height, width, 1), 255, np.uint8)
        covered[:5] = 0
        return np.dstack([cell_frame(cell, width, height), covered])

    pack = read_pack(repack(fill(tmp_path / "old", 4, frame=frame, hasAlpha=True)))
    assert pack.facts.alpha
    assert pack.payloads[0].about["alpha"] == "stacked"
    still = np.asarray(Image.open(io.BytesIO(pack.payloads[1].frames[Cell(1, 1)].data)))
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
