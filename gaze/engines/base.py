"""What an engine is, and how one is chosen."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gaze.errors import GazeError
from gaze.faces import Face
from gaze.grid import Pose
from gaze.portrait import Portrait


@dataclass(frozen=True)
class Expression:
    """What the LivePortrait engine changes in all frames alike; the instant engine cannot.

    Attributes:
        smile: -0.3 to 1.3; 0 leaves the mouth as it is, 1 is a friendly smile.
        blink: -0.25 wide open, 0 as in the photo, 1 closed.
        brows: -1 lowered, 0 as in the photo, 1 raised.
        lid_term: what the upstream editor adds when eyes look up or down: the eyeballs go half as far and the lids less
            with them. Off, as in the published grid: a portrait is to look all the way to the pointer.

    Raises:
        GazeError: a value is out of its range.
    """

    smile: float = 0.0
    blink: float = 0.0
    brows: float = 0.0
    lid_term: bool = False

    def __post_init__(self) -> None:
        for name, (least, most) in EXPRESSION_RANGES.items():
            value = getattr(self, name)
            if not least <= value <= most:
                raise GazeError(f"The {name} value is {value:g}. Choose {least:g} to {most:g}; 0 is as in the photo.")


EXPRESSION_RANGES = {"smile": (-0.3, 1.3), "blink": (-0.25, 1.0), "brows": (-1.0, 1.0)}


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


class Engine(ABC):
    """Turns one portrait into frames of the same face in other poses."""

    name: str

    def load(self) -> Iterator[Loading]:
        """Get ready: whatever is done once and takes long, as downloading. Called before `prepare`; may be again."""
        return iter(())

    @abstractmethod
    def prepare(self, portrait: Portrait, face: Face) -> Any:
        """All the work that does not depend on the pose; what it returns is handed to `render`."""

    @abstractmethod
    def render(self, source: Any, poses: Sequence[Pose]) -> np.ndarray:
        """Frames for a batch of poses: (len(poses), height, width, 3) uint8 RGB, the size of the portrait."""

    def stream(self, source: Any, poses: Sequence[Pose]) -> Iterator[np.ndarray]:
        """The frames of `render` in the same order, in batches of the size that suits the engine."""
        for first in range(0, len(poses), _BATCH):
            yield self.render(source, poses[first : first + _BATCH])

    def notes(self) -> tuple[str, ...]:
        """Sentences about what was changed on the way, for the person."""
        return ()


_BATCH = 15
ENGINES = ("auto", "warp")
"""Names that `choose_engine` takes."""


def choose_engine(name: str, straighten: bool = True) -> tuple[Engine, str]:
    """An engine by name, and the reason for the choice in a sentence.

    Args:
        name: one of `ENGINES`; "auto" takes the best that runs here.
        straighten: whether a source that looks past the camera looks straight in the grid's centre.

    Raises:
        GazeError: the name is unknown.
    """
    if name not in ENGINES:
        raise GazeError(f"There is no engine called “{name}”. Choose one of: {', '.join(ENGINES)}.")
    from gaze.engines.warp import WarpEngine

    if name == "warp":
        return WarpEngine(straighten), "The instant engine was asked for."
    return WarpEngine(straighten), "The instant engine runs on this machine's processor with nothing to download."
