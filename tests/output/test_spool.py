from pathlib import Path

import numpy as np

from gaze.grid import Cell
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
