"""A layer over frames: moved, blended between its values, and nothing where it has not begun."""

import cv2
import numpy as np
import pytest

from gaze.grid import Look
from gaze.motion.layer import LayerMorph, blink_strength, resized_layer, value_shares
from gaze.motion.motion import LayerKeys, Mesh, Motion

MESH = Mesh(tuple(range(0, 97, 8)), tuple(range(0, 81, 8)))
REGION = (30, 24, 36, 30)
FRAME = np.full((80, 96, 3), 100, np.uint8)


def motion(shift: float = 6.0) -> Motion:
    """To the right by `shift` at the right end of the grid, and to the left at the left end."""
    moving = np.zeros(MESH.shape, np.uint8)
    moving[1:-1, 1:-1] = 255
    weight = np.minimum.outer(
        np.clip(4 - np.abs(np.arange(MESH.shape[0]) - 5), 0, 1), np.clip(5 - np.abs(np.arange(MESH.shape[1]) - 6), 0, 1)
    )
    field = np.zeros((1, *MESH.shape, 2), np.int16)
    field[0, ..., 0] = np.round(weight * 100 * shift)
    field[:, moving < 255] = 0
    coefficients = np.tile(np.array([-1, 0, 1], np.float32)[None, :, None], (3, 1, 1))
    return Motion((0.0, 14.5, 29.0), MESH, field, 0.01, coefficients, moving)


def square(level: int, alpha: int = 255) -> np.ndarray:
    picture = np.zeros((REGION[3], REGION[2], 4), np.uint8)
    picture[8:22, 10:26] = (level, level, level, alpha)
    return picture


def layer(*pictures: np.ndarray, values: tuple[float, ...] = (0.5, 1.0), keys: tuple[int, ...] = (1,)) -> LayerKeys:
    return LayerKeys("blink", values, REGION, motion(), keys, dict(enumerate(pictures)))


@pytest.mark.parametrize(
    ("strength", "shares"),
    [(0, {}), (0.25, {0: 0.5}), (0.5, {0: 1.0}), (0.75, {0: 0.5, 1: 0.5}), (1, {1: 1.0})],
)
def test_values_share_a_strength(strength: float, shares: dict[int, float]) -> None:
    assert value_shares((0.5, 1.0), strength) == pytest.approx(shares)


def test_at_rest_it_lies_where_its_region_says() -> None:
    drawn = LayerMorph(layer(square(20), square(200)))(FRAME, Look(14.5, 14.5), 1.0)
    assert (drawn[24 + 9 : 24 + 21, 30 + 11 : 30 + 25] == 200).all()
    assert (drawn[:31] == 100).all()
    assert (drawn[:, :39] == 100).all()


@pytest.mark.parametrize(("col", "shift"), [(0, -6), (29, 6)])
def test_it_moves_with_its_own_motion(col: float, shift: int) -> None:
    drawn = LayerMorph(layer(square(20), square(200)))(FRAME, Look(14.5, col), 1.0)
    still = LayerMorph(layer(square(20), square(200)))(FRAME, Look(14.5, 14.5), 1.0)
    assert np.abs(np.roll(still, shift, 1).astype(int) - drawn).mean() < 0.3


@pytest.mark.parametrize(("strength", "level"), [(0.25, 60), (0.5, 20), (0.75, 110), (1, 200)])
def test_between_values_it_is_blended(strength: float, level: int) -> None:
    drawn = LayerMorph(layer(square(20), square(200)))(FRAME, Look(14.5, 14.5), strength)
    assert np.abs(drawn[40, 48].astype(int) - level).max() <= 1


def test_with_pictures_of_all_looks_the_nearest_are_blended() -> None:
    levels = [square(20 * i) for i in range(9)]
    one = layer(*levels, values=(1.0,), keys=(0, 1, 2))
    shown = LayerMorph(one)(FRAME, Look(7.25, 14.5), 1.0)[40, 48]
    assert np.abs(shown.astype(int) - (20 + 80) // 2).max() <= 1


def test_it_makes_a_transparent_frame_as_opaque_as_it_is() -> None:
    clear = np.zeros((80, 96, 4), np.uint8)
    drawn = LayerMorph(layer(square(20), square(200, 128)))(clear, Look(14.5, 14.5), 1.0)
    assert np.abs(drawn[40, 48].astype(int) - [200, 200, 200, 128]).max() <= 1


@pytest.mark.parametrize("size", [(64, 54), (96, 80), (192, 160)])
def test_for_frames_of_another_size_it_is_drawn_over_the_same_part(size: tuple[int, int]) -> None:
    one = layer(square(20), square(200))
    other = resized_layer(one, (96, 80), size)
    assert (other is one) == (size == (96, 80))
    for look in (Look(14.5, 14.5), Look(14.5, 29)):
        drawn = LayerMorph(other)(cv2.resize(FRAME, size), look, 1.0)
        expected = cv2.resize(LayerMorph(one)(FRAME, look, 1.0), size, interpolation=cv2.INTER_AREA)
        assert np.abs(drawn.astype(int) - expected).mean() < 0.8
    for picture in other.pictures.values():
        assert picture.shape == (other.region[3], other.region[2], 4)
        assert not picture[[0, -1], :, 3].any()


def test_a_blink_closes_the_eyes_and_opens_them_again() -> None:
    strengths = [blink_strength(time / 1000) for time in range(-20, 400)]
    assert (strengths[0], max(strengths), strengths[-1]) == (0, 1, 0)
    assert strengths[20 + 130] == strengths[20 + 170] == 1
    assert strengths[20 + 65] == pytest.approx(strengths[20 + 270]) == pytest.approx(0.5)
