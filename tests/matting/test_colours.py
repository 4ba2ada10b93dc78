import cv2
import numpy as np

from gaze.face.face import Face
from gaze.matting.background import compose
from gaze.matting.colours import find_colours
from gaze.photo.portrait import Portrait
from tests.green import before_green as before_green_wall
from tests.green import greenness


def test_colours_are_freed_of_the_background(before_green: tuple[Portrait, Face, np.ndarray]) -> None:
    portrait, _, matte = before_green
    colours = find_colours(portrait.image, matte)
    assert np.array_equal(colours[matte == 255], portrait.image[matte == 255])
    edge = (matte > 20) & (matte < 235)
    assert greenness(portrait.image)[edge].mean() > 80
    assert np.abs(greenness(colours)[edge]).mean() < 12
    assert np.abs(before_green_wall(colours, matte).astype(float) - portrait.image)[edge].mean() < 12


def test_colours_of_strands_are_found_before_a_busy_background() -> None:
    """Both layers have their own detail: each is found only if the other is."""
    rng = np.random.default_rng(0)
    front, back = (
        cv2.resize(rng.uniform(30, 225, (10, 10, 3)).astype(np.float32), (160, 160), interpolation=cv2.INTER_CUBIC)
        for _ in range(2)
    )
    matte = np.zeros((160, 160), np.uint8)
    cv2.circle(matte, (80, 80), 40, 255, -1)
    for angle in np.linspace(0, 2 * np.pi, 40):
        tip = (int(80 + 60 * np.cos(angle)), int(80 + 60 * np.sin(angle)))
        cv2.line(matte, (80, 80), tip, 255, 1, cv2.LINE_AA)
    matte = cv2.GaussianBlur(matte, (0, 0), 1)
    image = compose(front.clip(0, 255), matte, back.clip(0, 255))
    soft = (matte > 20) & (matte < 235)
    off = np.abs(find_colours(image, matte).astype(float) - front.clip(0, 255)) * (matte[..., None] / 255)
    assert off[soft].mean() < 9.4
