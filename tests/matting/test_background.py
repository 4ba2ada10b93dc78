from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gaze.errors import GazeError
from gaze.face.face import Face
from gaze.matting.background import check_background, compose, find_behind
from gaze.photo.portrait import Portrait
from tests.green import greenness

Example = tuple[Portrait, Face, np.ndarray]


@pytest.mark.parametrize(
    ("name", "colour"), [("#f4f1ea", (244, 241, 234)), ("teal", (0, 128, 128)), ("rgb(1, 2, 3)", (1, 2, 3))]
)
def test_a_colour(name: str, colour: tuple[int, int, int], before_green: Example) -> None:
    portrait, _, matte = before_green
    check_background(name)
    behind = find_behind(name, portrait.image, matte)
    assert behind.shape == portrait.image.shape
    assert (behind == colour).all()
    made = compose(portrait.image, matte, behind)
    assert (made[matte == 0] == colour).all()
    assert (made[matte == 255] == portrait.image[matte == 255]).all()


def test_a_blur_has_nothing_of_the_person(before_green: Example) -> None:
    portrait, _, matte = before_green
    image = portrait.image.copy()
    image[:, 8::16] = np.where(matte[:, ::16, None] > 0, image[:, 8::16], 0)  # bars behind the person
    behind = find_behind("blur", image, matte)
    clear = matte < 1
    assert greenness(behind)[clear].min() > 180
    assert behind[clear].std(axis=0).max() < 20


def test_a_picture_covers_the_photo(before_green: Example, tmp_path: Path) -> None:
    portrait, _, matte = before_green
    picture = np.zeros((100, 400, 3), np.uint8)
    picture[:, 150:250] = 200
    file = tmp_path / "wall.png"
    Image.fromarray(picture).save(file)
    for given in (file, str(file), file.read_bytes(), picture):
        behind = find_behind(given, portrait.image, matte)
        assert behind.shape == portrait.image.shape
        # The middle of it, as high as the photo.
        assert behind[:, 5:-5].min() > 190


def test_what_is_no_background() -> None:
    with pytest.raises(GazeError, match=r"“nowhere\.jpg” is not a background\. Give a colour"):
        check_background("nowhere.jpg")
    check_background(None)
    for colour in ("rgb(300, 0, 0)", "hsl(0, 200%, 50%)"):
        with pytest.raises(GazeError, match="is not a background"):
            check_background(colour)
    with pytest.raises(GazeError, match=r"“x{50,100}” is not a background"):
        check_background(5000 * "x")
