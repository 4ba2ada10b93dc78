import sys
from subprocess import run

import numpy as np
import pytest

from gaze.errors import FaceError, GazeError
from gaze.face.face import Face
from gaze.matting.matte import find_matte, load_network, quick_matte
from gaze.photo.portrait import Portrait
from gaze.progress import Steps
from tests.green import greenness

Example = tuple[Portrait, Face, np.ndarray]


def test_the_quick_way_needs_nothing_and_finds_the_edge(before_green: Example) -> None:
    portrait, face, _ = before_green
    loading = Steps(load_network("quick"))
    assert list(loading) == []
    matte = find_matte(portrait, face, loading.result)
    assert matte.shape == portrait.image.shape[:2]
    green = greenness(portrait.image) > 200
    assert matte[green].mean() < 3
    x, y, reach = round(face.centre[0]), round(face.centre[1]), round(face.iris_distance)
    assert matte[y - reach : y + reach, x - reach : x + reach].min() > 250


def test_a_photos_own_transparency_is_the_matte(before_green: Example) -> None:
    portrait, face, matte = before_green
    own = Portrait(portrait.image, alpha=matte)
    assert find_matte(own, face, None) is matte


def test_a_way_that_there_is_not() -> None:
    with pytest.raises(GazeError, match=r"called “best”\. Choose one of: quick, finest"):
        list(load_network("best"))


def test_a_person_who_is_not_seen(before_green: Example) -> None:
    portrait, face, _ = before_green
    with pytest.raises(FaceError, match="cannot be told from the background"):
        find_matte(Portrait(np.full_like(portrait.image, (0, 255, 0))), face, quick_matte)


def test_the_quick_way_loads_no_heavy_library() -> None:
    code = "import sys, gaze.matting.matte; assert not {'rembg', 'onnxruntime', 'torch'} & set(sys.modules)"
    run([sys.executable, "-c", code], check=True)
