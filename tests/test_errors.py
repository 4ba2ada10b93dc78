from pathlib import Path

import pytest

from gaze import errors


def test_how_to_install_an_extra_can_be_done_where_the_program_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "'.[matting]' in the folder of the repository" in errors.how_to_install("matting")
    monkeypatch.setattr(errors, "__file__", str(tmp_path / "site-packages" / "gaze" / "errors.py"))
    assert ".whl[matting]'" in errors.how_to_install("matting")
    monkeypatch.setenv("SPACE_ID", "owner/gaze")
    assert "requirements.txt" in errors.how_to_install("matting")
