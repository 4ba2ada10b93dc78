"""Steps that ask what happens when memory is short, and how much large frames take."""

from __future__ import annotations

import contextlib
import time
from typing import Any

import cv2
import torch

from benchmarks.gpu.bench import Bench
from gaze.engines.liveportrait import device as devices
from gaze.engines.liveportrait.crop import SIDE, Crop
from gaze.engines.liveportrait.renderer import Renderer
from gaze.grid import Expression


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
    before = bench.allocated()
    source = bench.renderer.prepare(bench.picture, Crop(SIDE / 2, SIDE / 2, SIDE, 0.0))
    batches = bench.renderer.frames(source, bench.poses[: bench.count(200)], Expression())
    next(batches)
    next(batches, None)
    with contextlib.suppress(AttributeError):
        batches.close()  # type: ignore[attr-defined]
    del batches, source
    bench.wait()
    result["kept_after_cancel_mb"] = round((bench.allocated() - before) / 1e6, 1)
    renderer = Renderer(bench.networks, bench.device)
    decoder = renderer._decoder
    renderer._decoder = lambda features: decoder(features) * float("nan")
    result["no_numbers"] = tried(renderer, 2)
    return result


def large(bench: Bench) -> dict[str, Any]:
    """Frames of 2,048 pixels: memory and milliseconds a frame, beside what is planned with."""
    side = bench.count(2048)
    picture = cv2.resize(bench.picture, (side, side))
    source = bench.renderer.prepare(picture, Crop(side / 2, side / 2, side / 2, 0.0))
    poses, batch = bench.poses[: bench.count(16)], 8
    bench.renderer.batch = batch
    start = time.perf_counter()
    memory = bench.memory_of(lambda: list(bench.renderer.frames(source, poses, Expression())))
    taken = time.perf_counter() - start
    bench.renderer.batch = None
    return {
        "mb_a_frame": round(memory / batch / 1e6, 1),
        "planned_mb": round(devices.frame_bytes(side * side, bench.renderer.dtype) / 1e6, 1),
        "ms_a_frame": round(1000 * taken / len(poses), 2),
    }
