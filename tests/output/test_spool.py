from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from gaze.errors import GazeError
from gaze.grid import Cell
from gaze.output import spool as module
from gaze.output.spool import FrameSpool


def test_frames_come_back_from_disk_and_leave_nothing_there(tmp_path: Path) -> None:
    cells = [Cell(3, 0), Cell(0, 0), Cell(1, 2)]
    frames = [np.random.default_rng(i).integers(0, 256, (7, 5, 3), dtype=np.uint8) for i in range(3)]
    with FrameSpool(tmp_path, 4, (7, 5, 3)) as spool:
        for cell, frame in zip(cells, frames, strict=True):
            spool.put(cell, frame)
        for cell, frame in zip(cells, frames, strict=True):
            assert np.array_equal(spool.get(cell), frame)
    assert list(tmp_path.iterdir()) == []


def test_a_disk_without_room_for_all_frames_is_told_before_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: SimpleNamespace(free=10**6))
    with FrameSpool(tmp_path, 30, (20, 18, 3)):
        pass
    with pytest.raises(GazeError, match=r"The frames need 0\.7 GB on a disk where 0\.0 GB are free\. Make room"):
        FrameSpool(tmp_path, 30, (512, 512, 3))
