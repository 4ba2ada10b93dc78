"""The matte of a portrait: the photo's own transparency, else by the network that was chosen."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace

import numpy as np

from gaze.errors import FaceError, GazeError
from gaze.face.face import Face
from gaze.face.person import find_person
from gaze.matting.finest import Network, load_finest
from gaze.matting.refinement import refine
from gaze.photo.portrait import Portrait
from gaze.progress import Loading

QUICK, FINEST = "quick", "finest"
MATTINGS = (QUICK, FINEST)
"""How a person is told from the background: by the network in the package, or by a large one of rembg's."""


def load_network(matting: str) -> Generator[Loading, None, Network]:
    """Get a network ready and return it.

    Args:
        matting: one of `MATTINGS`.

    Raises:
        GazeError: there is no such way, or it is not installed.
        WeightsError: its weights cannot be had.
    """
    check_matting(matting)
    if matting == FINEST:
        return (yield from load_finest())
    return quick_matte


def check_matting(matting: str) -> None:
    """Check that there is such a way.

    Raises:
        GazeError: there is not.
    """
    if matting not in MATTINGS:
        raise GazeError(f"There is no background removal called “{matting}”. Choose one of: {', '.join(MATTINGS)}.")


def quick_matte(image: np.ndarray) -> np.ndarray:
    """The matte of a photo by the network in the package: (height, width) uint8.

    Args:
        image: (height, width, 3) uint8 RGB.
    """
    return refine(image, find_person(image))


def add_matte(
    portrait: Portrait, face: Face, matting: str
) -> Generator[Loading, None, tuple[Portrait, Network | None]]:
    """The portrait with the matte of its person as alpha, and the network that found it.

    Args:
        portrait: its own transparency is the matte where it has any; no network is loaded then.
        face: the main face.
        matting: one of `MATTINGS`.

    Raises:
        GazeError: there is no such way, or it is not installed.
        WeightsError: its weights cannot be had.
        FaceError: the network does not see the person.
    """
    if portrait.alpha is not None:
        return portrait, None
    network = yield from load_network(matting)
    matte = network(portrait.image)
    if not _shows(matte, face):
        raise FaceError(
            "The person cannot be separated from the background in this photo. Take one in which both differ more, or "
            "keep the background."
        )
    return replace(portrait, alpha=matte), network


def _shows(matte: np.ndarray, face: Face) -> bool:
    """Whether the matte covers the middle of the face."""
    x, y = (round(value) for value in face.centre)
    reach = round(face.iris_distance / 2)
    return float(matte[max(0, y - reach) : y + reach, max(0, x - reach) : x + reach].mean()) > 127
