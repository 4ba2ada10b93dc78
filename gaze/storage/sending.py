"""A finished session is copied to where it is kept, while its owner may write to it."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from gaze.output.metadata import METADATA
from gaze.progress import Progress

NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*")
"""What files of a session are called; drafts, and what a killed program left of them, are not."""


class _File(NamedTuple):
    """A file as it is now: one that replaces it is another."""

    name: str
    number: int
    changed: int


def send(
    folder: Path, put: Callable[[Path, str], None], written: threading.Lock, done: Callable[[], None]
) -> Iterator[Progress]:
    """Copy the files of a session, `metadata.json` last, and then what was written to it meanwhile.

    Args:
        folder: the session's.
        put: copies a file to a name.
        written: held by whoever writes to the session.
        done: called, while nobody writes, when all is copied.

    Raises:
        OSError: the session was deleted meanwhile.
    """
    sent = set[_File]()
    while True:
        with written:
            left = sorted(_files(folder) - sent)
            if not left:
                done()
                return
        others = [file for file in left if file.name != METADATA]
        for number, file in enumerate(others):
            yield Progress("keep", number, len(others), f"Keeping the portrait: file {number + 1} of {len(others)}")
            put(folder / file.name, f"{folder.name}/{file.name}")
        if len(others) < len(left):
            put(folder / METADATA, f"{folder.name}/{METADATA}")
        sent |= set(left)


def _files(folder: Path) -> set[_File]:
    return {
        _File(path.name, state.st_ino, state.st_mtime_ns)
        for path in folder.iterdir()
        if NAME.fullmatch(path.name) and path.is_file() and (state := path.stat())
    }
