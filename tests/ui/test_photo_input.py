from pathlib import Path

import pytest

from gaze.ui import photo_input


@pytest.mark.parametrize("name", ["x" * 300, "x\0y", "../x", "."], ids=len)
def test_a_path_that_is_no_upload_is_none(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "uploads"
    folder.mkdir()
    (tmp_path / "x").touch()
    (folder / "x").touch()
    monkeypatch.setattr(photo_input, "get_upload_folder", lambda: str(folder))
    assert photo_input.uploaded(str(folder / "x")) == folder / "x"
    assert photo_input.uploaded(f"{folder}/{name}") is None
