"""Gaze turns one portrait photo into a face that follows the visitor's pointer."""

from gaze.errors import FaceError, GazeError, PhotoError
from gaze.grid import Cell, GazeGrid, Pose, Strengths
from gaze.pipeline import Options, Progress, Result, generate

__version__ = "0.1.0"

__all__ = [
    "Cell",
    "FaceError",
    "GazeError",
    "GazeGrid",
    "Options",
    "PhotoError",
    "Pose",
    "Progress",
    "Result",
    "Strengths",
    "generate",
]
