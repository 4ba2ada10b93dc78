"""How far the making of a portrait is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gaze.pipeline import Result

READY = "The portrait is ready. "
"""What messages begin with once it can be played."""


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
        stage: "read", "load", "render", "morph", "pack", "ready", "encode", "fetch", "done" or, where a store is
            elsewhere, "keep"; not every run has all.
        done, total: bytes loaded or fetched, frames rendered, frames there, sheets written, or files copied, depending
            on the stage. How many frames are to be rendered may change while their speed is learnt.
        message: the same in words.
        remaining: seconds that are left of the stage, learnt from this run; None while nothing is known.
        result: the portrait as it can be played now. With "ready": all of it; its folder holds poster and pack, and
            goes to its final place when the sheets are there, too. With "render": what there is of it while a slow
            engine renders, fewer looks in a pack that its metadata name, for as long as the folder is no finished one.
        sheets: how far each sheet is, from the first frame on.
    """

    stage: str
    done: int
    total: int
    message: str
    remaining: float | None = None
    result: Result | None = None
    sheets: tuple[SheetProgress, ...] = ()
