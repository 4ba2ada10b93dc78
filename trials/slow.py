"""Pictures that take long: made in a process of their own, so that what this one holds afterwards is the reader's."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import random
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from pathlib import Path

from gaze.photo.portrait import load_portrait
from trials.boxed import attempt
from trials.corpus import EXAMPLE
from trials.trying import FAULT, Limits, Row, Tried

Kinds = dict[str, Callable[[random.Random], bytes]]
"""What makes a picture of each kind; what leaves it to chance asks the argument."""
LIMITS = Limits(seconds=2, megabytes=500)
TIMES = 72
"""Pictures of each kind."""
_LEFT = 50
"""Megabytes that may stay."""


def rows_of(room: str, times: int) -> Iterator[Row]:
    """Pictures of each of a room's `KINDS`, and what this process holds afterwards.

    Args:
        room: the name of its module.
        times: pictures of each kind.
    """
    load_portrait(EXAMPLE)
    before = _megabytes()
    with multiprocessing.get_context("spawn").Pool(1) as maker, tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "picture"
        for what in import_module(room).KINDS:
            tries = []
            for number in range(times):
                maker.apply(_make, (room, what, number, path))
                tries.append(attempt(partial(_read, path), LIMITS, f"{what}, {number}"))
            yield Row(what, tries)
    yield Row("what this process holds after all that", [_left(_megabytes() - before)])


def _make(room: str, what: str, number: int, path: Path) -> None:
    kinds: Kinds = import_module(room).KINDS
    path.write_bytes(kinds[what](random.Random(f"{what} {number}")))


def _read(path: Path) -> str:
    load_portrait(path)
    return "portrait"


def up_to(chance: random.Random, most: int) -> int:
    """Small numbers as often as large ones."""
    return int(10 ** chance.uniform(1, len(str(most)) - 1)) * most // 10 ** (len(str(most)) - 1) or 1


def _left(megabytes: float) -> Tried:
    happened = "at its level" if megabytes <= _LEFT else FAULT
    return Tried(happened, f"{megabytes:.0f} MB more", 0, max(0, megabytes))


def _megabytes() -> float:
    ctypes.CDLL(None).malloc_trim(0)
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
