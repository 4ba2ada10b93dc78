"""The keys of a portrait: rendered by the engine, their motion found, and morphs held against rendered frames."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from gaze.engines.base import Engine
from gaze.engines.blinking import blink_layer, frames_needed, knows_motion
from gaze.face.face import Face
from gaze.grid import GazeGrid, Look
from gaze.motion.eyes import Eyes
from gaze.motion.guard import likeness
from gaze.motion.keys import AUTO, COARSE, MOST, Axis, key_axis, key_looks, looks_to_check, outwards
from gaze.motion.morph import Morph
from gaze.motion.motion import Keys
from gaze.motion.tracking import find_motion
from gaze.pipeline.frames import FrameRenderer
from gaze.pipeline.key_plan import KeyPlan, frames_planned, is_slow, takes_too_long, usual_keys
from gaze.progress import Progress, Result, Steps, duration
from gaze.storage.checkpoint import Checkpoint


@dataclass(frozen=True)
class Rendered:
    """What `KeyRendering` made.

    Attributes:
        keys: all that a pack needs.
        seconds: that a rendered frame took.
        checkpoint: frames for a later run, if they were dear.
        notes: sentences for the person.
    """

    keys: Keys
    seconds: float
    checkpoint: Checkpoint | None = None
    notes: tuple[str, ...] = ()


Show = Callable[[Keys], Generator[None, None, Result]]
"""Writes a portrait from few keys."""


class KeyRendering:
    """Renders the keys of one portrait.

    Args:
        engine: what renders.
        source: what the engine made of the portrait.
        face: the portrait's.
        grid: the looks.
        keys: as in `gaze.options.Options`.
        earlier: what an earlier run rendered of the same.
        show: writes what can be played while a slow engine renders; None where nothing is.
        clock: seconds; tests have one of their own.
        blink: whether the eyes are closed as well, for a layer.
    """

    def __init__(
        self,
        engine: Engine,
        source: Any,
        face: Face,
        grid: GazeGrid,
        keys: str | int = AUTO,
        earlier: Checkpoint | None = None,
        show: Show | None = None,
        clock: Callable[[], float] = time.monotonic,
        blink: bool = False,
    ) -> None:
        self._engine, self._source, self._face, self._grid = engine, source, face, grid
        self._asked, self._earlier, self._show_coarse, self._blinks = keys, earlier, show, blink
        planned = frames_planned(grid.size, usual_keys(keys))
        self._frames = FrameRenderer(engine, source, grid, planned, earlier, clock)

    def run(self) -> Generator[Progress, None, Rendered]:
        """Render as many keys as this portrait needs and the engine's speed allows."""
        notes: tuple[str, ...] = ()
        if self._earlier:
            notes = (f"{len(self._frames.frames)} rendered frames of an earlier portrait were reused.",)
        yield from self._frames.render(self._first_looks())
        plan = KeyPlan(self._asked, self._grid.size, self._frames.seconds, self._engine.metered)
        count = plan.first
        self._frames.planned = frames_planned(self._grid.size, count)
        if self._is_slow:
            yield from self._show(COARSE)
        made = yield from self._keys(key_axis(self._grid.size, count))
        if count > COARSE and plan.is_too_coarse(count, (yield from self._likeness(made))):
            plan = replace(plan, seconds=self._frames.seconds)
            seconds = plan.missing(MOST, self._frames.frames)
            if plan.may_go_on(seconds):
                denser = key_axis(self._grid.size, MOST)
                self._frames.planned = len({*key_looks(denser), *self._frames.frames})
                if self._is_slow:
                    yield from self._show(count)
                made = yield from self._keys(denser)
                notes = (f"{MOST} keys per side were rendered, since this portrait is hard to morph.", *notes)
            else:
                notes += (
                    "Morphed frames differ more from rendered ones than they should for this portrait. "
                    f"{MOST} keys per side would take {duration(seconds)} more: ask for them if you like.",
                )
        if self._blinks:
            made, left_out = yield from self._blink(made)
            notes += left_out
        checkpoint = Checkpoint(dict(self._frames.frames), self._frames.seconds) if self._is_slow else None
        return Rendered(made, self._frames.seconds, checkpoint, notes)

    def _first_looks(self) -> list[Look]:
        """Few, which tell the engine's speed; all at once where each call has its price, and the number is known."""
        size = self._grid.size
        if not self._engine.metered:
            return key_looks(key_axis(size, COARSE))
        axis = key_axis(size, KeyPlan(self._asked, size, 0.0, is_metered=True).first)
        return [*key_looks(axis), *looks_to_check(axis)]

    def _keys(self, axis: Axis) -> Generator[Progress, None, Keys]:
        looks = key_looks(axis)
        yield from self._frames.render(outwards(looks, self._grid.size))
        frames = {number: self._frames.frames[look] for number, look in enumerate(looks)}

        def known(number: int) -> np.ndarray | None:
            return self._engine.displacement(self._source, self._grid.pose(looks[number]))

        return Keys(axis, frames, find_motion(frames, axis, Eyes.of(self._face), known))

    def _likeness(self, made: Keys) -> Generator[Progress, None, float]:
        """How alike the eyes of morphed and rendered frames are where they differ most, on average."""
        looks = looks_to_check(made.axis)
        yield from self._frames.render(looks)
        morph = Morph(made.motion, made.frames)
        eyes, size, travel = Eyes.of(self._face), self._grid.size, self._grid.strengths.head
        rendered = self._frames.frames
        return float(np.mean([likeness(morph(look), rendered[look], eyes, look, size, travel) for look in looks]))

    def _blink(self, made: Keys) -> Generator[Progress, None, tuple[Keys, tuple[str, ...]]]:
        """The keys with the layer that closes the eyes, unless it would take too long; and what the person is told."""
        if not self._engine.blinks:
            return made, ()
        known = knows_motion(self._engine, self._source)
        seconds = frames_needed(known) * self._frames.seconds
        if takes_too_long(seconds):
            return made, (f"The face does not blink: closing its eyes would have taken {duration(seconds)} more.",)
        layer = blink_layer(self._engine, self._source, self._face, self._grid, made.middle, known)
        for _ in (steps := Steps(layer)):
            yield self._frames.progress()
        return (replace(made, layers=(steps.result,)) if steps.result else made), ()

    def _show(self, count: int) -> Generator[Progress, None, None]:
        """What can be played with so many keys."""
        if not self._show_coarse or self._earlier:  # whoever continues has the earlier portrait to look at
            return
        made = yield from self._keys(key_axis(self._grid.size, count))
        for _ in (steps := Steps(self._show_coarse(made))):
            yield self._frames.progress()
        yield replace(self._frames.progress(), result=steps.result)

    @property
    def _is_slow(self) -> bool:
        return is_slow(self._frames.planned, self._frames.seconds)
