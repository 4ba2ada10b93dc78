"""Copies of files that are kept elsewhere, on this machine's disk, for as long as there is room."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from gaze.storage.modes import PRIVATE, make_private

MOST = 2 * 2**30
"""Bytes that all copies may take; what was used longest ago makes room."""


class Copies:
    """One folder of copies for each session.

    Args:
        root: the folder for all; it is made when it is needed.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def file(self, session: str, name: str, get: Callable[[Path], None]) -> Path:
        """The copy of a file; one that is not there yet is what `get` writes to the path it is given."""
        copy = self.folder(session) / name
        if not copy.is_file():
            make_private(self._root)
            part = self._root / f".part-{secrets.token_hex(8)}"
            try:
                get(part)
                copy.parent.mkdir(PRIVATE, exist_ok=True)
                part.replace(copy)
            finally:
                part.unlink(missing_ok=True)
            self._make_room()
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

    def _make_room(self) -> None:
        used = 0
        with suppress(FileNotFoundError):  # where threads cross, the next copy makes room
            for entry in sorted(self._root.iterdir(), key=lambda entry: -entry.stat().st_mtime):
                used += sum(path.stat().st_size for path in [entry, *entry.glob("*")])
                if used > MOST:
                    shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
