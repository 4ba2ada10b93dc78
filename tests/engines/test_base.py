import re
import subprocess
import sys
from collections.abc import Generator
from typing import Any

import pytest

from gaze.engines import base
from gaze.engines.base import ENGINES, Engine, Expression, choose_engine, load_engine
from gaze.engines.warp.engine import WarpEngine
from gaze.errors import GazeError, WeightsError
from gaze.progress import Loading


def result_of(steps: Generator[Loading, None, tuple[Engine, str]]) -> tuple[Engine, str]:
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: tuple[Engine, str] = end.value
            return result


@pytest.mark.parametrize("name", ENGINES)
def test_every_listed_engine_can_be_chosen_and_says_why(name: str) -> None:
    if name == "cluster":
        pytest.importorskip("ray", reason="ray is missing: pip install --editable '.[cluster]'")
    chosen, reason = choose_engine(name)
    assert chosen == name if name != "auto" else chosen in ENGINES
    assert reason.endswith((".", ")"))


def test_an_unknown_engine_is_refused_with_the_known_ones() -> None:
    with pytest.raises(GazeError, match=r"“magic”.*auto, warp, liveportrait"):
        choose_engine("magic")


@pytest.mark.parametrize(
    ("gpu", "torch", "chosen", "reason"),
    [
        (False, False, "warp", "wants an NVIDIA GPU"),
        (False, True, "warp", "wants an NVIDIA GPU"),
        (True, False, "warp", r"\.\[liveportrait\]"),
        (True, True, "liveportrait", "runs on this machine's GPU"),
    ],
)
def test_what_auto_takes(gpu: bool, torch: bool, chosen: str, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "has_gpu", lambda: gpu)
    monkeypatch.setattr(base, "find_spec", lambda _: object() if torch else None)
    found, why = choose_engine("auto")
    assert found == chosen
    assert re.search(reason, why)


def test_liveportrait_without_torch_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "find_spec", lambda _: None)
    with pytest.raises(GazeError, match="pip install"):
        choose_engine("liveportrait")


class Loaded(Engine):
    name = "liveportrait"

    def load(self) -> Generator[Loading, None, None]:
        yield Loading("Downloading")
        raise WeightsError("There are none.")

    def prepare(self, *_: Any) -> None: ...
    def render(self, *_: Any) -> Any: ...


def test_auto_falls_back_where_the_weights_cannot_be_had(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "has_gpu", lambda: True)
    monkeypatch.setattr(base, "_liveportrait", lambda *_, **__: Loaded())
    engine, reason = result_of(load_engine("auto"))
    assert isinstance(engine, WarpEngine)
    assert "LivePortrait cannot be had here: There are none." in reason
    with pytest.raises(WeightsError):
        result_of(load_engine("liveportrait"))


def test_auto_wants_a_torch_that_sees_the_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    monkeypatch.setattr(base, "has_gpu", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    engine, reason = result_of(load_engine("auto", expression=Expression()))
    assert isinstance(engine, WarpEngine)
    assert "does not see the GPU" in reason


def test_the_app_and_the_instant_engine_start_without_torch() -> None:
    code = (
        "import sys, gaze.ui.app, gaze.engines.warp; assert not {'torch', 'rembg', 'spaces', 'ray'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
