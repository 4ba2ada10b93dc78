"""What the commands have in common."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import Any

from tqdm import tqdm

from gaze.errors import GazeError
from gaze.motion.keys import AUTO

PROGRAM = "python -m gaze"


def number_or(word: str) -> Callable[[str], str | int]:
    """Reads a whole number, or a word; anything else is an argument that argparse refuses."""

    def read(value: str) -> str | int:
        if value != word and not value.isdecimal():
            raise argparse.ArgumentTypeError(f"“{value}” is neither {word} nor a whole number")
        return value if value == word else int(value)

    return read


number_or_auto = number_or(AUTO)


def failed(error: GazeError) -> int:
    """Print what went wrong; returns the exit status."""
    print(f"gaze: {error}", file=sys.stderr)
    return 1


def unwritable(place: object, error: OSError, advice: str = "Choose another place.") -> GazeError:
    """What a person is told where files could not be written."""
    return GazeError(f"{place} cannot be written: {error.strerror or error}. {advice}")


def shown_on(bar: tqdm[Any]) -> Callable[[int, int], None]:
    """A callback for (done, total) that moves the bar."""

    def show(done: int, total: int) -> None:
        bar.total, bar.n = total, done
        bar.refresh()

    return show
