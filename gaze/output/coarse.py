"""The coarse portrait: what a slow engine has rendered by now, as a pack of few keys."""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path

from gaze.motion.motion import Keys
from gaze.output.pack import Facts
from gaze.output.packing import Coding, KeyEncoder

_FILES = "coarse-*.pack"


def write_coarse(folder: Path, facts: Facts, keys: Keys, quality: int) -> Generator[None, None, str]:
    """Write a pack of stills into the folder of a portrait that is still being made, and yield now and then.

    Args:
        folder: where its files are by now.
        facts: what its frames are.
        keys: those that are there.
        quality: WebP quality of the stills, 1 to 100.

    Returns:
        Its name, which tells the number of keys: browsers keep what has a name.
    """
    name = _FILES.replace("*", str(len(keys.axis)))
    with KeyEncoder(facts, keys.frames, Coding(quality, None)) as encoder:
        while not encoder.wait(0.5):
            yield
        encoder.write(folder, keys.motion, name)
    return name


def remove_coarse(folder: Path) -> None:
    """Take all such packs away: what they showed is in the portrait's own."""
    for pack in folder.glob(_FILES):
        pack.unlink()
