"""What the steps share: the networks, a renderer, poses, and a clock."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import torch
from torch import nn

from benchmarks.made_networks import PARTS, network_by_rule
from gaze.engines.liveportrait import device as devices
from gaze.engines.liveportrait.crop import SIDE, Crop
from gaze.engines.liveportrait.fused_convolutions import channels_last
from gaze.engines.liveportrait.renderer import Renderer
from gaze.engines.liveportrait.weights import Networks
from gaze.grid import Cell, Expression, GazeGrid, Pose
from tests.engines.liveportrait import rule


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
        for name in PARTS:
            if self._is_closed:
                return
            self._made[name] = network_by_rule(name)

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
        """As if no step had been run: one that fails leaves its settings behind, and its memory."""
        if "renderer" in self.__dict__:
            self.renderer.batch, self.renderer.benchmark = None, False
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

    def allocated(self) -> int:
        """Graphics memory in use, in bytes."""
        return torch.cuda.memory_allocated() if self.is_gpu else 0

    def memory_of(self, job: Callable[[], Any]) -> int:
        """Graphics memory that a job takes at most, beyond what is in use before it, in bytes."""
        before = self.allocated()
        if self.is_gpu:
            torch.cuda.reset_peak_memory_stats()
        with devices.repeatably():
            job()
        return torch.cuda.max_memory_allocated() - before if self.is_gpu else 0
