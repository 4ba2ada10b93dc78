"""How far a run is and how long it will take: one share that never falls, one time that never rises."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

from gaze.options import Options
from gaze.progress import Progress

STAGES = ("read", "load", "render", "pack", "ready", "encode", "sheets", "fetch", "keep", "done")
"""In their order; not every run has all."""
_USUAL: Mapping[str, float] = {"read": 0.15, "load": 0.02, "render": 0.4, "pack": 0.4}
"""Shares of the whole time, for a first run. They move the bar; no time is told by them."""
_CAREFUL = 3.0
"""Seconds of a run before its own speed is believed."""

Seconds = dict[str, float]
"""Seconds that each stage took."""


class Estimates:
    """Seconds that portraits took on this machine, for each engine and frame size apart."""

    def __init__(self) -> None:
        self._runs: dict[tuple[str, str | int], Seconds] = {}
        self._lock = threading.Lock()

    def learn(self, engine: str, options: Options, took: Seconds, portraits: int = 1) -> None:
        """After so many portraits were made in one run."""
        with self._lock:
            self._runs[engine, options.frame_size] = {stage: seconds / portraits for stage, seconds in took.items()}

    def expect(self, engine: str, options: Options, portraits: int = 1) -> Seconds | None:
        """What each stage will take for so many portraits; None where nothing like it was made here yet."""
        known = self._runs.get((engine, options.frame_size))
        return known and {stage: seconds * portraits for stage, seconds in known.items()}


class Meter:
    """How far one run is.

    Args:
        expected: what `Estimates.expect` says.
        clock: seconds.

    Attributes:
        share: of the whole, 0 to 1; never falls.
        took: seconds of each stage so far.
    """

    def __init__(self, expected: Seconds | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._expected, self._clock = expected, clock
        whole = sum(expected.values()) if expected else 0.0
        self._weights = {name: took / whole for name, took in expected.items()} if expected and whole else dict(_USUAL)
        self._whole = whole
        self._begun = self._since = clock()
        self._stage, self._entered, self._part = "read", self._begun, 0
        self._left: float | None = None
        self.share = 0.0
        self.took: Seconds = {}

    def step(self, step: Progress) -> None:
        """Take notice of a step."""
        now = self._clock()
        self.took[self._stage] = self.took.get(self._stage, 0.0) + now - self._since
        if (step.part, step.stage) != (self._part, self._stage):
            self._entered = now
        self._part, self._stage, self._since = step.part, step.stage, now
        place = STAGES.index(step.stage) if step.stage in STAGES else 0
        before = sum(self._weights.get(name, 0.0) for name in STAGES[:place])
        done = min(1.0, step.done / max(step.total, 1))
        if usual := (self._expected or {}).get(step.stage):  # a stage may tell nothing until it ends
            done = max(done, min(0.95, (now - self._entered) * step.parts / usual))
        within = self._weights.get(step.stage, 0.0) * done
        share = (step.part + before + within) / step.parts
        self.share = 1.0 if step.stage == "done" else min(0.99, max(self.share, share))

    @property
    def left(self) -> float | None:
        """Seconds that are left of the whole; None while they are not known."""
        passed = self._clock() - self._begun
        if not self._whole:
            return None
        whole = self._whole
        if self.share > 0.1 and passed > _CAREFUL:
            whole += (passed / self.share - whole) * self.share
        left = max(0.0, whole - passed)
        self._left = left if self._left is None else min(left, self._left)
        return self._left
