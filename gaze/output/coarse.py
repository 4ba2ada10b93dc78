"""The coarse portrait: what a slow engine has rendered by now, as a pack of few keys."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from gaze.output.pack import Facts
from gaze.output.packing import Coding, KeyEncoder

if TYPE_CHECKING:
    from gaze.progress import Result
    from gaze.rendering import Keys


class CoarsePortrait:
    """Packs of stills in the folder of a portrait that is still being made, for as long as it is.

    Args:
        result: the portrait as it will be.
        folder: where its files are by now.
        facts: what its frames are.
        quality: WebP quality of the stills, 1 to 100.
    """

    def __init__(self, result: Result, folder: Path, facts: Facts, quality: int) -> None:
        self._result, self._folder, self._facts, self._quality = result, folder, facts, quality

    def write(self, keys: Keys) -> Generator[None, None, Result]:
        """Write the next pack, and yield now and then; returns the portrait as it can be played now.

        The pack is named after the number of keys: browsers keep what has a name.
        """
        name = f"coarse-{len(keys.axis)}.pack"
        with KeyEncoder(self._facts, keys.frames, Coding(self._quality, None)) as encoder:
            while not encoder.wait(0.5):
                yield
            encoder.write(self._folder, keys.motion, name)
        left_out = {"stills": None, "poster": None, "sheets": (), "mobile_sheets": ()}
        metadata = self._result.metadata.model_copy(update={**left_out, "pack": name})
        return replace(self._result, folder=self._folder, metadata=metadata)

    def remove(self) -> None:
        """Take all packs away: what they showed is in the portrait's own."""
        for pack in self._folder.glob("coarse-*.pack"):
            pack.unlink()
