"""What is on the stage while a slow engine renders: its own face, coarse and following, then the finished one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.browser.app_page import choose_example, make_it, open_app, wait_loaded, wait_state
from tests.browser.driving import TRACKER, wait_at_rest
from tests.browser.test_app import face_in, look
from tests.serving import serving

GENERATION = 240_000
WATCH = """
    window.seen = [];
    const watch = () => {
      const tracker = document.querySelector("gaze-tracker");
      seen.push(tracker.col / (Math.sqrt(tracker.manifest.totalImages) - 1));
      requestAnimationFrame(watch);
    };
    watch();
"""


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    return tmp_path / "go"


@pytest.fixture
def page(browser: Any, open_page: Callable[..., Any], tmp_path: Path, gate: Path) -> Any:
    with serving(tmp_path, "-m", "tests.browser.slow_app", str(gate)) as app:
        page = open_page(viewport={"width": 700, "height": 500})
        open_app(page, app.address)
        yield page
        page.close()


def test_a_slow_engines_face_follows_before_it_is_finished(page: Any, gate: Path) -> None:
    choose_example(page)
    make_it(page)
    page.wait_for_function(f"{TRACKER}.manifest.pack?.startsWith('coarse-')")
    wait_loaded(page)
    size = page.viewport_size
    left, right = (look(page, x, size["height"] / 2) for x in (5, size["width"] - 5))
    before, after = (face_in(np.ascontiguousarray(picture[..., ::-1])) for picture in (left, right))
    assert (after.centre[0] - before.centre[0]) / before.iris_distance > 0.3

    coarse = look(page, 5, size["height"] / 2)
    page.evaluate(WATCH)
    gate.touch()
    page.wait_for_function(f"{TRACKER}.manifest.pack === 'gaze.pack'", timeout=GENERATION)
    wait_loaded(page)
    wait_at_rest(page)
    assert max(page.evaluate("seen")) < 0.1, "it looked away while the finished one took over"
    finished = look(page, 5, size["height"] / 2)
    assert np.abs(finished.astype(int) - coarse).mean() < 4

    wait_state(page, "done", timeout=GENERATION)
    assert page.get_by_role("link", name="Download").is_visible()
