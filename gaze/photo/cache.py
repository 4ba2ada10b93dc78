"""Pictures that were read, for as long as they are in use: in files without a name, which are gone with the program."""

from __future__ import annotations

import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np

from gaze.photo.process import Pixels

MOST = 256 * 2**20
"""Bytes that all may take; what was used longest ago makes room."""
MOST_PHOTOS = 64
"""How many there may be, however small: each is an open file, of which a program may often have a thousand."""
TIME = 600.0
"""Seconds for which one is kept after it was last used."""
_SOON = 1.0
"""Seconds: a preview is there by then."""


@dataclass(frozen=True)
class _Entry:
    file: IO[bytes]
    shape: tuple[int, int]
    has_alpha: bool
    notes: tuple[str, ...]
    used: float

    @property
    def bytes(self) -> int:
        return self.shape[0] * self.shape[1] * (4 if self.has_alpha else 3)


class PhotoCache:
    """Photos by their name. Threads may share it.

    Args:
        folder: on which disk.
        clock: seconds.
    """

    def __init__(self, folder: Path, clock: Callable[[], float] = time.monotonic) -> None:
        self._folder, self._clock = folder, clock
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._coming: dict[str, Pixels] = {}
        self._lock = threading.Lock()

    def get(self, name: str) -> Pixels | None:
        """What was put under a name, if it is still there."""
        if pixels := self._coming.get(name):
            return pixels
        with self._lock:
            self._make_room(0)
            if not (entry := self._entries.pop(name, None)):
                return None
            entry.file.seek(0)
            rgb = _read(entry.file, (*entry.shape, 3))
            alpha = _read(entry.file, entry.shape) if entry.has_alpha else None
            self._entries[name] = _Entry(entry.file, entry.shape, entry.has_alpha, entry.notes, self._clock())
            return Pixels(rgb, alpha, entry.notes)

    def put_soon(self, name: str, pixels: Pixels) -> None:
        """`put` a moment later, when the caller has used the picture: to write a large one takes a while.

        One picture at a time waits in memory; any other is written at once.
        """

        def put() -> None:
            time.sleep(_SOON)
            try:
                self.put(name, pixels)
            finally:
                self._coming.pop(name, None)

        if self._coming:
            self.put(name, pixels)
            return
        self._coming[name] = pixels
        threading.Thread(target=put, daemon=True).start()

    def put(self, name: str, pixels: Pixels) -> None:
        """Keep a picture; where there is no room for it, none is kept."""
        height, width = pixels.rgb.shape[:2]
        with self._lock, suppress(OSError):
            file = tempfile.TemporaryFile(dir=self._folder)  # noqa: SIM115 - closed by _drop()
            entry = _Entry(file, (height, width), pixels.alpha is not None, pixels.notes, self._clock())
            try:
                self._drop(name)
                self._make_room(entry.bytes)
                for part in (pixels.rgb, pixels.alpha):
                    if part is not None:
                        file.write(part.data)
                file.flush()
            except OSError:
                file.close()
                raise
            self._entries[name] = entry

    def tidy(self) -> None:
        """Let go what was not used for long."""
        with self._lock:
            self._make_room(0)

    def _make_room(self, more: int) -> None:
        now = self._clock()
        for name, entry in list(self._entries.items()):  # what was used longest ago comes first
            are_many = len(self._entries) + bool(more) > MOST_PHOTOS
            are_large = more + sum(it.bytes for it in self._entries.values()) > MOST
            if are_many or are_large or now - entry.used > TIME:
                self._drop(name)

    def _drop(self, name: str) -> None:
        if entry := self._entries.pop(name, None):
            entry.file.close()


def _read(file: IO[bytes], shape: tuple[int, ...]) -> np.ndarray:
    return np.fromfile(file, np.uint8, int(np.prod(shape))).reshape(shape)
