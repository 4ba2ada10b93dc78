"""What an engine is, and how one is chosen."""

from __future__ import annotations

import logging
import os
import platform
import shutil
from abc import ABC, abstractmethod
from collections.abc import Generator, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from gaze.errors import GazeError, how_to_install
from gaze.face.face import Face
from gaze.grid import Expression, Pose
from gaze.photo.portrait import Portrait
from gaze.progress import Loading


class Engine(ABC):
    """Turns one portrait into frames of the same face in other poses.

    Attributes:
        name: how it is called in `metadata.json`.
        metered: whether its time is taken off a visitor's quota, so that fewer frames are better than quick ones.
        blinks: whether it closes the eyes as a pose's expression says.
    """

    name: str
    metered = False
    blinks = False

    def load(self) -> Iterator[Loading]:
        """Get ready: whatever is done once and takes long, as downloading. Called before `prepare`; may be again."""
        return iter(())

    @abstractmethod
    def prepare(self, portrait: Portrait, face: Face) -> Any:
        """All the work that does not depend on the pose; what it returns is handed to `render`."""

    @abstractmethod
    def render(self, source: Any, poses: Sequence[Pose]) -> np.ndarray:
        """Frames for a batch of poses: (len(poses), height, width, 3) uint8 RGB, the size of the portrait."""

    def positions(self, source: Any, pose: Pose) -> np.ndarray | None:
        """Which place of the portrait each pixel of a frame shows, if the engine knows.

        Returns:
            (height, width, 2) float32, x and y in pixels; None where frames have to be asked.
        """
        return None

    def displacement(self, source: Any, pose: Pose) -> np.ndarray | None:
        """How far each point of the frame that looks straight moves in the frame of a pose, if the engine knows.

        It points forwards: what the frame of `Pose()` shows at (x, y), this pose's frame shows at
        (x, y) + displacement[y, x]. The motion between keys is taken from it then, instead of being tracked. Irises
        count; where one slides below a lid, the field should fall off over about a third of its radius: a mesh cannot
        tear.

        Returns:
            (height, width, 2) float32, x and y in pixels of the portrait, 0 where nothing ever moves; None where the
            frames have to be asked.
        """
        return None

    def stream(self, source: Any, poses: Sequence[Pose]) -> Iterator[np.ndarray]:
        """The frames of `render` in the same order, in batches of the size that suits the engine."""
        for first in range(0, len(poses), _BATCH):
            yield self.render(source, poses[first : first + _BATCH])

    def notes(self) -> tuple[str, ...]:
        """Sentences about what was changed on the way, for the person."""
        return ()


_BATCH = 15
ENGINES = ("auto", "warp", "liveportrait", "cluster")
"""Names that `choose_engine` and `load_engine` take."""

WARP_RUNS = "The instant engine runs on this machine's processor with nothing to download."


def choose_engine(name: str) -> tuple[str, str]:
    """The name of the engine that would render, and the reason in a sentence. Loads nothing.

    Args:
        name: one of `ENGINES`; "auto" takes the cluster where `GAZE_CLUSTER` names one, else LivePortrait where
            there is a GPU, else the instant engine.

    Raises:
        GazeError: the name is unknown, or the engine is not installed.
    """
    if name not in ENGINES:
        raise GazeError(f"There is no engine called “{name}”. Choose one of: {', '.join(ENGINES)}.")
    if name == "warp":
        return "warp", "The instant engine was asked for."
    if name == "cluster" or (name == "auto" and os.environ.get("GAZE_CLUSTER")):
        if find_spec("ray") is None:
            raise GazeError(
                f"A cluster needs Ray, which is not installed. {how_to_install('cluster')} "
                "Or choose another engine and unset GAZE_CLUSTER."
            )
        return "cluster", "Portraits are rendered by the machines of your Ray cluster."
    installed = find_spec("torch") is not None
    if name == "liveportrait":
        if not installed:
            raise GazeError(
                "The LivePortrait engine needs PyTorch, which is not installed. "
                f"{how_to_install('liveportrait')} Or choose the engine “warp”."
            )
        return "liveportrait", "The LivePortrait engine was asked for."
    if not has_gpu():
        return "warp", f"{WARP_RUNS} (LivePortrait needs a GPU to be quick.)"
    if not installed:
        return "warp", f"{WARP_RUNS} (LivePortrait for this GPU is not installed. {how_to_install('liveportrait')})"
    return "liveportrait", "The LivePortrait engine runs on this machine's GPU."


def load_engine(
    name: str, straighten: bool = True, expression: Expression | None = None
) -> Generator[Loading, None, tuple[Engine, str]]:
    """Choose an engine and get it ready; returns it with the reason for the choice.

    Args:
        name: as for `choose_engine`. "auto" goes on with the instant engine where LivePortrait cannot be had, or fails
            before its first frame (`gaze.engines.fallback`).
        straighten: whether a source that looks past the camera looks straight in the grid's centre.
        expression: LivePortrait engine: what is changed in all frames alike.

    Raises:
        GazeError: the engine is unknown, not installed, lacks its weights, or fails while it is built. What it returns
            for a name other than "auto" raises it, too, if it fails before its first frame.
    """
    from gaze.engines.fallback import FallbackEngine
    from gaze.engines.warp.engine import WarpEngine

    chosen, reason = choose_engine(name)
    if chosen == "warp":
        return WarpEngine(straighten), reason
    if chosen == "cluster":
        from gaze.engines.cluster import ClusterEngine

        cluster = ClusterEngine(straighten, expression)
        yield from cluster.load()
        return cluster, reason
    instead = WarpEngine(straighten) if name == "auto" else None
    try:
        engine = _liveportrait(straighten, expression, must_have_gpu=name == "auto")
        yield from engine.load()
    except Exception as error:
        if instead is not None:
            return FallbackEngine.failed(error, instead), f"{WARP_RUNS} (LivePortrait failed here; the notes say why.)"
        if isinstance(error, GazeError):
            raise
        raise GazeError(f"The LivePortrait engine cannot be started here: {in_words(error)}") from error
    return FallbackEngine(engine, instead), reason


def in_words(error: Exception) -> str:
    """What went wrong, as a sentence. What is no `GazeError` is a bug: logged in full, told by its name."""
    if isinstance(error, GazeError):
        return str(error)
    logging.getLogger(__name__).error("The LivePortrait engine failed", exc_info=error)
    return f"an unexpected error ({type(error).__name__}); the log has the details."


def has_gpu() -> bool:
    """Whether there seems to be a GPU (NVIDIA's, AMD's or Apple's); told without loading anything."""
    if on_zero_gpu() or Path("/dev/nvidiactl").exists() or shutil.which("nvidia-smi") is not None:
        return True
    return Path("/dev/kfd").exists() or (platform.system(), platform.machine()) == ("Darwin", "arm64")


def on_zero_gpu() -> bool:
    """Whether this is a Hugging Face Space that gets a GPU for single calls."""
    return os.environ.get("SPACES_ZERO_GPU", "").lower() in ("1", "t", "true")


def _liveportrait(straighten: bool, expression: Expression | None, must_have_gpu: bool) -> Engine:
    if on_zero_gpu():
        from gaze.engines.liveportrait.zero import ZeroGpuEngine

        return ZeroGpuEngine(straighten, expression)
    from gaze.engines.liveportrait.engine import LivePortraitEngine

    engine = LivePortraitEngine(straighten, expression)
    if must_have_gpu and engine.device.type == "cpu":
        raise GazeError("this PyTorch does not see the GPU.")
    return engine
