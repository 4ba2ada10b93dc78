"""How far an iris lies off in a morph, as `benchmarks.morph` measures it."""

import cv2
import numpy as np
import pytest

from benchmarks.morph import offset

PLACE, RADIUS = (40.0, 30.0), 7.0


def eye(x: float, y: float) -> np.ndarray:
    """An iris with its middle there, (60, 80, 3) uint8."""
    down, across = np.mgrid[:60, :80]
    grey = 200 - 140 / (1 + np.exp((np.hypot(across - x, down - y) - RADIUS) / 0.8))
    return np.repeat(np.rint(grey)[..., None], 3, 2).astype(np.uint8)


@pytest.mark.parametrize("way", [(0.0, 0.0), (0.1, 0.0), (0.0, -0.3), (0.6, 0.4), (-1.5, 0.5)])
def test_a_known_shift_is_read(way: tuple[float, float]) -> None:
    moved = eye(PLACE[0] + way[0], PLACE[1] + way[1])
    assert abs(offset(moved, eye(*PLACE), PLACE, RADIUS) - np.hypot(*way)) < 0.02


def test_noise_and_softness_are_no_shift() -> None:
    """As a morph has them, of four keys: it is what phase correlation takes for one."""
    true = eye(*PLACE)
    noise = np.random.default_rng(1).normal(0, 3, true.shape)
    made = np.clip(cv2.GaussianBlur(true, (0, 0), 0.7) + noise, 0, 255).astype(np.uint8)
    assert offset(made, true, PLACE, RADIUS) < 0.05
