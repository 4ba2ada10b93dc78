"""Engines that render by another one."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from gaze.engines.base import Engine
from gaze.grid import Pose
from gaze.progress import Loading


class WrappingEngine(Engine):
    """Asks another engine for all that a subclass does not change.

    Args:
        engine: the other one. A subclass may put a third in its place later.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @abstractmethod
    def _own(self, source: Any) -> Any:
        """What the other engine's `prepare` returned, from what this one's did."""

    @property
    def name(self) -> str:  # type: ignore[override]
        return self._engine.name

    @property
    def metered(self) -> bool:  # type: ignore[override]
        return self._engine.metered

    @property
    def blinks(self) -> bool:  # type: ignore[override]
        return self._engine.blinks

    def load(self) -> Iterator[Loading]:
        return self._engine.load()

    def render(self, source: Any, poses: Sequence[Pose]) -> np.ndarray:
        return np.concatenate(list(self.stream(source, poses)))

    def stream(self, source: Any, poses: Sequence[Pose]) -> Iterator[np.ndarray]:
        return self._engine.stream(self._own(source), poses)

    def positions(self, source: Any, pose: Pose) -> np.ndarray | None:
        return self._engine.positions(self._own(source), pose)

    def displacement(self, source: Any, pose: Pose) -> np.ndarray | None:
        return self._engine.displacement(self._own(source), pose)

    def notes(self) -> tuple[str, ...]:
        return self._engine.notes()
