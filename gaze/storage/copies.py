"""Copies of files that are kept elsewhere, on this machine's disk, for as long as there is room."""

from __future__ import annotations

import math
import os
import secrets
import shutil
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from weakref import WeakValueDictionary

from gaze.errors import StoreError
from gaze.storage.modes import PRIVATE, make_private

MOST = 2 * 2**30
"""Bytes that all copies may take; what was used longest ago makes room."""


class Copies:
    """One folder of copies for each session. Threads may share it; each file is fetched by one of them at a time.

    Args:
        root: the folder for all; it is made when it is needed.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._fetching = WeakValueDictionary[Path, threading.Lock]()
        self._lock = threading.Lock()

    def protect(self) -> str:
        """Close the folder to other users, if it is there; returns a sentence where that was needed."""
        return make_private(self._root) if self._root.is_dir() else ""

    def file(self, session: str, name: str, get: Callable[[Path], None], lasts: float = math.inf) -> Path:
        """The copy of a file; one that is not there yet is what `get` writes to the path it is given.

        Args:
            lasts: seconds after which it is fetched once more, as long as it can be.
        """
        copy = self.folder(session) / name
        if not _is_new(copy, lasts):
            # Else all who ask for a portrait that has just become known would fetch it, each for itself; and not every
            # file system can be read twice at once (fsspec's memory has one place in each file for all readers).
            with self._lock:
                alone = self._fetching.setdefault(copy, threading.Lock())
            with alone:
                if not _is_new(copy, lasts):
                    try:
                        self._fetch(copy, get)
                    except StoreError:
                        if not copy.is_file():
                            raise
                        os.utime(copy)  # it has to do for a while
        os.utime(copy.parent)
        return copy

    def folder(self, session: str) -> Path:
        """Where the copies of a session's files are, if there are any."""
        return self._root / session

    def adopt(self, folder: Path) -> None:
        """Take a session's folder, whose files are kept elsewhere by now, as copies."""
        make_private(self._root)
        folder.rename(self.folder(folder.name))
        self._make_room()

    def drop(self, session: str) -> None:
        """Remove the copies of a session."""
        shutil.rmtree(self.folder(session), ignore_errors=True)

    def _fetch(self, copy: Path, get: Callable[[Path], None]) -> None:
        make_private(self._root)
        part = self._root / f".part-{secrets.token_hex(8)}"
        try:
            get(part)
            copy.parent.mkdir(PRIVATE, exist_ok=True)
            part.replace(copy)
        finally:
            part.unlink(missing_ok=True)
        self._make_room()

    def _make_room(self) -> None:
        used = 0
        with suppress(OSError):  # where threads cross, the next copy makes room
            for entry in sorted(self._root.iterdir(), key=lambda entry: -entry.stat().st_mtime):
                used += sum(path.stat().st_size for path in [entry, *entry.glob("*")])
                if used > MOST:
                    shutil.rmtree(entry) if entry.is_dir() else entry.unlink()


def _is_new(copy: Path, lasts: float) -> bool:
    with suppress(OSError):
        return copy.is_file() and abs(time.time() - copy.stat().st_mtime) < lasts
    return False
