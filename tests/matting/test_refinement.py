import cv2
import numpy as np
import pytest

from gaze.matting.background import compose
from gaze.matting.refinement import refine


def scene(side: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A brown disc with strands on a pale ramp; the truth; and the disc alone as a network sees it, at 256 pixels."""
    k = side // 256
    big = np.zeros((4 * side, 4 * side), np.uint8)
    cv2.circle(big, (2 * side, 2 * side), side, 255, -1)
    coarse = cv2.resize(big, (256, 256), interpolation=cv2.INTER_AREA)
    coarse = cv2.GaussianBlur(coarse, (0, 0), 1.5).astype(np.float32) / 255
    for angle in np.linspace(0, 2 * np.pi, 90, endpoint=False):
        ends = [(2 * side + r * np.cos(angle), 2 * side + r * np.sin(angle)) for r in (side - 8, side + 20 * k)]
        (x0, y0), (x1, y1) = ends
        cv2.line(big, (round(x0), round(y0)), (round(x1), round(y1)), 255, 6 * k, cv2.LINE_AA)
    alpha = cv2.resize(big, (side, side), interpolation=cv2.INTER_AREA)
    ramp = np.linspace(170, 240, side)[None, :, None] * np.array([0.9, 0.95, 1.0])
    share = alpha[..., None] / 255
    noise = np.random.default_rng(0).normal(0, 1, (side, side, 3))
    picture = share * np.array([90, 60, 30]) + (1 - share) * ramp + noise
    return np.clip(picture, 0, 255).astype(np.uint8), alpha, coarse


@pytest.mark.parametrize("side", [256, 512])
def test_strands_that_the_map_does_not_have_are_found(side: int) -> None:
    picture, alpha, coarse = scene(side)
    matte = refine(picture, coarse)
    assert matte.shape == alpha.shape
    assert matte.dtype == np.uint8
    plain = 255 * cv2.resize(coarse, (side, side), interpolation=cv2.INTER_CUBIC).clip(0, 1)
    y, x = np.indices(alpha.shape)
    ring = np.abs(np.hypot(x - side / 2, y - side / 2) - side / 4 - side / 85) < side / 85
    errors = [np.abs(each.astype(float) - alpha)[ring].mean() / 255 for each in (plain, matte)]
    assert errors[1] < 0.4 * errors[0]


def test_colours_of_person_and_background_tell_strands_before_spots() -> None:
    """No window is calm there: the closed form alone leaves 0.073."""
    _, alpha, coarse = scene(256)
    brown = np.full((256, 256, 3), (60, 35, 20), np.uint8)
    soft = (alpha > 5) & (alpha < 250)
    errors = []
    for seed in (1, 2):
        spots = np.random.default_rng(seed).uniform(60, 255, (24, 24, 3)).astype(np.float32)
        behind = cv2.resize(spots, (256, 256), interpolation=cv2.INTER_CUBIC).clip(0, 255)
        matte = refine(compose(brown, alpha, behind), coarse)
        errors.append(np.abs(matte.astype(float) - alpha)[soft].mean() / 255)
    assert np.mean(errors) < 0.067


def test_a_map_finer_than_the_photo_counts_more() -> None:
    """Colours that say nothing spoil it less."""
    _, alpha, _ = scene(256)
    picture = np.random.default_rng(0).integers(0, 255, (256, 256, 3)).astype(np.uint8)
    edge = (alpha > 5) & (alpha < 250)
    errors = [
        np.abs(refine(picture, alpha.astype(np.float32) / 255, found).astype(float) - alpha)[edge].mean() / 255
        for found in (None, 1024 * 1024)
    ]
    assert errors[1] < 0.9 * errors[0]


def test_what_is_sure_stays() -> None:
    picture, alpha, coarse = scene(256)
    matte = refine(picture, coarse)
    y, x = np.indices(alpha.shape)
    far = np.hypot(x - 128, y - 128)
    assert (matte[far < 50] == 255).all()
    assert (matte[far > 80] == 0).all()


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_map_without_an_edge_is_the_matte(value: float) -> None:
    picture = np.random.default_rng(0).integers(0, 255, (300, 200, 3)).astype(np.uint8)
    assert (refine(picture, np.full((256, 256), value, np.float32)) == 255 * value).all()


def test_black_and_white_photos_have_mattes_too() -> None:
    """Their channels are alike: the colours of a window lie on a line."""
    picture, alpha, coarse = scene(256)
    grey = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    assert np.abs(refine(grey, coarse).astype(float) - alpha).mean() < 1
