from __future__ import annotations

import logging
from collections.abc import Generator

import pytest

from gaze.engines.base import Engine
from gaze.engines.fallback import FallbackEngine
from gaze.errors import WeightsError
from gaze.progress import Loading
from gaze.ui import app
from tests.fakes import FakeEngine


def test_a_space_logs_which_engine_it_has_before_it_is_launched(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def load_engine(name: str) -> Generator[Loading, None, tuple[Engine, str]]:
        yield Loading("Reading the LivePortrait weights")
        return FallbackEngine.failed(WeightsError("The disk is full."), FakeEngine(4)), f"{name} has an instant engine."

    monkeypatch.setattr(app, "load_engine", load_engine)
    with caplog.at_level(logging.INFO, app.__name__):
        app._preload()
    first, last = caplog.messages
    assert first == "Reading the LivePortrait weights"
    assert last.startswith("auto has an instant engine. The LivePortrait engine failed here")
    assert last.endswith("The disk is full.")
