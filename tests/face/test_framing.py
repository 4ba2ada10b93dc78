import numpy as np
import pytest

from gaze.errors import GazeError
from gaze.face.face import Face, Iris
from gaze.face.framing import frame_portrait
from gaze.photo.portrait import Portrait
from tests.faces import typical_face


def scene(width: int, height: int, distance: float, x: float, y: float) -> tuple[Portrait, Face]:
    """A picture whose pixels tell their place, with a face at (x, y)."""
    down, across = np.mgrid[:height, :width]
    image = np.dstack([across * 255 // width, down * 255 // height, np.zeros_like(down)]).astype(np.uint8)
    left, right = Iris(x - distance / 2, y, 5), Iris(x + distance / 2, y, 5)
    return Portrait(image), typical_face(left, right)


@pytest.mark.parametrize("size", [(600, 800), (333, 777), (800, 600), (100, 100)])
def test_the_whole_photo_is_scaled_to_the_frame_size(size: tuple[int, int]) -> None:
    portrait, face = scene(*size, distance=20, x=50, y=50)
    framed, moved = frame_portrait(portrait, face, 512, "whole")
    assert max(framed.width, framed.height) == 512
    assert framed.width % 2 == framed.height % 2 == 0
    assert framed.width / framed.height == pytest.approx(size[0] / size[1], rel=0.01)
    assert moved.centre == pytest.approx((50.5 * 512 / max(size) - 0.5, 50.5 * 512 / max(size) - 0.5))
    assert framed.notes == ()


def test_a_large_face_is_left_as_it_is() -> None:
    portrait, face = scene(600, 800, distance=100, x=300, y=300)
    framed, _ = frame_portrait(portrait, face, 512)
    assert (framed.width, framed.height) == (384, 512)
    assert framed.notes == ()


@pytest.mark.parametrize("at", [(1000, 500), (40, 30), (1960, 1480), (1000, 1490)])
def test_a_small_face_is_cut_to_head_and_shoulders_inside_the_photo(at: tuple[float, float]) -> None:
    portrait, face = scene(2000, 1500, distance=60, x=at[0], y=at[1])
    framed, moved = frame_portrait(portrait, face)
    assert "head and shoulders" in framed.notes[0]
    assert moved.iris_distance / max(framed.width, framed.height) == pytest.approx(0.145, abs=0.01)
    x, y = moved.centre
    assert 0 <= x < framed.width
    assert 0 <= y < framed.height
    # The picture moved with the face: the pixel under it still tells where it was.
    red, green, _ = framed.image[int(y), int(x)]
    assert red == pytest.approx(at[0] * 255 / 2000, abs=3)
    assert green == pytest.approx(at[1] * 255 / 1500, abs=3)


def test_the_eyes_of_a_cut_lie_above_its_middle() -> None:
    """Kills: another share of the height than 0.42 above the point between the eyes."""
    framed, moved = frame_portrait(*scene(2000, 1500, distance=60, x=1000, y=750))
    assert moved.centre[1] / framed.height == pytest.approx(0.42, abs=0.01)
    assert moved.centre[0] / framed.width == pytest.approx(0.5, abs=0.01)


def test_a_cut_is_not_blown_up_without_end() -> None:
    portrait, face = scene(2000, 1500, distance=15, x=1000, y=700)
    _, moved = frame_portrait(portrait, face, 512)
    assert moved.iris_distance / 15 == pytest.approx(512 / 280, rel=0.02)


@pytest.mark.parametrize(
    ("frame_size", "framing", "words"),
    [(64, "auto", "64"), (9999, "auto", "9999"), ("x", "auto", "is x"), (512, "x", "“x”")],
)
def test_choices_out_of_range_are_refused(frame_size: int | str, framing: str, words: str) -> None:
    with pytest.raises(GazeError, match=words):
        frame_portrait(*scene(200, 200, 40, 100, 100), frame_size, framing)
