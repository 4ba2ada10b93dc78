"""The coarse portrait: what a slow engine has rendered by now, morphed to few looks and packed within seconds."""

from __future__ import annotations

import os
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from gaze.grid import Cell, GazeGrid
from gaze.motion.inbetween import Inbetween
from gaze.motion.old_keys import Axis
from gaze.output.blocks import cut_blocks
from gaze.output.pack import Facts
from gaze.output.packing import PackBuilder

if TYPE_CHECKING:
    from gaze.progress import Result

_LOOKS = 10
"""Rows and columns at least: enough to follow a pointer with, few enough for two or three seconds on two cores."""


class CoarsePortrait:
    """Packs of stills in the folder of a portrait that is still being made, for as long as it is.

    Args:
        result: the portrait as it will be.
        folder: where its files are by now.
        grid: its looks.
        quality: WebP quality of the stills, 1 to 100.
    """

    def __init__(self, result: Result, folder: Path, grid: GazeGrid, quality: int) -> None:
        self._result, self._folder, self._grid, self._quality = result, folder, grid, quality

    def write(self, between: Inbetween, axis: Axis) -> Generator[None, None, Result]:
        """Write the next pack, and yield now and then; returns the portrait as it can be played now.

        Args:
            between: morphs from the keys that are there.
            axis: rows and columns of the keys. The pack is named after their number: browsers keep what has a name.
        """
        size = min(self._grid.size, max(_LOOKS, len(axis) // 2 * 2))
        looks = self._grid.subsample(size)
        if len(axis) >= size:  # a key beside each: morphing would take longer and be less sharp
            looks = [min(axis, key=lambda key: abs(key - look)) for look in looks]
        pack = self._folder / f"coarse-{len(axis)}.pack"
        whole = self._result.metadata
        facts = Facts(size, whole.image_width, whole.image_height, whole.has_alpha, whole.center)
        with PackBuilder(facts, self._quality, None) as builder, ThreadPoolExecutor(os.cpu_count()) as pool:
            for block in cut_blocks(size):
                wanted = [Cell(looks[cell.row], looks[cell.col]) for cell in block.cells]
                builder.add(block, dict(zip(block.cells, pool.map(between.frame, wanted), strict=True)))
                yield
                while builder.is_full:
                    builder.wait(0.5)
                    yield
            builder.write(pack)
        counts = {"grid_size": size, "quadrant_size": size // 2, "total_images": size**2}
        files = {"pack": pack.name, "poster": None, "sheets": (), "mobile_sheets": ()}
        metadata = whole.model_copy(update={**counts, **files})
        return replace(self._result, folder=self._folder, metadata=metadata)

    def remove(self) -> None:
        """Take all packs away: what they showed is in the portrait's own."""
        for pack in self._folder.glob("coarse-*.pack"):
            pack.unlink()
