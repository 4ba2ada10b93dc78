"""The models that come with the package are what they are said to be, and are refused where they are not."""

import hashlib
import re
import shutil
import subprocess
import sys
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from gaze.errors import WeightsError
from gaze.face.networks import ALL, IRIS, MESH, MODELS, Model, Network, network

ROOT = Path(__file__).resolve().parents[2]


def picture(model: Model, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).random((model.side, model.side, 3), np.float32)


@pytest.mark.parametrize("model", ALL, ids=lambda it: it.file)
def test_each_model_is_the_file_whose_origin_is_told(model: Model) -> None:
    data = (MODELS / model.file).read_bytes()
    assert hashlib.sha256(data).hexdigest() == model.sha256
    assert f"| `{model.file}` | {len(data):,} | `{model.sha256}` |" in (MODELS / "README.md").read_text()


def test_the_models_come_with_their_licence_and_nothing_else() -> None:
    assert {it.name for it in MODELS.iterdir()} == {*(it.file for it in ALL), "LICENSE", "NOTICE", "README.md"}
    assert "Apache License\n                           Version 2.0" in (MODELS / "LICENSE").read_text()
    assert "MediaPipe" in (MODELS / "NOTICE").read_text()


def test_the_package_ships_them_under_both_licences() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["project"]["license"] == "MIT AND Apache-2.0"
    named = {path for pattern in project["project"]["license-files"] for path in ROOT.glob(pattern)}
    assert {MODELS / "LICENSE", MODELS / "NOTICE"} <= named
    patterns = project["tool"]["setuptools"]["package-data"]["gaze.face"]
    shipped = {path for pattern in patterns for path in MODELS.parent.glob(pattern)}
    assert {*MODELS.iterdir(), *MODELS.parent.glob("*.npy")} <= shipped


def test_a_missing_model_is_told(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=rf"{re.escape(MESH.file)} is missing.*install Gaze again"):
        Network(MESH, tmp_path)


@pytest.mark.parametrize("how", ["cut off", "one byte changed", "another model"])
def test_a_damaged_or_replaced_model_is_told(tmp_path: Path, how: str) -> None:
    data = bytearray((MODELS / MESH.file).read_bytes())
    if how == "cut off":
        (tmp_path / MESH.file).write_bytes(data[: len(data) // 2])
    elif how == "one byte changed":
        data[len(data) // 2] ^= 1
        (tmp_path / MESH.file).write_bytes(data)
    else:
        shutil.copy(MODELS / IRIS.file, tmp_path / MESH.file)
    with pytest.raises(WeightsError, match=r"damaged, or another file\. .*install Gaze again") as told:
        Network(MESH, tmp_path)
    assert str(tmp_path) not in str(told.value)


@pytest.mark.parametrize("model", ALL, ids=lambda it: it.file)
def test_the_same_picture_gives_the_same_numbers_by_any_thread(model: Model) -> None:
    net = network(model)
    pictures = [picture(model, seed) for seed in range(3)]
    alone = [net(it) for it in pictures]
    with ThreadPoolExecutor(3) as threads:
        together = list(threads.map(net, pictures * 2))
    for one, other in zip(alone * 2, together, strict=True):
        for first, second in zip(one, other, strict=True):
            np.testing.assert_array_equal(first, second)


def test_models_are_loaded_once() -> None:
    assert network(MESH) is network(MESH)


def test_to_find_faces_no_other_part_of_the_package_is_loaded() -> None:
    """Loading all of it takes several times as long."""
    told = (
        "import sys, gaze.face.detection\n"
        "print([name for name in ('gaze.pipeline', 'gaze.engines', 'av', 'pydantic') if name in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", told], check=True, capture_output=True, text=True).stdout == "[]\n"
