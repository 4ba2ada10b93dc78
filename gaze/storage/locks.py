"""Folders that a running program works in: what one that was killed left is known by its lock, which died with it."""

from __future__ import annotations

import glob
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows has none; there the age of what was left decides
    fcntl = None  # type: ignore[assignment]

LEFT_AGE = 6 * 3600.0
"""Seconds after which a folder is taken to be left over where the file system knows no locks."""


@contextmanager
def locked(folder: Path, mode: int = 0o777) -> Iterator[Path]:
    """Make a folder that `sweep` leaves alone until the block ends, or the program does.

    Args:
        mode: who may do what in it, less the umask.

    Raises:
        OSError: it cannot be made.
    """
    while True:
        folder.mkdir(mode)
        lock = _open(folder)
        if lock is not None and fcntl:
            with suppress(OSError):
                fcntl.flock(lock, fcntl.LOCK_EX)
        if folder.exists():
            break
        _close(lock)  # a sweep came between
    _locked.add(folder)
    try:
        yield folder
    finally:
        _locked.discard(folder)
        _close(lock)


@contextmanager
def workplace(parent: Path, prefix: str) -> Iterator[Path]:
    """A folder to work in, which is removed when the block ends, or by a `sweep` if the program was killed.

    Raises:
        OSError: it cannot be made.
    """
    with locked(parent / f"{prefix}{secrets.token_hex(8)}", 0o700) as folder:
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def remove_locked() -> None:
    """Remove the folders that this program has locked, in which threads may still be at work: for its very end.

    They are renamed first, so that no thread puts another file where one was just removed.
    """
    for folder in list(_locked):
        gone = folder.with_name(f"{folder.name}-gone")
        try:
            folder.rename(gone)
        except OSError:
            gone = folder
        shutil.rmtree(gone, ignore_errors=True)


_locked: set[Path] = set()


def matching(parent: Path, pattern: str) -> list[Path]:
    """What lies in a folder by a pattern. Others may remove parts of it meanwhile, which `Path.glob` does not bear."""
    return [parent / name for name in glob.glob(pattern, root_dir=parent, include_hidden=True)]


def sweep(parent: Path, pattern: str) -> None:
    """Remove the folders, of this pattern, that no running program has locked."""
    for folder in matching(parent, pattern):
        lock = _open(folder)
        if _is_left(folder, lock):
            shutil.rmtree(folder, ignore_errors=True)
        _close(lock)


def _is_left(folder: Path, lock: int | None) -> bool:
    try:
        if lock is not None and fcntl:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
    except BlockingIOError:
        return False
    except OSError:
        pass
    with suppress(OSError):
        return time.time() - folder.stat().st_mtime > LEFT_AGE
    return False


def _open(folder: Path) -> int | None:
    with suppress(OSError):
        return os.open(folder, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0))
    return None


def _close(lock: int | None) -> None:
    if lock is not None:
        os.close(lock)
