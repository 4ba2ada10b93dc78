"""Gaze turns one portrait photo into a face that follows the visitor's pointer."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gaze.engines.base import Engine
    from gaze.errors import DoubtfulFaceError, FaceError, GazeError, PhotoError, WeightsError
    from gaze.grid import Cell, Expression, GazeGrid, Look, Pose, Strengths
    from gaze.options import Options
    from gaze.output.metadata import Metadata
    from gaze.pipeline.making import generate
    from gaze.progress import Progress, Result
    from gaze.version import __version__

__all__ = [
    "Cell",
    "DoubtfulFaceError",
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

_NAMES = {
    "gaze.engines.base": ("Engine",),
    "gaze.errors": ("DoubtfulFaceError", "FaceError", "GazeError", "PhotoError", "WeightsError"),
    "gaze.grid": ("Cell", "Expression", "GazeGrid", "Look", "Pose", "Strengths"),
    "gaze.options": ("Options",),
    "gaze.output.metadata": ("Metadata",),
    "gaze.pipeline.making": ("generate",),
    "gaze.progress": ("Progress", "Result"),
    "gaze.version": ("__version__",),
}
"""Where each name is from: loaded when it is asked for, so that a part of the package does not load all of it."""


def __getattr__(name: str) -> object:
    for module, names in _NAMES.items():
        if name in names:
            value: object = getattr(import_module(module), name)
            globals()[name] = value
            return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
