"""Frames rendered by an engine, each look once, and how long they take."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from gaze.engines.base import Engine
from gaze.grid import GazeGrid, Look
from gaze.progress import Progress, duration
from gaze.storage.checkpoint import Checkpoint

_BETWEEN = 0.1
"""Seconds between two words on how far it is."""


class FrameRenderer:
    """Renders looks of one portrait.

    Args:
        engine: what renders.
        source: what the engine made of the portrait.
        grid: the looks.
        planned: frames that will be there in the end.
        earlier: what an earlier run rendered of the same.
        clock: seconds.

    Attributes:
        frames: (height, width, 3 or 4) uint8, by their looks.
        planned: as above; it may change while their speed is learnt.
    """

    def __init__(
        self,
        engine: Engine,
        source: Any,
        grid: GazeGrid,
        planned: int,
        earlier: Checkpoint | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine, self._source, self._grid, self._clock = engine, source, grid, clock
        self.planned, self._earlier = planned, earlier
        self._counted, self._spent = 0, 0.0
        self.frames: dict[Look, np.ndarray] = dict(earlier.frames) if earlier else {}

    def render(self, looks: Sequence[Look]) -> Iterator[Progress]:
        """Render those of the looks that were not rendered yet."""
        missing = [look for look in looks if look not in self.frames]
        if not missing:
            return
        waiting = iter(missing)
        started = told = self._clock()
        for batch in self._engine.stream(self._source, [self._grid.pose(look) for look in missing]):
            for frame in batch:
                self.frames[next(waiting)] = frame
                self._counted += 1
            now = self._clock()
            self._spent, started = self._spent + now - started, now
            if now >= told + _BETWEEN:
                told = now
                yield self.progress()
            started = self._clock()
        if left := len(list(waiting)):
            raise RuntimeError(f"The engine did not render {left} of {len(missing)} frames.")

    def progress(self) -> Progress:
        """How far it is."""
        done = min(len(self.frames), self.planned)
        message = f"Rendering frame {min(done + 1, self.planned)} of {self.planned}"
        if not self._counted:
            return Progress("render", done, self.planned, message)
        if self.seconds >= 1:
            message += f", {duration(self.seconds)} each"
        return Progress("render", done, self.planned, message, self.seconds * (self.planned - done))

    @property
    def seconds(self) -> float:
        """Seconds that a frame takes; 0 while nothing is known."""
        if self._counted:
            return self._spent / self._counted
        return self._earlier.seconds if self._earlier else 0.0
