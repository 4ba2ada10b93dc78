"""Every cell's frame into the spool: rendered by the engine, or morphed between those that were."""

from __future__ import annotations

import os
import time
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from gaze.blocks import Block, cut_blocks
from gaze.engines.base import Engine
from gaze.faces import Face
from gaze.grid import Cell, GazeGrid
from gaze.inbetween import Inbetween
from gaze.keys import (
    AUTO,
    COARSEST,
    KEY_CHOICES,
    METERED_KEYS,
    PATIENCE,
    Axis,
    auto_axis,
    cells_of,
    cells_to_check,
    key_axis,
    refine,
)
from gaze.portrait import Portrait
from gaze.progress import Progress
from gaze.spool import FrameSpool
from gaze.ssim import ssim

_PACE = 0.1
"""Seconds between two words on how far it is."""
_GUARD_PATIENCE = 1800.0
"""Seconds of rendering beyond which no denser keys are taken without being asked for."""
_AIM, _COARSE_AIM, _COARSE = 0.97, 0.96, 10
"""What the eyes of morphed frames have to have in common with rendered ones, as structural similarity; the second where
fewer than so many keys per side were chosen."""


class Rendering:
    """Makes the frames of one portrait: first `render_keys`, then `fill` for each of the blocks, in their order.

    Args:
        engine: renders the keys, or all.
        portrait, face: what the engine is given.
        grid: the looks.
        spool: where the frames go.
        keys: as in `gaze.pipeline.Options`.

    Attributes:
        blocks: the blocks of the grid.
        notes: sentences for the person on which cells were rendered, and why.
    """

    def __init__(
        self, engine: Engine, portrait: Portrait, face: Face, grid: GazeGrid, spool: FrameSpool, keys: str | int
    ) -> None:
        self.blocks = cut_blocks(grid.size)
        self.notes: tuple[str, ...] = ()
        self._engine, self._portrait, self._face = engine, portrait, face
        self._grid, self._spool, self._keys = grid, spool, keys
        self._rendered: set[Cell] = set()
        self._filled = 0
        self._planned: int | None = None
        self._between: Inbetween | None = None
        self._arriving: Iterator[Progress] = iter(())
        self._arrivals: list[tuple[int, float]] = []
        self._told = 0.0

    def render_keys(self) -> Generator[Progress, None, None]:
        """Render what the other frames are morphed from: as many as it takes for this portrait."""
        yield self.state()
        source = self._engine.prepare(self._portrait, self._face)
        self._stream = partial(self._engine.stream, source)
        self._told = time.monotonic()
        self._arrivals = [(0, self._told)]
        axis, why = key_axis(self._grid.size, COARSEST), "as was asked for"
        if self._keys != AUTO:
            axis = key_axis(self._grid.size, int(self._keys))
        elif self._engine.metered:
            axis, why = key_axis(self._grid.size, METERED_KEYS), "to spare your GPU quota"
        elif len(axis) < self._grid.size:
            yield from self._render(cells_of(axis))
            # Apart, so that the engine's speed is known even if all keys came in its first batch.
            yield from self._render(cells_to_check(axis))
            axis = auto_axis(self._grid.size, self._per_frame())
            why = f"as one takes {_seconds(self._per_frame())} here"
        enough = yield from self._enough(axis)
        if enough != axis:
            why = "more than planned, since this portrait is hard to morph"
        keys, count = len(enough), self._grid.count
        if keys < self._grid.size:
            rest = f"the other {count - keys**2} were morphed between them"
            self.notes = (f"{keys**2} of the {count} frames were rendered, {why}; {rest}.", *self.notes)
        else:
            if enough != axis:
                self.notes = (f"All {count} frames were rendered, {why}.",)
            self._arriving = self._render([cell for block in self.blocks for cell in block.cells])

    def fill(self, block: Block) -> Generator[Progress, None, None]:
        """See to it that each frame of a block is in the spool."""
        if self._between:
            with ThreadPoolExecutor(os.cpu_count()) as pool:
                for cell, frame in zip(block.cells, pool.map(self._between.frame, block.cells), strict=True):
                    self._spool.put(cell, frame)
        while not self._between and not self._rendered.issuperset(block.cells):
            yield next(self._arriving, self.state())
        self._filled += len(block.cells)
        yield self.state()

    def state(self) -> Progress:
        """How far it is."""
        count, done = self._grid.count, len(self._rendered)
        planned = self._planned or self._expected()
        if self._filled == count:
            return Progress("pack", 0, 1, "Packing the frames")
        if self._between:
            return Progress("morph", self._filled, count, f"Morphing frame {self._filled} of {count}")
        message = f"Rendering frame {done} of {planned}"
        if not done:
            return Progress("render", 0, planned, message)
        seconds = self._per_frame()
        message += (
            _too_long(seconds, planned) if planned == count else f", {_seconds(seconds)} each; the rest is morphed"
        )
        return Progress("render", done, planned, message, seconds * (planned - done))

    def _enough(self, axis: Axis) -> Generator[Progress, None, Axis]:
        """Render the keys of an axis, and denser ones while what is morphed differs too much from what is rendered."""
        aim = _COARSE_AIM if len(axis) < _COARSE else _AIM
        while len(axis) < self._grid.size:
            checks = cells_to_check(axis)
            self._planned = len({*cells_of(axis), *checks})
            yield from self._render([*cells_of(axis), *checks])
            between = Inbetween(axis, self._spool.get, self._face, self._grid.strengths)
            good = self._alike(between, checks) >= aim
            denser = refine(axis)
            seconds = len(set(cells_of(denser)) - self._rendered) * self._per_frame()
            if not good and seconds > _GUARD_PATIENCE:
                self.notes = (
                    f"Morphed frames differ more from rendered ones than they should for this portrait. {len(denser)} "
                    f"keys per side would take {seconds / 60:.0f} min more: ask for them if you like.",
                )
            if good or seconds > _GUARD_PATIENCE:
                self._between = between
                return axis
            axis = denser
        self._planned = self._grid.count
        return axis

    def _alike(self, between: Inbetween, checks: Sequence[Cell]) -> float:
        """How alike the eyes of morphed and rendered frames are, on average."""
        scores = [ssim(*map(between.eyes.cut, (between.frame(cell), self._spool.get(cell)))) for cell in checks]
        return sum(scores) / len(scores)

    def _render(self, cells: Sequence[Cell]) -> Iterator[Progress]:
        """Render those of the cells that were not rendered yet."""
        missing = [cell for cell in cells if cell not in self._rendered]
        waiting = iter(missing)
        for batch in self._stream([self._grid.pose(cell) for cell in missing]) if missing else ():
            self._arrivals.append((len(self._rendered) + len(batch), time.monotonic()))
            for frame in batch:
                cell = next(waiting)
                self._spool.put(cell, frame)
                self._rendered.add(cell)
                yield from self._paced()
        if left := len(list(waiting)):
            raise RuntimeError(f"The engine did not render {left} of {len(missing)} frames.")

    def _expected(self) -> int:
        """How many frames will have to be rendered, as far as it can be told from the engine's speed by now."""
        if self._keys != AUTO or len(self._arrivals) < 2:
            return self._grid.count
        axis = auto_axis(self._grid.size, self._per_frame())
        return len({*cells_of(axis), *cells_to_check(axis)}) if len(axis) < self._grid.size else self._grid.count

    def _per_frame(self) -> float:
        """Seconds; without the first batch, which does everything for the first time, as soon as there is another."""
        first = self._arrivals[1 if len(self._arrivals) > 2 else 0]
        done, now = self._arrivals[-1]
        return (now - first[1]) / (done - first[0])

    def _paced(self) -> Iterator[Progress]:
        if time.monotonic() > self._told + _PACE:
            self._told = time.monotonic()
            yield self.state()


def _seconds(value: float) -> str:
    return f"{value:.2g} s" if value < 10 else f"{value:.0f} s"


def _too_long(per_frame: float, frames: int) -> str:
    """What to tell a person who would wait for more than a few minutes."""
    most = max((keys for keys in KEY_CHOICES if keys**2 * per_frame <= PATIENCE), default=COARSEST)
    if frames * per_frame <= PATIENCE or most**2 >= frames:
        return ""
    return f": {per_frame:.0f} s each here. With {most} keys per side it would take {most**2 * per_frame / 60:.0f} min"
