"""Gaze turns one portrait photo into a face that follows the visitor's pointer."""

from gaze.engines.base import Engine
from gaze.errors import FaceError, GazeError, PhotoError, WeightsError
from gaze.grid import Cell, Expression, GazeGrid, Look, Pose, Strengths
from gaze.options import Options
from gaze.output.metadata import Metadata
from gaze.pipeline.making import generate
from gaze.progress import Progress, Result
from gaze.version import __version__

__all__ = [
    "Cell",
    "Engine",
    "Expression",
    "FaceError",
    "GazeError",
    "GazeGrid",
    "Look",
    "Metadata",
    "Options",
    "PhotoError",
    "Pose",
    "Progress",
    "Result",
    "Strengths",
    "WeightsError",
    "__version__",
    "generate",
]
