"""One engine until it fails before its first frame; from then on another, or a sentence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gaze.engines.base import Engine, in_words
from gaze.engines.wrapping import WrappingEngine
from gaze.errors import GazeError
from gaze.face.face import Face
from gaze.grid import Pose
from gaze.photo.portrait import Portrait


@dataclass
class FallbackSource:
    """A portrait, and what an engine made of it: of the engine in use, as soon as it is asked for."""

    portrait: Portrait
    face: Face
    engine: Engine
    own: Any


class FallbackEngine(WrappingEngine):
    """For one run. Once a frame has been rendered there is no way back: frames of two engines do not go together.

    Args:
        engine: renders, if it can.
        instead: renders otherwise; it has to be ready. None where this engine was asked for by its name.
    """

    def __init__(self, engine: Engine, instead: Engine | None) -> None:
        super().__init__(engine)
        self._instead = instead
        self._rendered = False
        self._reason: tuple[str, ...] = ()

    @classmethod
    def failed(cls, error: Exception, instead: Engine) -> FallbackEngine:
        """The other engine from the start, after one that could not even be built."""
        made = cls(instead, instead)
        made._reason = (_instead_of(error),)
        return made

    def prepare(self, portrait: Portrait, face: Face) -> FallbackSource:
        try:
            own = self._engine.prepare(portrait, face)
        except Exception as error:
            self._give_up(error)
            own = self._engine.prepare(portrait, face)
        return FallbackSource(portrait, face, self._engine, own)

    def stream(self, source: FallbackSource, poses: Sequence[Pose]) -> Iterator[np.ndarray]:
        try:
            for batch in self._engine.stream(self._own(source), poses):
                self._rendered = True
                yield batch
        except Exception as error:
            if self._rendered:
                raise
            self._give_up(error)
            yield from self._engine.stream(self._own(source), poses)

    def notes(self) -> tuple[str, ...]:
        return (*self._reason, *self._engine.notes())

    def _give_up(self, error: Exception) -> None:
        if self._instead is None and not isinstance(error, GazeError):
            raise GazeError(f"The LivePortrait engine failed: {in_words(error)}") from error
        if self._instead in (None, self._engine):
            raise error
        self._reason = (_instead_of(error),)
        self._engine = self._instead

    def _own(self, source: FallbackSource) -> Any:
        if source.engine is not self._engine:
            source.engine, source.own = self._engine, self._engine.prepare(source.portrait, source.face)
        return source.own


def _instead_of(error: Exception) -> str:
    return f"The LivePortrait engine failed here, so the instant engine rendered: {in_words(error)}"
