"""Portraits that are made, served and deleted in an S3 bucket."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from gaze.options import Options
from gaze.remote.client import as_arguments
from gaze.storage.sessions import SessionStore
from gaze.storage.stores import open_store
from gaze.ui.api import Api
from gaze.ui.queue import Queue
from gaze.ui.routes import session_routes
from tests.s3 import S3
from tests.serving import ROOT


def test_a_portrait_outlives_the_machine_it_was_made_on(
    photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with S3() as s3:
        s3.configure(monkeypatch)
        monkeypatch.setenv("GAZE_STORE", f"s3://{s3.bucket()}/gaze")
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "first"))
        api = Api(open_store(), SessionStore(tmp_path / "previews"), Queue())
        given = as_arguments(Options(engine="warp", size=4, frame_size=128))
        *_, (manifest, _) = api.generate(photo=str(photo), keep=True, **given)
        assert manifest
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "second"))
        store = open_store()
        visitor = TestClient(Starlette(routes=session_routes(store)))
        assert visitor.get(manifest["base"] + "metadata.json").json()["gridSize"] == 4
        assert len(visitor.get(manifest["base"] + "gaze.pack").content) > 1000
        assert visitor.get(manifest["zip"]).status_code == 200
        for name in ("input.jpg", ".key", "..%2f.key"):
            assert visitor.get(manifest["base"] + name).status_code == 404
        store.delete_owned(manifest["session"], store.secret(manifest["session"]))
        assert visitor.get(manifest["base"] + "gaze.pack").status_code == 404
        assert store.sessions() == []
    lost = visitor.get(f"gradio_api/gaze/{'0' * 32}/gaze.pack")
    assert (lost.status_code, "does not answer" in lost.text) == (503, True)


def test_an_app_without_its_store_says_why_and_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAZE_STORE", "nonsense://x")
    ended = subprocess.run([sys.executable, "app.py"], cwd=ROOT, capture_output=True, text=True, timeout=180)
    assert ended.returncode == 1
    assert "Protocol not known: nonsense" in ended.stderr
    assert "Traceback" not in ended.stderr
