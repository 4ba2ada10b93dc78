"""Steps that ask whether the numbers are right: beside the reference, in other precisions, and again."""

from __future__ import annotations

import copy
import hashlib
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch

from benchmarks.gpu.bench import Bench
from benchmarks.gpu.running import ROOT
from gaze.engines.liveportrait import device as devices
from gaze.engines.liveportrait.renderer import Renderer
from tests.engines.liveportrait import rule
from tests.engines.liveportrait.golden import Golden


def versions(bench: Bench) -> dict[str, Any]:
    """What the other numbers belong to."""
    line: dict[str, Any] = {"python": sys.version.split()[0], "torch": torch.__version__, "opencv": cv2.__version__}
    line |= {"device": str(bench.device), "all_packages": bench.is_whole, "cudnn": torch.backends.cudnn.version()}
    if bench.is_gpu:
        free, total = torch.cuda.mem_get_info()
        line |= {"name": torch.cuda.get_device_name(), "capability": torch.cuda.get_device_capability()}
        line |= {"cuda": torch.version.cuda, "free_gb": round(free / 1e9, 2), "total_gb": round(total / 1e9, 2)}
    return line


@torch.inference_mode()
def golden(bench: Bench) -> dict[str, Any]:
    """The published networks in float32 beside the reference numbers, without TF32 and with it."""
    inputs = _golden_inputs(bench.device)
    line: dict[str, Any] = {}
    for name, allow in (("float32", False), ("tf32", True)):
        with torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=allow):
            for part, (stage, values) in inputs.items():
                network = getattr(bench.networks, part).to(bench.device)
                found = network(*values)
                found = found.kp if part == "motion" else found
                line[f"{name}_{part}"] = Golden(part).deviation(stage, found.float().cpu().numpy())
                if part in ("warping", "decoder"):
                    network.cpu()
    return line


def _golden_inputs(device: torch.device) -> dict[str, tuple[str, tuple[torch.Tensor, ...]]]:
    def pictures(names: list[str]) -> torch.Tensor:
        stacked = np.stack([rule.picture(name) for name in names])
        return torch.from_numpy(stacked).to(device).movedim(-1, 1).float() / 255

    def blocky(name: str) -> torch.Tensor:
        _, shape, coarse, key = Golden(name).meta["feature"]
        return rule.blocky(tuple(shape), coarse, key).to(device)

    points = [torch.from_numpy(Golden("warping").part(f"in.kp_{which}")).to(device) for which in ("source", "driving")]
    return {
        "appearance": ("feature_3d", (pictures([Golden("appearance").meta["image"]]),)),
        "motion": ("refined.kp", (pictures(Golden("motion").meta["images"]),)),
        "warping": ("out", (blocky("warping"), *points)),
        "decoder": ("out", (blocky("decoder"),)),
    }


def precision(bench: Bench) -> dict[str, Any]:
    """float16 and bfloat16 beside float32 of the same card, and that beside the processor's."""
    poses = bench.poses[: bench.count(12)]
    exact = bench.frames(Renderer(bench.networks, bench.device, dtype=torch.float32), poses)
    line: dict[str, Any] = {}
    for dtype in (torch.float16, torch.bfloat16):
        line[str(dtype)] = _beside(bench.frames(Renderer(bench.networks, bench.device, dtype=dtype), poses), exact)
    # The processor's last, since it is slow; of copies, since a renderer takes its networks to its device.
    renderer = Renderer(copy.deepcopy(bench.networks), torch.device("cpu"), dtype=torch.float32)
    return line | {"float32_beside_cpu": _beside(exact[:2], bench.frames(renderer, poses[:2]))}


def _beside(found: np.ndarray, exact: np.ndarray) -> dict[str, float]:
    apart = found.astype(float) - exact
    steps = np.abs(np.diff(apart, axis=0)).mean() / max(np.abs(np.diff(exact.astype(float), axis=0)).mean(), 1e-9)
    return {
        "psnr": round(float(10 * np.log10(255**2 / max(np.mean(apart**2), 1e-12))), 2),
        "largest_level": float(np.abs(apart).max()),
        "change_of_neighbours": round(float(steps), 5),
    }


def determinism(bench: Bench) -> dict[str, Any]:
    """The same poses twice, at other batch sizes, and in another process."""
    poses, renderer = bench.poses[: bench.count(40)], bench.renderer
    line: dict[str, Any] = {}
    first = None
    for name, batch in (("first", 32), ("again", 32), ("batch_7", 7), ("batch_1", 1)):
        renderer.batch = batch
        frames = bench.frames(renderer, poses)
        first = frames if first is None else first
        line[name] = int(np.abs(frames.astype(int) - first).max())
    renderer.batch = None
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "networks.pt"
        torch.save(bench.networks, file)
        command = [sys.executable, "-m", "benchmarks.gpu", "--frames-of", str(file)]
        other = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=90)
        line["other_process_is_equal"] = other.stdout.strip() == fingerprint_of(file)
        if other.returncode:
            line["other_process_said"] = other.stderr[-400:]
    return line


def fingerprint_of(file: Path) -> str:
    """A sum over four frames by stored networks."""
    bench = Bench.__new__(Bench)
    bench.is_whole, bench.scale, bench.device = True, 1.0, devices.best_device()
    bench.is_gpu = bench.device.type == "cuda"
    renderer = Renderer(torch.load(file, weights_only=False), bench.device)
    renderer.batch = 4
    return hashlib.sha256(bench.frames(renderer, bench.poses[:4]).tobytes()).hexdigest()
