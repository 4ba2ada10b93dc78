"""What an engine is, and how one is chosen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from gaze.errors import GazeError
from gaze.faces import Face
from gaze.grid import Pose
from gaze.portrait import Portrait


class Engine(Protocol):
    """Turns one portrait into frames of the same face in other poses."""

    name: str

    def prepare(self, portrait: Portrait, face: Face) -> Any:
        """All the work that does not depend on the pose; what it returns is handed to `render`."""
        ...

    def render(self, source: Any, poses: Sequence[Pose]) -> np.ndarray:
        """Frames for a batch of poses: (len(poses), height, width, 3) uint8 RGB, the size of the portrait."""
        ...


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
