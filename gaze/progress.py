"""How far a run is, and what it has in the end."""

from __future__ import annotations

import html
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Self, TypeVar

from gaze.output.bundle import STANDALONE
from gaze.output.metadata import Metadata

Step = TypeVar("Step")
Outcome = TypeVar("Outcome")

READY = "The portrait is ready. "
"""What messages begin with once it can be played."""


@dataclass(frozen=True)
class Loading:
    """How far an engine is with getting ready.

    Attributes:
        message: what it does, in words.
        done, total: how far, in any unit; `total` is 0 where it is not known.
    """

    message: str
    done: float = 0
    total: float = 0


@dataclass(frozen=True)
class Result:
    """A finished portrait.

    Attributes:
        folder: where its files are.
        metadata: what its `metadata.json` says; `metadata["gridSize"]` and `dict(metadata)` work by the names there.
        engine, reason: the name of the engine that rendered it, and why it was chosen.
        notes: sentences for the person: what was changed or chosen on the way.
    """

    folder: Path
    metadata: Metadata
    engine: str
    reason: str
    notes: tuple[str, ...]

    def _repr_html_(self) -> str | None:
        """What a notebook shows: the living portrait, in a frame that needs no server; None where there is no page."""
        try:
            page = (self.folder / STANDALONE).read_text(encoding="utf-8")
        except OSError:
            return None
        frame = f'<iframe srcdoc="{html.escape(page)}" title="Portrait" style="width: 100%; height: 480px; border: 0">'
        return f"<div>{frame}</iframe></div>"


@dataclass(frozen=True)
class SheetProgress:
    """How far one sheet is.

    Attributes:
        name: its file's name.
        frames: the share of its frames that are there, 0 to 1.
        written: whether its file is.
    """

    name: str
    frames: float
    written: bool = False


@dataclass(frozen=True)
class Progress:
    """How far a run is.

    Attributes:
        stage: "read", "load", "render", "pack", "ready", "sheets", "encode", "fetch", "done" or, where a store is
            elsewhere, "keep"; not every run has all.
        done, total: bytes loaded or fetched, frames rendered, frames of sheets made, sheets written, or files copied,
            depending on the stage. How many frames are to be rendered may change while their speed is learnt.
        message: the same in words.
        remaining: seconds that are left of the stage, learnt from this run; None while nothing is known.
        result: the portrait as it can be played now. With "ready": all of it; its folder holds poster and pack, and
            goes to its final place when the sheets are there, too. With "render": what there is of it while a slow
            engine renders, fewer looks in a pack that its metadata name, for as long as the folder is no finished one.
        sheets: how far each sheet is, from the first frame on.
        part, parts: which of several portraits this is about, counted from 0, and how many there are.
    """

    stage: str
    done: int
    total: int
    message: str
    remaining: float | None = None
    result: Result | None = None
    sheets: tuple[SheetProgress, ...] = ()
    part: int = 0
    parts: int = 1

    def __str__(self) -> str:
        """One line, so that `progress=print` says what goes on."""
        left = f", about {max(1, round(self.remaining))} s left" if self.remaining else ""
        return f"{self.message}{left}"


class Steps(Generic[Step, Outcome]):
    """The steps of a generator, in a `for` loop; after it, `result` is what the generator returned.

    As a context manager it closes the generator at the end of the block, which cancels what has not come to its end.
    """

    result: Outcome

    def __init__(self, generator: Generator[Step, None, Outcome]) -> None:
        self._generator = generator

    def __iter__(self) -> Iterator[Step]:
        self.result = yield from self._generator

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._generator.close()


def duration(seconds: float) -> str:
    """A time as people say it."""
    if seconds >= 90:
        return f"{seconds / 60:.0f} min"
    return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
