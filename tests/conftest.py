from pathlib import Path

import numpy as np
import pytest

from gaze.faces import Face, main_face
from gaze.framing import frame_portrait
from gaze.portrait import Portrait, load_portrait

ROOT = Path(__file__).resolve().parents[1]
PHOTO = ROOT / "assets" / "examples" / "astronaut.jpg"


@pytest.fixture(scope="session")
def photo() -> Path:
    """The example portrait: one face, seen from the front."""
    return PHOTO


@pytest.fixture(scope="session")
def portrait(photo: Path) -> Portrait:
    return load_portrait(photo)


@pytest.fixture(scope="session")
def framed(portrait: Portrait) -> tuple[Portrait, Face]:
    """The example cut to head and shoulders at 512 pixels, with its face."""
    return frame_portrait(portrait, main_face(portrait)[0])


@pytest.fixture(scope="session")
def faceless(portrait: Portrait) -> np.ndarray:
    """A picture of real things without a face: the suit below the chin."""
    return np.ascontiguousarray(portrait.image[230:])
