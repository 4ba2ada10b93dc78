"""The one family of errors that a person can cause.

    GazeError
    ├── PhotoError    the file is no usable picture
    ├── FaceError     the picture shows no usable face
    └── WeightsError  an engine's weights cannot be had

Their messages say what was wrong, what was expected and what to do; they are shown as they are. Any other exception
is a bug.
"""

from __future__ import annotations


class GazeError(Exception):
    """Something the person asked for cannot be done; the message says why and what to do."""


class PhotoError(GazeError):
    """The file given is no picture that can be used."""


class FaceError(GazeError):
    """No face was found that can be turned into a portrait."""


class WeightsError(GazeError):
    """The weights of an engine are missing, damaged or of something else."""
