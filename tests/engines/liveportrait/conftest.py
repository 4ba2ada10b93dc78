from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TypeVar

import pytest
import torch
from torch import nn

from gaze.engines.liveportrait.appearance import AppearanceFeatureExtractor
from gaze.engines.liveportrait.decoder import SpadeDecoder
from gaze.engines.liveportrait.mlps import EyeRetargeting, LipRetargeting, Stitching
from gaze.engines.liveportrait.motion import MotionExtractor
from gaze.engines.liveportrait.warping import WarpingModule
from tests.engines.liveportrait import rule
from tests.engines.liveportrait.golden import DATA

N = TypeVar("N", bound=nn.Module)

MANIFEST: dict[str, dict[str, list[int]]] = json.loads((DATA / "manifest.json").read_text())


def by_rule(network: N, part: str) -> N:
    """The network with the rule's weights, key by key of the published manifest."""
    network.load_state_dict(rule.state_dict(part, {k: tuple(v) for k, v in MANIFEST[part].items()}), strict=True)
    return network.eval().requires_grad_(False)


@pytest.fixture(scope="session", autouse=True)
def _without_gradients() -> Iterator[None]:
    with torch.inference_mode():
        yield


@pytest.fixture(scope="session")
def appearance() -> AppearanceFeatureExtractor:
    return by_rule(AppearanceFeatureExtractor(), "appearance_feature_extractor")


@pytest.fixture(scope="session")
def motion() -> MotionExtractor:
    return by_rule(MotionExtractor(), "motion_extractor")


@pytest.fixture(scope="session")
def warping() -> WarpingModule:
    return by_rule(WarpingModule(), "warping_module")


@pytest.fixture(scope="session")
def decoder() -> SpadeDecoder:
    return by_rule(SpadeDecoder(), "spade_generator")


@pytest.fixture(scope="session")
def stitching() -> Stitching:
    return by_rule(Stitching(), "retarget_shoulder")


@pytest.fixture(scope="session")
def lip() -> LipRetargeting:
    return by_rule(LipRetargeting(), "retarget_mouth")


@pytest.fixture(scope="session")
def eye() -> EyeRetargeting:
    return by_rule(EyeRetargeting(), "retarget_eye")


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
        self.seen: dict[str, torch.Tensor] = {}
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
