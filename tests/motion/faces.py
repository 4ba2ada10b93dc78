"""Pictures whose motion is known: something textured that is shifted with the look."""

from __future__ import annotations

from functools import cache

import cv2
import numpy as np

from gaze.grid import Look
from gaze.motion.eyes import Eyes
from gaze.motion.keys import key_axis, key_looks

WIDTH, HEIGHT = 160, 150
EYES = Eyes((60.0, 60.0), (100.0, 60.0))
AXIS = key_axis(30, 5)
TRAVEL = 6.0
"""Pixels that the patch goes at the grid's edge."""


def texture(seed: int, width: int, height: int, sigma: float = 2.5) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(128, 400, (height, width, 3)).astype(np.float32)
    return np.clip(cv2.GaussianBlur(noise, (0, 0), sigma), 0, 255).astype(np.uint8)


BACKGROUND = texture(1, WIDTH, HEIGHT)
PATCH = texture(2, WIDTH, HEIGHT)


def shift_of(look: Look) -> tuple[float, float]:
    """How far the patch goes in a look, x and y."""
    return TRAVEL * (2 * look.col / 29 - 1), TRAVEL * (2 * look.row / 29 - 1)


def share(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """How much of the patch's shift a point of the middle frame makes: 1 in the middle, softly 0 towards the rim."""
    far = np.hypot((x - 80) / 55, (y - 70) / 50)
    part = np.clip((1 - far) / 0.7, 0, 1)
    return (part * part * (3 - 2 * part)).astype(np.float32)


def displacement(look: Look) -> np.ndarray:
    """(HEIGHT, WIDTH, 2) float32, from the middle frame."""
    x, y = np.meshgrid(np.arange(WIDTH, dtype=np.float32), np.arange(HEIGHT, dtype=np.float32))
    field: np.ndarray = share(x, y)[..., None] * np.array(shift_of(look), np.float32)
    return field


def frame(look: Look, alpha: bool = False) -> np.ndarray:
    """The frame of a look: the patch warped by `displacement`."""
    x, y = np.meshgrid(np.arange(WIDTH, dtype=np.float32), np.arange(HEIGHT, dtype=np.float32))
    px: np.ndarray = x.copy()
    py: np.ndarray = y.copy()
    dx, dy = shift_of(look)
    for _ in range(12):
        part = share(px, py)
        px, py = x - part * np.float32(dx), y - part * np.float32(dy)
    middle = np.where(share(x, y)[..., None] > 0, PATCH, BACKGROUND)
    warped = cv2.remap(middle, px, py, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    still = np.where(share(x, y)[..., None] > 0, warped, BACKGROUND)
    if not alpha:
        return still
    cover = np.clip((share(px, py) - 0.3) * 8, 0, 1) * 255
    return np.dstack([still, cover.astype(np.uint8)])


def keys(alpha: bool = False) -> dict[int, np.ndarray]:
    """The frames of all keys; copies, to be written to."""
    return {number: made.copy() for number, made in enumerate(_keys(alpha))}


@cache
def _keys(alpha: bool) -> tuple[np.ndarray, ...]:
    return tuple(frame(look, alpha) for look in key_looks(AXIS))
