"""Drawn eyes behind glass that mirrors a window: a bar of light across iris, sclera and lids."""

import cv2
import numpy as np
import pytest

from gaze.engines.warp import engine
from gaze.engines.warp.engine import WarpEngine, WarpSource
from gaze.engines.warp.glare import find_glare
from gaze.face.face import Face
from gaze.grid import GAZE_RANGE, Pose
from gaze.photo.portrait import Portrait
from tests.engines.warp.test_eyes import MIDDLE, drawn_face

LIGHT = 0.9


def mirrored(portrait: Portrait, x: int) -> tuple[Portrait, np.ndarray]:
    """The face with a bar 7 pixels wide whose middle is `x` pixels right of each iris's; and how much it covers."""
    sharp = np.zeros(portrait.image.shape[:2], np.float32)
    for middle in (MIDDLE[0] - 50, MIDDLE[0] + 50):
        cv2.rectangle(sharp, (middle + x - 3, MIDDLE[1] - 22), (middle + x + 3, MIDDLE[1] + 12), 1, -1)
    bar = cv2.GaussianBlur(sharp, (0, 0), 0.8)
    share = LIGHT * bar[..., None]
    return Portrait(np.rint(portrait.image * (1 - share) + 255 * share).astype(np.uint8)), bar


def prepared(portrait: Portrait, face: Face, monkeypatch: pytest.MonkeyPatch, worn: float = 1.0) -> WarpSource:
    monkeypatch.setattr(engine, "glasses_worn", lambda image, face: worn)
    return WarpEngine(straighten=False).prepare(portrait, face)


def seen(source: WarpSource, pose: Pose) -> np.ndarray:
    return WarpEngine().render(source, [pose])[0].astype(int)


@pytest.fixture
def dim(monkeypatch: pytest.MonkeyPatch) -> tuple[Portrait, Face]:
    """The drawn face in a light in which its sclera is not as bright as a window."""
    portrait, face = drawn_face()
    return Portrait((portrait.image * 0.6).astype(np.uint8)), face


@pytest.mark.parametrize("x", [-7, 6])
def test_a_reflection_stays_while_the_eye_moves(
    dim: tuple[Portrait, Face], monkeypatch: pytest.MonkeyPatch, x: int
) -> None:
    portrait, bar = mirrored(dim[0], x)
    source = prepared(portrait, dim[1], monkeypatch)
    assert all(eye.glare is not None for eye in source.eyes)
    core = bar > 0.95
    for side in (-1, 1):
        off = np.abs(seen(source, Pose(pupil_x=side * GAZE_RANGE)) - portrait.image)[core]
        assert off.mean() < 6


def test_without_glasses_the_eye_takes_it_along(dim: tuple[Portrait, Face], monkeypatch: pytest.MonkeyPatch) -> None:
    portrait, bar = mirrored(dim[0], -7)
    source = prepared(portrait, dim[1], monkeypatch, worn=0.0)
    off = np.abs(seen(source, Pose(pupil_x=-GAZE_RANGE)) - portrait.image)[bar > 0.95]
    assert off.mean() > 30


def test_behind_it_there_is_the_eye(dim: tuple[Portrait, Face], monkeypatch: pytest.MonkeyPatch) -> None:
    """Beside the bar, a look is drawn much as if there were none; without a layer of its own it leaves its light."""
    portrait, bar = mirrored(dim[0], -7)
    look = Pose(pupil_x=GAZE_RANGE)
    iris = cv2.circle(np.zeros(bar.shape, np.uint8), (MIDDLE[0] - 50 + 6, MIDDLE[1]), 8, 1, -1) > 0
    as_if_none = seen(prepared(*dim, monkeypatch), look)
    off, before = (
        np.abs(seen(prepared(portrait, dim[1], monkeypatch, worn), look) - as_if_none)[iris & (bar < 0.01)].mean()
        for worn in (1.0, 0.0)
    )
    assert off < 0.5 * before


def test_at_rest_it_is_the_photo(dim: tuple[Portrait, Face], monkeypatch: pytest.MonkeyPatch) -> None:
    portrait, _ = mirrored(dim[0], -7)
    source = prepared(portrait, dim[1], monkeypatch)
    assert np.abs(seen(source, Pose()) - portrait.image).max() <= 1


@pytest.mark.parametrize("highlight", [False, True])
def test_sclera_and_catchlights_are_no_reflections(highlight: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    source = prepared(*drawn_face(highlight=highlight), monkeypatch)
    assert all(eye.glare is None for eye in source.eyes)


def test_bright_sclera_below_the_edge_that_was_found_is_no_reflection() -> None:
    """A lid's edge is found to a few pixels; the sclera beyond it is not on the lid."""
    radius, size = 10.0, 60
    y, x = np.mgrid[:size, :size].astype(np.float32) - size / 2
    distance = np.hypot(x, y) / radius
    patch = np.full((size, size, 3), (150, 110, 95), np.float32)
    opening = np.clip(np.minimum(y + 8, 8 - y), 0, 1).astype(np.float32)
    patch[(np.abs(y) < 8)] = 120
    patch[(y > 3) & (y < 10) & (x > 12) & (x < 20)] = 230
    patch[distance < 1] = 40
    assert find_glare(patch, opening, distance, radius) is None
    on_lid = patch.copy()
    on_lid[(y >= 10) & (y < 16) & (x > 12) & (x < 20)] = 230
    assert find_glare(on_lid, opening, distance, radius) is not None
