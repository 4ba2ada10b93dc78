"""The keys of a portrait: rendered by the engine, their motion found, and morphs held against rendered frames."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from gaze.engines.base import Engine
from gaze.engines.blinking import blink_layer, frames_needed, knows_motion
from gaze.face.face import Face
from gaze.grid import GazeGrid, Look
from gaze.motion.eyes import Eyes
from gaze.motion.guard import likeness
from gaze.motion.keys import AUTO, FEWEST, MOST, USUAL, Axis, key_axis, key_looks, looks_to_check, outwards
from gaze.motion.morph import Morph
from gaze.motion.motion import Keys
from gaze.motion.tracking import find_motion
from gaze.photo.portrait import Portrait
from gaze.progress import Progress, Result, Steps
from gaze.storage.checkpoint import Kept

COARSE = 3
"""Keys per side of the first portrait that a slow engine shows; every choice of keys has them."""
PATIENCE = 120.0
"""Seconds of rendering beyond which five keys per side are taken, not seven."""
_GUARD_PATIENCE = 1800.0
"""Seconds of rendering beyond which no more keys are taken without being asked for."""
_SLOW = 20.0
"""Seconds of rendering from which on a coarse portrait is shown, and frames are kept for a later run."""
_AIM = 0.97
"""What the eyes of morphed frames have to have in common with rendered ones, as structural similarity."""
_PACE = 0.1
"""Seconds between two words on how far it is."""


@dataclass(frozen=True)
class Rendered:
    """What `KeyRendering` made.

    Attributes:
        keys: all that a pack needs.
        seconds: that a rendered frame took.
        kept: frames for a later run, if they were dear.
        notes: sentences for the person.
    """

    keys: Keys
    seconds: float
    kept: Kept | None = None
    notes: tuple[str, ...] = ()


Show = Callable[[Keys], Generator[None, None, Result]]
"""Writes a portrait from few keys."""


@dataclass
class KeyRendering:
    """Renders the keys of one portrait.

    Args:
        engine: what renders.
        portrait, face: what the engine is given.
        grid: the looks.
        keys: as in `gaze.options.Options`.
        earlier: what an earlier run rendered of the same.
        show: writes what can be played while a slow engine renders; None where nothing is.
        clock: seconds; tests have one of their own.
        blink: whether the eyes are closed as well, for a layer.

    Attributes:
        source: what the engine made of the portrait, once `run` has begun.
    """

    engine: Engine
    portrait: Portrait
    face: Face
    grid: GazeGrid
    keys: str | int = AUTO
    earlier: Kept | None = None
    show: Show | None = None
    clock: Callable[[], float] = time.monotonic
    blink: bool = False
    source: Any = None
    _frames: dict[Look, np.ndarray] = field(default_factory=dict)
    _spent: float = 0.0
    _counted: int = 0
    _planned: int = 0

    def run(self) -> Generator[Progress, None, Rendered]:
        """Render as many keys as this portrait needs and the engine's speed allows."""
        self._planned = (USUAL if self.keys == AUTO else int(self.keys)) ** 2 + len(looks_to_check((0, 1, 2)))
        yield self._state()
        self.source = self.engine.prepare(self.portrait, self.face)
        notes: tuple[str, ...] = ()
        if self.earlier:
            self._frames |= self.earlier.frames
            notes = (f"{len(self._frames)} rendered frames were taken over from an earlier portrait.",)
        yield from self._render(key_looks(key_axis(self.grid.size, COARSE)))
        count = self._count()
        axis = key_axis(self.grid.size, count)
        self._planned = len({*key_looks(axis), *looks_to_check(axis)})
        if self._is_slow:
            yield from self._show(COARSE)
        made = yield from self._keys(axis)
        likeness = yield from self._likeness(made)
        if likeness < _AIM and count < MOST:
            denser = key_axis(self.grid.size, MOST)
            seconds = len(set(key_looks(denser)) - set(self._frames)) * self._per_frame
            if self.keys == AUTO and seconds <= _GUARD_PATIENCE:
                self._planned = len({*key_looks(denser), *self._frames})
                if self._is_slow:
                    yield from self._show(count)
                made = yield from self._keys(denser)
                notes = (f"{MOST} keys per side were rendered, since this portrait is hard to morph.", *notes)
            else:
                notes += (
                    "Morphed frames differ more from rendered ones than they should for this portrait. "
                    f"{MOST} keys per side would take {_duration(seconds)} more: ask for them if you like.",
                )
        if self.blink:
            made, left_out = yield from self._blink(made)
            notes += left_out
        kept = Kept(dict(self._frames), self._per_frame) if self._is_slow else None
        return Rendered(made, self._per_frame, kept, notes)

    def _count(self) -> int:
        """How many keys per side."""
        if self.keys != AUTO:
            return int(self.keys)
        if self.engine.metered or USUAL**2 * self._per_frame > PATIENCE:
            return FEWEST
        return USUAL

    def _keys(self, axis: Axis) -> Generator[Progress, None, Keys]:
        looks = key_looks(axis)
        yield from self._render(outwards(looks, self.grid.size))
        frames = {number: self._frames[look] for number, look in enumerate(looks)}

        def known(number: int) -> np.ndarray | None:
            return self.engine.displacement(self.source, self.grid.pose(looks[number]))

        return Keys(axis, frames, find_motion(frames, axis, Eyes.of(self.face), known))

    def _likeness(self, made: Keys) -> Generator[Progress, None, float]:
        """How alike the eyes of morphed and rendered frames are where they differ most, on average."""
        looks = looks_to_check(made.axis)
        yield from self._render(looks)
        morph = Morph(made.motion, made.frames)
        eyes, size, travel = Eyes.of(self.face), self.grid.size, self.grid.strengths.head
        scores = [likeness(morph(look), self._frames[look], eyes, look, size, travel) for look in looks]
        return float(np.mean(scores))

    def _blink(self, made: Keys) -> Generator[Progress, None, tuple[Keys, tuple[str, ...]]]:
        """The keys with the layer that closes the eyes, unless it would take too long; and what the person is told."""
        if not self.engine.blinks:
            return made, ()
        known = knows_motion(self.engine, self.source)
        seconds = frames_needed(known) * self._per_frame
        if seconds > PATIENCE:
            return made, (f"The face does not blink: closing its eyes would have taken {_duration(seconds)} more.",)
        layer = blink_layer(self.engine, self.source, self.face, self.grid, made.middle, known)
        for _ in (steps := Steps(layer)):
            yield self._state()
        return (replace(made, layers=(steps.result,)) if steps.result else made), ()

    def _show(self, count: int) -> Generator[Progress, None, None]:
        """What can be played with so many keys."""
        if not self.show or self.earlier:  # whoever continues has the earlier portrait to look at
            return
        made = yield from self._keys(key_axis(self.grid.size, count))
        writing = self.show(made)
        while True:
            try:
                next(writing)
            except StopIteration as end:
                state = self._state()
                yield Progress(state.stage, state.done, state.total, state.message, state.remaining, end.value)
                return
            yield self._state()

    def _render(self, looks: Sequence[Look]) -> Iterator[Progress]:
        """Render those of the looks that were not rendered yet."""
        missing = [look for look in looks if look not in self._frames]
        if not missing:
            return
        waiting = iter(missing)
        started = told = self.clock()
        for batch in self.engine.stream(self.source, [self.grid.pose(look) for look in missing]):
            for frame in batch:
                self._frames[next(waiting)] = frame
                self._counted += 1
            now = self.clock()
            self._spent, started = self._spent + now - started, now
            if now >= told + _PACE:
                told = now
                yield self._state()
            started = self.clock()
        if left := len(list(waiting)):
            raise RuntimeError(f"The engine did not render {left} of {len(missing)} frames.")

    def _state(self) -> Progress:
        done = min(len(self._frames), self._planned)
        message = f"Rendering frame {min(done + 1, self._planned)} of {self._planned}"
        if not self._counted:
            return Progress("render", done, self._planned, message)
        if self._per_frame >= 1:
            message += f", {_duration(self._per_frame)} each"
        return Progress("render", done, self._planned, message, self._per_frame * (self._planned - done))

    @property
    def _per_frame(self) -> float:
        if self._counted:
            return self._spent / self._counted
        return self.earlier.seconds if self.earlier else 0.0

    @property
    def _is_slow(self) -> bool:
        return self._planned * self._per_frame > _SLOW


def _duration(seconds: float) -> str:
    if seconds >= 90:
        return f"{seconds / 60:.0f} min"
    return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
