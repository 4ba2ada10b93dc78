"""The steps of `benchmarks.gpu`, each a function from the bench to what its JSON line says."""

from __future__ import annotations

import contextlib
import hashlib
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from benchmarks.gpu import ROOT
from gaze.engines.liveportrait import device as devices
from gaze.engines.liveportrait import keypoints, weights
from gaze.engines.liveportrait.crop import SIDE, Crop
from gaze.engines.liveportrait.fused_convolutions import UpsampledConv, channels_last, to_channels_last, widened
from gaze.engines.liveportrait.fused_networks import normed
from gaze.engines.liveportrait.renderer import Renderer
from gaze.engines.liveportrait.weights import Networks
from gaze.grid import Cell, Expression, GazeGrid, Pose
from tests.engines.liveportrait import rule
from tests.engines.liveportrait.golden import Golden

SPECIFIED_TERAFLOP, OWN_TERAFLOP = 1.2336, 1.05
"""A frame's arithmetic in W and G by the specification, and as it runs here."""
PARTS = {
    "appearance": "appearance_feature_extractor",
    "motion": "motion_extractor",
    "warping": "warping_module",
    "decoder": "spade_generator",
    "stitching": "retarget_shoulder",
    "eye": "retarget_eye",
    "lip": "retarget_mouth",
}


class Bench:
    """What the steps share.

    Args:
        is_whole: whether all packages of the project are here.
        scale: 1 on a GPU; less makes maps and counts smaller, for a try on a processor.
    """

    def __init__(self, is_whole: bool, scale: float = 1.0) -> None:
        self.is_whole, self.scale = is_whole, scale
        self.device = devices.best_device()
        self.is_gpu = self.device.type == "cuda"
        self._made: dict[str, nn.Module] = {}
        self._is_closed = False
        self._making = threading.Thread(target=self._make, daemon=True)
        self._making.start()

    def _make(self) -> None:
        for name, part in PARTS.items():
            if self._is_closed:
                return
            network = getattr(weights, Networks.__annotations__[name])()
            shapes = {key: tuple(value.shape) for key, value in network.state_dict().items()}
            network.load_state_dict(rule.state_dict(part, shapes))
            self._made[name] = network.eval().requires_grad_(False)

    def close(self) -> None:
        """Wait for what still goes on beside: an interpreter cannot end under it."""
        self._is_closed = True
        self._making.join()

    @cached_property
    def networks(self) -> Networks:
        """Made by the rule, on the processor."""
        self._making.join()
        return Networks(**self._made)  # type: ignore[arg-type]

    @cached_property
    def renderer(self) -> Renderer:
        return Renderer(self.networks, self.device)

    @cached_property
    def picture(self) -> np.ndarray:
        return rule.picture("a").repeat(2, 0).repeat(2, 1)

    @cached_property
    def poses(self) -> list[Pose]:
        """All 900, twelve of them from all over the grid first."""
        grid = GazeGrid()
        first = [Cell(row, col) for row in (0, 14, 29) for col in (0, 10, 20, 29)]
        return [grid.pose(cell) for cell in [*first, *(cell for cell in grid.cells() if cell not in first)]]

    def count(self, frames: int) -> int:
        return max(2, round(frames * self.scale))

    def frames(self, renderer: Renderer, poses: Sequence[Pose], notes: list[str] | None = None) -> np.ndarray:
        tell = ([] if notes is None else notes).append
        source = renderer.prepare(self.picture, Crop(SIDE / 2, SIDE / 2, SIDE, 0.0))
        return np.concatenate(list(renderer.frames(source, poses, Expression(), tell)))

    def wait(self) -> None:
        if self.is_gpu:
            torch.cuda.synchronize()

    def tidy(self) -> None:
        devices.release_memory(self.device)

    @torch.inference_mode()
    def milliseconds(self, *jobs: Callable[[], Any], repeats: int = 7) -> list[float]:
        """Median of each job; they take turns, and the first turn warms up."""
        times: list[list[float]] = [[] for _ in jobs]
        with devices.repeatably():
            for turn in range(repeats + 1):
                for job, taken in zip(jobs, times, strict=True):
                    self.wait()
                    start = time.perf_counter()
                    job()
                    self.wait()
                    if turn:
                        taken.append(1000 * (time.perf_counter() - start))
        return [round(statistics.median(taken), 4) for taken in times]

    def map(self, *shape: int) -> torch.Tensor:
        """Random values with channels innermost, in the renderer's precision; smaller for a try."""
        sides = [max(4, round(side * self.scale)) if place > 1 else side for place, side in enumerate(shape)]
        return channels_last(torch.randn(sides, device=self.device, dtype=self.renderer.dtype))


def versions(bench: Bench) -> dict[str, Any]:
    """What the other numbers belong to."""
    line: dict[str, Any] = {"python": sys.version.split()[0], "torch": torch.__version__, "opencv": cv2.__version__}
    line |= {"device": str(bench.device), "all_packages": bench.is_whole, "cudnn": torch.backends.cudnn.version()}
    if bench.is_gpu:
        free, total = torch.cuda.mem_get_info()
        line |= {"name": torch.cuda.get_device_name(), "capability": torch.cuda.get_device_capability()}
        line |= {"cuda": torch.version.cuda, "free_gb": round(free / 1e9, 2), "total_gb": round(total / 1e9, 2)}
    return line


def build(bench: Bench) -> dict[str, Any]:
    """The renderer builds and renders; where one profiled frame spends its time. D1, D2, D6."""
    bench.frames(bench.renderer, bench.poses[:2])
    bench.wait()
    kinds = [torch.profiler.ProfilerActivity.CPU] + [torch.profiler.ProfilerActivity.CUDA] * bench.is_gpu
    with torch.profiler.profile(activities=kinds) as profile:
        bench.frames(bench.renderer, bench.poses[:1])
        bench.wait()
    spent = {event.key: event.self_device_time_total or event.self_cpu_time_total for event in profile.key_averages()}
    total = sum(spent.values())
    longest = sorted(spent, key=lambda key: -spent[key])[:12]
    layouts = [key for key in spent if any(word in key.lower() for word in ("nchwtonhwc", "nhwctonchw", "transpose"))]
    return {
        "dtype": str(bench.renderer.dtype),
        "vol2col": [key for key in spent if "vol2col" in key.lower()],
        "layout_share": round(sum(spent[key] for key in layouts) / total, 4),
        "longest": {key[:90]: round(spent[key] / total, 4) for key in longest},
    }


@torch.inference_mode()
def golden(bench: Bench) -> dict[str, Any]:
    """The published networks in float32 beside the reference numbers, without TF32 and with it. D4."""
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
    """float16 and bfloat16 beside float32 of the same card, and that beside the processor's. D3."""
    poses = bench.poses[: bench.count(12)]
    exact = bench.frames(Renderer(bench.networks, bench.device, dtype=torch.float32), poses)
    line: dict[str, Any] = {}
    for dtype in (torch.float16, torch.bfloat16):
        line[str(dtype)] = _beside(bench.frames(Renderer(bench.networks, bench.device, dtype=dtype), poses), exact)
    # The processor's last: it is slow, and its networks move.
    renderer = Renderer(bench.networks, torch.device("cpu"), dtype=torch.float32)
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
    return line


def fingerprint_of(file: Path) -> str:
    """A sum over four frames by stored networks."""
    bench = Bench.__new__(Bench)
    bench.is_whole, bench.scale, bench.device = True, 1.0, devices.best_device()
    bench.is_gpu = bench.device.type == "cuda"
    renderer = Renderer(torch.load(file, weights_only=False), bench.device)
    renderer.batch = 4
    return hashlib.sha256(bench.frames(renderer, bench.poses[:4]).tobytes()).hexdigest()


def sweep(bench: Bench) -> dict[str, Any]:
    """W and G at growing batches: milliseconds a frame, the share of the arithmetic, memory a frame."""
    renderer, rows = bench.renderer, []
    source = renderer.prepare(bench.picture, Crop(SIDE / 2, SIDE / 2, SIDE, 0.0))
    with torch.inference_mode():
        x_d = renderer._keypoints(source, bench.poses[: bench.count(64)], Expression())
        for batch in (1, 2, 4, 8, 16, 32, 64):
            if batch > len(x_d):
                break
            some = x_d[:batch]
            features = renderer._warping(source.warp, some)
            before = _peak(bench)
            warping, decoder = bench.milliseconds(
                partial(renderer._warping, source.warp, some), partial(renderer._decoder, features), repeats=5
            )
            each = (warping + decoder) / batch
            rows.append(
                {
                    "batch": batch,
                    "w_ms": round(warping / batch, 3),
                    "g_ms": round(decoder / batch, 3),
                    "tflops": round(OWN_TERAFLOP / each * 1000, 1),
                    "mb_a_frame": round((_peak(bench) - before) / batch / 1e6, 1),
                }
            )
    return {"rows": rows, "best_ms": min(row["w_ms"] + row["g_ms"] for row in rows)}


def _peak(bench: Bench) -> float:
    """What is allocated now, in bytes, or the most since the last call, whichever is more."""
    if not bench.is_gpu:
        return 0.0
    peak = torch.cuda.max_memory_allocated()
    torch.cuda.reset_peak_memory_stats()
    return float(max(peak, torch.cuda.memory_allocated()))


@torch.inference_mode()
def alternatives(bench: Bench) -> dict[str, Any]:
    """Each saving beside what it replaces, in turns: padded channels, the norm, phases, cuDNN's own choice."""

    def ready(module: nn.Module) -> nn.Module:
        return to_channels_last(module.to(bench.device, bench.renderer.dtype)).eval()

    batch = bench.count(8)
    narrow = nn.Conv3d(110, 64, 3, padding=1)
    thin, wide = bench.map(batch, 110, 16, 64, 64), bench.map(batch, 112, 16, 64, 64)
    middle, deep = bench.map(batch, 512, 64, 64), bench.map(batch, 64, 16, 32, 32)
    conv, phased = nn.Conv3d(64, 32, 3, padding=1), UpsampledConv(2, nn.Conv3d(64, 32, 3, padding=1))
    convs = {name: ready(module) for name, module in (("thin", narrow), ("conv", conv), ("phased", phased))}
    convs["wide"] = ready(widened(narrow))
    pairs: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
        "channels_110_or_112": (partial(convs["thin"], thin), partial(convs["wide"], wide)),
        "instance_norm_torch_or_own": (partial(F.instance_norm, middle), partial(normed, middle)),
        "enlarged_or_phases": (
            lambda: convs["conv"](F.interpolate(deep, scale_factor=(1, 2, 2), mode="nearest")),
            partial(convs["phased"], deep),
        ),
    }
    line: dict[str, Any] = {name: bench.milliseconds(*pair) for name, pair in pairs.items()}
    renderer, poses = bench.renderer, bench.poses[: bench.count(64)]
    times: dict[bool, list[float]] = {False: [], True: []}
    for benchmark in (False, True) * 3:
        renderer.benchmark = benchmark
        bench.wait()
        start = time.perf_counter()
        bench.frames(renderer, poses)
        times[benchmark].append(time.perf_counter() - start)
    renderer.benchmark = False
    return line | {"s_fixed_or_benchmarked": [round(min(times[it]), 3) for it in (False, True)]}


@torch.inference_mode()
def compiled(bench: Bench) -> dict[str, Any]:
    """torch.compile and ahead-of-time compilation of the decoder: seconds to build, milliseconds a frame."""
    batch, decoder = bench.count(16), bench.renderer._decoder
    features = bench.map(batch, 256, 64, 64)
    line: dict[str, Any] = {"batch": batch, "plain_ms": bench.milliseconds(lambda: decoder(features))[0] / batch}
    start = time.perf_counter()
    translated = torch.compile(decoder)
    translated(features)
    line["compile_s"] = round(time.perf_counter() - start, 1)
    line["compiled_ms"] = bench.milliseconds(lambda: translated(features))[0] / batch
    start = time.perf_counter()
    exported = torch.export.export(decoder, (features,))
    with tempfile.TemporaryDirectory() as folder:
        package = torch._inductor.aoti_compile_and_package(exported, package_path=f"{folder}/g.pt2")
        line["ahead_s"] = round(time.perf_counter() - start, 1)
        loaded = torch._inductor.aoti_load_package(package)
        line["ahead_ms"] = bench.milliseconds(lambda: loaded(features))[0] / batch
    return line


@torch.inference_mode()
def plain_loop(bench: Bench) -> dict[str, Any]:
    """The old way on the same card: one frame at a time under autocast, copied and pasted one by one."""
    count, networks, device = bench.count(49), bench.networks, bench.device
    for part in (networks.appearance, networks.motion, networks.warping, networks.decoder, networks.stitching):
        part.to(device)
    half = torch.autocast(device.type, torch.float16, enabled=bench.is_gpu)
    picture = torch.from_numpy(rule.picture("a")).to(device).movedim(-1, 0)[None].float() / 255
    with half:
        volume, motion = networks.appearance(picture), networks.motion(picture)
    motion = motion.to(device)
    x_s = keypoints.source_keypoints(motion)

    def loop(poses: Sequence[Pose]) -> None:
        for pose in poses:
            x_d = keypoints.driving_keypoints(motion, [pose], Expression())
            with half:
                made = networks.decoder(networks.warping(volume, x_s, networks.stitching.correct(x_s, x_d)))
            numbers = made.float().clamp(0, 1)[0].permute(1, 2, 0).mul(255).byte().cpu().numpy()
            cv2.warpAffine(numbers, np.eye(2, 3), (SIDE, SIDE))

    loop(bench.poses[:2])
    start = time.perf_counter()
    loop(bench.poses[:count])
    old = time.perf_counter() - start
    networks.warping.cpu()
    networks.decoder.cpu()
    start = time.perf_counter()
    bench.frames(bench.renderer, bench.poses[:count])
    own = time.perf_counter() - start
    return {"frames": count, "old_s": round(old, 3), "own_s": round(own, 3), "ratio": round(old / own, 2)}


def line(bench: Bench) -> dict[str, Any]:
    """49 keys and 900 frames to the processor's memory, and the share of it in which the GPU waited."""
    result: dict[str, Any] = {}
    for count in (49, 900):
        poses = bench.poses[: bench.count(count)]
        bench.frames(bench.renderer, poses[:2])
        start = time.perf_counter()
        bench.frames(bench.renderer, poses)
        result[f"s_{count}"] = round(time.perf_counter() - start, 3)
    if bench.is_gpu:
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profile:
            start = time.perf_counter()
            bench.frames(bench.renderer, bench.poses[:64])
            wall = time.perf_counter() - start
        busy = sum(event.self_device_time_total for event in profile.key_averages()) / 1e6
        result["idle_share_profiled"] = round(1 - busy / wall, 3)
    return result


def whole(bench: Bench) -> dict[str, Any]:
    """From the photo to finished files, warm; the instant engine's part of the line is the same."""
    if not bench.is_whole:
        return {"left_out": "needs the packages of photos and videos; carry them, see benchmarks/gpu.py"}
    from gaze.engines.liveportrait import engine as module
    from gaze.options import Options
    from gaze.pipeline.making import generate

    photo = next((ROOT / "gaze").rglob("astronaut.jpg"), None) or next((ROOT / "assets").rglob("astronaut.jpg"))
    engine = module.LivePortraitEngine()
    engine.renderer = lambda: bench.renderer  # type: ignore[method-assign]
    times = []
    with tempfile.TemporaryDirectory() as folder:
        for run in range(3):
            start = time.perf_counter()
            generate(photo, Path(folder) / str(run), Options(engine=engine, size=30 if bench.is_gpu else 2))
            times.append(round(time.perf_counter() - start, 2))
    return {"first_s": times[0], "warm_s": min(times[1:])}


def shortage(bench: Bench) -> dict[str, Any]:
    """Little memory, no numbers, and a cancelled run: each goes on or ends, and gives its memory back."""
    result: dict[str, Any] = {}
    poses = bench.poses[: bench.count(40)]

    def tried(renderer: Renderer, count: int) -> dict[str, Any]:
        notes: list[str] = []
        try:
            return {"frames": len(bench.frames(renderer, poses[:count], notes)), "notes": notes}
        except Exception as error:
            return {"error": f"{type(error).__name__}: {error}"[:200], "notes": notes}

    for share in (0.2, 0.08, 0.03) if bench.is_gpu else (1.0,):
        bench.tidy()
        if bench.is_gpu:
            torch.cuda.set_per_process_memory_fraction(share)
        result[f"memory_{share}"] = tried(bench.renderer, len(poses))
        if bench.is_gpu:
            torch.cuda.set_per_process_memory_fraction(1.0)
    before = _allocated(bench)
    source = bench.renderer.prepare(bench.picture, Crop(SIDE / 2, SIDE / 2, SIDE, 0.0))
    batches = bench.renderer.frames(source, bench.poses[: bench.count(200)], Expression())
    next(batches)
    next(batches, None)
    with contextlib.suppress(AttributeError):
        batches.close()  # type: ignore[attr-defined]
    del batches, source
    bench.wait()
    result["kept_after_cancel_mb"] = round((_allocated(bench) - before) / 1e6, 1)
    renderer = Renderer(bench.networks, bench.device)
    decoder = renderer._decoder
    renderer._decoder = lambda features: decoder(features) * float("nan")
    result["no_numbers"] = tried(renderer, 2)
    return result


def _allocated(bench: Bench) -> int:
    return torch.cuda.memory_allocated() if bench.is_gpu else 0


def large(bench: Bench) -> dict[str, Any]:
    """Frames of 2,048 pixels: memory and milliseconds a frame, beside what is planned with."""
    side = bench.count(2048)
    picture = cv2.resize(bench.picture, (side, side))
    source = bench.renderer.prepare(picture, Crop(side / 2, side / 2, side / 2, 0.0))
    bench.renderer.batch = 8
    before = _peak(bench)
    start = time.perf_counter()
    count = len(np.concatenate(list(bench.renderer.frames(source, bench.poses[: bench.count(16)], Expression()))))
    taken = time.perf_counter() - start
    bench.renderer.batch = None
    return {
        "mb_a_frame": round((_peak(bench) - before) / 8 / 1e6, 1),
        "planned_mb": round(devices.frame_bytes(side * side, bench.renderer.dtype) / 1e6, 1),
        "ms_a_frame": round(1000 * taken / count, 2),
    }


STEPS: dict[str, tuple[float, Callable[[Bench], dict[str, Any]]]] = {
    "versions": (2, versions),
    "build": (20, build),
    "golden": (30, golden),
    "precision": (40, precision),
    "determinism": (35, determinism),
    "sweep": (40, sweep),
    "alternatives": (40, alternatives),
    "plain_loop": (20, plain_loop),
    "line": (20, line),
    "whole": (30, whole),
    "shortage": (30, shortage),
    "large": (20, large),
    "compile": (120, compiled),
}
"""Seconds that each is expected to take, and what it does. What can be spared comes last."""
