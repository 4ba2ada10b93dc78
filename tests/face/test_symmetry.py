"""Drawn eyes whose irises lie aside by a known part of their distance."""

import cv2
import numpy as np
import pytest

from gaze.face.symmetry import UNIT, WINDOW, compare_eyes

RADIUS = 0.1


def drawn_eyes(aside: float, grey: bool = False, lit_from: float = 0.0) -> np.ndarray:
    """The level patch of two eyes, drawn four times as large; irises where the patch has them, openings off by `aside`.

    `lit_from` is how much lighter the right of the patch is than its left.
    """
    scale = 4
    width, height = (round((WINDOW[i + 2] - WINDOW[i]) * UNIT) * scale for i in (0, 1))
    image = np.full((height, width, 3), (205, 165, 145), np.uint8)

    def point(u: float, v: float) -> tuple[int, int]:
        return (
            round(((u - WINDOW[0]) * UNIT + 0.5) * scale - 0.5),
            round(((v - WINDOW[1]) * UNIT + 0.5) * scale - 0.5),
        )

    for side in (-1, 1):
        middle = side * 0.5 - aside
        # Outer halves are longer than inner ones, as in a face.
        s = np.linspace(-1, 1, 40)
        u = [middle + side * 0.22 * t * (1.15 if t > 0 else 1) for t in s]
        upper = [point(x, 0.05 - 0.13 * (1 - t * t)) for x, t in zip(u, s, strict=True)]
        lower = [point(x, 0.05 + 0.05 * (1 - t * t)) for x, t in zip(u, s, strict=True)]
        mask = np.zeros((height, width), np.uint8)
        cv2.fillPoly(mask, [np.array(upper + lower[::-1], np.int32)], 255)
        eye = np.full_like(image, (235, 230, 225))
        cv2.circle(eye, point(side * 0.5, 0), round(RADIUS * UNIT * scale), (70, 45, 30), -1)
        image[mask > 0] = eye[mask > 0]
        cv2.polylines(image, [np.array(upper, np.int32)], False, (60, 40, 35), round(0.03 * UNIT * scale))
    image = (image * (1 + lit_from * (np.linspace(-0.5, 0.5, width)[:, None]))).clip(0, 255).astype(np.uint8)
    small = cv2.resize(image, None, fx=1 / scale, fy=1 / scale, interpolation=cv2.INTER_AREA)
    return np.dstack([cv2.cvtColor(small, cv2.COLOR_RGB2GRAY)] * 3) if grey else small


@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("aside", [-0.08, -0.04, 0.0, 0.02, 0.06])
def test_how_far_the_irises_lie_aside(aside: float, grey: bool) -> None:
    found = compare_eyes(drawn_eyes(aside, grey), RADIUS)
    assert found.aside == pytest.approx(aside, abs=0.006)
    assert found.correlation > 0.7


def test_light_from_one_side_moves_nothing() -> None:
    assert compare_eyes(drawn_eyes(0.05, lit_from=0.6), RADIUS).aside == pytest.approx(0.05, abs=0.01)


def test_unlike_eyes_tell_nothing() -> None:
    patch = drawn_eyes(0.05)
    patch[:, patch.shape[1] // 2 :] = np.random.default_rng(0).integers(60, 220, (patch.shape[0], 60, 3))
    found = compare_eyes(patch, RADIUS)
    assert found.aside is None
    assert found.correlation < 0.5


def test_an_empty_picture_tells_nothing() -> None:
    assert compare_eyes(np.full((42, 120, 3), 128, np.uint8), RADIUS).aside is None
