from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings
from PIL import Image

from gaze.face.detection import main_face
from gaze.face.face import Face
from gaze.face.framing import frame_portrait
from gaze.photo.portrait import Portrait, load_portrait
from tests import green

ROOT = Path(__file__).resolve().parents[1]
PHOTO = ROOT / "gaze" / "ui" / "examples" / "astronaut.jpg"

settings.register_profile("same", derandomize=True, deadline=None, max_examples=100, database=None)
settings.load_profile("same")  # every run tries the same examples: no test fails by chance


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
    return frame_portrait(portrait, main_face(portrait)[0], 512)


@pytest.fixture(scope="session")
def faceless(portrait: Portrait) -> np.ndarray:
    """A picture of real things without a face: the suit below the chin."""
    return np.ascontiguousarray(portrait.image[230:])


@pytest.fixture(scope="session")
def before_green(framed: tuple[Portrait, Face]) -> tuple[Portrait, Face, np.ndarray]:
    """The framed example before a green screen, with its face and the true matte."""
    portrait, face = framed
    matte = green.person(face, portrait.height, portrait.width)
    return Portrait(green.before_green(portrait.image, matte)), face, matte


@pytest.fixture(scope="session")
def green_photo(before_green: tuple[Portrait, Face, np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same as a file."""
    path = tmp_path_factory.mktemp("green") / "green.png"
    Image.fromarray(before_green[0].image).save(path)
    return path


@pytest.fixture
def green_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The network of `tests.green` is what removes backgrounds."""
    path = green.write_network(tmp_path / "green.onnx")
    monkeypatch.setenv("GAZE_MATTING_MODEL", str(path))
    return path
