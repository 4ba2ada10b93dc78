"""Frames on disk between rendering and the sheets, so that memory does not grow with their number."""

from __future__ import annotations

import shutil
import tempfile
import threading
from pathlib import Path

import numpy as np

from gaze.errors import GazeError
from gaze.grid import Cell


class FrameSpool:
    """Raw frames in a file without a name, which is gone when it is closed or the program ends. Threads may share it.

    900 frames of 512 × 640 take 885 MB of disk, for as long as the sheets are being made.

    Raises:
        GazeError: the disk has no room for all frames.

    Args:
        folder: on which disk.
        size: rows and columns of the grid.
        shape: (height, width, channels) of a frame.

    Attributes:
        cells: those whose frames are there.
    """

    def __init__(self, folder: Path, size: int, shape: tuple[int, int, int]) -> None:
        self.shape, self.size = shape, size
        self.cells: set[Cell] = set()
        self._bytes = int(np.prod(shape))
        self._lock = threading.Lock()
        needed, free = size * size * self._bytes, shutil.disk_usage(folder).free
        if needed > free:
            raise GazeError(
                f"The frames need {needed / 1e9:.1f} GB on a disk where "
                f"{free / 1e9:.1f} GB are free. Make room, or choose smaller or fewer frames."
            )
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed by close()

    def __enter__(self) -> FrameSpool:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def put(self, cell: Cell, frame: np.ndarray) -> None:
        """Keep a frame, uint8 of the spool's shape."""
        with self._lock:
            self._file.seek(self._place(cell))
            self._file.write(np.ascontiguousarray(frame).data)
            self.cells.add(cell)

    def get(self, cell: Cell) -> np.ndarray:
        """A frame that was put."""
        with self._lock:
            self._file.seek(self._place(cell))
            data = self._file.read(self._bytes)
        return np.frombuffer(data, np.uint8).reshape(self.shape)

    def _place(self, cell: Cell) -> int:
        return (cell.row * self.size + cell.col) * self._bytes
