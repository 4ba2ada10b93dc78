"""Compiling ahead of time: a small network really is, the large ones are exported, and a stand-in does the rest."""

from __future__ import annotations

import os
import pickle
import shutil
import subprocess
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from gaze.engines.liveportrait import ahead, engine, zero
from gaze.engines.liveportrait.ahead import FrameNetworks
from gaze.engines.liveportrait.crop import SIDE
from gaze.engines.liveportrait.decoder import SpadeDecoder
from gaze.engines.liveportrait.fused_convolutions import is_channels_last, to_channels_last
from gaze.engines.liveportrait.fused_networks import FusedDecoder, FusedWarping, WarpingSource, normed
from gaze.engines.liveportrait.warping import WarpingModule
from tests.engines.liveportrait.conftest import Compiler

CPU = torch.device("cpu")


class SmallWarping(nn.Module):
    """Eight maps of the source, as bright as the keypoints say."""

    def prepare(self, volume: Tensor, x_s: Tensor) -> WarpingSource:
        return WarpingSource(volume[:, :8, 0, :8, :8].contiguous(), volume, x_s, volume)

    def forward(self, source: WarpingSource, x_d: Tensor) -> Tensor:
        return source.volume * (1 + (x_d - source.keypoints).sum((1, 2)))[:, None, None, None]


class SmallDecoder(nn.Module):
    """Three colours of them."""

    def __init__(self, scale: float = 1.0) -> None:
        super().__init__()
        self.conv = nn.Conv2d(8, 3, 3, padding=1)
        weight = torch.linspace(-1, 1, self.conv.weight.numel()).sin() * scale
        self.conv.weight = nn.Parameter(weight.reshape_as(self.conv.weight), requires_grad=False)
        self.requires_grad_(False)

    def forward(self, features: Tensor) -> Tensor:
        return torch.sigmoid(normed(self.conv(features)) + self.conv.weight.sum())


def small(scale: float = 1.0) -> FrameNetworks:
    with torch.inference_mode(False):
        return FrameNetworks(SmallWarping(), SmallDecoder(scale)).eval()


def written(networks: FrameNetworks, *inputs: Tensor) -> Tensor:
    return FrameNetworks.forward(networks, *inputs)


def is_compiled(networks: FrameNetworks) -> bool:
    return "forward" in vars(networks)


@pytest.mark.skipif(not any(map(shutil.which, ("c++", "g++", "clang++"))), reason="needs a C++ compiler")
@pytest.mark.filterwarnings("ignore")  # The compiler's own.
def test_a_package_is_made_once_and_holds_no_weights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the real compiler: pictures are those of the networks as written, at any batch."""
    networks = small()
    ahead.compile_networks(networks, tmp_path)
    assert is_compiled(networks)
    for count in (2, 5, 32):
        inputs = ahead._inputs(networks, count)
        torch.testing.assert_close(networks(*inputs), written(networks, *inputs), atol=1e-4, rtol=0)
    # Another start, with other weights.
    monkeypatch.setattr(ahead, "_make", lambda *_: pytest.fail("it is compiled again"))
    others = small(0.5)
    ahead.compile_networks(others, tmp_path)
    assert is_compiled(others)
    torch.testing.assert_close(others(*inputs), written(others, *inputs), atol=1e-4, rtol=0)
    assert (others(*inputs) - networks(*inputs)).abs().max() > 0.01


def test_the_large_networks_are_one_graph(warping: WarpingModule, decoder: SpadeDecoder) -> None:
    """In half precision with channels innermost, as on an NVIDIA GPU; no number of frames is written into it."""
    with torch.inference_mode(False):
        fused = FusedWarping(warping).half(), FusedDecoder(decoder).half()
        exported = ahead.export(FrameNetworks(*(to_channels_last(network) for network in fused)).eval())
    assert is_channels_last(exported.state_dict["decoder.fc.weight"])
    # Any other constant would be missing where weights are lent to a package.
    assert exported.constants == {}
    (batch,) = exported.range_constraints.values()
    assert (batch.lower, batch.upper) == (ahead.FEWEST, ahead.MOST)
    (given,) = exported.graph.output_node().args[0]
    pictures = given.meta["val"]
    assert pictures.dtype == torch.float16
    assert isinstance(pictures.shape[0], torch.SymInt)
    assert pictures.shape[1:] == (3, SIDE, SIDE)
    # Nothing is left to Python.
    assert {node.target.namespace for node in exported.graph.nodes if hasattr(node.target, "namespace")} == {"aten"}


@pytest.mark.parametrize("spoil", ["", "17"])
def test_a_package_that_cannot_be_read_is_made_anew(tmp_path: Path, compiler: Compiler, spoil: str) -> None:
    ahead.compile_networks(small(), tmp_path)
    (tmp_path / "root" / "package.pt2").write_text(spoil)
    networks = small()
    ahead.compile_networks(networks, tmp_path)
    assert compiler.made == 2
    assert is_compiled(networks)
    assert compiler.lent[-1].keys() == networks.state_dict().keys()


def test_a_package_of_other_pictures_is_not_used(tmp_path: Path, compiler: Compiler) -> None:
    ahead.compile_networks(small(), tmp_path)
    networks = small()
    compiler.results = [0.2]  # Of the package that is there; the new one is right.
    ahead.compile_networks(networks, tmp_path)
    assert compiler.made == 2
    compiler.results = [float("nan"), 0.2]
    with pytest.raises(ArithmeticError, match="other pictures"):
        ahead.compile_networks(networks, tmp_path)
    assert not is_compiled(networks)


def test_a_package_belongs_to_torch_precision_and_source(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    networks = small()
    folders = [ahead.package_folder(networks), ahead.package_folder(small().half())]
    monkeypatch.setattr(torch, "__version__", "2.11.0")
    folders.append(ahead.package_folder(networks))
    monkeypatch.setattr(Path, "read_bytes", lambda _: b"pass")
    folders.append(ahead.package_folder(networks))
    assert len(set(folders)) == 4
    assert all(folder.parent == tmp_path / "gaze" / "compiled" for folder in folders)
    assert ahead.package_folder(small(0.5)) == folders[-1]


@dataclass
class FakeRenderer:
    """Is told what to compile."""

    networks: FrameNetworks = field(default_factory=small)
    can_compile: bool = True
    failure: Exception | None = None

    def compile(self, make: Callable[[FrameNetworks], None]) -> None:
        self.can_compile = False
        try:
            make(self.networks)
        except Exception as error:
            self.failure = error


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> FakeRenderer:
    """What the engine has for a renderer, on a machine with a GPU and the weights."""
    made = FakeRenderer()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(engine, "best_device", lambda: torch.device("cuda"))
    monkeypatch.setattr(engine.LivePortraitEngine, "renderer", lambda _: made)
    monkeypatch.setattr(engine.weights, "local_files", dict)
    return made


def test_only_who_asks_for_it_gets_it(fake: FakeRenderer, compiler: Compiler, monkeypatch: pytest.MonkeyPatch) -> None:
    reading = "Reading the LivePortrait weights"
    monkeypatch.delenv(ahead.VARIABLE, raising=False)
    assert [step.message for step in engine.LivePortraitEngine().load()] == [reading]
    monkeypatch.setenv(ahead.VARIABLE, "1")
    monkeypatch.setattr(engine, "best_device", lambda: CPU)
    assert [step.message for step in engine.LivePortraitEngine().load()] == [reading]
    assert (compiler.made, fake.can_compile) == (0, True)
    monkeypatch.setattr(engine, "best_device", lambda: torch.device("cuda"))
    steps = [step.message for step in engine.LivePortraitEngine().load()]
    assert steps == [reading, "Compiling the networks for this GPU, which takes minutes the first time"]
    assert compiler.made == 1
    assert is_compiled(fake.networks)
    # The next portrait of this process.
    assert [step.message for step in engine.LivePortraitEngine().load()] == [reading]


def test_the_compiler_is_not_imported_before() -> None:
    code = (
        "import sys, gaze.engines.liveportrait.zero; print([m for m in sys.modules if m.startswith('torch._inductor')])"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    found = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"


@pytest.fixture
def spaces(monkeypatch: pytest.MonkeyPatch, compiler: Compiler) -> list[str]:
    """Which functions of `spaces` were called; they do what those of torch do."""
    called: list[str] = []

    def save(folder: Path, networks: FrameNetworks) -> None:
        called.append("save")
        (folder / "root").mkdir(parents=True)
        compiler.compile(networks, str(folder / "root" / "package.pt2"), {})

    def load(networks: FrameNetworks, folder: Path) -> None:
        called.append("load")
        networks.forward = compiler.load(str(folder / "root" / "package.pt2"))  # type: ignore[assignment,method-assign]

    stand_in = types.ModuleType("spaces")
    vars(stand_in).update(aoti_compile_and_save=save, aoti_load_from_package_dir=load)
    monkeypatch.setitem(sys.modules, "spaces", stand_in)
    monkeypatch.setattr(ahead, "on_zero_gpu", lambda: True)
    monkeypatch.setattr(torch._inductor, "aoti_load_package", lambda _: pytest.fail("not by spaces"))
    monkeypatch.setattr(zero.ZeroGpuEngine, "_is_launched", False)
    monkeypatch.setenv(ahead.VARIABLE, "1")
    return called


def test_a_space_compiles_in_a_call_on_the_gpu(
    fake: FakeRenderer, spaces: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    on_gpu, folders = zero._compile_on_gpu, []

    def call(folder: Path) -> Any:
        folders.append(pickle.loads(pickle.dumps(folder)))
        failure = pickle.loads(pickle.dumps(on_gpu(folders[0])))
        ahead.unload(fake.networks)  # It was compiled in another process.
        return failure

    monkeypatch.setattr(zero, "_compile_on_gpu", call)
    list(zero.ZeroGpuEngine().load())
    assert folders == [ahead.package_folder(fake.networks)]
    assert spaces == ["save", "load", "load"]
    assert is_compiled(fake.networks)
    assert fake.failure is None


def test_a_space_goes_on_where_that_fails(fake: FakeRenderer, spaces: list[str], compiler: Compiler) -> None:
    compiler.results = [RuntimeError("no kernel image is available")]
    list(zero.ZeroGpuEngine().load())
    assert str(fake.failure) == "RuntimeError: no kernel image is available"
    assert not is_compiled(fake.networks)


def test_a_visitors_time_is_not_spent_on_compiling(
    fake: FakeRenderer, spaces: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fake, "can_compile", False)
    list(zero.ZeroGpuEngine().load())
    monkeypatch.setattr(fake, "can_compile", True)
    list(zero.ZeroGpuEngine().load())
    assert "before the launch" in str(fake.failure)
    assert spaces == []
