import errno
import fcntl
import itertools
import os
import shutil
import subprocess
import sys
import threading
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from gaze.storage import locks as locks_module
from gaze.storage.locks import locked, matching, remove_locked, sweep

HOLD = """
import sys, pathlib, gaze.storage.locks as c
with c.locked(pathlib.Path(sys.argv[1])): print(flush=True); input()
"""


def test_a_folder_is_safe_while_its_program_runs_and_no_longer(tmp_path: Path) -> None:
    folder = tmp_path / "work-1"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout
        other.stdout.readline()
        sweep(tmp_path, "work-*")
        assert folder.exists()
        other.kill()
    sweep(tmp_path, "other-*")
    assert folder.exists()
    sweep(tmp_path, "work-*")
    assert not folder.exists()


def test_a_sweep_that_comes_between_takes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder is there for a moment before it is locked."""
    removed: list[Path] = []

    def open_late(folder: Path) -> int:
        lock = os.open(folder, os.O_RDONLY)
        if not removed:
            removed.append(folder)
            shutil.rmtree(folder)
        return lock

    monkeypatch.setattr(locks_module, "_open", open_late)
    with locked(tmp_path / "work") as folder:
        assert removed
        sweep(tmp_path, "work")
        assert folder.exists()


class Unlockable:
    """As NFS is, for folders: an exclusive lock needs what is open for writing."""

    LOCK_EX, LOCK_NB = fcntl.LOCK_EX, fcntl.LOCK_NB

    @staticmethod
    def flock(*_: int) -> None:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))


@pytest.mark.parametrize("locks", [None, Unlockable])
def test_without_locks_the_age_decides(locks: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks_module, "fcntl", locks)
    with locked(tmp_path / "work-new"):
        pass
    (tmp_path / "work-old").mkdir()
    os.utime(tmp_path / "work-old", (0, 0))
    sweep(tmp_path, "work-*")
    assert [path.name for path in tmp_path.iterdir()] == ["work-new"]


def test_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "work-link").symlink_to(tmp_path / "real")
    sweep(tmp_path, "work-*")
    assert (tmp_path / "real").is_dir()


def test_at_the_end_folders_go_though_threads_still_write_into_them(tmp_path: Path) -> None:
    ended = threading.Event()

    def write(folder: Path) -> None:
        names = itertools.cycle(f"{number}.webp" for number in range(20))
        with suppress(FileNotFoundError):  # until the folder is gone
            while not ended.is_set():
                (folder / next(names)).write_bytes(b"")

    with ExitStack() as stack:
        folders = [stack.enter_context(locked(tmp_path / f"work-{number}")) for number in range(20)]
        threads = [threading.Thread(target=write, args=(folder,)) for folder in folders[:4]]
        for thread in threads:
            thread.start()
        try:
            remove_locked()
        finally:
            ended.set()
            for thread in threads:
                thread.join()
        assert list(tmp_path.iterdir()) == []


def test_a_folder_that_vanishes_while_others_are_looked_for_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A visitor's run began with an error, since the draft of another one's had just become a portrait."""
    for name in ("gone/left-1", "there/left-2"):
        (tmp_path / name).mkdir(parents=True)
    scandir = os.scandir

    def vanishing(place: Any) -> Any:
        if Path(place).name == "gone":
            raise FileNotFoundError(place)
        return scandir(place)

    with monkeypatch.context() as patch:
        patch.setattr(os, "scandir", vanishing)
        assert matching(tmp_path, "*/left-*") == [tmp_path / "there" / "left-2"]
    sweep(tmp_path, "*/left-*")
    assert not any(tmp_path.glob("*/*"))
