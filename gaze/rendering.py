"""Every cell's frame into the spool: rendered by the engine, or morphed between those that were."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import lru_cache, partial

from gaze.engines.base import Engine
from gaze.face.face import Face
from gaze.grid import Cell, GazeGrid
from gaze.motion.inbetween import Inbetween
from gaze.motion.old_keys import (
    AUTO,
    COARSEST,
    KEY_CHOICES,
    METERED_KEYS,
    PATIENCE,
    Axis,
    auto_axis,
    cells_of,
    cells_to_check,
    continued_axis,
    key_axis,
    refine,
    stages,
)
from gaze.motion.ssim import ssim
from gaze.output.blocks import Block, cut_blocks
from gaze.output.coarse import CoarsePortrait
from gaze.output.spool import FrameSpool
from gaze.photo.portrait import Portrait
from gaze.progress import Progress, Steps
from gaze.storage.checkpoint import Kept

_PACE = 0.1
"""Seconds between two words on how far it is."""
_GUARD_PATIENCE = 1800.0
"""Seconds of rendering beyond which no denser keys are taken without being asked for."""
_SLOW = 20.0
"""Seconds of rendering from which on it is worth a few more to show what is there, and to keep it for a later run."""
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
        keys: as in `gaze.options.Options`.
        earlier: what an earlier run rendered of the same; its frames are in the spool.
        coarse: writes what can be shown while a slow engine renders; None where nothing is.

    Attributes:
        blocks: the blocks of the grid.
        notes: sentences for the person on which cells were rendered, and why.
        kept: what a later run can continue from, if that is worth keeping.
    """

    def __init__(
        self,
        engine: Engine,
        portrait: Portrait,
        face: Face,
        grid: GazeGrid,
        spool: FrameSpool,
        keys: str | int,
        earlier: Kept | None = None,
        coarse: CoarsePortrait | None = None,
    ) -> None:
        self.blocks = cut_blocks(grid.size)
        self.notes: tuple[str, ...] = ()
        self._engine, self._portrait, self._face = engine, portrait, face
        self._grid, self._spool, self._keys = grid, spool, keys
        # Whoever continues has the earlier portrait to look at, which is better than a coarse one.
        self._earlier, self._coarse = earlier, None if earlier else coarse
        self.kept: Kept | None = None
        self._rendered = set(earlier.cells if earlier else ())
        self._filled = 0
        self._planned: int | None = None
        self._between: Inbetween | None = None
        self._inbetween = lru_cache(1)(lambda axis: Inbetween(axis, spool.get, face, grid.strengths))
        self._shown, self._shown_at = 0, -math.inf
        self._arriving: Iterator[Progress] = iter(())
        self._arrivals: list[tuple[int, float]] = []
        self._told = 0.0

    def render_keys(self) -> Generator[Progress, None, None]:
        """Render what the other frames are morphed from: as many as it takes for this portrait."""
        yield self.state()
        source = self._engine.prepare(self._portrait, self._face)
        self._stream = partial(self._engine.stream, source)
        self._told = time.monotonic()
        self._arrivals = [(len(self._rendered), self._told)]
        if self._rendered:
            self.notes = (f"{len(self._rendered)} rendered frames were taken over from an earlier portrait.",)
        axis, why = key_axis(self._grid.size, COARSEST), "as was asked for"
        if self._keys != AUTO:
            axis = key_axis(self._grid.size, int(self._keys))
        elif self._engine.metered:
            axis, why = key_axis(self._grid.size, METERED_KEYS), "to spare your GPU quota"
        elif len(axis) < self._grid.size:
            if not self._earlier:
                # Keys and checks come apart, so that the speed is known even if all keys came in the first batch.
                yield from self._render_stages(axis, cells_to_check(axis))
            axis = auto_axis(self._grid.size, self._per_frame())
            why = f"as one takes {_seconds(self._per_frame())} here"
        if self._earlier:
            axis = continued_axis(self._grid.size, len(axis), self._earlier.axis)
        enough = yield from self._enough(axis)
        if enough != axis:
            why = "more than planned, since this portrait is hard to morph"
        keys, count = len(enough), self._grid.count
        if keys < self._grid.size:
            rest = f"the other {count - keys**2} were morphed between them"
            self.notes = (f"{keys**2} of the {count} frames were rendered, {why}; {rest}.", *self.notes)
        else:
            if enough != axis:
                self.notes = (f"All {count} frames were rendered, {why}.", *self.notes)
            self._arriving = self._render_stages(enough, [cell for block in self.blocks for cell in block.cells])

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
        planned = self._expected()
        if self._filled == count:
            return Progress("pack", 0, 1, "Packing the frames")
        if self._between:
            return Progress("morph", self._filled, count, f"Morphing frame {self._filled} of {count}")
        message = f"Rendering frame {done} of {planned}"
        if len(self._arrivals) < 2:
            return Progress("render", done, planned, message)
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
            yield from self._render_stages(axis, [*cells_of(axis), *checks])
            between = self._inbetween(axis)
            good = self._alike(between, checks) >= aim
            denser = refine(axis)
            seconds = len(set(cells_of(denser)) - self._rendered) * self._per_frame()
            if not good and seconds > _GUARD_PATIENCE:
                self.notes += (
                    f"Morphed frames differ more from rendered ones than they should for this portrait. {len(denser)} "
                    f"keys per side would take {seconds / 60:.0f} min more: ask for them if you like.",
                )
            if good or seconds > _GUARD_PATIENCE:
                yield from self._show(axis)
                self._between = between
                if self._is_slow:
                    self.kept = Kept(axis, frozenset(self._rendered), self._per_frame())
                return axis
            axis = denser
        self._planned = self._grid.count
        return axis

    def _alike(self, between: Inbetween, checks: Sequence[Cell]) -> float:
        """How alike the eyes of morphed and rendered frames are, on average."""
        scores = []
        for cell in checks:
            morphed, rendered = between.frame(cell), self._spool.get(cell)
            scores += [ssim(morphed[box], rendered[box]) for box in between.eye_boxes(cell)]
        return sum(scores) / len(scores)

    def _render_stages(self, axis: Axis, cells: Sequence[Cell]) -> Iterator[Progress]:
        """Render cells; where that takes long, keys of ever denser parts of an axis first, showing what they give."""
        for part in () if self._engine.metered else stages(self._grid.size, axis):  # there each call costs
            yield from self._render(cells_of(part))
            if not self._is_slow:
                break
            yield from self._show(part)
        yield from self._render(cells)

    def _show(self, axis: Axis) -> Iterator[Progress]:
        """What can be played with these keys alone, unless something as good is, or something else was a moment ago."""
        now = time.monotonic()
        if not self._coarse or not self._is_slow or not self._shown < len(axis) < self._grid.size:
            return
        if now < self._shown_at + _SLOW:
            return
        writing = Steps(self._coarse.write(self._inbetween(axis), axis))
        for _ in writing:
            yield self.state()
        self._shown, self._shown_at = len(axis), now
        yield replace(self.state(), result=writing.result)

    @property
    def _is_slow(self) -> bool:
        """Whether rendering takes long; not while nothing is known but the first batch."""
        is_known = self._earlier is not None or len(self._arrivals) > 2
        return self._engine.metered or (is_known and self._expected() * self._per_frame() > _SLOW)

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
        if self._planned:
            return self._planned
        if self._keys != AUTO or len(self._arrivals) < 2:
            return self._grid.count
        axis = auto_axis(self._grid.size, self._per_frame())
        return len({*cells_of(axis), *cells_to_check(axis)}) if len(axis) < self._grid.size else self._grid.count

    def _per_frame(self) -> float:
        """Seconds; without the first batch, which does everything for the first time, as soon as there is another."""
        if self._earlier and len(self._arrivals) < 2:
            return self._earlier.seconds
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
