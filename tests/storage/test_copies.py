import errno
import os
import shutil
from pathlib import Path

import pytest

from gaze.storage import copies as module
from gaze.storage.copies import Copies


def test_a_folder_that_another_thread_fills_while_it_makes_room_harms_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crossed(folder: Path) -> None:
        raise OSError(errno.ENOTEMPTY, "Directory not empty")

    copies = Copies(tmp_path)
    copies.file("old", "a.webp", lambda path: path.touch())
    os.utime(tmp_path / "old", (0, 0))
    monkeypatch.setattr(module, "MOST", 0)
    monkeypatch.setattr(shutil, "rmtree", crossed)
    assert copies.file("new", "a.webp", lambda path: path.touch()).is_file()
