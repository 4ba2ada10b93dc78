import subprocess
import sys

import pytest

from gaze.engines.base import ENGINES, choose_engine
from gaze.errors import GazeError


@pytest.mark.parametrize("name", ENGINES)
def test_every_listed_engine_can_be_had_and_says_why(name: str) -> None:
    engine, reason = choose_engine(name)
    assert engine.name in ENGINES
    assert reason.endswith(".")


def test_an_unknown_engine_is_refused_with_the_known_ones() -> None:
    with pytest.raises(GazeError, match=r"“magic”.*auto, warp"):
        choose_engine("magic")


def test_the_app_and_the_instant_engine_start_without_torch() -> None:
    code = "import sys, gaze.ui.app, gaze.engines.warp; assert not {'torch', 'rembg', 'spaces'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
