"""What is squeezed beside an iris is no crisper than the photo."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from gaze.engines.warp.engine import WarpEngine
from gaze.engines.warp.squeeze import photo_blur, soften_squeezed
from gaze.face.face import Contours, Iris
from gaze.grid import Pose
from gaze.photo.portrait import Portrait
from tests.engines.warp.test_eyes import MIDDLE, RADIUS, drawn_face

EYE = Contours(*(np.array([[80.0, 100.0], [100.0, y], [120.0, 100.0]]) for y in (90.0, 110.0)))
STILL = np.zeros(2)


def squeezed(share: float) -> np.ndarray:
    """Positions of a region of 200 × 200 pixels that is squeezed across, around its middle, to that share."""
    y, x = np.mgrid[:200, :200].astype(np.float32)
    return np.dstack([100 + (x - 100) / share, y])


def width_of_line(frame: np.ndarray) -> float:
    """Standard deviation of a dark line down through the middle, in pixels."""
    darkness = 200.0 - frame[100, 85:116, 0]
    x = np.arange(len(darkness)) - 15
    return float(np.sqrt((darkness * x**2).sum() / darkness.sum()))


@pytest.mark.parametrize("share", [0.4, 0.6, 0.8])
def test_a_line_that_is_squeezed_is_as_wide_as_the_photos_blur(share: float) -> None:
    blur, x = 3.0, np.arange(200) - 100
    line = 200 - 150 * np.exp(-((x / (share * blur)) ** 2) / 2)
    frame = np.repeat(np.tile(np.uint8(line + 0.5), (200, 1))[..., None], 3, axis=2)
    assert width_of_line(frame) == pytest.approx(share * blur, rel=0.05)
    soften_squeezed(frame, squeezed(share), (0, 0), EYE, STILL, blur)
    assert width_of_line(frame) == pytest.approx(blur, rel=0.06)


@pytest.mark.parametrize("share", [1.0, 1.5])
def test_what_is_not_squeezed_stays_to_the_bit(share: float) -> None:
    frame = np.random.default_rng(0).integers(0, 256, (200, 200, 3), np.uint8)
    before = frame.copy()
    soften_squeezed(frame, squeezed(share), (0, 0), EYE, STILL, 2.0)
    assert np.array_equal(frame, before)


def test_only_the_eye_is_softened_where_the_head_carries_it() -> None:
    frame = np.random.default_rng(0).integers(0, 256, (230, 240, 3), np.uint8)
    before = frame.copy()
    soften_squeezed(frame, squeezed(0.5), (10, 20), EYE, np.array([20.0, -10.0]), 2.0)
    changed = (frame != before).any(2)
    y, x = np.mgrid[:230, :240]
    away = np.hypot(x - 120, y - 90)
    assert changed[away < 20].mean() > 0.95
    assert not changed[away > 40].any()


@pytest.mark.parametrize("blur", [1.0, 2.0, 3.0])
def test_the_blur_of_an_eye_is_read(blur: float) -> None:
    """In a picture that is otherwise like any other: amplitudes fall with the frequency."""
    noise, near = np.random.default_rng(0).normal(size=(512, 512)), np.hypot(*np.meshgrid(*[np.fft.fftfreq(512)] * 2))
    near[0, 0] = 1
    picture = np.fft.ifft2(np.fft.fft2(noise) / near).real
    picture = cv2.GaussianBlur(128 + 60 * (picture - picture.mean()) / picture.std(), (0, 0), blur)
    image = np.repeat(np.clip(picture, 0, 255).astype(np.uint8)[..., None], 3, axis=2)
    assert photo_blur(image, Iris(250.0, 250.0, 40.0), 400.0) == pytest.approx(blur, rel=0.05)


def test_a_photo_without_any_detail_has_the_least_blur() -> None:
    assert photo_blur(np.full((100, 200, 3), 90, np.uint8), Iris(50.0, 50.0, 8.0), 80.0) == 0.5


@pytest.mark.parametrize("x", [-15.0, 15.0])
def test_no_sliver_shows_beside_an_iris_that_is_bent_aside(x: float) -> None:
    """A dark lash line next to each corner: squeezed, it would be the crispest line of the whole eye."""
    portrait, face = drawn_face(height=11)
    for middle in (200, 300):
        for at in (middle - 19, middle + 19):
            portrait.image[MIDDLE[1] - 5 : MIDDLE[1] + 6, at - 1 : at + 2] = 60
    portrait = Portrait(cv2.GaussianBlur(portrait.image, (0, 0), 2.0))
    engine = WarpEngine(straighten=False)
    source = engine.prepare(portrait, replace(face, enlarged=4.0))
    assert source.soft is not None
    frame = engine.render(source, [Pose(pupil_x=x)])[0]

    def crispest(image: np.ndarray) -> float:
        bends = np.abs(np.diff(image[MIDDLE[1], :, 1].astype(np.float32), 2))
        ends = (round(eye + np.sign(x) * 1.9 * RADIUS) for eye in (200, 300))
        return max(float(bends[end - 9 : end + 8].max()) for end in ends)

    assert crispest(frame) < 1.2 * crispest(portrait.image)
