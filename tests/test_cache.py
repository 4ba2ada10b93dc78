from pathlib import Path

import pytest

from gaze.cache import cache_folder


def test_it_lies_in_the_users_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    for told in ("", str(tmp_path / "elsewhere")):
        monkeypatch.setenv("XDG_CACHE_HOME", told)
        assert cache_folder() == Path(told or tmp_path / ".cache") / "gaze"
    assert not any(tmp_path.iterdir())
