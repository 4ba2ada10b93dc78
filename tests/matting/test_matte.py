import sys
from subprocess import run

import numpy as np
import pytest

from gaze.errors import FaceError, GazeError
from gaze.face.face import Face
from gaze.matting.matte import add_matte, load_network, quick_matte
from gaze.photo.portrait import Portrait
from gaze.progress import Steps
from tests.green import greenness

Example = tuple[Portrait, Face, np.ndarray]


def test_the_quick_way_needs_nothing_and_finds_the_edge(before_green: Example) -> None:
    portrait, face, _ = before_green
    loading = Steps(add_matte(portrait, face, "quick"))
    assert list(loading) == []
    cut, network = loading.result
    assert network is quick_matte
    assert np.array_equal(cut.image, portrait.image)
    matte = cut.alpha
    assert matte is not None
    assert matte.shape == portrait.image.shape[:2]
    green = greenness(portrait.image) > 200
    assert matte[green].mean() < 3
    x, y, reach = round(face.centre[0]), round(face.centre[1]), round(face.iris_distance)
    assert matte[y - reach : y + reach, x - reach : x + reach].min() > 250


def test_a_photos_own_transparency_is_the_matte(before_green: Example) -> None:
    portrait, face, matte = before_green
    own = Portrait(portrait.image, alpha=matte)
    loading = Steps(add_matte(own, face, "finest"))
    assert list(loading) == []
    assert loading.result == (own, None)


def test_a_way_that_there_is_not() -> None:
    with pytest.raises(GazeError, match=r"called “best”\. Choose one of: quick, finest"):
        list(load_network("best"))


def test_a_person_who_is_not_seen(before_green: Example) -> None:
    portrait, face, _ = before_green
    with pytest.raises(FaceError, match="cannot be separated from the background"):
        list(add_matte(Portrait(np.full_like(portrait.image, (0, 255, 0))), face, "quick"))


def test_the_quick_way_loads_no_heavy_library() -> None:
    code = "import sys, gaze.matting.matte; assert not {'rembg', 'onnxruntime', 'torch'} & set(sys.modules)"
    run([sys.executable, "-c", code], check=True)
