import zipfile
from pathlib import Path

import numpy as np
import pytest

from gaze.errors import GazeError
from gaze.grid import Cell, GazeGrid, Strengths
from gaze.motion.keys import cells_of
from gaze.output.bundle import KEPT
from gaze.output.spool import FrameSpool
from gaze.storage.checkpoint import Kept, fingerprint, keep, take_up

SHAPE = (10, 8, 3)
KEPT_CELLS = Kept((0, 3), frozenset({*cells_of((0, 3)), Cell(1, 1)}), 4.5)


@pytest.fixture
def spool(tmp_path: Path) -> FrameSpool:
    spool = FrameSpool(tmp_path, 4, SHAPE)
    for cell in KEPT_CELLS.cells:
        spool.put(cell, noise(cell))
    keep(tmp_path, "print", KEPT_CELLS, spool)
    return FrameSpool(tmp_path, 4, SHAPE)


def noise(cell: Cell) -> np.ndarray:
    return np.random.default_rng((cell.row, cell.col)).integers(0, 256, SHAPE, np.uint8)


def test_frames_come_back_to_the_bit(tmp_path: Path, spool: FrameSpool) -> None:
    assert take_up(tmp_path, "print", spool) == KEPT_CELLS
    for cell in KEPT_CELLS.cells:
        assert np.array_equal(spool.get(cell), noise(cell))


def test_other_frames_are_not_taken(tmp_path: Path, spool: FrameSpool) -> None:
    with pytest.raises(GazeError, match="its frames are others than what was asked for"):
        take_up(tmp_path, "another", spool)


def test_a_portrait_without_kept_frames_is_named(tmp_path: Path, spool: FrameSpool) -> None:
    with pytest.raises(GazeError, match=f"nowhere cannot be continued: there is no {KEPT}"):
        take_up(tmp_path / "nowhere", "print", spool)


def test_a_damaged_file_is_named(tmp_path: Path, spool: FrameSpool) -> None:
    data = (tmp_path / KEPT).read_bytes()
    for damaged in (b"", b"text", data[: len(data) // 2], data.replace(b"RIFF", b"RAFF")):
        (tmp_path / KEPT).write_bytes(damaged)
        with pytest.raises(GazeError, match="is damaged"):
            take_up(tmp_path, "print", spool)


@pytest.mark.parametrize("name", ["9-9.webp", "-1-0.webp", "x.webp", "../../x"])
def test_what_belongs_to_no_cell_is_damage(tmp_path: Path, spool: FrameSpool, name: str) -> None:
    with zipfile.ZipFile(tmp_path / KEPT, "a") as archive:
        archive.writestr(name, archive.read("0-0.webp"))
    with pytest.raises(GazeError, match="is damaged"):
        take_up(tmp_path, "print", spool)


def test_frames_of_another_size_are_damage(tmp_path: Path, spool: FrameSpool) -> None:
    with pytest.raises(GazeError, match="is damaged"):
        take_up(tmp_path, "print", FrameSpool(tmp_path, 4, (12, 8, 3)))


def test_whatever_changes_a_frame_changes_the_fingerprint(monkeypatch: pytest.MonkeyPatch) -> None:
    image = noise(Cell(0, 0))
    choices = (GazeGrid(30), True, "warp")
    prints = [
        fingerprint(image, *choices),
        fingerprint(image.reshape(8, 10, 3), *choices),
        fingerprint(image ^ 1, *choices),
        fingerprint(image, GazeGrid(30, Strengths(eyes=0.9)), True, "warp"),
        fingerprint(image, GazeGrid(20), True, "warp"),
        fingerprint(image, GazeGrid(30), False, "warp"),
        fingerprint(image, GazeGrid(30), True, "liveportrait"),
    ]
    monkeypatch.setattr("gaze.storage.checkpoint.__version__", "99")
    prints.append(fingerprint(image, *choices))
    assert len(set(prints)) == len(prints)
    assert fingerprint(image.copy(), *choices) == prints[-1]
