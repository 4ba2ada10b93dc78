"""The one family of errors that a person can cause.

    GazeError
    ├── PhotoError    the file is no usable picture
    ├── FaceError     the picture shows no usable face
    │   └── DoubtfulFaceError  its eyes are hard to see, but it can be tried
    ├── WeightsError  a network's weights cannot be had
    └── StoreError    the place where results are kept does not answer

Their messages say what was wrong, what was expected and what to do; they are shown as they are. Any other exception
is a bug.
"""

from __future__ import annotations

import os
from pathlib import Path


class GazeError(Exception):
    """Something the person asked for cannot be done; the message says why and what to do."""


class PhotoError(GazeError):
    """The file is not a picture that can be used."""


class FaceError(GazeError):
    """No face was found that can be turned into a portrait."""


class DoubtfulFaceError(FaceError):
    """The eyes of the face are hard to see. `Options.anyway` accepts it: ask the person first."""


class WeightsError(GazeError):
    """The weights of a network are missing, damaged, or those of another network."""


class StoreError(GazeError):
    """The place where results are kept cannot be reached, or refuses; later it may."""


def how_to_install(extra: str) -> str:
    """A sentence that says how to get what an extra of pyproject.toml needs: in a clone, on a Space, or beside a wheel.

    The project is in no package index, so that its name alone installs nothing.
    """
    if os.environ.get("SPACE_ID"):
        return f"Add the packages of the extra “{extra}” (pyproject.toml) to the Space's requirements.txt."
    if (Path(__file__).parents[1] / "pyproject.toml").is_file():
        return f"Run pip install --editable '.[{extra}]' in the folder of the repository."
    return f"Run pip install 'PATH/gaze_portrait-VERSION-py3-none-any.whl[{extra}]' with the wheel that was installed."
