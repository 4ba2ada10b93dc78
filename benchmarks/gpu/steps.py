"""The steps, in their order."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks.gpu import correctness, memory, speed
from benchmarks.gpu.bench import Bench

STEPS: dict[str, tuple[float, Callable[[Bench], dict[str, Any]]]] = {
    "versions": (2, correctness.versions),
    "build": (20, speed.build),
    "golden": (30, correctness.golden),
    "precision": (40, correctness.precision),
    "determinism": (35, correctness.determinism),
    "sweep": (40, speed.sweep),
    "alternatives": (40, speed.alternatives),
    "plain_loop": (20, speed.plain_loop),
    "line": (20, speed.line),
    "whole": (30, speed.whole),
    "shortage": (30, memory.shortage),
    "large": (20, memory.large),
    "compile": (120, speed.compiled),
}
"""Seconds that each is expected to take, and what it does. What can be spared comes last."""
