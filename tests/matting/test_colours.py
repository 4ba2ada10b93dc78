import numpy as np

from gaze.face.face import Face
from gaze.matting.colours import find_colours
from gaze.photo.portrait import Portrait
from tests.green import before_green as compose
from tests.green import greenness


def test_colours_are_freed_of_the_background(before_green: tuple[Portrait, Face, np.ndarray]) -> None:
    portrait, _, matte = before_green
    colours = find_colours(portrait.image, matte)
    assert np.array_equal(colours[matte == 255], portrait.image[matte == 255])
    edge = (matte > 20) & (matte < 235)
    assert greenness(portrait.image)[edge].mean() > 80
    assert np.abs(greenness(colours)[edge]).mean() < 12
    assert np.abs(compose(colours, matte).astype(float) - portrait.image)[edge].mean() < 12
