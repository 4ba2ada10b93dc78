"""The script for a first day on a GPU, in miniature on the CPU: stand-ins take the place of the large networks."""

from __future__ import annotations

import json
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchmarks.gpu import correctness, running
from benchmarks.gpu.bench import Bench
from benchmarks.gpu.steps import STEPS
from gaze.engines.liveportrait import renderer as renderer_module
from gaze.engines.liveportrait import weights
from gaze.engines.liveportrait.appearance import AppearanceFeatureExtractor
from gaze.engines.liveportrait.fused_networks import WarpingSource
from gaze.engines.liveportrait.keypoints import Motion
from gaze.engines.liveportrait.mlps import EyeRetargeting, LipRetargeting, Stitching
from gaze.engines.liveportrait.weights import Networks
from tests.engines.liveportrait import rule
from tests.engines.liveportrait.conftest import Compiler, by_rule

SMALL = ((Stitching, "retarget_shoulder"), (EyeRetargeting, "retarget_eye"), (LipRetargeting, "retarget_mouth"))


class Warping(nn.Module):
    """Keypoints as a map of features."""

    def __init__(self, *_: Any) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1), requires_grad=False)

    def prepare(self, volume: Tensor, x_s: Tensor) -> WarpingSource:
        return WarpingSource(volume, volume, x_s, volume)

    def forward(self, *given: Any) -> Tensor:
        x_d = given[-1]
        return (x_d.flatten(1).sum(1)[:, None, None, None] * self.weight).expand(-1, 256, 4, 4).to(self.weight.dtype)


class Decoder(Warping):
    """A picture of one colour."""

    def forward(self, *given: Any) -> Tensor:
        return F.interpolate(torch.sigmoid(given[0][:, :3] * self.weight), scale_factor=128)


class Appearance(nn.Module):
    """Knows to which device it was taken last."""

    def to(self, device: torch.device) -> Appearance:  # type: ignore[override]
        self.place = device
        return self

    def forward(self, picture: Tensor) -> Tensor:
        return torch.zeros(len(picture), 32, 16, 64, 64)


class MotionOf(nn.Module):
    def forward(self, picture: Tensor) -> Motion:
        return rule.motion("bench", len(picture))


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(renderer_module, "FusedWarping", Warping)
    monkeypatch.setattr(renderer_module, "FusedDecoder", Decoder)
    monkeypatch.setattr(Bench, "_make", lambda _self: None)
    made = Bench(is_whole=True, scale=0.01)
    made.device = torch.device("cpu", 0)  # The processor as well, yet not equal to what a step may ask for by itself.
    small = [by_rule(kind, part) for kind, part in SMALL]
    made.networks = Networks(Appearance(), MotionOf(), Warping(), Decoder(), *small)  # type: ignore[arg-type]
    return made


def test_every_step_runs_and_has_its_line(
    bench: Bench, compiler: Compiler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(correctness, "_golden_inputs", lambda _device: {})
    fingerprint = correctness.fingerprint_of
    again = types.SimpleNamespace(stdout="", returncode=0)
    monkeypatch.setattr(correctness, "fingerprint_of", lambda file: setattr(again, "stdout", fingerprint(file)) or "")
    monkeypatch.setattr(correctness.subprocess, "run", lambda *_, **__: again)
    # There is no network, nor what would ask for it.
    monkeypatch.setattr(weights, "_cached", lambda path: pytest.fail(f"the Hub is asked for {path}"))
    # Compiling takes a minute; so does it ahead of time, where a stand-in takes its place.
    monkeypatch.setattr(torch, "compile", lambda module: module)
    log = running.Log(tmp_path / "gpu.jsonl")
    ran = []
    for step in running.run(STEPS, bench, log, 3600):
        ran.append(step)
        # Where the next step's renderer reads pictures, whatever this one has done with the networks.
        assert step == "versions" or bench.networks.appearance.place == bench.device, step
    assert ran == list(STEPS)
    lines = {line["step"]: line for line in map(json.loads, (tmp_path / "gpu.jsonl").read_text().splitlines())}
    assert [line for line in lines.values() if "error" in line] == []
    assert list(lines) == list(STEPS)
    assert lines["precision"]["torch.float16"]["psnr"] > 40
    assert lines["determinism"]["batch_7"] == 0
    assert lines["sweep"]["rows"][0]["batch"] == 1
    assert lines["large"]["planned_mb"] > 0
    assert lines["whole"]["warm_s"] > 0
    assert compiler.made == 1, "the second start loads the package of the first"
    # After float32, which a processor begins with, there is nothing left to try.
    assert "even in full precision" in lines["shortage"]["no_numbers"]["error"]


def test_networks_are_held_against_the_reference(
    appearance: AppearanceFeatureExtractor, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = correctness._golden_inputs(torch.device("cpu"))
    assert set(inputs) == {"appearance", "motion", "warping", "decoder"}
    monkeypatch.setattr(correctness, "_golden_inputs", lambda _device: {"appearance": inputs["appearance"]})
    bench = types.SimpleNamespace(device=torch.device("cpu"), networks=types.SimpleNamespace(appearance=appearance))
    line = correctness.golden(bench)  # type: ignore[arg-type]
    assert set(line) == {"float32_appearance", "tf32_appearance"}
    assert line["float32_appearance"] < 1e-4


def test_memory_is_that_of_a_job_alone(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not what an earlier one took, nor what lies there."""
    memory = types.SimpleNamespace(now=300, most=9000)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda: memory.now)
    monkeypatch.setattr(torch.cuda, "max_memory_allocated", lambda: memory.most)
    monkeypatch.setattr(torch.cuda, "reset_peak_memory_stats", lambda: setattr(memory, "most", memory.now))
    bench.is_gpu = True
    assert bench.memory_of(lambda: setattr(memory, "most", 700)) == 400


def test_a_step_that_fails_leaves_no_settings(bench: Bench, tmp_path: Path) -> None:
    def fail(bench: Bench) -> dict[str, Any]:
        bench.renderer.batch, bench.renderer.benchmark = 1, True
        raise RuntimeError("out of memory")

    assert list(running.run({"fail": (1, fail)}, bench, running.Log(tmp_path / "gpu.jsonl"), 60)) == ["fail"]
    assert (bench.renderer.batch, bench.renderer.benchmark) == (None, False)


def steps(log: list[str], *names: str) -> dict[str, Any]:
    def step(name: str, _bench: Any) -> dict[str, Any]:
        log.append(name)
        if name == "broken":
            raise RuntimeError("required rank 4 tensor")
        return {"worth": name}

    return {name: (5.0, lambda bench, name=name: step(name, bench)) for name in names}


def test_a_run_goes_on_where_it_was_cut(tmp_path: Path) -> None:
    ran: list[str] = []
    file = tmp_path / "gpu.jsonl"
    bench = types.SimpleNamespace(tidy=lambda: None)
    first = running.run(steps(ran, "one", "two", "three"), bench, running.Log(file), 60)
    assert next(first) == "one"
    first.close()  # type: ignore[attr-defined]
    assert list(running.run(steps(ran, "one", "two", "three"), bench, running.Log(file), 60)) == ["two", "three"]
    assert ran == ["one", "two", "three"]


def test_an_error_is_a_line_and_no_end(tmp_path: Path) -> None:
    file = tmp_path / "gpu.jsonl"
    bench = types.SimpleNamespace(tidy=lambda: None)
    assert list(running.run(steps([], "broken", "two"), bench, running.Log(file), 60)) == ["broken", "two"]
    broken, two = map(json.loads, file.read_text().splitlines())
    assert broken["error"].startswith("RuntimeError: required rank 4 tensor (test_gpu_script.py:")
    assert two["worth"] == "two"
    # Tried again, in the hope that it was mended.
    assert not running.Log(file).is_done("broken")


def test_what_does_not_fit_into_the_time_is_left_out(tmp_path: Path) -> None:
    log = running.Log(tmp_path / "gpu.jsonl")
    ran: list[str] = []
    assert list(running.run(steps(ran, "one"), types.SimpleNamespace(tidy=lambda: None), log, 4)) == []
    assert (ran, log.lines[0]["left_out"]) == ([], "5 s expected, 4 s left")
    assert not log.is_done("one")


@pytest.mark.parametrize("error", ["ModuleNotFoundError", "ImportError"], ids=["missing", "of another version"])
def test_it_starts_where_only_torch_numpy_and_opencv_are(error: str, tmp_path: Path) -> None:
    code = """
import builtins, importlib.abc, sys

class Lacking(importlib.abc.MetaPathFinder):
    packages = {"PIL", "av", "gradio", "gradio_client", "pi_heif", "pydantic", "tqdm", "httpx", "onnxruntime",
                "safetensors", "huggingface_hub", "pytest", "scipy", "skimage", "requests"}

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in self.packages:
            raise error(name)

error = getattr(builtins, sys.argv[2])
sys.meta_path.insert(0, Lacking())
from benchmarks.gpu.__main__ import main
sys.argv = ["gpu", "--out", sys.argv[1], "--steps", "versions"]
main()
"""
    out = tmp_path / "gpu.jsonl"
    done = subprocess.run([sys.executable, "-c", code, str(out), error], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    line = json.loads(out.read_text())
    assert (line["step"], line["all_packages"]) == ("versions", False)
    assert line["torch"] == torch.__version__
