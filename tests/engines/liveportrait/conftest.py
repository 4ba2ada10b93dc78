from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from gaze.engines.liveportrait import ahead, weights
from gaze.engines.liveportrait.ahead import FrameNetworks
from gaze.engines.liveportrait.appearance import AppearanceFeatureExtractor
from gaze.engines.liveportrait.decoder import SpadeDecoder
from gaze.engines.liveportrait.mlps import EyeRetargeting, LipRetargeting, Stitching
from gaze.engines.liveportrait.motion import MotionExtractor
from gaze.engines.liveportrait.warping import WarpingModule
from tests.engines.liveportrait import rule
from tests.engines.liveportrait.golden import DATA

N = TypeVar("N", bound=nn.Module)

MANIFEST: dict[str, dict[str, list[int]]] = json.loads((DATA / "manifest.json").read_text())


def by_rule(kind: type[N], part: str) -> N:
    """A network with the rule's weights, key by key of the published manifest."""
    with torch.device("meta"):  # without values that would be replaced at once
        network = kind()
    values = rule.state_dict(part, {k: tuple(v) for k, v in MANIFEST[part].items()})
    network.load_state_dict(values, strict=True, assign=True)
    return network.eval().requires_grad_(False)


@pytest.fixture(scope="session", autouse=True)
def _without_gradients() -> Iterator[None]:
    with torch.inference_mode():
        yield


@pytest.fixture(scope="session")
def appearance() -> AppearanceFeatureExtractor:
    return by_rule(AppearanceFeatureExtractor, "appearance_feature_extractor")


@pytest.fixture(scope="session")
def motion() -> MotionExtractor:
    return by_rule(MotionExtractor, "motion_extractor")


@pytest.fixture(scope="session")
def warping() -> WarpingModule:
    return by_rule(WarpingModule, "warping_module")


@pytest.fixture(scope="session")
def decoder() -> SpadeDecoder:
    return by_rule(SpadeDecoder, "spade_generator")


@pytest.fixture(scope="session")
def stitching() -> Stitching:
    return by_rule(Stitching, "retarget_shoulder")


@pytest.fixture(scope="session")
def lip() -> LipRetargeting:
    return by_rule(LipRetargeting, "retarget_mouth")


@pytest.fixture(scope="session")
def eye() -> EyeRetargeting:
    return by_rule(EyeRetargeting, "retarget_eye")


def image_tensor(picture: object) -> torch.Tensor:
    """uint8 pictures, (..., H, W, 3) → float (..., 3, H, W)."""
    return torch.as_tensor(picture).float().div(255).movedim(-1, -3)


@pytest.fixture
def taps() -> Iterator[Taps]:
    taps = Taps()
    yield taps
    taps.close()


class Taps:
    """Records what inner modules give, by their names."""

    def __init__(self) -> None:
        self.seen: dict[str, Any] = {}
        self._hooks: list[torch.utils.hooks.RemovableHandle] = []

    def listen(self, network: nn.Module, names: list[str]) -> None:
        for name in names:
            hook = network.get_submodule(name).register_forward_hook(
                lambda _module, _inputs, output, name=name: self.seen.__setitem__(name, output)
            )
            self._hooks.append(hook)

    def close(self) -> None:
        for hook in self._hooks:
            hook.remove()


@pytest.fixture(scope="session")
def checkpoints(
    tmp_path_factory: pytest.TempPathFactory,
    appearance: AppearanceFeatureExtractor,
    motion: MotionExtractor,
    warping: WarpingModule,
    decoder: SpadeDecoder,
    stitching: Stitching,
    lip: LipRetargeting,
    eye: EyeRetargeting,
) -> Iterator[Path]:
    """A folder laid out like the weights repository, its files as published, but for the rule's values."""
    folder = tmp_path_factory.mktemp("weights")
    whole = {
        "appearance_feature_extractor": appearance.state_dict(),
        "motion_extractor": motion.state_dict(),
        "warping_module": warping.state_dict(),
        "spade_generator": decoder.state_dict(),
        "stitching_retargeting_module": {
            # Left over from training on several devices; and there are entries that nobody needs.
            "retarget_shoulder": {f"module.{key}": value for key, value in stitching.state_dict().items()},
            "retarget_mouth": {f"module.{key}": value for key, value in lip.state_dict().items()},
            "retarget_eye": {f"module.{key}": value for key, value in eye.state_dict().items()},
            "another": {"module.mlp.0.weight": torch.zeros(2, 2)},
        },
    }
    for name, state in whole.items():
        file = folder / weights.CHECKPOINTS[name]
        file.parent.mkdir(parents=True, exist_ok=True)
        torch.save(state, file)
    yield folder
    shutil.rmtree(folder)


class Compiler:
    """Takes the place of the one that makes packages: they hold a number, and run what the networks are written as.

    Attributes:
        made: how many.
        results: what is added to the pictures of each; an exception is raised.
        lent: the weights that packages got.
    """

    def __init__(self) -> None:
        self.made = 0
        self.results: list[float | Exception] = []
        self.lent: list[dict[str, torch.Tensor]] = []
        self._networks: dict[str, FrameNetworks] = {}

    def compile(self, networks: FrameNetworks, package_path: str, inductor_configs: dict[str, Any]) -> None:
        self.made += 1
        Path(package_path).write_text(str(self.made))
        self._networks[str(self.made)] = networks

    def load(self, path: str) -> Package:
        return Package(self, self._networks[Path(path).read_text()])


class Package:
    """What `Compiler` makes, as torch loads it."""

    def __init__(self, compiler: Compiler, networks: FrameNetworks) -> None:
        self._compiler, self._networks = compiler, networks

    def get_constant_fqns(self) -> list[str]:
        return list(self._networks.state_dict())

    def load_constants(self, weights: dict[str, torch.Tensor], check_full_update: bool, user_managed: bool) -> None:
        self._compiler.lent.append(weights)

    def __call__(self, *inputs: torch.Tensor) -> torch.Tensor:
        added = self._compiler.results.pop(0) if self._compiler.results else 0.0
        if isinstance(added, Exception):
            raise added
        return FrameNetworks.forward(self._networks, *inputs) + added


@pytest.fixture
def compiler(monkeypatch: pytest.MonkeyPatch) -> Compiler:
    made = Compiler()
    monkeypatch.setattr(ahead, "export", lambda networks: networks)
    monkeypatch.setattr(torch._inductor, "aoti_compile_and_package", made.compile)
    monkeypatch.setattr(torch._inductor, "aoti_load_package", made.load)
    return made


@pytest.fixture
def landmark_file(tmp_path: Path) -> Path:
    """A network with the inputs and outputs of landmark.onnx: it finds the same points in every picture."""
    return write_landmark_network(tmp_path / "landmark.onnx", np.full((203, 2), 0.5))


def write_landmark_network(file: Path, points: np.ndarray) -> Path:
    """An ONNX file that gives these points, (203, 2) as shares of the picture's sides, as its third output."""
    given = onnx.helper.make_tensor_value_info("input", onnx.TensorProto.FLOAT, [1, 3, 224, 224])
    outputs, nodes = [], []
    for name, values in (("first", np.zeros((1, 2))), ("second", np.zeros((1, 2))), ("points", points.reshape(1, -1))):
        # A constant that depends on the picture by nothing times its mean, so that the input is used.
        constant = onnx.numpy_helper.from_array(values.astype(np.float32), f"{name}_value")
        nodes.append(onnx.helper.make_node("Constant", [], [f"{name}_value"], value=constant))
        nodes.append(onnx.helper.make_node("Add", [f"{name}_value", "nothing"], [name]))
        outputs.append(onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, values.size]))
    zero = onnx.numpy_helper.from_array(np.zeros((1, 1), np.float32), "zero")
    mean = [
        onnx.helper.make_node("Constant", [], ["zero"], value=zero),
        onnx.helper.make_node("ReduceMean", ["input"], ["mean"], keepdims=0),
        onnx.helper.make_node("Mul", ["mean", "zero"], ["nothing"]),
    ]
    graph = onnx.helper.make_graph([*mean, *nodes], "landmarks", [given], outputs)
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, file)
    return file
