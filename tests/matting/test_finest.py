import os
import threading
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest

from gaze.errors import GazeError, WeightsError
from gaze.face.face import Face
from gaze.matting import finest
from gaze.matting.finest import MODEL_VARIABLE, MODELS, finest_missing, is_finest_there, load_finest
from gaze.matting.matte import Network
from gaze.photo.portrait import Portrait
from gaze.progress import Loading, Steps
from tests.green import FAMILIES, write_network


def load() -> tuple[Network, list[Loading]]:
    loading = Steps(load_finest())
    told = list(loading)
    return loading.result, told


@pytest.mark.parametrize("side", FAMILIES)
def test_a_network_from_a_file_finds_the_person(
    before_green: tuple[Portrait, Face, np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, side: int
) -> None:
    monkeypatch.setenv(MODEL_VARIABLE, str(write_network(tmp_path / "green.onnx", side)))
    portrait, _, truth = before_green
    network, told = load()
    refine = Mock(wraps=finest.refine)
    monkeypatch.setattr(finest, "refine", refine)
    assert {step.message for step in told} == {"Loading the network for background removal"}
    matte = network(portrait.image)
    assert (matte.dtype, matte.shape) == (np.dtype(np.uint8), truth.shape)
    assert np.abs(matte.astype(float) - truth).mean() < 0.5
    assert {0, 255} <= set(matte.ravel())
    assert refine.call_args.args[2] == side * side
    assert os.environ.get("NUMBA_DISABLE_JIT") is None


def test_each_network_is_one_that_rembg_knows_and_none_is_its_default() -> None:
    sessions = pytest.importorskip("rembg.sessions").sessions
    assert MODELS.keys() <= sessions.keys()
    assert "bria-rmbg" not in MODELS  # its weights are not for commercial use


def test_without_rembg_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert finest_missing() is None
    monkeypatch.setattr(finest, "find_spec", lambda _: None)
    assert "rembg" in str(finest_missing())
    with pytest.raises(GazeError, match=r"needs rembg.*choose “quick”"):
        load()


@pytest.mark.parametrize("variable", [None, "U2NET_HOME", "REMBG_HOME", "XDG_DATA_HOME"])
@pytest.mark.parametrize("layout", ["model_dir", "legacy_home"])
def test_weights_are_found_where_rembg_keeps_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, variable: str | None, layout: str
) -> None:
    session = pytest.importorskip("rembg.sessions").sessions["birefnet-general-lite"]
    for name in ("U2NET_HOME", "REMBG_HOME", "XDG_DATA_HOME", MODEL_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    if variable:
        monkeypatch.setenv(variable, str(tmp_path / "elsewhere"))
    assert not is_finest_there()
    folder = Path(getattr(session, layout)())
    folder.mkdir(parents=True)
    (folder / "birefnet-general-lite.onnx").touch()
    assert is_finest_there()


def test_a_file_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAZE_MATTING_MODEL", "nowhere.onnx")
    with pytest.raises(WeightsError, match=r"“nowhere\.onnx”.*birefnet-general-lite, birefnet-portrait, u2net"):
        load()


def test_a_file_that_is_no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "page.onnx"
    file.write_bytes(b"<html>not found</html>")
    monkeypatch.setenv("GAZE_MATTING_MODEL", str(file))
    with pytest.raises(WeightsError, match=r"page\.onnx cannot be read as a network"):
        load()


def test_a_network_of_another_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MODEL_VARIABLE, str(write_network(tmp_path / "small.onnx", 64)))
    with pytest.raises(WeightsError, match=r"small\.onnx cannot be read.*U²-Net or IS-Net"):
        load()


@pytest.mark.parametrize("name", MODELS)
def test_a_download_tells_how_far_it_is_and_why_it_failed(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pooch = pytest.importorskip("pooch")
    half, failing = threading.Event(), threading.Event()

    def retrieve(url: str, *_: object, path: str, **__: object) -> None:
        assert url.startswith("https://github.com/danielgatis/rembg/releases/")
        folder = Path(path)
        folder.mkdir(parents=True)
        with (folder / "unfinished").open("wb") as file:
            file.truncate(100_000_000)
        half.set()
        failing.wait(10)
        raise ConnectionError("no route to host")

    monkeypatch.setattr(pooch, "retrieve", retrieve)
    for variable, value in {"GAZE_MATTING_MODEL": name, "REMBG_HOME": "rembg", "HOME": ".", "U2NET_HOME": ""}.items():
        monkeypatch.setenv(variable, str(tmp_path / value) if value else "")
    monkeypatch.setenv("GAZE_MATTING_MODEL", name)
    steps = load_finest()
    next(steps)
    assert half.wait(10)
    told = [next(steps), next(steps)]
    assert told[-1] == Loading("Downloading the network for background removal", 1e8, MODELS[name] * 1e6)
    failing.set()
    with pytest.raises(WeightsError, match=rf"{name}, about {MODELS[name]} MB\) could not be loaded") as told_last:
        list(steps)
    assert "no route to host" not in str(told_last.value)
