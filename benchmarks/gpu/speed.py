"""Steps that ask how fast the engine is, and what each saving is worth."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from unittest import mock

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.autograd import DeviceType

from benchmarks.gpu.bench import Bench
from benchmarks.instant import PHOTO
from gaze.engines.liveportrait import ahead, keypoints, weights
from gaze.engines.liveportrait.crop import SIDE, Crop
from gaze.engines.liveportrait.fused_convolutions import UpsampledConv, to_channels_last, widened
from gaze.engines.liveportrait.fused_networks import normed
from gaze.grid import Expression, Pose
from tests.engines.liveportrait import rule

OWN_TERAFLOP = 1.05
"""A frame's arithmetic in W and G, as it runs here."""


def build(bench: Bench) -> dict[str, Any]:
    """The renderer builds and renders; where one profiled frame spends its time."""
    bench.frames(bench.renderer, bench.poses[:2])
    bench.wait()
    spent = time_spent(bench, lambda: bench.frames(bench.renderer, bench.poses[:1]))
    total = sum(spent.values()) or 1
    longest = sorted(spent, key=lambda key: -spent[key])[:12]
    layouts = [key for key in spent if any(word in key.lower() for word in ("nchwtonhwc", "nhwctonchw", "transpose"))]
    return {
        "dtype": str(bench.renderer.dtype),
        "vol2col": [key for key in spent if "vol2col" in key.lower()],
        "layout_share": round(sum(spent[key] for key in layouts) / total, 4),
        "longest": {key[:90]: round(spent[key] / total, 4) for key in longest},
    }


def time_spent(bench: Bench, job: Callable[[], Any]) -> dict[str, float]:
    """Microseconds that each kind of work takes on the device itself: what starts it there would count twice."""
    kinds = torch.profiler.ProfilerActivity
    with torch.profiler.profile(activities=[kinds.CPU, *[kinds.CUDA] * bench.is_gpu], acc_events=True) as profile:
        job()
        bench.wait()
    events = profile.key_averages()
    if bench.is_gpu:
        return {event.key: event.self_device_time_total for event in events if event.device_type == DeviceType.CUDA}
    return {event.key: event.self_cpu_time_total for event in events}


def sweep(bench: Bench) -> dict[str, Any]:
    """W and G at growing batches: milliseconds a frame, the share of the arithmetic, memory a frame."""
    renderer, rows = bench.renderer, []
    source = renderer.prepare(bench.picture, Crop(SIDE / 2, SIDE / 2, SIDE, 0.0))

    def both(some: torch.Tensor) -> torch.Tensor:
        return renderer._decoder(renderer._warping(source.warp, some))

    with torch.inference_mode():
        x_d = renderer._keypoints(source, bench.poses[: bench.count(64)], Expression())
        for batch in (1, 2, 4, 8, 16, 32, 64):
            if batch > len(x_d):
                break
            some = x_d[:batch]
            features = renderer._warping(source.warp, some)
            warping, decoder = bench.milliseconds(
                partial(renderer._warping, source.warp, some), partial(renderer._decoder, features), repeats=5
            )
            each = (warping + decoder) / batch
            del features
            memory = bench.memory_of(partial(both, some))
            rows.append(
                {
                    "batch": batch,
                    "w_ms": round(warping / batch, 3),
                    "g_ms": round(decoder / batch, 3),
                    "tflops": round(OWN_TERAFLOP / each * 1000, 1),
                    "mb_a_frame": round(memory / batch / 1e6, 1),
                }
            )
    return {"rows": rows, "best_ms": min(row["w_ms"] + row["g_ms"] for row in rows)}


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
    """W and G by torch.compile and compiled ahead of time: seconds to build and to load, milliseconds a frame."""
    renderer, batch = bench.renderer, bench.count(16)
    source = renderer.prepare(bench.picture, Crop(SIDE / 2, SIDE / 2, SIDE, 0.0))
    inputs = (*source.warp, renderer._keypoints(source, bench.poses[:batch], Expression()))
    plain = partial(renderer.networks, *inputs)
    line: dict[str, Any] = {"batch": batch, "plain_ms": bench.milliseconds(plain)[0] / batch}
    translated = torch.compile(renderer.networks)
    start = time.perf_counter()
    translated(*inputs)
    bench.wait()
    line["compile_s"] = round(time.perf_counter() - start, 1)
    line["compiled_ms"] = bench.milliseconds(partial(translated, *inputs))[0] / batch
    with tempfile.TemporaryDirectory() as folder:
        try:
            for name in ("ahead_s", "ahead_again_s"):
                ahead.unload(renderer.networks)
                start = time.perf_counter()
                ahead.compile_networks(renderer.networks, Path(folder))
                line[name] = round(time.perf_counter() - start, 1)
            line["ahead_ms"] = bench.milliseconds(plain)[0] / batch
            line["ahead_mb_a_frame"] = round(bench.memory_of(plain) / batch / 1e6, 1)
        finally:
            ahead.unload(renderer.networks)
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
        start = time.perf_counter()
        bench.frames(bench.renderer, bench.poses[:64])
        wall = time.perf_counter() - start
        busy = sum(time_spent(bench, lambda: bench.frames(bench.renderer, bench.poses[:64])).values()) / 1e6
        result["idle_share"] = round(1 - busy / wall, 3)
    return result


def whole(bench: Bench) -> dict[str, Any]:
    """From the photo to the finished pack, warm; the instant engine's part of the line is the same."""
    if not bench.is_whole:
        return {"left_out": "needs the packages of photos and videos; carry them, see benchmarks/gpu/__main__.py"}
    from gaze.engines.liveportrait import engine as module
    from gaze.options import Options
    from gaze.pipeline.making import generate

    engine = module.LivePortraitEngine()
    engine.renderer = lambda: bench.renderer  # type: ignore[method-assign]
    times = []
    with tempfile.TemporaryDirectory() as folder, mock.patch.dict(os.environ, {weights.FOLDER_VARIABLE: folder}):
        for run in range(3):
            start = time.perf_counter()
            options = Options(engine=engine, size=30 if bench.is_gpu else 2, sheets=False)
            generate(PHOTO, Path(folder) / str(run), options)
            times.append(round(time.perf_counter() - start, 2))
    return {"first_s": times[0], "warm_s": min(times[1:])}
