import cv2
import numpy as np

from gaze.face.face import Face
from gaze.matting.background import compose
from gaze.matting.colours import find_colours, find_layers
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
    drawn = np.zeros((160, 160), np.uint8)
    cv2.circle(drawn, (80, 80), 40, 255, -1)
    for angle in np.linspace(0, 2 * np.pi, 40):
        tip = (int(80 + 60 * np.cos(angle)), int(80 + 60 * np.sin(angle)))
        cv2.line(drawn, (80, 80), tip, 255, 1, cv2.LINE_AA)
    matte = cv2.GaussianBlur(drawn, (0, 0), 1)
    image = compose(front.clip(0, 255), matte, back.clip(0, 255))
    soft = (matte > 20) & (matte < 235)
    off = np.abs(find_colours(image, matte).astype(float) - front.clip(0, 255)) * (matte[..., None] / 255)
    assert off[soft].mean() < 9.4


def before_a_blue_wall() -> tuple[np.ndarray, np.ndarray]:
    """Dark hair with streaks, read from a JPEG, which keeps hue at half the size; and the true matte."""
    drawn = np.zeros((160, 160), np.uint8)
    cv2.circle(drawn, (80, 80), 50, 255, -1)
    matte = cv2.GaussianBlur(drawn, (0, 0), 1)
    streaks = np.random.default_rng(0).uniform(0.4, 1.6, (160, 1, 1))
    image = compose(np.array([55, 42, 36]) * streaks, matte, np.array([60, 125, 250]))
    _, stored = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 80])
    read = cv2.imdecode(stored, cv2.IMREAD_COLOR)
    assert read is not None
    return cv2.cvtColor(read, cv2.COLOR_BGR2RGB), matte


def test_a_jpeg_before_a_saturated_wall_leaves_no_rim_of_its_hue() -> None:
    """The layers alone leave 23 levels of it."""
    image, matte = before_a_blue_wall()
    red, green, blue = np.moveaxis(find_colours(image, matte).astype(float), -1, 0)
    rim = (blue - (red + green) / 2)[(matte > 127) & (matte < 255)]
    assert np.percentile(rim, 99) < 8


def test_the_brightness_of_soft_edges_stays_when_their_hue_is_corrected() -> None:
    image, matte = before_a_blue_wall()
    before = find_layers(image, matte)[0].round().astype(np.uint8)
    after = find_colours(image, matte)
    soft = (matte > 127) & (matte < 255)
    luma = [cv2.cvtColor(each, cv2.COLOR_RGB2GRAY)[soft].astype(float) for each in (before, after)]
    assert np.abs(luma[0] - luma[1]).max() <= 2
    assert np.abs(before[soft].astype(float) - after[soft]).max() > 15
    assert np.array_equal(after[matte == 255], image[matte == 255])
